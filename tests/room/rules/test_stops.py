"""A stop: kept until HMP confirms it, whatever HMP answers and however often it is lost (R8)."""

import itertools

import pytest

from bridge.hmp.errors import Refused
from bridge.room.facts.answer import NotSent
from bridge.room.facts.vocabulary import Action, Alarm, Outcome, State, StepKind

from ..driven import (
    DOWN,
    FINISHED,
    IS_ERROR,
    IS_RECORDING,
    LOST,
    NOT_FOUND,
    OK,
    RECORDING_ID,
    STARTED,
    STATUS_NOT_FOUND,
    DrivenRoom,
    recording,
    refused,
)

STOP_FAILED = refused("070003", "Internal Server Error", "stopRecording")


# -- the stop -------------------------------------------------------------------------------------


def test_a_stop_counts_when_hmp_confirms_it() -> None:
    room = recording()
    request = room.press(Action.STOP)
    room.answer(OK)
    assert (room.state, room.outcome(request), room.step) == ("stopping", None, StepKind.CONFIRM)
    room.answer(IS_RECORDING)  # still finalising
    assert room.step is None
    room.wait(0.5)
    room.answer(FINISHED)
    assert (room.state, room.outcome(request)) == (State.IDLE, Outcome.OK)
    assert room.room.last_recording_id == RECORDING_ID
    assert room.room.elapsed == 0


@pytest.mark.parametrize("gone", [NOT_FOUND, STATUS_NOT_FOUND])
def test_not_found_confirms_the_stop_of_a_verified_recording(gone: Refused) -> None:
    room = recording()
    request = room.press(Action.STOP)
    room.answers(OK, gone)
    assert room.outcome(request) is Outcome.OK


def test_a_stop_answered_and_without_effect_is_sent_again() -> None:
    room = recording()
    room.press(Action.STOP)
    room.answer(OK)
    for _ in range(20):
        if room.sent.count(StepKind.STOP) == 2:
            break
        room.wait(0.5)
        if room.written:
            room.answer(IS_RECORDING)
    assert room.sent.count(StepKind.STOP) == 2
    assert room.clock >= 5.0


def test_a_refused_stop_is_tried_with_growing_pauses() -> None:
    room = recording()
    request = room.press(Action.STOP)
    moments = []
    for _ in range(8):
        assert room.step is StepKind.STOP
        moments.append(room.clock)
        room.answer(STOP_FAILED)
        assert room.room.problem is not None
        room.wait(30.0)
    pauses = [after - before for before, after in itertools.pairwise(moments)]
    assert all(pause <= 30.0 for pause in pauses)
    assert room.outcome(request) is None
    room.answers(OK, FINISHED)
    assert room.outcome(request) is Outcome.OK


@pytest.mark.unmeasured
def test_a_stop_is_tried_however_often_hmp_has_refused_it() -> None:
    room = recording()
    request = room.press(Action.STOP)
    for _ in range(1100):  # for nine hours
        room.answer(STOP_FAILED)
        room.wait(30.0)
    room.answers(OK, FINISHED)
    assert room.outcome(request) is Outcome.OK


@pytest.mark.unmeasured
def test_a_stop_outlives_the_link() -> None:
    room = recording()
    request = room.press(Action.STOP)
    room.cut(seconds=86_400)
    assert room.outcome(request) is None
    assert (room.state, room.step) == (State.STOPPING, StepKind.STOP)  # no question goes before it
    room.cut()
    assert room.step is StepKind.STOP
    room.answers(NOT_FOUND, FINISHED)  # the first one reached HMP
    assert room.outcome(request) is Outcome.OK


def test_a_stop_of_what_hmp_never_showed_ends_unknown_after_half_a_minute() -> None:
    room = DrivenRoom()
    room.press(Action.RECORD)
    room.answer(STARTED)
    room.answer(NOT_FOUND)
    request = room.press(Action.STOP)
    began = room.clock
    while room.outcome(request) is None and room.clock < began + 60:
        room.wait(0.5)
        if room.written:
            room.answer(NOT_FOUND)
    assert room.outcome(request) is Outcome.UNKNOWN
    assert 29.0 <= room.clock - began <= 32.0
    assert (room.state, room.room.alarm) == (State.UNKNOWN, Alarm.OUTCOME_UNKNOWN)
    # It turns up after all: the stop is carried out, and the alarm goes.
    room.answer(IS_RECORDING)
    assert room.step is StepKind.STOP
    room.answers(OK, FINISHED)
    assert (room.state, room.room.alarms) == (State.IDLE, frozenset())


def test_what_is_still_unknown_can_be_stopped_or_recorded_again() -> None:
    room = missing()
    request = room.press(Action.STOP)
    assert (room.state, room.step) == (State.STOPPING, StepKind.STOP)
    room.answers(OK, FINISHED)
    assert (room.outcome(request), room.room.alarms) == (Outcome.OK, frozenset())
    room = missing()
    request = room.press(Action.RECORD)
    room.answer(STARTED)
    assert (room.outcome(request), room.room.alarms) == (Outcome.OK, frozenset())


def missing() -> DrivenRoom:
    room = DrivenRoom()
    room.press(Action.RECORD)
    room.answers(STARTED, NOT_FOUND)
    while room.state is not State.UNKNOWN:
        room.wait(0.5)
        if room.written:
            room.answer(NOT_FOUND)
    assert 29.0 <= room.clock <= 32.0
    return room


def test_an_answer_about_a_recording_given_up_meanwhile_is_of_no_account() -> None:
    room = missing()
    room.wait(4.0)
    assert (room.step, room.written) == (StepKind.POLL, True)
    room.press(Action.RECORD)
    room.answer(NOT_FOUND)
    assert (room.state, room.step) == (State.STARTING, StepKind.START)


def test_a_resume_of_what_hmp_does_not_know_makes_no_storm() -> None:
    """A resume and the question after its refusal once took turns without a pause."""
    room = DrivenRoom()
    room.press(Action.RECORD)
    room.press(Action.PAUSE)
    room.answers(STARTED, OK)
    room.press(Action.RESUME)
    before = len(room.sent)
    for _ in range(200):
        if room.written:
            room.answer(NOT_FOUND)
        room.wait(0.5)
    assert len(room.sent) - before <= 100


def test_error_that_stays_after_the_stop_was_taken_is_the_end() -> None:
    room = recording()
    request = room.press(Action.STOP)
    room.answer(OK)
    while room.outcome(request) is None and room.clock < 60:
        room.wait(0.5)
        if room.written:
            room.answer(IS_ERROR)
    assert room.outcome(request) is Outcome.OK
    assert room.clock >= 30.0
    assert Alarm.RECORDING_ERROR in room.room.alarms


@pytest.mark.parametrize("kind", ["poll", "confirm", "settle"])
def test_a_question_that_hmp_cannot_answer_is_asked_again_later(kind: str) -> None:
    room = recording()
    if kind == "confirm":
        room.press(Action.STOP)
        room.answer(OK)
    elif kind == "settle":
        room.cut()
    room.answer(DOWN)
    asked = len(room.sent)
    assert room.room.problem is not None
    assert room.room.problem.code == "070000"
    room.wait(0.9)
    assert len(room.sent) == asked
    room.wait(0.1)
    room.answer(FINISHED)
    assert room.state is State.IDLE


@pytest.mark.parametrize("kind", ["poll", "confirm"])
def test_a_question_whose_answer_was_lost_is_asked_again(kind: str) -> None:
    room = recording()
    if kind == "confirm":
        room.press(Action.STOP)
        room.answer(OK)
    else:
        room.wait(2.0)
    room.answer(LOST)
    room.answer(FINISHED)
    assert room.state is State.IDLE


def test_a_poll_that_finds_the_end_confirms_a_stop_just_pressed() -> None:
    room = recording()
    room.wait(2.0)
    request = room.press(Action.STOP)
    assert room.step is StepKind.POLL
    room.answer(FINISHED)
    assert (room.outcome(request), room.room.alarms) == (Outcome.OK, frozenset())


def test_a_stop_that_hmp_took_is_confirmed_by_not_found() -> None:
    """Stopped before any status was asked: HMP's OK proves that it knew the recording (R8)."""
    driven = DrivenRoom()
    driven.press(Action.RECORD)
    driven.answer(STARTED)
    stop = driven.press(Action.STOP)
    driven.answers(NotSent(), OK, NOT_FOUND)
    assert driven.outcome(stop) is Outcome.OK
    assert driven.state is State.IDLE
