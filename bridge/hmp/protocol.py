"""One connection to HMP as a state machine without I/O.

The whole of it, in three rules:

1. HMP answers one line per command, in order, and says nothing else. So there is at most one
   command in flight, and a line that nobody waits for means that the stream can no longer be
   trusted: whatever came next would be taken for the answer to another command.
2. The one thing HMP says unasked is ``Not Authorized``, right after connecting or when somebody
   takes this box off its list; it closes the connection then.
3. A reply whose value is none of the guide's is a reply all the same: it concerns the command that
   it answers, and nobody else who uses the connection. One whose value is due to *another* command
   of the guide (an ID for a status) is out of step, and so is everything after it.

::

            send            line that is a reply, understood or not
    IDLE ──────────▶ AWAITING ───────────────────────────────▶ IDLE
      │                 │
      │ any line, end   │ Not Authorized, no reply of the guide, end
      └────────▶ CLOSED ◀┘            (nothing leaves CLOSED)

Feed what the network brings to `Protocol.receive_data`, in pieces of any size, and ``b""`` at the
end of the stream. It never raises for what HMP does: a violation comes as an event, *after* the
events of the valid lines before it, so that no reply is lost. It is this side's mistakes that
raise, as `LocalProtocolError`.

A reply that comes too late cannot be told from the reply to the next command. Whoever stops
waiting must therefore `close`; there is no way back to IDLE but a reply.
"""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from .arguments import recording_id
from .command import Command, NoResult
from .errors import (
    InvalidArgument,
    LocalProtocolError,
    NotAuthorized,
    NotUnderstood,
    ProtocolViolation,
    Refused,
)
from .recording_commands import RecordingStatus
from .syntax import ErrorLine, LineReceiver, OkLine, decode_response, encode_command

__all__ = ["TRANSITIONS", "Closed", "Event", "Input", "Protocol", "Reply", "State", "Unsolicited"]


class State(Enum):
    """The states of a connection, by what this side may do."""

    #: nothing is in flight
    IDLE = auto()
    #: one command is in flight
    AWAITING = auto()
    #: nothing more will be sent or understood
    CLOSED = auto()


class Input(Enum):
    """The things that can happen to a connection."""

    #: this side sends a command
    SEND = auto()
    #: a line that answers a command, if there is one to answer
    REPLY = auto()
    #: a line that says that this box may not speak to HMP
    NOT_AUTHORIZED = auto()
    #: a line that is none of the guide's
    VIOLATION = auto()
    #: HMP closed its side, or the connection broke
    END = auto()
    #: this side gives up
    CLOSE = auto()


#: What is missing is a `LocalProtocolError`.
TRANSITIONS: dict[State, dict[Input, State]] = {
    State.IDLE: {
        Input.SEND: State.AWAITING,
        Input.REPLY: State.CLOSED,
        Input.NOT_AUTHORIZED: State.CLOSED,
        Input.VIOLATION: State.CLOSED,
        Input.END: State.CLOSED,
        Input.CLOSE: State.CLOSED,
    },
    State.AWAITING: {
        Input.REPLY: State.IDLE,
        Input.NOT_AUTHORIZED: State.CLOSED,
        Input.VIOLATION: State.CLOSED,
        Input.END: State.CLOSED,
        Input.CLOSE: State.CLOSED,
    },
    State.CLOSED: {
        Input.REPLY: State.CLOSED,
        Input.NOT_AUTHORIZED: State.CLOSED,
        Input.VIOLATION: State.CLOSED,
        Input.END: State.CLOSED,
        Input.CLOSE: State.CLOSED,
    },
}


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to `command`: its typed `result`, or the `error` that stands in its place."""

    command: Command[Any]
    result: Any = None
    error: Refused | NotUnderstood | None = None
    #: a space stood for the pipe, as in the guide's tables (E1); worth a line in the log
    lenient: bool = False


@dataclass(frozen=True, slots=True)
class Unsolicited:
    """HMP said unasked that this box may not speak to it; the connection is over."""

    error: NotAuthorized


@dataclass(frozen=True, slots=True)
class Closed:
    """The connection is over; `violation` is what HMP did wrong, if it did."""

    violation: ProtocolViolation | None = None


Event = Reply | Unsolicited | Closed


_MOST_EMPTY_LINES = 1000
"""Empty lines in a row that mean nothing; more of them would keep this side busy."""


class Protocol:
    """One connection, from connecting to closing."""

    def __init__(self) -> None:
        self._state = State.IDLE
        self._in_flight: Command[Any] | None = None
        self._lines = LineReceiver()
        self._empty_lines = 0

    @property
    def state(self) -> State:
        """The state of the connection."""
        return self._state

    def send(self, command: Command[Any]) -> bytes:
        """The bytes of `command`, which is in flight from now on.

        Raises `LocalProtocolError` while another one is, and on a closed connection.
        """
        self._step(Input.SEND)
        self._in_flight = command
        return encode_command((command.name, *command.arguments()))

    def close(self) -> None:
        """This side gives up; what HMP still sends is not looked at."""
        self._step(Input.CLOSE)
        self._in_flight = None

    def receive_data(self, data: bytes | bytearray) -> list[Event]:
        """The events in `data`; ``b""`` is the end of the stream."""
        if self._state is State.CLOSED:
            return []
        if not data:
            return [self._end_of_stream()]
        events: list[Event] = []
        for line in self._lines.receive(data):
            if not line.strip():
                self._empty_lines += 1
                continue
            self._empty_lines = 0
            events.append(self._line(line))
            if self.state is State.CLOSED:
                return events
        if self._lines.overflowed:
            events.append(self._end(Input.VIOLATION, "HMP sent a line without end"))
        elif self._empty_lines > _MOST_EMPTY_LINES:
            events.append(self._end(Input.VIOLATION, "HMP sent empty lines without end"))
        return events

    def _end_of_stream(self) -> Event:
        """Half a reply is none, but a refusal may come without its line feed (E47)."""
        try:
            response = decode_response(self._lines.partial)
        except ProtocolViolation:
            return self._end(Input.END)
        if isinstance(response, ErrorLine) and response.code == "020000":
            return self._not_authorized(response)
        return self._end(Input.END)

    def _line(self, line: bytes) -> Event:
        command = self._in_flight
        try:
            response = decode_response(line)
            if isinstance(response, ErrorLine) and response.code == "020000":
                return self._not_authorized(response)
            if command is None:
                return self._end(Input.REPLY, f"HMP sent {line[:200]!r} unasked")
            reply = _read_reply(command, response)
        except ProtocolViolation as error:
            return self._end(Input.VIOLATION, str(error))
        self._step(Input.REPLY)
        self._in_flight = None
        return reply

    def _not_authorized(self, line: ErrorLine) -> Event:
        command, self._in_flight = self._in_flight, None
        self._step(Input.NOT_AUTHORIZED)
        if command is None:
            return Unsolicited(NotAuthorized(line.code, line.message, line.raw_code))
        error = NotAuthorized(line.code, line.message, line.raw_code, command.name)
        return Reply(command, error=error, lenient=line.lenient)

    def _end(self, what: Input, violation: str = "") -> Closed:
        self._in_flight = None
        self._step(what)
        return Closed(ProtocolViolation(violation) if violation else None)

    def _step(self, what: Input) -> None:
        try:
            self._state = TRANSITIONS[self._state][what]
        except KeyError:
            raise LocalProtocolError(f"{what.name} while {self._state.name}") from None


def _read_reply(command: Command[Any], line: OkLine | ErrorLine) -> Reply:
    if isinstance(line, ErrorLine):
        error = Refused(line.code, line.message, line.raw_code, command.name)
        return Reply(command, error=error, lenient=line.lenient)
    try:
        return Reply(command, result=command.result(line.value), lenient=line.lenient)
    except NotUnderstood as unclear:
        if _is_due_to_another(line.value):
            raise ProtocolViolation(str(unclear)) from None
        if isinstance(command, NoResult):  # OK was all that was to be said
            return Reply(command, lenient=line.lenient)
        return Reply(command, error=unclear, lenient=line.lenient)


def _is_due_to_another(value: str | None) -> bool:
    """True where the guide has such a value, which is not that of the command in flight."""
    if not value or value in list(RecordingStatus):
        return True
    try:
        recording_id(value, "value")
    except InvalidArgument:
        return False
    return True
