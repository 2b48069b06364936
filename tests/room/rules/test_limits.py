"""How long recordings and pauses last, and what moves an end (R13)."""

from dataclasses import replace

import pytest

from bridge.hmp.commands import RecordingId
from bridge.room.facts.meeting import Meeting
from bridge.room.facts.vocabulary import Action, Alarm, Outcome, State, StepKind

from ..bookings import BOOKED, BookedRoom

SHORT = replace(BOOKED, max_duration=3600.0, warn_before=300.0, max_extend=1800.0)
OK, IGNORED, FAILED = Outcome.OK, Outcome.IGNORED, Outcome.FAILED


# -- the greatest duration ------------------------------------------------------------------------


def test_what_runs_on_is_stopped_after_a_warning() -> None:
    room = BookedRoom(SHORT)
    room.ask("record")
    assert room.ends_at == 3600
    room.live(3299)
    assert not room.room.alarms
    room.live(2)
    assert room.room.alarm is Alarm.ENDING_SOON
    room.live(300)
    assert (room.state, room.recorded) == (State.IDLE, [(0, 3600)])
    assert not room.ends_at
    assert not room.room.alarms


def test_pauses_count() -> None:
    room = BookedRoom(SHORT)
    room.ask("record")
    room.ask("pause")
    room.live(3601)
    assert room.recorded == [(0, 3600)]


def test_a_meeting_is_not_stopped_before_its_end() -> None:
    room = BookedRoom(SHORT)
    room.meeting("a", 0, 7200)
    assert room.ends_at == 7200
    room.live(6899)
    assert not room.room.alarms
    room.live(2)
    assert room.room.alarm is Alarm.ENDING_SOON
    room.live(300)
    assert room.recorded == [(0, 7200)]


def test_what_is_being_stopped_gets_no_other_end_on_the_way() -> None:
    room = BookedRoom(replace(SHORT, stop_grace=0.0))
    room.meeting("a", 0, 100)
    room.press(Action.MEETING_END, meeting=Meeting("a"))
    assert (room.state, room.ends_at) == (State.STOPPING, 100)
    room.flow()
    assert (room.state, room.ends_at) == (State.IDLE, None)


def test_a_meeting_without_an_end_is() -> None:
    room = BookedRoom(SHORT)
    room.meeting("a", 0)
    room.live(3601)
    assert (room.recorded, room.room.meetings) == ([(0, 3600)], ())
    assert room.outcome(room.meeting("a", 0)) is OK, "it is said to run still"


def test_a_recording_without_an_id_cannot_be_stopped() -> None:
    room = BookedRoom(SHORT, {"active_check": "before"})
    room.press("record")
    room.write()
    room.execute()
    room.lose_connection(answer_first=True)
    room.connect()
    room.live(3700)
    assert (room.state, room.room.alarm) == (State.RECORDING, Alarm.OUTCOME_UNKNOWN)
    assert StepKind.STOP not in room.sent


# -- moving the end -------------------------------------------------------------------------------


def test_extend_moves_the_end_and_takes_the_warning_back() -> None:
    room = BookedRoom(SHORT)
    room.ask("record")
    room.live(3400)
    assert Alarm.ENDING_SOON in room.room.alarms
    assert room.outcome(room.ask("extend")) is OK
    assert (room.ends_at, room.room.alarms) == (4500, frozenset())
    assert room.outcome(room.ask("extend", seconds=3600.0)) is OK
    assert room.ends_at == 5400, "no further than the room allows"
    refused = room.ask("extend")
    assert (room.outcome(refused), room.code(refused)) == (FAILED, "max_extend")
    room.live(2001)
    assert room.recorded == [(0, 5400)]


def test_extend_moves_the_end_of_the_meeting() -> None:
    room = BookedRoom(replace(SHORT, stop_grace=60.0))
    room.meeting("a", 0, 3600)
    room.live(3630)
    end = room.meeting_end("a")
    assert room.outcome(room.ask("extend")) is OK
    assert (room.outcome(end), room.ends_at) == (IGNORED, 3630 + 900)
    room.ask("extend", seconds=900.0)
    assert room.code(room.ask("extend")) == "max_extend"
    room.live(1800 + 61)
    assert room.recorded == [(0, 3630 + 1800 + 60)]


def test_extend_during_the_grace_gives_a_meeting_without_end_one() -> None:
    room = BookedRoom(replace(SHORT, stop_grace=60.0))
    room.meeting("a", 0)
    room.live(600)
    room.meeting_end("a")
    room.ask("extend", seconds=300.0)
    assert room.ends_at == 900
    room.live(361)
    assert room.recorded == [(0, 960)]


@pytest.mark.parametrize("end", [3600, None])
def test_the_grace_shows_when_it_is_over_and_an_extension_counts_from_now(
    end: float | None,
) -> None:
    room = BookedRoom(replace(SHORT, stop_grace=60.0))
    room.meeting("a", 0, end)
    room.live(600)
    room.meeting_end("a")
    assert (room.ends_at, room.room.alarm) == (660, Alarm.ENDING_SOON)
    room.ask("extend", seconds=300.0)
    assert room.ends_at == 900


@pytest.mark.parametrize("state", ["idle", "stopping"])
def test_nothing_is_extended_that_does_not_run(state: str) -> None:
    room = BookedRoom(SHORT)
    if state == "stopping":
        room.ask("record")
        room.press("stop")
    assert room.state == state
    assert room.code(room.press("extend")) == "not_recording"


# -- over restarts and clocks ---------------------------------------------------------------------


@pytest.mark.parametrize("same_boot", [True, False])
def test_the_duration_goes_on_over_a_restart(same_boot: bool) -> None:
    room = BookedRoom(SHORT)
    room.ask("record")
    room.live(1800)
    room.ask("extend")
    room.kill(same_boot=same_boot)
    room.connect()
    room.live(1)
    assert room.ends_at == 4500
    room.live(2700)
    assert room.recorded == [(0, 4500)]


def test_after_another_boot_the_wall_clock_tells_once_it_can_be_believed() -> None:
    room = BookedRoom(SHORT)
    room.ask("record")
    room.live(1800)
    room.synchronised = False
    room.kill(same_boot=False)
    room.connect()
    room.live(7200)
    assert (room.state, room.ends_at) == (State.RECORDING, None)
    room.synchronised = True
    room.live(11)
    assert room.word == "idle"


def test_a_start_by_a_clock_that_was_wrong_tells_nothing_after_another_boot() -> None:
    room = BookedRoom(SHORT)
    room.synchronised = False
    room.ask("record")
    room.live(1800)
    room.synchronised = True
    room.stepped = 40 * 86_400.0
    room.kill(same_boot=False)
    room.connect()
    room.live(3590)
    assert room.word == "recording"
    room.live(11)
    assert room.word == "idle"


def test_a_clock_that_is_set_changes_no_duration() -> None:
    room = BookedRoom(SHORT)
    room.ask("record")
    room.live(1800)
    room.stepped = -86_400.0
    room.live(1801)
    assert (room.state, len(room.recorded)) == (State.IDLE, 1)


def test_without_a_clock_a_meeting_gets_the_time_that_was_planned() -> None:
    room = BookedRoom(SHORT)
    room.synchronised = False
    room.meeting("a", 1_000_000, 1_007_200)
    room.live(7190)
    assert room.word == "recording"
    room.live(11)
    assert (room.state, room.room.meetings) == (State.IDLE, ())


# -- pauses ---------------------------------------------------------------------------------------


def test_a_long_pause_is_reminded_of() -> None:
    room = BookedRoom()
    room.ask("record")
    room.ask("pause")
    room.live(599)
    assert not room.room.alarms
    room.live(2)
    assert room.room.alarm is Alarm.PAUSED_TOO_LONG
    room.live(3600)
    assert room.word == "paused"
    room.ask("resume")
    assert not room.room.alarms


def test_a_pause_in_the_web_pages_counts_too() -> None:
    room = BookedRoom()
    room.ask("record")
    room.in_web_pages("pause", RecordingId(room.active()[0].id))
    room.live(700)
    assert room.room.alarm is Alarm.PAUSED_TOO_LONG


def test_a_room_can_resume_by_itself_once_for_each_pause() -> None:
    room = BookedRoom(replace(BOOKED, max_pause=900.0, pause_reminder=None))
    room.ask("record")
    room.ask("pause")
    room.live(901)
    assert room.word == "recording"
    room.ask("pause")
    room.fault("error:resumeRecording:070003")
    room.live(1800)
    assert room.word == "paused"
    assert room.sent.count(StepKind.RESUME) == 2
    assert not room.room.alarms


def test_a_room_can_stop_by_itself_and_starts_nothing_while_people_are_away() -> None:
    room = BookedRoom(replace(BOOKED, max_pause=900.0, on_max_pause="stop"))
    room.meeting("other", 0, 9000)
    room.meeting("a", 0, 9000)
    room.ask("pause")
    room.live(901)
    assert (room.owner, room.room.alarms) == (None, frozenset())
    room.live(9000)
    assert len(room.recorded) == 2


def test_a_reminder_survives_a_restart() -> None:
    room = BookedRoom()
    room.ask("record")
    room.ask("pause")
    room.live(500)
    room.kill()
    room.connect()
    room.live(101)
    assert room.room.alarm is Alarm.PAUSED_TOO_LONG
