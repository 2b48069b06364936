"""What a room makes of commands that HMP was given by name."""

import pytest

from bridge.hmp.commands import (
    Command,
    GetRecordingStatus,
    PauseRecording,
    RecordingId,
    ResumeRecording,
    StopRecording,
)
from bridge.room.facts.meeting import Meeting
from bridge.room.facts.state import RoomState
from bridge.room.facts.vocabulary import Action, Outcome, State, StepKind, Target
from bridge.room.rules.foreign_commands import carried_out, is_about, perhaps_carried_out

from ..driven import (
    DOWN,
    FINISHED,
    IS_PAUSED,
    IS_RECORDING,
    NOT_FOUND,
    OK,
    OTHER_ID,
    POLICY,
    RECORDING_ID,
    SESSION_RECORDS,
    DrivenRoom,
    recording,
)


def tell(room: DrivenRoom, command: Command[object], *, done: bool = True) -> None:
    """The room hears of a command that HMP was given by name."""
    follow = carried_out if done else perhaps_carried_out
    room.hear(lambda state, now: follow(state, command, now))


def shows(room: DrivenRoom) -> State:
    return room.state


def sends(room: DrivenRoom) -> StepKind | None:
    return room.step


STOP, PAUSE, RESUME = (
    kind(RECORDING_ID) for kind in (StopRecording, PauseRecording, ResumeRecording)
)


def test_a_stop_by_name_is_confirmed_and_raises_no_alarm() -> None:
    room = recording()
    tell(room, StopRecording(RecordingId(RECORDING_ID.upper())))
    assert shows(room) is State.STOPPING
    assert sends(room) is StepKind.CONFIRM
    room.answer(FINISHED)
    assert shows(room) is State.IDLE
    assert room.room.target is Target.IDLE
    assert room.room.alarms == frozenset()
    assert room.room.last_recording_id == RECORDING_ID
    assert StepKind.STOP not in room.sent


def test_a_stop_by_name_dismisses_the_meeting_as_a_person_s_stop_does() -> None:
    room = recording()
    room.press(Action.MEETING_START, meeting=Meeting("a"))
    tell(room, STOP)
    room.answer(FINISHED)
    assert (shows(room), room.room.target) == (State.IDLE, Target.IDLE)
    assert [each.dismissed for each in room.room.meetings] == [True]


def test_a_stop_by_name_confirmed_by_not_found_ends_it_too() -> None:
    room = recording()
    tell(room, STOP)
    room.answer(NOT_FOUND)
    assert shows(room) is State.IDLE
    assert room.room.alarms == frozenset()


def test_a_stop_by_name_ends_the_doubt_of_what_hmp_did_not_find() -> None:
    """HMP took it: that the session was still being recorded a moment before says nothing."""
    room = recording()
    room.answer(NOT_FOUND)
    assert sends(room) is StepKind.WITNESS
    tell(room, STOP)
    room.answer(SESSION_RECORDS)
    assert (shows(room), sends(room)) == (State.STOPPING, StepKind.CONFIRM)
    assert room.room.alarms == frozenset()
    room.answer(NOT_FOUND)
    assert (shows(room), room.room.alarms) == (State.IDLE, frozenset())
    assert StepKind.STOP not in room.sent


def test_a_stop_by_name_that_has_no_effect_is_sent_again() -> None:
    room = recording()
    tell(room, STOP)
    for _ in range(9):
        room.answer(IS_RECORDING)
        assert sends(room) is None, "it is asked for without a pause"
        room.wait(0.5)
        assert sends(room) is StepKind.CONFIRM
    room.answer(IS_RECORDING)
    room.wait(0.5)
    room.answer(IS_RECORDING)
    assert sends(room) is StepKind.STOP


@pytest.mark.parametrize(
    ("command", "done", "step"),
    [
        (STOP, True, StepKind.CONFIRM),
        (PAUSE, True, StepKind.SETTLE),
        (PAUSE, False, StepKind.SETTLE),
        (STOP, False, StepKind.SETTLE),
    ],
)
def test_what_follows_is_asked_at_once_though_hmp_was_to_be_left_alone(
    command: Command[object], done: bool, step: StepKind
) -> None:
    room = recording()
    tell(room, PAUSE, done=False)
    room.answer(DOWN)
    assert sends(room) is None
    assert room.room.problem is not None
    tell(room, command, done=done)
    assert sends(room) is step
    assert (room.room.problem is None) == (done and command is STOP)


def test_a_stop_by_name_answers_the_stop_that_was_pressed() -> None:
    room = recording()
    room.queueing = True
    stop = room.press(Action.STOP)
    tell(room, STOP)
    room.let_go()
    room.answer(FINISHED)
    assert room.outcome(stop) is Outcome.OK
    assert StepKind.STOP not in room.sent


def test_pause_and_resume_by_name_change_the_light_at_once_and_are_looked_at() -> None:
    room = recording()
    tell(room, PAUSE)
    assert shows(room) is State.PAUSED
    assert sends(room) is StepKind.VERIFY
    room.answer(IS_PAUSED)
    assert shows(room) is State.PAUSED
    tell(room, RESUME)
    assert shows(room) is State.RECORDING
    assert sends(room) is StepKind.VERIFY
    room.answer(IS_RECORDING)
    assert shows(room) is State.RECORDING
    assert StepKind.PAUSE not in room.sent
    assert StepKind.RESUME not in room.sent


def test_the_pause_that_was_pressed_is_answered_by_the_one_by_name() -> None:
    room = recording()
    room.queueing = True
    pause = room.press(Action.PAUSE)
    tell(room, PAUSE)
    assert room.outcome(pause) is Outcome.OK
    assert shows(room) is State.PAUSED


def test_a_pause_by_name_does_not_take_a_stop_back() -> None:
    room = recording()
    stop = room.press(Action.STOP)
    tell(room, PAUSE)
    assert shows(room) is State.STOPPING
    room.answers(OK, FINISHED)
    assert room.outcome(stop) is Outcome.OK


@pytest.mark.parametrize("command", [STOP, PAUSE, RESUME])
@pytest.mark.parametrize("answer", [IS_RECORDING, IS_PAUSED, FINISHED])
def test_what_hmp_refused_or_never_answered_is_settled_by_its_word(
    command: Command[object], answer: object
) -> None:
    room = recording()
    tell(room, command, done=False)
    assert sends(room) is StepKind.SETTLE
    room.answer(answer)  # type: ignore[arg-type]
    expected = {IS_RECORDING: State.RECORDING, IS_PAUSED: State.PAUSED, FINISHED: State.IDLE}
    assert shows(room) is expected[answer]  # type: ignore[index]


@pytest.mark.parametrize("done", [True, False])
@pytest.mark.parametrize(
    "command",
    [StopRecording(OTHER_ID), PauseRecording(OTHER_ID), GetRecordingStatus(RECORDING_ID)],
)
def test_what_is_about_something_else_changes_nothing(command: Command[object], done: bool) -> None:
    room = recording()
    before = room.room
    tell(room, command, done=done)
    assert room.room == before
    idle = DrivenRoom()
    tell(idle, STOP, done=done)
    assert idle.state is State.IDLE
    assert not is_about(RoomState(POLICY), STOP)
