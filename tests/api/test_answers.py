"""What becomes of a request, in the words of its answer."""

import pytest

from bridge.api.answers import done, from_room, refused, unknown
from bridge.hmp.commands import COMMANDS, Command, Repeat, parse_command
from bridge.hmp.errors import OutcomeUnknown, Refused
from bridge.room.facts.values import Problem, Result
from bridge.room.facts.vocabulary import Outcome, State
from tests.room.driven import RECORDING_ID

from .right import RIGHT


@pytest.mark.parametrize("name", COMMANDS)
def test_after_silence_it_is_said_whether_to_repeat(name: str) -> None:
    command: Command[object] = parse_command(name, RIGHT[name])
    answer = unknown(OutcomeUnknown(name, "no answer came"), command)
    assert answer.outcome is Outcome.UNKNOWN
    assert answer.problem is not None
    assert ("no harm" in answer.problem.explanation) is (command.repeat is Repeat.SAFE)
    assert name in answer.problem.message


def test_raw_is_hmp_s_line() -> None:
    assert done(None).raw == "OK"
    assert done(RECORDING_ID).raw == f"OK|{RECORDING_ID}"
    assert done(RECORDING_ID).value == RECORDING_ID
    assert refused(Refused("070014", "m|n", "0700014", "startRecording")).raw == "ERROR|0700014|m|n"
    assert refused(Refused("000002", "m", "", "x")).raw == "ERROR|m"


PROBLEM = Problem("070027", "Insufficient Disk Space", "e")


def result(
    outcome: Outcome, state: State, recording: object = None, problem: Problem | None = None
) -> Result:
    return Result("a", "startRecording", "t", outcome, state, problem, 0.1, recording)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "outcome", "code"),
    [
        (result(Outcome.OK, State.RECORDING, RECORDING_ID), Outcome.OK, None),
        (result(Outcome.OK, State.RECORDING), Outcome.FAILED, "already_recording"),
        (
            result(Outcome.IGNORED, State.RECORDING, RECORDING_ID),
            Outcome.FAILED,
            "already_recording",
        ),
        (result(Outcome.IGNORED, State.STARTING), Outcome.FAILED, "already_recording"),
        (result(Outcome.IGNORED, State.UNKNOWN), Outcome.FAILED, "already_recording"),
        (result(Outcome.IGNORED, State.IDLE), Outcome.FAILED, "overtaken"),
        (result(Outcome.FAILED, State.IDLE, None, PROBLEM), Outcome.FAILED, "070027"),
        (result(Outcome.EXPIRED, State.IDLE, None, PROBLEM), Outcome.EXPIRED, "070027"),
        (result(Outcome.UNKNOWN, State.UNKNOWN, None, PROBLEM), Outcome.UNKNOWN, "070027"),
    ],
)
def test_a_room_s_result_as_an_answer(given: Result, outcome: Outcome, code: str | None) -> None:
    answer = from_room(given)
    assert answer.outcome is outcome
    assert (answer.problem.code if answer.problem else None) == code
    assert answer.value == (RECORDING_ID if outcome is Outcome.OK else None)
