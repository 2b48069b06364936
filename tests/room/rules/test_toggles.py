"""Toggles wait until HMP was asked what is so; and a button that is stuck."""

import pytest

from bridge.room.facts.vocabulary import Action, Outcome, State, StepKind, Target
from bridge.room.rules.model import MOST_WAITING

from ..driven import FINISHED, IS_RECORDING, LOST, OK, STARTED, DrivenRoom, recording


@pytest.mark.parametrize("action", ["toggle", "toggle_pause"])
def test_a_toggle_waits_until_hmp_was_asked(action: str) -> None:
    room = recording()
    room.link(ready=False)
    request = room.press(action)
    assert room.outcome(request) is None
    room.link(ready=True)
    assert room.step is StepKind.SETTLE
    room.answer(IS_RECORDING)
    assert room.step is (StepKind.STOP if action == "toggle" else StepKind.PAUSE)


@pytest.mark.parametrize("ready", [False, True])
def test_a_button_that_is_stuck_does_not_fill_the_journal(ready: bool) -> None:
    """Whether HMP is out of reach or takes its time to start; a stop is taken all the same."""
    room = DrivenRoom(ready=ready)
    room.press(Action.RECORD)
    presses = [room.press(Action.TOGGLE) for _ in range(4 * MOST_WAITING)]
    assert len(room.room.pending) + len(room.room.deferred) == MOST_WAITING
    assert room.code(presses[-1]) == "too_many_requests"
    stop = room.press(Action.STOP)
    assert room.room.target is Target.IDLE
    if ready:
        room.answers(STARTED, OK, FINISHED)
    else:
        room.link(ready=True)
    assert (room.state, room.room.pending, room.room.deferred) == (State.IDLE, (), ())
    assert set(room.results) == set(room.asked), "every request has its result"
    assert room.outcome(stop) in (Outcome.OK, Outcome.IGNORED)


def test_a_toggle_that_expires_moves_nothing() -> None:
    """It once took the target to idle: the recording was stopped when the link came back."""
    room = recording()
    room.link(ready=False)
    request = room.press(Action.TOGGLE)
    room.wait(31.0)
    assert room.outcome(request) is Outcome.EXPIRED
    room.link(ready=True)
    room.answer(IS_RECORDING)
    assert (room.state, room.step) == (State.RECORDING, StepKind.POLL)


def test_a_toggle_during_a_stop_is_decided_when_the_stop_was_asked_about() -> None:
    room = recording()
    room.press(Action.STOP)
    room.link(ready=False)
    room.answer(LOST)
    request = room.press(Action.TOGGLE)
    room.link(ready=True)
    room.answers(OK, FINISHED, STARTED)
    assert (room.outcome(request), room.state) == (Outcome.OK, State.RECORDING)


def test_a_clear_word_overtakes_a_toggle_that_waits() -> None:
    room = recording()
    room.link(ready=False)
    toggle = room.press(Action.TOGGLE)
    room.press(Action.STOP)
    assert room.outcome(toggle) is Outcome.IGNORED
