"""A recording that HMP has lost, or that somebody has ended: what follows by itself (R25)."""

from dataclasses import replace

import pytest

from bridge.room.facts.answer import Answer
from bridge.room.facts.vocabulary import Action, Alarm, Outcome, State, StepKind, Target

from ..driven import (
    FINISHED,
    IS_ERROR,
    IS_RECORDING,
    NOT_FOUND,
    OK,
    OTHER_ID,
    POLICY,
    RECORDING_ID,
    STARTED,
    STATUS_NOT_FOUND,
    recording,
    refused,
)

HOLDING = replace(POLICY, restart_interrupted=False, restart_lost_start=False)


# -- interruptions (R25) --------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [IS_ERROR, NOT_FOUND, STATUS_NOT_FOUND])
def test_what_hmp_lost_is_recorded_anew(answer: Answer) -> None:
    room = recording()
    if answer is IS_ERROR:
        room.answer(answer)
        assert room.state is State.STOPPING
        room.answers(OK, FINISHED)
    else:
        room.lose(answer)
        assert (room.state, room.step) == (State.STOPPING, StepKind.STOP)
        room.answers(NOT_FOUND, answer)  # the old one is told to end before another begins
    assert (room.state, room.step) == (State.STARTING, StepKind.START)
    room.answer(replace(STARTED, value=OTHER_ID))
    assert (room.state, room.room.alarm) == (State.RECORDING, Alarm.RECORDING_ERROR)
    assert room.room.last_recording_id == RECORDING_ID


def test_a_recording_is_restarted_once_in_half_a_minute() -> None:
    room = recording()
    room.lose()
    first = room.clock
    room.answers(NOT_FOUND, NOT_FOUND, STARTED, IS_RECORDING)
    room.lose()
    room.answers(NOT_FOUND, NOT_FOUND)
    assert (room.state, room.step) == (State.STARTING, None)
    room.wait(first + 30 - room.clock - 0.1)
    assert room.step is None
    room.wait(0.2)
    assert room.step is StepKind.START


def test_a_refused_restart_is_tried_again_but_never_with_a_full_disk() -> None:
    room = recording()
    room.lose()
    room.answers(NOT_FOUND, NOT_FOUND)
    room.answer(refused("060009", "Session requires at least one source", "startRecording"))
    assert (room.state, room.step) == (State.STARTING, None)
    room.wait(30.0)
    assert room.step is StepKind.START
    room.answer(refused("070027", "Insufficient Disk Space", "startRecording"))
    assert (room.state, room.room.alarm) == (State.IDLE, Alarm.DISK_FULL)
    room.wait(600)
    assert room.step is None


def test_a_restart_that_is_refused_is_given_up_when_its_time_is_over() -> None:
    """Nothing begins in the morning for whoever pressed the day before (R13)."""
    room = recording(replace(POLICY, max_duration=200.0))
    room.lose()
    room.answers(NOT_FOUND, NOT_FOUND)
    for _ in range(7):
        assert room.step is StepKind.START
        room.answer(refused("060009", "Session requires at least one source", "startRecording"))
        room.wait(30.0)
    assert (room.state, room.step) == (State.IDLE, None)
    assert room.room.alarm is Alarm.RECORDING_ERROR


def test_a_press_instead_of_the_restart_to_come_gets_its_own_answer() -> None:
    room = recording()
    room.lose()
    room.answers(NOT_FOUND, NOT_FOUND, STARTED, IS_RECORDING)
    room.lose()
    room.answers(NOT_FOUND, NOT_FOUND)  # the next restart waits
    room.press(Action.STOP)
    request = room.press(Action.RECORD)
    room.answer(refused("060009", "Session requires at least one source", "startRecording"))
    assert (room.outcome(request), room.state) == (Outcome.FAILED, State.IDLE)


def test_held_a_lost_recording_stays_in_error_until_somebody_presses() -> None:
    room = recording(HOLDING)
    room.lose()
    assert (room.state, room.room.active) == (State.ERROR, True)
    room.answer(NOT_FOUND)
    request = room.press(Action.RECORD)
    room.answers(NOT_FOUND, NOT_FOUND, STARTED)
    assert (room.outcome(request), room.state) == (Outcome.OK, State.RECORDING)
    assert not room.room.alarms


def test_a_paused_recording_is_not_restarted() -> None:
    room = recording()
    room.press(Action.PAUSE)
    room.answer(OK)
    room.lose()
    assert room.state is State.ERROR


def test_finished_without_a_stop_is_a_person_and_is_left_so() -> None:
    room = recording()
    room.answer(FINISHED)
    assert (room.state, room.room.target) == (State.IDLE, Target.IDLE)
    assert room.room.alarm is Alarm.STOPPED_UNEXPECTEDLY
    room.wait(600)
    assert room.step is None
