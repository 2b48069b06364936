"""Completion for fish. Pure."""

from collections.abc import Iterator
from string import Template

from ..description import Argument, Description
from .values import LISTS, Kind, kind_of

__all__ = ["fish_script"]

_SCRIPT = Template(r"""# fish completion for hmp-bridge, as "hmp-bridge completion fish" prints it.

# The rooms, servers or topics, as $$argv[1] says, of the configuration that is meant.
function __hmp_bridge_names
    set -l list $$argv[1]
    set -l file $$${VARIABLE}
    set -l previous ''
    for word in (commandline -opc)
        test "$$previous" = --config; and set file $$word
        string match -q -- '--config=*' $$word; and set file (string replace -- --config= '' $$word)
        set previous $$word
    end
    if test -z "$$file"
        for usual in ${FILES}
            test -f $$usual; and set file $$usual; and break
        end
    end
    awk -v list=$$list '${names}' (string replace -r -- '^~/' $$HOME/ $$file) 2>/dev/null | sort -u
end

# Whether the command is $$argv[1], and as many positional arguments came as one of $$argv[2..]
# says, or any number where none does.
function __hmp_bridge_at
    set -l command ''
    set -l place 0
    set -l skip 0
    for word in (commandline -opc)[2..-1]
        if test $$skip = 1
            set skip 0
            continue
        end
        switch "$$command $$word"
            case ${skipped}
                set skip 1
            case '* -*'
            case ' *'
                set command $$word
            case '*'
                set place (math $$place + 1)
        end
    end
    test "$$command" = $$argv[1]; and begin
        test (count $$argv) = 1; or contains $$place $$argv[2..-1]
    end
end

complete -c hmp-bridge -f
${lines}
""")


def fish_script(description: Description, variable: str, files: str, names: str) -> str:
    """The script that completes `description` and the commands below it.

    `variable` of the environment names the configuration, or it is the first of `files`; `names` is
    `names_program`.
    """
    commands = [(description, ""), *((each, each.word) for each in description.commands)]
    valued = [
        _quoted(f"{word} {name}")
        for command, word in commands
        for argument in command.options
        for name in argument.names
        if argument.value
    ]
    first = [
        f"{_at('', 0)} -a {each.word} -d {_quoted(each.summary)}" for each in description.commands
    ]
    rest = [line for command, word in commands for line in _arguments(command, word)]
    lines = "\n".join(f"complete -c hmp-bridge {line}" for line in (*first, *rest))
    return _SCRIPT.substitute(
        VARIABLE=variable,
        FILES=files,
        names=names,
        skipped=" ".join(valued),
        lines=lines,
    )


def _arguments(command: Description, word: str) -> Iterator[str]:
    positionals = command.positionals
    for place, argument in enumerate(positionals):
        if not argument.repeats:
            offer, about = _offer(argument), _quoted(argument.summary)
            yield f"{_at(word, place)} {offer} -d {about}"
    # Where all words that are left are HMP's, none of them is an option.
    last = positionals[-1:] and positionals[-1].repeats
    places = range(len(positionals) - 1) if last else ()
    for argument in command.options:
        names = [
            f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}"
            for name in argument.names
        ]
        value = f" -r {_offer(argument)}" if argument.value else ""
        about = _quoted(argument.summary)
        yield f"{_at(word, *places)} {' '.join(names)}{value} -d {about}"


def _at(word: str, *places: int) -> str:
    words = ["__hmp_bridge_at", word or '""', *map(str, places)]
    return f"-n {_quoted(' '.join(words))}"


def _offer(argument: Argument) -> str:
    match kind_of(argument):
        case Kind.WORD:
            return f"-f -a {_quoted(' '.join(argument.words))}"
        case Kind.NAME:
            return f"-f -a '(__hmp_bridge_names {LISTS[argument.value]})'"
        case Kind.FILE:
            return "-F"
        case _:
            return "-f"


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
