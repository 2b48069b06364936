"""The error table: all codes, the overloads, and what people are told."""

import copy
import pickle

import pytest

from bridge.hmp.error_table import ERRORS, code_for_message, meaning_of, normalise_code
from bridge.hmp.errors import (
    ErrorKind,
    HmpError,
    InvalidArgument,
    LinkDown,
    NotAuthorized,
    OutcomeUnknown,
    Refused,
    explain,
)
from bridge.hmp.link import LinkState
from bridge.simulator.messages import GENERAL_MESSAGES, MESSAGES, fill

#: Every row of the simulator's own copy of the guide, as it goes over the wire.
ROWS = [
    (command, row.code, fill(fill(row.message, "2"), "2").replace("X", "1"))
    for command, rows in {**MESSAGES, "": GENERAL_MESSAGES}.items()
    for row in rows
]


def test_of_a_long_message_people_are_shown_the_beginning() -> None:
    """Its meaning follows from all of it, wherever the wording stands; so it does in a copy."""
    refused = Refused("010003", f"{'x' * 100_000} is not a UUID", "010003", "startRecording")
    assert len(refused.message) == 300
    assert len(str(refused)) < 400
    assert len(repr(refused)) < 400
    short = Refused("010003", "x is not a UUID", "010003", "startRecording")
    assert refused.meaning == short.meaning
    assert pickle.loads(pickle.dumps(refused)).meaning == refused.meaning  # noqa: S301 - our own


def test_forty_codes_in_both_copies_of_the_guide() -> None:
    assert len(ERRORS) == 40
    assert {normalise_code(code) for _, code, _ in ROWS} == set(ERRORS)


@pytest.mark.parametrize(("command", "raw_code", "message"), ROWS)
def test_every_row_of_the_simulator_is_understood(
    command: str, raw_code: str, message: str
) -> None:
    refused = Refused(normalise_code(raw_code), message, raw_code, command)
    meaning = refused.meaning
    assert refused.kind is not ErrorKind.UNKNOWN or raw_code == "000000"
    # recognised by its wording, not only by its code
    assert (
        meaning in ERRORS[code_for_message(message)]
        or "Internal" in message
        or (message == "Recording not found")
    )
    assert len(explain(refused)) > 20


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("010003", "010003"),
        ("01003", "010003"),
        ("0700014", "070014"),
        ("1", "000001"),
        ("07", "000007"),
        ("020", "020000"),
        ("060", "060000"),
        ("0712345", "0712345"),
    ],
)
def test_codes_are_normalised_once(raw: str, code: str) -> None:
    assert normalise_code(raw) == code
    assert normalise_code(code) == code


@pytest.mark.parametrize(
    ("command", "code", "message", "kind"),
    [
        ("pauseRecording", "070003", "Failed to update state", ErrorKind.INTERNAL),
        ("stopRecording", "070003", "Internal Server Error", ErrorKind.INTERNAL),
        ("getRecordingStatus", "070003", "Recording not found", ErrorKind.RECORDING_NOT_FOUND),
        ("getRecordingStatus", "070003", "anything", ErrorKind.RECORDING_NOT_FOUND),
        ("getRecordingStatus", "070003", "Internal Server Error", ErrorKind.INTERNAL),
        ("pauseRecording", "070003", "anything", ErrorKind.INTERNAL),
        ("pauseRecording", "070003", "recording  not\nFOUND", ErrorKind.RECORDING_NOT_FOUND),
        ("deleteSession", "060003", "Recording currently in progress", ErrorKind.ACTIVE_RECORDING),
        ("removeSourceFromSession", "060003", "whatever", ErrorKind.ACTIVE_RECORDING),
        (
            "getRecordingStatus",
            "040001",
            "Active recording not found",
            ErrorKind.RECORDING_NOT_FOUND,
        ),
        ("updateMetadata", "040002", "Recording not found", ErrorKind.RECORDING_NOT_FOUND),
        ("addHotmark", "060004", "Hotmark already exists at this time", ErrorKind.ALREADY_DONE),
        ("startRecording", "070014", "Error writing to file", ErrorKind.WRITE_ERROR),
        ("startRecording", "070027", "Insufficient Disk Space", ErrorKind.DISK_FULL),
        ("startRecording", "060009", "Session requires at least one source", ErrorKind.NO_SOURCE),
        ("startRecording", "040006", "Session not found", ErrorKind.SESSION_MISSING),
        ("startRecording", "070000", "Internal Server Error", ErrorKind.TRANSIENT),
        ("startRecording", "079999", "New in 5.0", ErrorKind.INTERNAL),
        ("startRecording", "123456", "New in 5.0", ErrorKind.UNKNOWN),
    ],
)
def test_the_kind_follows_from_command_code_and_wording(
    command: str, code: str, message: str, kind: ErrorKind
) -> None:
    assert Refused(code, message, code, command).kind is kind


def test_the_explanation_follows_the_wording() -> None:
    plain = meaning_of("010006", "Address or port already in use", "startRestreamRecording")
    source = meaning_of("010006", "Address or port already in use by a source", "")
    assert plain.kind is source.kind
    assert "source" in source.explanation
    assert "source" not in plain.explanation


def test_codes_that_put_the_back_end_in_doubt() -> None:
    doubtful = {code for code in ERRORS if Refused(code, "", code, "").backend_down}
    assert doubtful == {"070000", "070006", "070007", "090001"}
    assert doubtful == {c for c in ERRORS if ERRORS[c][0].kind is ErrorKind.TRANSIENT}


def test_explanations_keep_what_to_do() -> None:
    text = explain(NotAuthorized())
    assert "does not accept commands from this box" in text
    assert "Administration > System Settings > API Access" in text


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (
            Refused("040006", "Session not found", "040006", "startRecording"),
            "startRecording: 040006",
        ),
        (NotAuthorized(), "connect: 020000 Not Authorized"),
        (LinkDown(LinkState.REFUSED, "nothing listens"), "HMP is refused: nothing listens"),
        (LinkDown(LinkState.DOWN), "HMP is down"),
        (OutcomeUnknown("stopRecording", "no answer came"), "may have carried it out"),
        (InvalidArgument("port", 0, "must be a port"), "port: 0 must be a port"),
        (InvalidArgument("value", "x" * 500, "is too long"), r"xxx\.\.\. is too long"),
    ],
)
def test_exceptions_read_well_and_can_be_copied(error: HmpError, text: str) -> None:
    with pytest.raises(HmpError, match=text):
        raise error
    for twin in (copy.copy(error), pickle.loads(pickle.dumps(error))):  # noqa: S301 - our own
        assert str(twin) == str(error)
        assert vars(twin) == vars(error)
