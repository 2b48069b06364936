"""All that one HMP knows, and how it answers a line. No I/O and no clock of its own.

A command goes through the steps of E42, and the first that objects gives the answer: syntax →
command → number of arguments → each argument's syntax, left to right → (a fault that stands for
HMP's own troubles) → existence of what they name, left to right → state → act.
"""

import random
import re
import uuid
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

from . import messages
from .access import Access
from .checks import Refusal, category_values
from .command_table import ALIASES, COMMANDS, Command
from .faults import Faults, row_of_code
from .knobs import Knobs
from .lines import LineSyntaxError, Request, read_line
from .messages import Row, fill
from .objects import Category, Group, Permission, Recording, Session, Source, Stream, User

__all__ = ["LogEntry", "World"]

_LOG_LENGTH = 100_000
_LINE_BREAKING = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class LogEntry(NamedTuple):
    """A command that was executed: Unix time, the peer's address, the line, the answer."""

    at: float
    peer: str
    line: str
    answer: str


class World:
    """One HMP's memory.

    `now` gives Unix time in seconds; `ids` is the source of its UUIDs, seeded by whoever wants the
    same ones again. `log` keeps the last 100,000 commands, `executed` counts all of them.
    """

    def __init__(
        self,
        *,
        now: Callable[[], float],
        ids: random.Random,
        knobs: Knobs | None = None,
    ) -> None:
        self.now = now
        self.knobs = knobs or Knobs()
        self.faults = Faults(now)
        self.access = Access()
        self.sessions: dict[str, Session] = {}
        self.sources: dict[str, Source] = {}
        self.recordings: dict[str, Recording] = {}
        self.streams: dict[str, Stream] = {}
        #: by name in lower case
        self.users: dict[str, User] = {}
        self.groups: dict[str, Group] = {}
        self.permissions: dict[str, Permission] = {}
        self.categories: dict[str, Category] = {}
        self.log: deque[LogEntry] = deque(maxlen=_LOG_LENGTH)
        self.executed = 0
        self._ids = ids

    def execute(self, line: bytes | str, peer: str = "") -> str:
        """Carry out one line, given without its LF; the answer without its LF.

        The answer to a blank line is empty: nothing is to be sent.
        """
        try:
            request = read_line(line, longest=self.knobs.longest_line)
            if not request.words and self.knobs.empty_line == "ignore":
                return ""
            answer = self._answer(request)
        except LineSyntaxError:
            answer = self.refusal(messages.SYNTAX_ERROR)
        except Refusal as refused:
            answer = self.refusal(refused.row, refused.value)
        text = line if isinstance(line, str) else line.decode(errors="replace")
        self.log.append(LogEntry(self.now(), peer, text, answer))
        self.executed += 1
        return answer

    def refusal(self, row: Row, value: str | None = None) -> str:
        """The ERROR line of a row, `value` in its place holder."""
        if row is messages.COMMAND_NOT_FOUND and self.knobs.codeless_not_found:
            return f"ERROR|{row.message}"
        code = self.knobs.write_error_code if row is messages.WRITE_ERROR else row.code
        if value is None:
            return f"ERROR|{code}|{row.message}"
        if not self.knobs.echo_raw:
            value = _LINE_BREAKING.sub(_escaped, value)
        return f"ERROR|{code}|{fill(row.message, value)}"

    def new_id(self) -> str:
        """A version 4 UUID."""
        return str(uuid.UUID(int=self._ids.getrandbits(128), version=4))

    def date_and_time(self) -> str:
        """Now as HMP appends it to a recording's title (E28)."""
        return datetime.fromtimestamp(self.now(), UTC).strftime("%d/%m/%Y, %H:%M")

    def active_recordings(self, session: Session) -> list[Recording]:
        """The session's recordings that are RECORDING or PAUSED."""
        now = self.now()
        active = []
        for recording_id in session.recordings:
            recording = self.recordings.get(recording_id)
            if recording is not None:
                recording.settle(now)
                if recording.active:
                    active.append(recording)
        # Neither an ended nor a failed recording becomes active again.
        session.recordings = [recording.id for recording in active]
        return active

    def _answer(self, request: Request) -> str:
        name, *arguments = request.words or [""]
        if self.knobs.legacy_aliases:
            name = ALIASES.get(name, name)
        command = COMMANDS.get(name)
        if command is None:
            raise Refusal(messages.COMMAND_NOT_FOUND)
        self._check_arguments(command, arguments, request)
        if self.faults and (fault := self.faults.take("error", name)):
            raise Refusal(row_of_code(fault.value, name))
        value = command.act(self, arguments)
        return "OK" if value is None else f"OK|{value}"

    def _check_arguments(self, command: Command, arguments: list[str], request: Request) -> None:
        wanted, got = len(command.checks), len(arguments)
        if command.with_values:
            if got <= wanted:
                raise Refusal(command.arity, str(got))
        elif got != wanted:
            raise Refusal(command.arity, str(got))
        for check, text in zip(command.checks, arguments, strict=False):
            if row := check(self.knobs, text):
                raise Refusal(row, text)
        if command.with_values:
            quoted = [wanted + 1 + n in request.quoted for n in range(got - wanted)]
            if row := category_values(self.knobs, arguments[wanted:], quoted):
                raise Refusal(row)


def _escaped(character: re.Match[str]) -> str:
    return "\\n" if character[0] == "\n" else f"\\x{ord(character[0]):02x}"
