"""Completion for zsh. Pure."""

import re
from collections.abc import Iterator
from string import Template

from ..description import Argument, Description
from .values import LISTS, Kind, is_unfinished, kind_of

__all__ = ["zsh_script"]

_SCRIPT = Template(r"""#compdef hmp-bridge
# zsh completion for hmp-bridge, as "hmp-bridge completion zsh" prints it.

# The rooms, servers or topics, as $$1 says, of the configuration that is meant.
_hmp_bridge_names() {
  local list=$$1 file=$${${VARIABLE}-} index
  for ((index = 1; index < CURRENT; index++)); do
    case $$words[index] in
      (--config) file=$${(Q)words[index+1]} ;;
      (--config=*) file=$${(Q)words[index]#--config=} ;;
    esac
  done
  if [[ -z $$file ]]; then
    for file in ${FILES}; do [[ -f $$file ]] && break; done
  fi
  file=$${file/#\~\//$$HOME/}
  compadd -- $${(f)"$$(awk -v list="$$list" '${names}' "$$file" 2>/dev/null | sort -u)"}
}

_hmp_bridge_keys() { compadd -S '' -- "$$@" }

_hmp_bridge() {
  local curcontext=$$curcontext context state state_descr line
  typeset -A opt_args
  local -a commands=(
${commands}
  )
  _arguments -C ${options} \
    '1:COMMAND:{_describe command commands}' '*:: :->words' && return
  case $$words[1] in
${cases}
  esac
}

if [[ $$zsh_eval_context[-1] == loadautofunc ]]; then
  _hmp_bridge "$$@"
else
  compdef _hmp_bridge hmp-bridge
fi
""")


def zsh_script(description: Description, variable: str, files: str, names: str) -> str:
    """The script that completes `description` and the commands below it.

    `variable` of the environment names the configuration, or it is the first of `files`; `names` is
    `names_program`.
    """
    commands = [f"    {_quoted(f'{each.word}:{each.summary}')}" for each in description.commands]
    cases = [
        f"    ({each.word}) _arguments -S \\\n      {' '.join(_specifications(each))} ;;"
        for each in description.commands
    ]
    return _SCRIPT.substitute(
        VARIABLE=variable,
        FILES=files,
        names=names,
        commands="\n".join(commands),
        options=" ".join(_specifications(description)),
        cases="\n".join(cases),
    )


def _specifications(command: Description) -> Iterator[str]:
    """The arguments of zsh's ``_arguments`` for those of a command."""
    for argument in command.options:
        value = f":{argument.value}:{_action(argument)}" if argument.value else ""
        for name in argument.names:
            # One that is not given twice excludes itself and its other names.
            excluded = "*" if argument.repeats else f"({' '.join(argument.names)})"
            equals = "=" if argument.value else ""
            yield _quoted(f"{excluded}{name}{equals}[{_escaped(argument.summary)}]{value}")
    for place, argument in enumerate(command.positionals, 1):
        number = "*" if argument.repeats else str(place)
        yield _quoted(f"{number}:{argument.value}:{_action(argument)}")


def _action(argument: Argument) -> str:
    match kind_of(argument):
        case Kind.WORD if is_unfinished(argument.words):
            return f" _hmp_bridge_keys {' '.join(argument.words)}"
        case Kind.WORD:
            return f"({' '.join(argument.words)})"
        case Kind.NAME:
            return f" _hmp_bridge_names {LISTS[argument.value]}"
        case Kind.FILE:
            return "_files"
        case _:
            return " "


def _escaped(text: str) -> str:
    return re.sub(r"([\[\]:\\])", r"\\\1", text)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
