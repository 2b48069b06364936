"""One meeting after another, and within another: clean cuts, and cuts that fail (R12)."""

from dataclasses import replace

import pytest

from bridge.room.facts.vocabulary import Action, Alarm, Outcome, State

from ..bookings import BOOKED, BookedRoom

GRACE = replace(BOOKED, stop_grace=60.0)
OK, IGNORED, FAILED, EXPIRED = Outcome.OK, Outcome.IGNORED, Outcome.FAILED, Outcome.EXPIRED


def test_the_next_meeting_cuts_cleanly() -> None:
    room = BookedRoom(GRACE)
    room.meeting("a", 0, 3600)
    room.live(3600)
    start = room.meeting("b", 3600, 7200)
    assert (room.outcome(start), room.owner) == (OK, "meeting:b")
    assert room.recorded == [(0, 3600), (3600, None)]
    assert room.outcome(room.meeting_end("a")) is None
    room.live(61)
    assert room.room.pending == ()
    room.live(3600)
    assert (room.state, room.recorded) == (State.IDLE, [(0, 3600), (3600, 7260)])


@pytest.mark.unmeasured
def test_an_id_that_recurs_is_another_meeting() -> None:
    room = BookedRoom()
    room.meeting("daily", 0)
    room.live(86_400 - 3600 * 15)
    start = room.meeting("daily", 32_400)
    assert room.outcome(start) is OK
    assert room.recorded == [(0, 32_400), (32_400, None)]
    assert len(room.room.meetings) == 1


def test_a_meeting_within_another_gives_the_room_back() -> None:
    room = BookedRoom()
    room.meeting("outer", 0, 7200)
    room.live(1800)
    room.meeting("inner", 1800, 3600)
    room.live(600)
    assert room.outcome(room.meeting("outer", 0, 7200)) is IGNORED, "it runs, and cuts nothing"
    room.live(1201)
    assert (room.owner, room.ends_at) == ("meeting:outer", 7200)
    room.live(3600)
    assert room.recorded == [(0, 1800), (1800, 3600), (3600, 7200)]


def test_of_several_uncovered_meetings_the_newest_goes_on() -> None:
    room = BookedRoom()
    for name, end in (("a", 9000), ("b", 8000), ("c", 3600)):
        room.meeting(name, 0, end)
    room.live(3601)
    assert room.owner == "meeting:b"
    room.live(4400)
    assert room.owner == "meeting:a"
    room.live(1000)
    assert room.word == "idle"


def test_a_meeting_goes_on_after_what_a_person_recorded_ran_out() -> None:
    room = BookedRoom(replace(BOOKED, max_duration=3600.0))
    room.ask("record")
    room.live(1800)
    room.meeting("a", 1800, 9000)
    room.live(1801)
    assert room.owner == "meeting:a"
    room.live(5400)
    assert room.recorded == [(0, 3600), (3600, 9000)]


def test_a_cut_that_cannot_be_confirmed_runs_on_for_the_next_meeting() -> None:
    room = BookedRoom()
    room.meeting("a", 0, 3600)
    room.live(3500)
    room.lose_connection(answer_first=True)
    start = room.meeting("b", 3500, 7200)
    assert room.word == "stopping"
    room.live(14.9)
    assert room.outcome(start) is None
    room.live(0.2)
    assert (room.outcome(start), room.code(start)) == (OK, "cut_failed")
    assert (room.owner, room.room.alarm) == ("meeting:b", Alarm.CUT_FAILED)
    room.live(600)
    room.connect()
    room.live(60)
    assert (room.state, room.recorded) == (State.RECORDING, [(0, None)])
    room.live(3600)
    assert room.recorded == [(0, 7200)]
    room.ask("record")
    assert not room.room.alarms, "the next recording clears it"


@pytest.mark.parametrize("away", [20, 80])
def test_a_cut_that_took_effect_is_found_late_and_the_next_meeting_recorded(away: int) -> None:
    """However long HMP was out of reach: the stop that ended the recording was ours."""
    room = BookedRoom()
    room.meeting("a", 0, 3600)
    room.live(3500)
    room.press(Action.MEETING_START, meeting=replace(room.room.meetings[0], id="b", start=None))
    room.write()
    room.execute()
    room.lose_connection(answer_first=True)
    room.live(away)
    assert room.owner == "meeting:b"
    room.connect()
    room.live(1)
    assert (room.state, room.owner) == (State.RECORDING, "meeting:b")
    assert room.recorded == [(0, 3500), (3500 + away, None)]
    assert Alarm.STOPPED_UNEXPECTEDLY not in room.room.alarms
    assert not room.room.meetings[-1].dismissed


def test_a_persons_stop_during_a_cut_stands() -> None:
    room = BookedRoom()
    room.meeting("a", 0, 3600)
    room.lose_connection(answer_first=True)
    start = room.meeting("b", 0, 7200)
    stop = room.ask("stop")
    assert (room.outcome(start), room.outcome(stop)) == (IGNORED, IGNORED)
    room.live(60)
    room.connect()
    room.live(60)
    assert (room.state, room.recorded) == (State.IDLE, [(0, 60)])


def test_a_recording_without_id_becomes_the_next_meetings() -> None:
    room = BookedRoom(knobs={"active_check": "before"})
    room.meeting("a", 0, 3600)
    room.live(5)
    room.ask("stop")
    room.press(Action.MEETING_START, meeting=replace(room.room.meetings[0], id="b"))
    room.write()
    room.execute()
    room.lose_connection(answer_first=True)
    room.connect()
    room.live(5)
    assert (room.owner, room.room.active) == ("meeting:b", True)
    start = room.meeting("c", 10, 3600)
    assert (room.outcome(start), room.owner) == (OK, "meeting:c")
    assert Alarm.CUT_FAILED in room.room.alarms
    end = room.meeting_end("c")
    assert (room.outcome(end), room.code(end)) == (FAILED, "id_unknown")
