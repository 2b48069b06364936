"""A rule that fails ends the message that it fails over: the room stays as it was, and goes on."""

from dataclasses import replace
from typing import Any

import pytest
import trio
import trio.testing

from bridge.hmp.errors import OutcomeUnknown
from bridge.room.facts.state import Change, RoomState
from bridge.room.facts.values import Now, Request
from bridge.room.facts.vocabulary import Action, Outcome, State, StepKind
from bridge.room.rules.guarded import applied, decided, due_in, followed, planned
from bridge.room.rules.model import decide
from bridge.room.rules.plan import next_step, wake_in
from tests.room.driven import POLICY, DrivenRoom, recording
from tests.room.house import House


class Faults:
    """Whoever is told of them."""

    def __init__(self) -> None:
        self.heard: list[tuple[type[Exception], str]] = []

    def __call__(self, error: Exception, about: str) -> None:
        self.heard.append((type(error), about))


class Unreadable:
    """What no rule has thought of: as HMP's answer, or as the value of a field."""

    def __eq__(self, other: object) -> bool:
        raise LookupError

    __lt__ = __gt__ = __eq__
    __hash__ = None  # type: ignore[assignment]


UNREADABLE: Any = Unreadable()


def asked(action: Action) -> Request:
    return Request(action, "1", str(action), "hmp/room/r/press/extend", 0.0, seconds=UNREADABLE)


def test_a_request_over_which_a_rule_fails_has_failed() -> None:
    room, faults = recording(), Faults()
    with pytest.raises(LookupError):
        decide(room.room, asked(Action.EXTEND), room.now)
    after, (result,) = decided(room.room, asked(Action.EXTEND), room.now, faults)
    assert after is room.room
    assert (result.id, result.outcome, result.state) == ("1", Outcome.FAILED, State.RECORDING)
    assert result.problem is not None
    assert result.problem.code == "internal_error"
    assert faults.heard == [(LookupError, "hmp/room/r/press/extend")]


def test_a_request_over_which_none_fails_is_decided_as_ever() -> None:
    room, faults = recording(), Faults()
    stop = asked(Action.STOP)
    assert decided(room.room, stop, room.now, faults) == decide(room.room, stop, room.now)
    assert faults.heard == []


def test_an_answer_over_which_a_rule_fails_was_lost() -> None:
    """The start is not sent again unseen: HMP is asked whether it records (R7)."""
    room, faults = DrivenRoom(), Faults()
    room.press(Action.RECORD)
    step, strange = room.room.busy, OutcomeUnknown("any", "lost", waited=UNREADABLE)
    assert step is not None
    assert step.kind is StepKind.START
    after, results = applied(room.room, step, strange, room.now, faults)
    assert (after.busy, after.state) == (None, State.UNKNOWN)
    assert [each.outcome for each in results] == [Outcome.UNKNOWN]
    assert after.lost_start is not None
    assert faults.heard == [(TypeError, "startRecording")]


def test_what_is_told_changes_nothing_where_its_rule_fails() -> None:
    def rule(_room: RoomState, _now: Now) -> Change:
        raise LookupError

    room, faults = RoomState(POLICY, not_ready_since=0.0), Faults()
    assert followed(room, rule, Now(0.0, 0.0), faults) == Change(room, ())
    assert faults.heard == [(LookupError, "")]


async def test_the_room_answers_acknowledges_and_goes_on(
    autojump_clock: trio.testing.MockClock,
) -> None:
    house = House(faulty=True)
    async with house.running():
        await house.recording()
        before = house.room.state.recording
        house.press(Action.EXTEND, "2", seconds=UNREADABLE)
        await house.until(lambda: len(house.results) == 2)
        assert house.room.state.recording == before
        house.press(Action.STOP, "3")
        await house.until(lambda: len(house.results) == 3)
    failed, stopped = house.results[1:]
    assert (failed.id, failed.outcome) == ("2", Outcome.FAILED)
    assert failed.problem is not None
    assert failed.problem.code == "internal_error"
    assert (stopped.id, stopped.outcome) == ("3", Outcome.OK)
    assert house.accepted == ["start", "2", "3"]
    assert house.faults == [(LookupError, "topic")]


async def test_a_room_in_which_no_time_can_pass_is_still_stopped(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """While it records, `settle` fails: it is looked at again, no more often than each second."""
    house = House(policy=replace(POLICY, elapsed_every=UNREADABLE), faulty=True)
    async with house.running():
        house.press(Action.RECORD, "1")
        await house.until(lambda: house.faults)
        await trio.sleep(10.0)
        assert house.room.state.state is State.RECORDING
        assert 10 <= len(house.faults) <= 60
        house.press(Action.STOP, "2")
        await house.until(lambda: house.room.state.recording is None)
        await house.until(lambda: len(house.results) == 2)
    assert [each.outcome for each in house.results] == [Outcome.OK, Outcome.OK]
    assert set(house.faults) == {(TypeError, "")}


def test_where_planning_fails_nothing_is_sent_and_it_is_looked_at_again() -> None:
    room, faults = recording(), Faults()
    held = room.room.recording
    assert held is not None
    broken = replace(room.room, recording=replace(held, not_before=UNREADABLE))
    assert planned(broken, room.now, faults) is None
    assert due_in(broken, room.now, faults) == 1.0
    assert planned(room.room, room.now, faults) == next_step(room.room, room.now)
    assert due_in(room.room, room.now, faults) == wake_in(room.room, room.now)
    assert faults.heard == [(TypeError, "")] * 2
