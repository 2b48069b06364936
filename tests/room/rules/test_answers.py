"""What HMP's answers do to a room: to a start, to pause and resume, to an adoption."""

from dataclasses import replace

import pytest

from bridge.room.facts.answer import Answer, NotSent
from bridge.room.facts.meeting import Meeting
from bridge.room.facts.vocabulary import Action, Alarm, Outcome, State, StepKind, Target

from ..driven import (
    DOWN,
    FINISHED,
    IS_ERROR,
    IS_PAUSED,
    IS_RECORDING,
    LOST,
    NOT_FOUND,
    OK,
    OTHER_ID,
    RECORDING_ID,
    STARTED,
    WALL,
    DrivenRoom,
    recording,
    refused,
)

PAUSE_FAILED = refused("070003", "Failed to update state", "pauseRecording")


# -- the start ------------------------------------------------------------------------------------


def test_the_id_is_enough_to_be_recording_and_the_first_status_verifies_it() -> None:
    room = DrivenRoom()
    room.press(Action.MEETING_START, meeting=Meeting("7"))
    room.answer(STARTED)
    assert room.state is State.RECORDING
    assert room.room.recording is not None
    assert (room.room.recording.id, room.room.recording.owner) == (RECORDING_ID, "meeting:7")
    assert room.room.recording.verified_at is None
    assert room.step is StepKind.VERIFY
    room.wait(0.25)
    room.answer(IS_RECORDING)
    assert room.room.recording.verified_at == WALL + 0.25


@pytest.mark.parametrize(
    ("answer", "state", "alarm"),
    [
        (IS_PAUSED, State.PAUSED, None),
        (IS_ERROR, State.ERROR, Alarm.RECORDING_ERROR),
        (FINISHED, State.IDLE, Alarm.STOPPED_UNEXPECTEDLY),
    ],
)
def test_a_first_status_other_than_expected_is_published(
    answer: Answer, state: State, alarm: Alarm | None
) -> None:
    room = DrivenRoom()
    room.press(Action.RECORD)
    room.answers(STARTED, answer)
    assert (room.state, room.room.alarm) == (state, alarm)


@pytest.mark.parametrize(
    ("code", "message", "alarm"),
    [
        ("060009", "Session requires at least one source", Alarm.NO_SOURCE),
        ("070027", "Insufficient Disk Space", Alarm.DISK_FULL),
        ("070014", "Error writing to file", Alarm.WRITE_ERROR),
        ("040006", "Session not found", Alarm.SESSION_MISSING),
        ("070000", "Internal Server Error", None),
        ("000000", "Unknown Error", None),
    ],
)
def test_a_refused_start_fails_and_is_not_tried_again(
    code: str, message: str, alarm: Alarm | None
) -> None:
    room = DrivenRoom()
    request = room.press(Action.RECORD, title="Weekly")
    room.answer(refused(code, message, "startRecording"))
    assert (room.state, room.outcome(request), room.code(request)) == (State.IDLE, "failed", code)
    problem = room.results[request].problem
    assert problem is not None
    assert problem.message == message
    assert problem.explanation
    assert room.room.alarm is alarm
    room.wait(600)
    assert room.sent == [StepKind.START]
    # The next recording clears the alarm, and does not take the title of the one that failed.
    room.press(Action.RECORD)
    room.answer(STARTED)
    assert not room.room.alarms
    assert room.room.recording is not None
    assert room.room.recording.title is None


def test_a_session_that_is_recorded_by_others_is_asked_about() -> None:
    room = DrivenRoom()
    request = room.press(Action.RECORD)
    room.answer(refused("060003", "Active recording currently in progress", "startRecording"))
    assert room.outcome(request) is Outcome.FAILED
    assert Alarm.OUTCOME_UNKNOWN in room.room.alarms
    assert room.step is StepKind.QUESTION


def test_a_start_not_sent_is_sent_when_the_link_is_back() -> None:
    room = DrivenRoom()
    room.queueing = True
    room.press(Action.RECORD)
    room.link(ready=False)
    assert (room.state, room.step) == (State.STARTING, None)
    room.link(ready=True)
    assert room.step is StepKind.START


# -- pause and resume -----------------------------------------------------------------------------


#: the press, the status that it asks for, the other one
BOTH_WAYS = pytest.mark.parametrize(
    ("action", "reached", "other"),
    [(Action.PAUSE, IS_PAUSED, IS_RECORDING), (Action.RESUME, IS_RECORDING, IS_PAUSED)],
)


def pressed(action: Action) -> tuple[DrivenRoom, int, State]:
    """A room with a pause or resume on its way, the request, and the state before it."""
    room = recording()
    if action is Action.RESUME:
        room.press(Action.PAUSE)
        room.answer(OK)
    before = room.state
    return room, room.press(action), before


@pytest.mark.parametrize("action", [Action.PAUSE, Action.RESUME])
def test_paused_and_resumed(action: Action) -> None:
    room, request, before = pressed(action)
    room.answer(OK)
    assert room.outcome(request) is Outcome.OK
    assert room.state is not before


@BOTH_WAYS
def test_refused_because_already_so(action: Action, reached: Answer, other: Answer) -> None:
    room, request, before = pressed(action)
    room.answer(NOT_FOUND)  # E25: some HMPs answer a second pause so
    assert (room.step, room.outcome(request)) == (StepKind.SETTLE, None)
    room.answer(reached)
    assert room.outcome(request) is Outcome.OK
    assert room.state is not before


@BOTH_WAYS
def test_refused(action: Action, reached: Answer, other: Answer) -> None:
    room, request, before = pressed(action)
    room.answers(PAUSE_FAILED, other)
    assert (room.outcome(request), room.code(request)) == (Outcome.FAILED, "070003")
    assert room.state is before


@BOTH_WAYS
def test_lost_and_done(action: Action, reached: Answer, other: Answer) -> None:
    room, request, _ = pressed(action)
    room.cut(seconds=5)
    room.answer(reached)
    assert room.outcome(request) is Outcome.OK


@BOTH_WAYS
def test_lost_and_not_done(action: Action, reached: Answer, other: Answer) -> None:
    room, request, _ = pressed(action)
    room.cut(seconds=5)
    room.answer(other)
    assert room.step in (StepKind.PAUSE, StepKind.RESUME)
    room.answer(OK)
    assert room.outcome(request) is Outcome.OK


@BOTH_WAYS
def test_lost_for_too_long(action: Action, reached: Answer, other: Answer) -> None:
    room, request, before = pressed(action)
    room.cut(seconds=30)
    assert room.outcome(request) is Outcome.EXPIRED
    room.answer(other)
    assert (room.state, room.step) == (before, StepKind.POLL)


@pytest.mark.parametrize("action", [Action.PAUSE, Action.RESUME])
def test_refused_because_it_ended(action: Action) -> None:
    room, request, _ = pressed(action)
    room.answers(NOT_FOUND, FINISHED)
    assert (room.outcome(request), room.code(request)) == (Outcome.FAILED, "recording_ended")
    assert room.state is State.IDLE
    assert room.room.alarm is Alarm.STOPPED_UNEXPECTEDLY


def test_somebody_pauses_and_resumes_in_the_web_pages() -> None:
    room = recording()
    room.answer(IS_PAUSED)
    assert (room.state, room.room.target) == (State.PAUSED, Target.PAUSED)
    room.answer(IS_RECORDING)
    assert (room.state, room.room.target) == (State.RECORDING, Target.RECORDING)
    assert not room.room.alarms


# -- adoption -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (FINISHED, "no_such_recording"),
        (IS_ERROR, "no_such_recording"),
        (NOT_FOUND, "no_such_recording"),
        (DOWN, "070000"),
    ],
)
def test_only_an_active_recording_can_be_adopted(answer: Answer, code: str) -> None:
    room = DrivenRoom()
    request = room.press(Action.ADOPT, recording_id=OTHER_ID)
    room.answer(answer)
    assert (room.outcome(request), room.code(request)) == (Outcome.FAILED, code)
    assert room.state is State.IDLE


def test_an_adoption_whose_answer_was_lost_is_asked_again_until_it_expires() -> None:
    room = DrivenRoom()
    request = room.press(Action.ADOPT, recording_id=OTHER_ID)
    room.cut(seconds=10)
    assert room.step is StepKind.ADOPT
    room.link(ready=False)
    room.answer(LOST)
    room.wait(20)
    assert room.outcome(request) is Outcome.EXPIRED
    room.link(ready=True)
    assert room.step is None


def test_a_second_adoption_overtakes_the_first() -> None:
    room = DrivenRoom()
    room.queueing = True
    first = room.press(Action.ADOPT, recording_id=OTHER_ID)
    second = room.press(Action.ADOPT, recording_id=RECORDING_ID)
    assert room.outcome(first) is Outcome.IGNORED
    room.let_go()
    room.answer(IS_RECORDING)
    assert room.outcome(second) is Outcome.OK
    assert room.room.recording is not None
    assert (room.room.recording.id, room.room.recording.owner) == (RECORDING_ID, "adopted")


# -- elapsed --------------------------------------------------------------------------------------


def test_elapsed_leaves_pauses_out_and_is_shown_every_ten_seconds() -> None:
    room = recording()
    room.wait(10)
    room.answer(IS_RECORDING)
    assert room.room.elapsed == 10
    room.wait(1.5)
    room.answer(IS_RECORDING)
    room.press(Action.PAUSE)
    room.answer(OK)
    shown = room.room.elapsed
    assert shown == 12
    room.wait(100)
    assert room.room.elapsed == shown
    room.answer(IS_PAUSED)
    room.press(Action.RESUME)
    room.answer(OK)
    room.wait(10)
    assert 20 <= room.room.elapsed <= 22


def test_nothing_sent_changes_nothing() -> None:
    room = recording()
    before = replace(room.room, busy=None)
    room.queueing = True
    room.wait(2.0)
    room.answer(NotSent())
    assert replace(room.room, busy=None) == before
