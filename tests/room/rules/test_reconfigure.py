"""A room whose settings change while it runs, and one that is taken out."""

from dataclasses import replace

import pytest

from bridge.room.facts.policy import Policy
from bridge.room.facts.vocabulary import Action, Alarm, Outcome, State
from bridge.room.rules.reconfigure import in_use, reconfigured, removed

from ..driven import POLICY, STARTED, DrivenRoom


def recording() -> DrivenRoom:
    """A room that records; HMP is about to be asked for the first time."""
    room = DrivenRoom()
    room.press(Action.RECORD)
    room.answer(STARTED)
    assert room.state is State.RECORDING
    return room


def go_by(room: DrivenRoom, policy: Policy) -> None:
    room.hear(lambda state, now: reconfigured(state, policy, now))


def test_a_recording_goes_on_by_other_settings() -> None:
    room = recording()
    before = room.room.recording
    go_by(room, replace(POLICY, max_duration=3600.0, warn_before=600.0))
    assert room.state is State.RECORDING
    assert before is not None
    assert room.room.recording is not None
    assert room.room.recording.id == before.id
    room.wait(3000.0 - room.clock)
    assert Alarm.ENDING_SOON in room.room.alarms


def test_what_waits_keeps_waiting() -> None:
    room = DrivenRoom(ready=False)
    press = room.press(Action.RECORD)
    go_by(room, replace(POLICY, elapsed_every=1.0))
    assert room.outcome(press) is None
    assert room.state is State.STARTING
    room.link(ready=True)
    room.answer(STARTED)
    assert room.outcome(press) is Outcome.OK


def test_a_room_that_is_taken_out_answers_what_waits() -> None:
    """A press, a toggle that is undecided, a mark."""
    room = recording()
    room.link(ready=False)
    presses = [room.press(each) for each in (Action.STOP, Action.TOGGLE)]
    mark = room.press(Action.MARK)
    room.hear(removed)
    for press in (*presses, mark):
        assert room.outcome(press) is Outcome.FAILED
    assert room.code(presses[0]) == "room_removed"
    assert [*room.room.pending, *room.room.deferred, *room.room.marks] == []
    assert room.room.recording is not None


@pytest.mark.parametrize("action", [Action.STOP, Action.PAUSE, None])
def test_a_room_that_records_or_might_is_in_use(action: Action | None) -> None:
    room = recording()
    if action is not None:
        room.press(action)
    assert in_use(room.room) == f"is {room.state}"


def test_what_else_is_in_use() -> None:
    room = DrivenRoom()
    assert in_use(room.room) == ""
    room.link(ready=False)
    assert in_use(room.room) == ""
    room.press(Action.TOGGLE)
    assert in_use(room.room) == "has a toggle that waits for HMP"
