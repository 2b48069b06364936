"""Whose recording it is, and when it begins and ends (R11, R12)."""

from dataclasses import replace

import pytest

from bridge.room.facts.meeting import Meeting
from bridge.room.facts.vocabulary import Action, Outcome, State
from bridge.room.rules.meetings import MOST_MEETINGS

from ..bookings import BOOKED, BookedRoom

GRACE = replace(BOOKED, stop_grace=60.0)
OK, IGNORED, FAILED, EXPIRED = Outcome.OK, Outcome.IGNORED, Outcome.FAILED, Outcome.EXPIRED


# -- one meeting ----------------------------------------------------------------------------------


def test_a_meeting_is_recorded_from_its_start_to_its_end() -> None:
    room = BookedRoom()
    start = room.meeting("a", 0, 3600)
    assert (room.outcome(start), room.state, room.owner) == (OK, State.RECORDING, "meeting:a")
    assert room.ends_at == 3600
    room.live(1800)
    end = room.meeting_end("a")
    assert (room.outcome(end), room.state, room.recorded) == (OK, State.IDLE, [(0, 1800)])
    assert room.outcome(room.meeting_end("a")) is IGNORED
    assert not room.room.meetings
    assert not room.ends_at


def test_a_meeting_without_an_end_event_stops_at_its_end_and_grace() -> None:
    room = BookedRoom(GRACE)
    room.meeting("a", 0, 3600)
    room.live(3659)
    assert room.word == "recording"
    room.live(2)
    assert (room.state, room.recorded) == (State.IDLE, [(0, 3660)])
    assert not room.room.alarms


def test_the_grace_lets_a_host_come_back() -> None:
    room = BookedRoom(GRACE)
    room.meeting("a")
    room.live(600)
    end = room.meeting_end("a")
    room.live(59)
    assert (room.state, room.outcome(end)) == (State.RECORDING, None)
    assert room.outcome(room.meeting_end("a")) is IGNORED, "one end per meeting"
    again = room.meeting("a")
    assert (room.outcome(again), room.outcome(end)) == (IGNORED, IGNORED)
    room.live(600)
    assert room.recorded == [(0, None)]
    end = room.meeting_end("a")
    room.live(61)
    assert (room.outcome(end), room.state) == (OK, State.IDLE)


def test_a_late_start_records_and_one_after_the_end_does_not() -> None:
    room = BookedRoom()
    room.live(1800)
    assert room.outcome(room.meeting("a", 0, 3600)) is OK
    room.live(1801)
    assert room.recorded == [(1800, 3600)]
    late = room.meeting("a", 0, 3600)
    assert (room.outcome(late), room.code(late)) == (EXPIRED, "meeting_over")
    assert room.word == "idle"


def test_a_repeated_start_moves_the_end_later_and_never_earlier() -> None:
    room = BookedRoom()
    room.meeting("a", 0, 3600)
    assert room.outcome(room.meeting("a", 0, 7200)) is IGNORED
    assert room.ends_at == 7200
    room.meeting("a", 0, 3600)
    assert room.ends_at == 7200
    assert room.outcome(room.meeting_extend("a", 9000)) is OK
    assert room.outcome(room.meeting_extend("a", 8000)) is IGNORED
    assert room.outcome(room.meeting_extend(seconds=600)) is OK
    assert room.outcome(room.meeting_extend()) is OK
    assert room.ends_at == 9000 + 600 + BOOKED.extend_by
    unknown = room.meeting_extend("b", 9000)
    assert (room.outcome(unknown), room.code(unknown)) == (FAILED, "no_such_meeting")


def test_an_extension_can_say_how_long_the_meeting_is() -> None:
    room = BookedRoom()
    room.meeting("a", 600, 3600)
    room.press(Action.MEETING_EXTEND, meeting=Meeting("a", length=5400.0))
    assert room.ends_at == 600 + 5400
    room.press(Action.MEETING_EXTEND, meeting=Meeting("a", length=60.0))
    assert room.ends_at == 600 + 5400


def test_an_extension_during_the_grace_goes_on() -> None:
    room = BookedRoom(GRACE)
    room.meeting("a", 0, 3600)
    end = room.meeting_end("a")
    assert room.outcome(room.meeting_extend("a", 5400)) is OK
    assert room.outcome(end) is IGNORED
    room.live(5399)
    assert room.recorded == [(0, None)]


def test_an_end_may_leave_out_what_is_clear() -> None:
    room = BookedRoom()
    room.meeting("a", 0)
    assert room.outcome(room.meeting_end("a", start=-86_400)) is IGNORED, "yesterday's"
    assert room.outcome(room.meeting_end("b")) is IGNORED
    assert room.outcome(room.meeting_end()) is OK
    room.meeting()
    assert room.owner == "meeting"
    assert room.outcome(room.meeting_end("7")) is IGNORED, "another one's"
    assert room.outcome(room.meeting_end()) is OK
    room.meeting("a", 0)
    room.meeting("b", 0)
    unclear = room.meeting_end()
    assert (room.outcome(unclear), room.code(unclear)) == (FAILED, "which_meeting")
    assert room.word == "recording"


def test_an_end_without_id_means_the_one_that_is_not_over() -> None:
    room = BookedRoom(GRACE)
    room.meeting("a", 0)
    room.meeting_end("a")
    room.meeting("b", 0)
    assert room.outcome(room.meeting_end()) is None
    room.live(61)
    assert room.word == "idle"


@pytest.mark.parametrize("end", [None, 7200.0])
def test_a_start_in_the_grace_after_a_scheduled_end_goes_on(end: float | None) -> None:
    room = BookedRoom(GRACE)
    room.meeting("a", 0, 3600)
    room.live(3630)
    assert room.outcome(room.meeting("a", 0, end)) is IGNORED
    room.live(600)
    assert (room.word, room.recorded) == ("recording", [(0, None)])


def test_an_extension_in_the_grace_of_a_meeting_without_end_gives_it_one() -> None:
    room = BookedRoom(GRACE)
    room.meeting("a", 0)
    room.live(600)
    end = room.meeting_end("a")
    assert room.outcome(room.meeting_extend("a", seconds=300.0)) is OK
    assert room.outcome(end) is IGNORED
    room.live(361)
    assert room.recorded == [(0, 960)]


def test_a_duration_counts_from_now_where_there_is_no_start() -> None:
    room = BookedRoom()
    room.live(100)
    room.press(Action.MEETING_START, meeting=Meeting("a", length=600.0))
    room.flow()
    assert room.ends_at == 700
    room.live(300)
    room.press(Action.MEETING_START, meeting=Meeting("a", length=600.0))
    room.live(301)
    assert room.recorded == [(100, 700)]


def test_two_occurrences_of_one_id_are_two_meetings() -> None:
    room = BookedRoom()
    room.meeting("x", 0, 1000)
    room.live(100)
    room.meeting("x", 100, 200)
    room.live(901)
    assert room.recorded == [(0, 100), (100, 200), (200, 1000)]
    room.meeting("x", 1000)
    late = room.meeting("x", 0)
    assert room.outcome(late) is IGNORED, "said again, long over"
    assert room.outcome(room.meeting_end("x")) is OK


def test_what_waits_for_hmp_does_not_add_up() -> None:
    room = BookedRoom()
    room.lose_connection(answer_first=True)
    for number in range(200):
        room.meeting("x", float(number))
    assert len(room.room.pending) == 1
    assert len(room.room.meetings) == 1


def test_after_an_error_the_meeting_around_is_recorded_again() -> None:
    room = BookedRoom(replace(BOOKED, restart_interrupted=False))
    room.meeting("outer", 0, 3600)
    room.fault("recording_error:getRecordingStatus:0")
    room.active()[0].fail(room.world.now())
    room.live(30)
    assert room.word == "error"
    room.meeting("inner", 30, 600)
    room.live(600)
    assert room.owner == "meeting:outer"


@pytest.mark.parametrize("action", [Action.TOGGLE, Action.TOGGLE_PAUSE])
def test_a_toggle_that_is_refused_dismisses_nothing(action: Action) -> None:
    room = BookedRoom(replace(BOOKED, restart_interrupted=False))
    room.meeting("a", 0, 3600)
    room.active()[0].fail(room.world.now())
    room.live(30)
    assert room.outcome(room.ask(action)) is FAILED
    assert not room.room.meetings[0].dismissed


# -- people ---------------------------------------------------------------------------------------


def test_no_meeting_stops_what_a_person_started() -> None:
    room = BookedRoom()
    room.ask("record")
    start = room.meeting("a", 0, 600)
    assert (room.outcome(start), room.owner) == (IGNORED, "manual")
    room.live(300)
    assert room.outcome(room.meeting_end("a")) is IGNORED
    room.live(3600)
    assert (room.state, room.recorded) == (State.RECORDING, [(0, None)])


def test_a_persons_stop_dismisses_the_meeting() -> None:
    room = BookedRoom()
    room.meeting("a", 0, 3600)
    assert room.outcome(room.ask("stop")) is OK
    assert room.outcome(room.meeting("a", 0, 7200)) is IGNORED
    assert (room.state, room.ends_at) == (State.IDLE, 7200)
    room.live(600)
    assert room.recorded == [(0, 0)]
    record = room.ask("record")  # the way back
    assert (room.outcome(record), room.owner) == (OK, "manual")
    room.live(7200)
    assert room.recorded == [(0, 0), (600, None)]


def test_a_dismissal_is_of_the_meetings_then_running() -> None:
    room = BookedRoom()
    room.meeting("a", 0, 3600)
    room.meeting("b", 0, 1800)
    room.ask("toggle")
    room.live(60)
    assert room.word == "idle"
    assert room.outcome(room.meeting("c", 60, 900)) is OK
    room.live(900)
    assert (room.state, len(room.recorded)) == (State.IDLE, 3)


def test_a_stop_before_the_start_was_possible_dismisses_too() -> None:
    room = BookedRoom()
    room.fault("error:startRecording:060009")
    start = room.meeting("a", 0, 3600)
    assert (room.outcome(start), room.code(start)) == (FAILED, "060009")
    room.ask("stop")
    room.world.faults.clear()
    room.live(600)
    assert room.recorded == []


# -- what survives --------------------------------------------------------------------------------


@pytest.mark.parametrize("same_boot", [True, False])
def test_meetings_and_dismissals_survive_a_restart(same_boot: bool) -> None:
    room = BookedRoom(GRACE)
    room.meeting("a", 0, 3600)
    room.ask("stop")
    room.meeting("b", 0, 1800)
    room.live(60)
    end = room.meeting_end("b")
    room.kill(same_boot=same_boot)
    room.connect()
    assert [(each.id, each.dismissed) for each in room.room.meetings] == [("a", True), ("b", False)]
    room.live(61)
    assert (room.state, room.outcome(end)) == (State.IDLE, OK)
    assert room.outcome(room.meeting("a", 0, 3600)) is IGNORED


def test_a_meeting_ends_by_the_wall_clock_when_it_is_set() -> None:
    room = BookedRoom()
    room.meeting("a", 0, 3600)
    room.live(600)
    room.stepped = 1800.0
    room.live(1190)
    assert room.word == "recording"
    room.live(11)
    assert room.word == "idle"
    room.meeting("b", None, 7200)
    room.stepped = 0.0
    room.live(7200 - 1802)
    assert room.word == "recording"
    room.live(12)
    assert room.word == "idle"


def test_a_clock_that_cannot_be_believed_ends_and_expires_nothing() -> None:
    room = BookedRoom()
    room.synchronised = False
    assert room.outcome(room.meeting("a", -7200, -3600)) is OK
    room.live(5 * 3600)
    assert room.word == "recording"
    room.synchronised = True
    room.live(11)
    assert room.word == "idle"


def test_a_room_does_not_collect_meetings_without_end() -> None:
    room = BookedRoom(replace(BOOKED, max_duration=3600.0))
    requests = [room.meeting(str(number)) for number in range(MOST_MEETINGS + 1)]
    assert room.code(requests[-1]) == "too_many_meetings"
    assert len(room.room.meetings) == MOST_MEETINGS
    room.live(3600 + 60)
    assert room.room.meetings == ()
