"""The protocol machine: every state against every input, and whole conversations in pieces."""

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.hmp.arguments import RecordingId, SessionId
from bridge.hmp.command import Command
from bridge.hmp.commands import GetRecordingStatus, PauseRecording, RecordingStatus, StartRecording
from bridge.hmp.errors import ErrorKind, LocalProtocolError, NotAuthorized, NotUnderstood, Refused
from bridge.hmp.protocol import (
    TRANSITIONS,
    Closed,
    Event,
    Input,
    Protocol,
    Reply,
    State,
    Unsolicited,
)
from tests.hmp.peer import UUID

START = StartRecording(SessionId(UUID))
PAUSE = PauseRecording(RecordingId(UUID))
STATUS = GetRecordingStatus(RecordingId(UUID))


def in_state(state: State) -> Protocol:
    protocol = Protocol()
    if state is State.AWAITING:
        protocol.send(START)
    elif state is State.CLOSED:
        protocol.close()
    assert protocol.state is state
    return protocol


def apply(protocol: Protocol, what: Input) -> list[Event]:
    match what:
        case Input.SEND:
            protocol.send(START)
        case Input.CLOSE:
            protocol.close()
        case Input.REPLY:
            return protocol.receive_data(f"OK|{UUID}\n".encode())
        case Input.NOT_AUTHORIZED:
            return protocol.receive_data(b"ERROR|020000|Not Authorized\n")
        case Input.VIOLATION:
            return protocol.receive_data(b"Welcome!\n")
        case Input.END:
            return protocol.receive_data(b"")
    return []


@pytest.mark.parametrize("what", Input)
@pytest.mark.parametrize("state", State)
def test_every_state_against_every_input(state: State, what: Input) -> None:
    protocol = in_state(state)
    expected = TRANSITIONS[state].get(what)
    if expected is None:
        with pytest.raises(LocalProtocolError, match=f"{what.name} while {state.name}"):
            apply(protocol, what)
        assert protocol.state is state
        return
    events = apply(protocol, what)
    assert protocol.state is expected
    if state is State.CLOSED or what in (Input.SEND, Input.CLOSE):
        assert events == []
    else:
        assert len(events) == 1


def test_a_reply_carries_its_command_and_typed_result() -> None:
    protocol = in_state(State.AWAITING)
    assert protocol.receive_data(f"OK|{UUID}\n".encode()) == [Reply(START, result=UUID)]
    assert protocol.send(STATUS) == f"getRecordingStatus {UUID}\n".encode()
    assert protocol.receive_data(b"\r\nOK|PAUSED\r\n") == [
        Reply(STATUS, result=RecordingStatus.PAUSED)
    ]


def test_a_refusal_names_command_code_and_message() -> None:
    protocol = in_state(State.AWAITING)
    [reply] = protocol.receive_data(b"ERROR|0700014|Error writing to file\n")
    assert isinstance(reply, Reply)
    assert isinstance(reply.error, Refused)
    assert (reply.error.code, reply.error.raw_code) == ("070014", "0700014")
    assert reply.error.command == "startRecording"
    assert reply.error.kind is ErrorKind.WRITE_ERROR


def test_a_valid_reply_is_not_lost_to_a_violation_behind_it() -> None:
    protocol = in_state(State.AWAITING)
    first, second = protocol.receive_data(f"OK|{UUID}\nOK\nOK\n".encode())
    assert first == Reply(START, result=UUID)
    assert isinstance(second, Closed)
    assert "unasked" in str(second.violation)


@pytest.mark.parametrize("line", ["OK", "OK|", "OK|RECORDING"])
def test_the_result_of_another_command_is_a_violation(line: str) -> None:
    protocol = in_state(State.AWAITING)
    [event] = protocol.receive_data(f"{line}\n".encode())
    assert isinstance(event, Closed)
    assert "startRecording" in str(event.violation)


@pytest.mark.parametrize("value", [UUID, "PAUSED"])
def test_another_commands_value_where_none_is_due_is_a_violation(value: str) -> None:
    protocol = Protocol()
    protocol.send(PAUSE)
    [event] = protocol.receive_data(f"OK|{value}\n".encode())
    assert isinstance(event, Closed)
    assert event.violation is not None


@pytest.mark.parametrize(
    ("command", "value"),
    [(START, "nonsense"), (START, f"{UUID}x"), (STATUS, "FINALIZING"), (STATUS, "recording")],
)
def test_a_value_of_nobodys_is_a_reply_that_is_not_understood(
    command: Command[Any], value: str
) -> None:
    protocol = Protocol()
    protocol.send(command)
    [event] = protocol.receive_data(f"OK|{value}\n".encode())
    assert isinstance(event, Reply)
    assert event.command is command
    assert isinstance(event.error, NotUnderstood)
    assert command.name in str(event.error)
    assert protocol.state is State.IDLE


def test_a_value_of_nobodys_where_none_is_due_is_left() -> None:
    protocol = Protocol()
    protocol.send(PAUSE)
    assert protocol.receive_data(b"OK|done\n") == [Reply(PAUSE)]


def test_the_guides_printed_form_is_flagged() -> None:
    protocol = in_state(State.AWAITING)
    assert protocol.receive_data(f"OK {UUID}\n".encode()) == [
        Reply(START, result=UUID, lenient=True)
    ]


@pytest.mark.parametrize(
    "chunks", [[b"ERROR|020000|Not Authorized\n"], [b"Not Authorized\n"], [b"Not Authorized", b""]]
)
def test_every_shape_of_not_authorized(chunks: list[bytes]) -> None:
    idle, awaiting = in_state(State.IDLE), in_state(State.AWAITING)
    [unasked] = [event for chunk in chunks for event in idle.receive_data(chunk)]
    [reply] = [event for chunk in chunks for event in awaiting.receive_data(chunk)]
    assert isinstance(unasked, Unsolicited)
    assert isinstance(reply, Reply)
    assert isinstance(reply.error, NotAuthorized)
    assert reply.error.command == "startRecording"


def test_half_a_reply_at_the_end_is_none() -> None:
    protocol = in_state(State.AWAITING)
    assert protocol.receive_data(f"OK|{UUID}".encode()) == []
    assert protocol.receive_data(b"") == [Closed()]


def test_a_line_without_end_is_a_violation() -> None:
    protocol = in_state(State.AWAITING)
    events = [event for _ in range(20) for event in protocol.receive_data(b"x" * 10_000)]
    assert len(events) == 1
    assert isinstance(events[0], Closed)
    assert "without end" in str(events[0].violation)


@pytest.mark.parametrize("line", [b"\n", b"\r\n"])
def test_empty_lines_without_end_are_a_violation(line: bytes) -> None:
    protocol = in_state(State.AWAITING)
    (reply,) = protocol.receive_data(line * 900 + f"OK|{UUID}\n".encode() + line * 900)
    assert isinstance(reply, Reply)
    events = [event for _ in range(20) for event in protocol.receive_data(line * 100)]
    assert len(events) == 1
    assert isinstance(events[0], Closed)
    assert "empty lines without end" in str(events[0].violation)


CONVERSATION = f"OK|{UUID}\r\nERROR|040001|Active recording not found\nOK\n\nOK|PAUSED\n".encode()


def converse(chunks: list[bytes]) -> list[tuple[str, object]]:
    """Send the next command after each reply; what came back, comparably."""
    protocol, rest = Protocol(), [PAUSE, PAUSE, STATUS]
    protocol.send(START)
    seen: list[tuple[str, object]] = []
    for chunk in chunks:
        for line in chunk.splitlines(keepends=True):  # a peer answers only what was asked
            for event in protocol.receive_data(line):
                assert isinstance(event, Reply)
                seen.append((event.command.name, event.result if not event.error else "refused"))
                if rest:
                    protocol.send(rest.pop(0))
    return seen


@given(st.sets(st.integers(0, len(CONVERSATION))))
def test_a_conversation_reads_the_same_in_any_pieces(cuts: set[int]) -> None:
    edges = [0, *sorted(cuts), len(CONVERSATION)]
    chunks = [CONVERSATION[a:b] for a, b in itertools.pairwise(edges) if a < b]
    assert converse(chunks) == [
        ("startRecording", UUID),
        ("pauseRecording", "refused"),
        ("pauseRecording", None),
        ("getRecordingStatus", RecordingStatus.PAUSED),
    ]
