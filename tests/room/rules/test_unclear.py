"""A status that the guide does not have: not told, and what a stop makes of it (R8, E54)."""

from dataclasses import replace

import pytest

from bridge.room.facts.answer import Answer, Done
from bridge.room.facts.meeting import Meeting
from bridge.room.facts.vocabulary import Action, Outcome, State, StepKind, Target

from ..driven import (
    FINISHED,
    IS_PAUSED,
    IS_RECORDING,
    NOT_FOUND,
    NOT_RECORDED,
    OK,
    OTHER_ID,
    POLICY,
    RECORDING_ID,
    SESSION_RECORDS,
    STARTED,
    UNCLEAR,
    DrivenRoom,
    recording,
    refused,
)

NO_SESSION = refused("040006", "Session not found", "removeSourceFromSession")


def test_a_status_that_is_not_understood_is_not_told() -> None:
    room = recording()
    before = room.room.recording
    for _ in range(5):
        room.answer(UNCLEAR)
    assert (room.state, room.room.alarms, room.room.stale) == (State.RECORDING, frozenset(), False)
    assert before is not None
    assert room.room.recording == replace(before, not_before=0.0)
    assert room.clock >= 8.0  # at the poll interval


def test_a_start_whose_status_is_not_understood_is_not_verified() -> None:
    room = DrivenRoom()
    room.press(Action.RECORD)
    room.answers(STARTED, UNCLEAR, UNCLEAR)
    assert room.room.recording is not None
    assert (room.state, room.room.recording.verified_at) == (State.RECORDING, None)


def test_a_stop_is_sent_and_asked_about_whatever_the_status_is_called() -> None:
    room = recording()
    room.cut()
    stop = room.press(Action.STOP)
    room.answers(UNCLEAR, OK)  # the answer to the question that was on its way
    for _ in range(3):
        room.answer(UNCLEAR)
        assert (room.outcome(stop), room.step) == (None, None)
        room.wait(1.0)
    room.answer(FINISHED)
    assert (room.outcome(stop), room.state) == (Outcome.OK, State.IDLE)


def unclear_stop(answer: Answer) -> tuple[DrivenRoom, int]:
    """A stop that HMP has answered so, and a status for ever that the guide does not have."""
    room = recording()
    stop = room.press(Action.STOP)
    room.answer(answer)
    while not room.sends(StepKind.WITNESS):
        assert room.clock < 60.0
        if room.step is None:
            room.wait(0.5)
        else:
            room.answer(UNCLEAR if room.step is StepKind.CONFIRM else answer)
    return room, stop


@pytest.mark.parametrize("answer", [NOT_RECORDED, NO_SESSION, Done()])
@pytest.mark.parametrize(("stopped", "sent"), [(OK, 1), (NOT_FOUND, 4)])
def test_a_stop_has_ended_what_its_session_does_not_record_under_any_name(
    stopped: Answer, sent: int, answer: Answer
) -> None:
    """An HMP that calls it COMPLETED: the room can be recorded again."""
    room, stop = unclear_stop(stopped)
    again = room.press(Action.RECORD)
    room.answer(answer)
    assert (room.outcome(stop), room.step) == (Outcome.OK, StepKind.START)
    assert room.sent.count(StepKind.STOP) == sent
    room.answer(replace(STARTED, value=OTHER_ID))
    assert (room.outcome(again), room.state) == (Outcome.OK, State.RECORDING)
    assert room.room.last_recording_id == RECORDING_ID


def test_a_stop_is_sent_again_while_its_session_records_under_any_name() -> None:
    room, stop = unclear_stop(OK)
    room.answer(SESSION_RECORDS)
    assert (room.state, room.step) == (State.STOPPING, StepKind.STOP)
    room.answers(OK, FINISHED)
    assert (room.outcome(stop), room.state, room.room.alarms) == (
        Outcome.OK,
        State.IDLE,
        frozenset(),
    )


def test_the_next_meeting_is_recorded_whatever_the_one_before_is_called() -> None:
    room = DrivenRoom(POLICY)
    room.press(Action.MEETING_START, meeting=Meeting("a"))
    room.answers(STARTED, IS_RECORDING)
    room.press(Action.MEETING_START, meeting=Meeting("b"))
    room.answer(OK)
    while not room.sends(StepKind.WITNESS):
        room.answer(UNCLEAR)
        room.wait(1.0)
    room.answers(NOT_RECORDED, replace(STARTED, value=OTHER_ID))
    assert room.room.recording is not None
    assert (room.room.recording.id, room.room.recording.owner) == (OTHER_ID, "meeting:b")


def test_a_stop_given_up_is_sent_when_the_recording_turns_up_under_any_name() -> None:
    room = DrivenRoom()
    room.press(Action.RECORD)
    room.answers(STARTED, NOT_FOUND)
    room.press(Action.STOP)
    while room.state is not State.UNKNOWN:
        room.wait(0.5)
        if room.written:
            room.answer(NOT_FOUND)
    room.answer(UNCLEAR)
    assert (room.state, room.step) == (State.STOPPING, StepKind.STOP)


def test_a_pause_is_carried_out_whatever_the_status_is_called() -> None:
    room = recording()
    room.cut()
    pause = room.press(Action.PAUSE)
    room.answers(UNCLEAR, OK)
    assert (room.outcome(pause), room.state) == (Outcome.OK, State.PAUSED)
    again = room.press(Action.RESUME)
    room.answers(refused("070003", "Failed to update state", "resumeRecording"), UNCLEAR)
    assert (room.outcome(again), room.room.target) == (Outcome.FAILED, Target.PAUSED)


def test_a_word_that_is_not_understood_ends_a_doubt() -> None:
    room = recording()
    room.lose(times=3)
    room.answer(UNCLEAR)
    room.lose(times=3)
    room.answer(IS_PAUSED)
    assert room.state is State.PAUSED


def test_an_adoption_that_is_not_understood_fails() -> None:
    room = DrivenRoom()
    adopt = room.press(Action.ADOPT, recording_id=RECORDING_ID)
    room.answer(UNCLEAR)
    assert (room.outcome(adopt), room.code(adopt)) == (Outcome.FAILED, "not_understood")
