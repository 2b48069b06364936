"""Meetings that were given a duration alone: no clock that is set changes when they end (R12)."""

from dataclasses import replace

import pytest

from bridge.room.facts.meeting import Meeting
from bridge.room.facts.vocabulary import Action, Outcome, State

from ..bookings import BOOKED, BookedRoom
from ..driven import WALL

HALF_AN_HOUR = 1800.0


@pytest.mark.parametrize("step", [3600.0, -3600.0, 40 * 86_400.0])
def test_a_clock_that_is_set_does_not_move_the_end(step: float) -> None:
    room = BookedRoom()
    room.meeting_for(HALF_AN_HOUR)
    assert room.ends_at == 1800
    room.live(60)
    room.stepped = step
    room.live(1730)
    assert room.word == "recording"
    # What is published, and journalled for another boot, is where the end lies by the clock now.
    [meeting] = room.room.meetings
    assert meeting.end == pytest.approx(WALL + 1800 + step, abs=1.5)
    assert room.room.ends_at == pytest.approx(WALL + 1800 + step, abs=1.5)
    room.live(11)
    assert (room.state, room.room.meetings) == (State.IDLE, ())


def test_without_a_clock_it_ends_all_the_same() -> None:
    room = BookedRoom()
    room.synchronised = False
    room.meeting_for(HALF_AN_HOUR)
    room.live(600)
    assert room.room.meetings[0].end is None
    room.synchronised = True
    room.live(600)
    assert room.room.meetings[0].end == pytest.approx(WALL + 1800, abs=1.5)
    room.live(590)
    assert room.word == "recording"
    room.live(11)
    assert room.word == "idle"


@pytest.mark.parametrize("same_boot", [True, False])
def test_a_restart_keeps_the_end(same_boot: bool) -> None:
    room = BookedRoom()
    room.meeting_for(HALF_AN_HOUR)
    room.live(600)
    room.kill(same_boot=same_boot)
    room.connect()
    room.live(1190)
    assert room.word == "recording"
    room.live(11)
    assert room.word == "idle"


@pytest.mark.parametrize("who", ["a person", "the booking system"])
def test_it_is_extended_by_the_same_clock(who: str) -> None:
    room = BookedRoom()
    room.meeting_for(HALF_AN_HOUR)
    room.live(600)
    room.stepped = 3600.0
    room.live(11)
    if who == "a person":
        request = room.ask("extend", seconds=600.0)
    else:
        request = room.meeting_extend("a", seconds=600.0)
    assert room.outcome(request) is Outcome.OK
    room.live(1780)
    assert room.word == "recording"
    room.live(11)
    assert room.word == "idle"


def test_an_end_that_is_said_later_counts_by_the_wall_clock() -> None:
    room = BookedRoom()
    room.meeting_for(HALF_AN_HOUR)
    room.meeting("a", None, 3600.0)
    room.stepped = 1000.0
    room.live(2590)
    assert room.word == "recording"
    room.live(21)
    assert room.word == "idle"


@pytest.mark.parametrize("wanted", [True, False])
def test_a_day_of_the_calendar_is_recorded_only_where_that_is_wanted(wanted: bool) -> None:
    room = BookedRoom(replace(BOOKED, record_all_day=wanted))
    day = Meeting("trip", start=WALL - 3600, end=WALL + 80_000, all_day=True)
    request = room.press(Action.MEETING_START, meeting=day)
    result = room.results.get(request)
    if wanted:
        assert room.room.target.name == "RECORDING"
    else:
        assert result is not None
        assert (result.outcome, result.problem and result.problem.code) == ("ignored", "all_day")
        assert room.room.meetings == ()
