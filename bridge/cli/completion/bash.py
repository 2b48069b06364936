"""Completion for bash. Pure."""

from collections.abc import Iterator
from itertools import chain
from string import Template

from ..description import Argument, Description
from .values import LISTS, Kind, kind_of, quoted

__all__ = ["bash_script"]

_SCRIPT = Template(r"""# bash completion for hmp-bridge, as "hmp-bridge completion bash" prints it.

# The rooms, servers or topics, as $$1 says, of the configuration that is meant.
_hmp_bridge_names() {
  local list=$$1 file=$${${VARIABLE}-} index
  for ((index = 1; index < COMP_CWORD; index++)); do
    [[ $${COMP_WORDS[index]} == --config ]] || continue
    file=$${COMP_WORDS[index + 1]}
    [[ $$file == = ]] && file=$${COMP_WORDS[index + 2]}
    file=$${file//[\\\'\"]/}
  done
  [[ $$file ]] || for file in ${FILES}; do [[ -f $$file ]] && break; done
  awk -v list="$$list" '${names}' "$${file/#\~\//$$HOME/}" 2>/dev/null | sort -u
}

_hmp_bridge() {
  local current=$${COMP_WORDS[COMP_CWORD]} previous=$${COMP_WORDS[COMP_CWORD - 1]}
  local command= place=0 index words= options=
  COMPREPLY=()
  # What is typed --option=value comes in three words.
  if [[ $$current == = ]]; then
    current=
  elif [[ $$previous == = ]]; then
    previous=$${COMP_WORDS[COMP_CWORD - 2]}
  fi
  for ((index = 1; index < COMP_CWORD; index++)); do
    case "$$command $${COMP_WORDS[index]}" in
${skipped}) [[ $${COMP_WORDS[index + 1]} == = ]] && ((index++)); ((index++)) ;;
      *' =') ((index++)) ;;
      *' -'*) ;;
      ' '*) command=$${COMP_WORDS[index]} ;;
      *) ((place++)) ;;
    esac
  done
  case "$$command $$previous" in
${values}
    *)
      case "$$command $$place" in
${places}
      esac
      case $$command in
${options}
      esac
      [[ $$words && $$current != -* ]] || words=$$options
      ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$$words" -- "$$current")
  [[ $${COMPREPLY[0]-} == *= ]] && compopt -o nospace
} 2>/dev/null

_hmp_bridge_files() {
  mapfile -t COMPREPLY < <(compgen -f -- "$$1")
  compopt -o filenames
}

complete -F _hmp_bridge hmp-bridge
""")


def bash_script(description: Description, variable: str, files: str, names: str) -> str:
    """The script that completes `description` and the commands below it.

    `variable` of the environment names the configuration, or it is the first of `files`; `names` is
    `names_program`.
    """
    commands = [(description, ""), *((each, each.word) for each in description.commands)]
    valued: dict[str, list[str]] = {}
    for command, word in commands:
        for argument in filter(lambda each: each.value, command.options):
            patterns = [f"'{word} {name}'" for name in argument.names]
            valued.setdefault(_offer(argument), []).extend(patterns)
    first = f"' 0') words={quoted(each.word for each in description.commands)} ;;"
    places = [each for command in description.commands for each in _places(command)]
    options = [
        f"'{word}') options={quoted(name for each in command.options for name in each.names)} ;;"
        for command, word in commands
    ]
    return _SCRIPT.substitute(
        VARIABLE=variable,
        FILES=files,
        names=names,
        skipped=_indented([" | ".join(chain.from_iterable(valued.values()))], 6),
        values=_indented([f"{' | '.join(each)}) {offer} ;;" for offer, each in valued.items()], 4),
        places=_indented([first, *places], 8),
        options=_indented(options, 8),
    )


def _places(command: Description) -> Iterator[str]:
    """The words that are offered at each place of a positional argument."""
    for place, argument in enumerate(command.positionals):
        if argument.repeats:  # its words are HMP's: no option of ours is among them
            yield f"'{command.word} '*) return ;;"
        else:
            yield f"'{command.word} {place}') {_offer(argument)} ;;"


def _offer(argument: Argument) -> str:
    match kind_of(argument):
        case Kind.WORD:
            return f"words={quoted(argument.words)}"
        case Kind.NAME:
            return f"words=$(_hmp_bridge_names {LISTS[argument.value]})"
        case Kind.FILE:
            return '_hmp_bridge_files "$current"; return'
        case _:
            return "return"


def _indented(lines: list[str], columns: int) -> str:
    return "\n".join(" " * columns + line for line in lines)
