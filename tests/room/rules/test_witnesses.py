"""Answers of HMP that end something: which are final, and which need a second witness (R25)."""

from dataclasses import replace

import pytest

from bridge.hmp.commands import RemoveSourceFromSession
from bridge.room.facts.answer import Answer, Done
from bridge.room.facts.vocabulary import Action, Alarm, Outcome, State, StepKind
from bridge.room.rules.plan import NIL_SOURCE

from .. import sessions
from ..driven import (
    DOWN,
    FINISHED,
    IS_RECORDING,
    LOST,
    NOT_FOUND,
    NOT_RECORDED,
    OK,
    OTHER_ID,
    POLICY,
    RECORDING_ID,
    SESSION,
    SESSION_RECORDS,
    STARTED,
    DrivenRoom,
    recording,
    refused,
)

NO_SESSION = refused("040006", "Session not found", "removeSourceFromSession")
PAUSE_REFUSED = refused("040001", "Active recording not found", "pauseRecording")


# -- not found, for what HMP had shown ------------------------------------------------------------


@pytest.mark.parametrize("times", [1, 2, 3])
def test_not_found_that_passes_changes_nothing(times: int) -> None:
    room = recording()
    verified_at = room.room.recording and room.room.recording.verified_at
    room.lose(times=times)
    assert (room.state, room.step) == (State.RECORDING, StepKind.SETTLE)
    assert room.room.stale
    room.answer(IS_RECORDING)
    assert (room.state, room.room.alarms, room.room.stale) == (State.RECORDING, frozenset(), False)
    assert (room.room.recording and room.room.recording.verified_at) == verified_at
    assert StepKind.STOP not in room.sent
    assert room.sent.count(StepKind.START) == 1


def test_the_session_is_asked_between_any_two_questions() -> None:
    room = recording()
    room.answer(NOT_FOUND)
    assert room.command() == RemoveSourceFromSession(SESSION, NIL_SOURCE)
    room.answer(DOWN)  # which says nothing of the session
    assert not room.sends(StepKind.WITNESS)
    room.wait(2.0)
    room.answer(LOST)
    assert room.command() == RemoveSourceFromSession(SESSION, NIL_SOURCE)
    room.answer(NO_SESSION)
    began = room.clock
    room.wait(1.0)
    room.lose(times=3)
    assert room.step is StepKind.STOP
    assert room.clock - began >= 3.0


def test_a_session_that_records_holds_its_recording() -> None:
    room = recording()
    for _ in range(10):
        room.answers(NOT_FOUND, SESSION_RECORDS)
        assert (room.state, room.room.alarm) == (State.RECORDING, Alarm.RECORDING_ERROR)
        assert room.room.recording is not None
        assert room.room.recording.id == RECORDING_ID
        assert not room.room.stale
        room.wait(2.0)
    assert set(room.sent) == {StepKind.START, StepKind.VERIFY, StepKind.WITNESS, StepKind.POLL}
    assert room.room.server_proves
    room.answer(IS_RECORDING)
    assert (room.state, room.room.alarms) == (State.RECORDING, frozenset())


@pytest.mark.parametrize("stopped", [True, False])
def test_what_was_held_and_is_said_to_have_finished_leaves_no_error(*, stopped: bool) -> None:
    room = recording()
    room.answers(NOT_FOUND, SESSION_RECORDS)
    if stopped:
        room.press(Action.STOP)
        room.answer(OK)
    room.wait(2.0)
    room.answer(FINISHED)
    left: frozenset[Alarm] = frozenset() if stopped else frozenset({Alarm.STOPPED_UNEXPECTEDLY})
    assert (room.state, room.room.alarms) == (State.IDLE, left)


def test_what_was_held_and_ends_is_lost_all_the_same() -> None:
    room = recording()
    room.answers(NOT_FOUND, SESSION_RECORDS)
    room.wait(2.0)
    room.lose()
    room.answers(NOT_FOUND, NOT_FOUND, replace(STARTED, value=OTHER_ID))
    assert (room.state, room.room.alarm) == (State.RECORDING, Alarm.RECORDING_ERROR)


def test_what_only_was_hidden_is_stopped_before_another_starts() -> None:
    room = recording()
    room.lose()
    assert (room.state, room.step) == (State.STOPPING, StepKind.STOP)
    room.answer(OK)  # it was there after all
    assert StepKind.START not in room.sent[1:]
    room.answer(FINISHED)
    assert (room.state, room.step) == (State.STARTING, StepKind.START)


def test_a_stop_that_hmp_cannot_carry_out_keeps_no_restart_from_what_is_lost() -> None:
    room = recording()
    room.lose()
    room.answers(refused("070003", "Internal Server Error", "stopRecording"), NOT_FOUND)
    assert (room.state, room.step) == (State.STARTING, StepKind.START)


def test_a_person_s_stop_goes_before_the_doubt() -> None:
    room = recording()
    room.answer(NOT_FOUND)
    stop = room.press(Action.STOP)
    room.answer(NOT_RECORDED)
    assert room.step is StepKind.STOP
    room.answers(OK, NOT_FOUND)  # HMP took it: that is a witness
    assert (room.outcome(stop), room.state) == (Outcome.OK, State.IDLE)


def test_a_stop_pressed_at_the_end_of_the_doubt_is_sent() -> None:
    room = recording()
    room.lose(times=3)
    room.answer(NOT_FOUND)
    stop = room.press(Action.STOP)
    room.answer(NOT_RECORDED)
    assert (room.outcome(stop), room.step) == (None, StepKind.STOP)
    room.answers(OK, FINISHED)
    assert (room.outcome(stop), room.state) == (Outcome.OK, State.IDLE)


def test_a_pause_while_its_session_speaks_for_it_fails() -> None:
    room = recording()
    pause = room.press(Action.PAUSE)
    room.answers(PAUSE_REFUSED, NOT_FOUND, SESSION_RECORDS)
    assert (room.outcome(pause), room.state) == (Outcome.FAILED, State.RECORDING)
    toggle = room.press(Action.TOGGLE)
    room.answers(OK, FINISHED)
    assert room.outcome(toggle) is Outcome.OK


def test_a_kill_in_a_doubt_begins_it_afresh() -> None:
    room = recording()
    room.lose(times=3)
    room.kill()
    room.link(ready=True)
    room.lose(times=3)
    room.answer(IS_RECORDING)
    assert room.state is State.RECORDING


@pytest.mark.parametrize("policy", [sessions.POLICY, sessions.KEEPS], ids=["delete", "keep"])
def test_a_session_of_our_own_is_asked_beyond_doubt_and_not_removed(policy: object) -> None:
    room = sessions.recording(policy)  # type: ignore[arg-type]
    room.answer(NOT_FOUND)
    assert room.command() == RemoveSourceFromSession(sessions.MADE, sessions.CAMERA)
    room.answer(SESSION_RECORDS)
    assert (room.state, room.room.alarm) == (State.RECORDING, Alarm.RECORDING_ERROR)
    assert not room.room.server_proves  # another question than that one
    room.wait(2.0)
    room.lose()
    room.answers(NOT_FOUND, NOT_FOUND)
    assert room.step is StepKind.CREATE_SESSION


def test_what_was_adopted_without_its_session_is_asked_for_often_enough() -> None:
    room = DrivenRoom(sessions.POLICY)
    room.press(Action.ADOPT, recording_id=RECORDING_ID)
    room.answer(IS_RECORDING)
    for _ in range(4):
        room.answer(NOT_FOUND)
        room.wait(1.0)
    assert room.step is StepKind.STOP


# -- not found, for a stop ------------------------------------------------------------------------


def test_two_answers_of_one_mistake_confirm_no_stop() -> None:
    """HMP knew nothing of it for a moment: not for the stop, nor for the question after it."""
    room = recording()
    stop = room.press(Action.STOP)
    room.answers(NOT_FOUND, NOT_FOUND)
    assert (room.outcome(stop), room.state) == (None, State.STOPPING)
    room.answer(SESSION_RECORDS)
    room.wait(1.0)
    assert room.step is StepKind.STOP  # again
    room.answers(OK, FINISHED)
    assert (room.outcome(stop), room.state) == (Outcome.OK, State.IDLE)


def test_a_stop_of_what_is_gone_is_confirmed_after_the_doubt() -> None:
    room = recording()
    stop = room.press(Action.STOP)
    room.answer(NOT_FOUND)
    room.lose()
    assert (room.outcome(stop), room.state) == (Outcome.OK, State.IDLE)


def test_a_stop_that_only_the_session_contradicts_ends_unknown() -> None:
    """Another recording may run in the session: that must not keep the room for ever."""
    room = recording()
    stop = room.press(Action.STOP)
    while room.outcome(stop) is None and room.clock < 60:
        if room.written:
            room.answer(SESSION_RECORDS if room.step is StepKind.WITNESS else NOT_FOUND)
        room.wait(0.5)
    assert (room.outcome(stop), room.state) == (Outcome.UNKNOWN, State.UNKNOWN)
    assert 29.0 <= room.clock <= 32.0
    assert Alarm.OUTCOME_UNKNOWN in room.room.alarms


@pytest.mark.parametrize("answer", [NO_SESSION, NOT_RECORDED, Done()])
def test_a_session_of_a_lost_start_is_gone_when_hmp_insists(answer: Answer) -> None:
    room = DrivenRoom(POLICY)
    room.press(Action.RECORD)
    room.cut()
    room.answers(SESSION_RECORDS)
    room.wait(2.0)
    room.answer(answer)
    assert room.state is (State.RECORDING if answer is NO_SESSION else State.IDLE)
