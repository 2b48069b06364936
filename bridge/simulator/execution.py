"""The execution of one line in a world. No I/O and no clock of its own.

A command goes through the steps of E42, and the first that objects gives the answer: syntax →
command → number of arguments → each argument's syntax, left to right → (a fault that stands for
HMP's own troubles) → existence of what they name, left to right → state → act.
"""

import re

from . import messages
from .checks import Refusal, category_values
from .command_table import ALIASES, COMMANDS, Command
from .faults import row_of_code
from .knobs import Knobs
from .lines import LineSyntaxError, Request, read_line
from .messages import Row, fill
from .world import LogEntry, World

__all__ = ["execute", "refusal"]

_LINE_BREAKING = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def execute(world: World, line: bytes | str, peer: str = "") -> str:
    """Carry out one line, given without its LF; the answer without its LF.

    The answer to a blank line is empty: nothing is to be sent.
    """
    try:
        request = read_line(line, longest=world.knobs.longest_line)
        if not request.words and world.knobs.empty_line == "ignore":
            return ""
        answer = _answer(world, request)
    except LineSyntaxError:
        answer = refusal(world.knobs, messages.SYNTAX_ERROR)
    except Refusal as refused:
        answer = refusal(world.knobs, refused.row, refused.value)
    text = line if isinstance(line, str) else line.decode(errors="replace")
    world.log.append(LogEntry(world.now(), peer, text, answer))
    world.executed += 1
    return answer


def refusal(knobs: Knobs, row: Row, value: str | None = None) -> str:
    """The ERROR line of a row, `value` in its place holder."""
    if row is messages.COMMAND_NOT_FOUND and knobs.codeless_not_found:
        return f"ERROR|{row.message}"
    code = knobs.write_error_code if row is messages.WRITE_ERROR else row.code
    if value is None:
        return f"ERROR|{code}|{row.message}"
    if not knobs.echo_raw:
        value = _LINE_BREAKING.sub(_escaped, value)
    return f"ERROR|{code}|{fill(row.message, value)}"


def _answer(world: World, request: Request) -> str:
    name, *arguments = request.words or [""]
    if world.knobs.legacy_aliases:
        name = ALIASES.get(name, name)
    command = COMMANDS.get(name)
    if command is None:
        raise Refusal(messages.COMMAND_NOT_FOUND)
    _check_arguments(world.knobs, command, arguments, request)
    if world.faults and (fault := world.faults.take("error", name)):
        raise Refusal(row_of_code(fault.value, name))
    value = command.act(world, arguments)
    return "OK" if value is None else f"OK|{value}"


def _check_arguments(
    knobs: Knobs, command: Command, arguments: list[str], request: Request
) -> None:
    wanted, got = len(command.checks), len(arguments)
    if command.with_values:
        if got <= wanted:
            raise Refusal(command.arity, str(got))
    elif got != wanted:
        raise Refusal(command.arity, str(got))
    for check, text in zip(command.checks, arguments, strict=False):
        if row := check(knobs, text):
            raise Refusal(row, text)
    if command.with_values:
        quoted = [wanted + 1 + n in request.quoted for n in range(got - wanted)]
        if row := category_values(knobs, arguments[wanted:], quoted):
            raise Refusal(row)


def _escaped(character: re.Match[str]) -> str:
    return "\\n" if character[0] == "\n" else f"\\x{ord(character[0]):02x}"
