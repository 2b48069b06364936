"""Meetings whose starts are lost, refused or not to be found at HMP, and what is said again."""

from dataclasses import replace

import pytest

from bridge.hmp.commands import RecordingId
from bridge.room.facts.answer import Done
from bridge.room.facts.meeting import Meeting
from bridge.room.facts.vocabulary import Action, Alarm, Outcome, State, StepKind
from bridge.simulator.execution import execute

from ..bookings import BOOKED, BookedRoom
from ..driven import (
    FINISHED,
    IS_RECORDING,
    NOT_FOUND,
    OK,
    OTHER_ID,
    POLICY,
    SESSION,
    STARTED,
    WALL,
    DrivenRoom,
    refused,
)

OUTER = Meeting("outer", WALL, WALL + 36_000)
INNER = Meeting("inner", WALL + 60, WALL + 600)


def missing() -> DrivenRoom:
    """The outer meeting was started, and HMP has never known its recording since."""
    room = DrivenRoom()
    room.press(Action.MEETING_START, meeting=OUTER)
    room.answer(STARTED)
    while room.state is not State.UNKNOWN:
        room.answer(NOT_FOUND)
        room.wait(1.0)
    return room


def test_a_meeting_that_was_dismissed_while_its_start_was_under_way_stays_dismissed() -> None:
    room = DrivenRoom()
    start = room.press(Action.MEETING_START, meeting=OUTER)
    room.press(Action.STOP)
    room.answer(refused("070000", "Internal Server Error", "startRecording"))
    assert room.outcome(start) is Outcome.FAILED
    room.wait(600.0)
    assert room.sent == [StepKind.START]


def test_a_stop_after_the_next_meeting_has_come_counts_like_the_one_before_it() -> None:
    """While nobody knows what became of a start: the last that was said is what is wanted (R10)."""
    room = BookedRoom(knobs={"active_check": "before"})
    room.press(Action.MEETING_START, meeting=OUTER)
    room.write()
    room.lose_connection(answer_first=True)
    first = room.ask(Action.STOP)
    inner = room.press(Action.MEETING_START, meeting=INNER)
    assert room.outcome(first) is Outcome.IGNORED
    last = room.ask(Action.STOP)
    room.connect()
    room.live(600.0)
    assert (room.state, room.recorded, room.word) == (State.IDLE, [], "idle")
    assert (room.outcome(inner), room.outcome(last)) == (Outcome.IGNORED, Outcome.UNKNOWN)


def test_the_end_of_a_meeting_whose_recording_nobody_can_find_has_a_result() -> None:
    room = missing()
    end = room.press(Action.MEETING_END, meeting=OUTER)
    for _ in range(4):
        room.answer(NOT_FOUND)
        room.wait(1.0)
    assert (room.outcome(end), room.code(end)) == (Outcome.UNKNOWN, "outcome_unknown")
    assert (room.state, room.room.alarm) == (State.UNKNOWN, Alarm.OUTCOME_UNKNOWN)


def test_the_end_of_a_meeting_that_was_over_before_its_recording_was_proved_has_a_result() -> None:
    room = BookedRoom(knobs={"active_check": "before"})
    room.press(Action.MEETING_START, meeting=OUTER)
    room.write()
    room.execute()
    room.lose_connection(answer_first=True)
    end = room.meeting_end("outer")
    room.connect()
    room.live(5)
    assert room.room.active
    assert (room.outcome(end), room.code(end)) == (Outcome.FAILED, "id_unknown")


def test_a_meeting_within_one_that_nobody_can_find_gives_the_room_back() -> None:
    room = missing()
    room.press(Action.MEETING_START, meeting=INNER)
    room.answers(Done(OTHER_ID), IS_RECORDING)
    room.press(Action.MEETING_END, meeting=INNER)
    room.answers(OK, FINISHED)
    assert room.sends(StepKind.START)
    assert room.room.next_owner == OUTER.owner


@pytest.mark.parametrize("asked", [0.0, 60.0])
def test_a_meeting_within_one_whose_start_was_lost_gives_the_room_back(asked: float) -> None:
    """`asked`: whether every question was inconclusive by the time the inner one starts."""
    room = BookedRoom(replace(BOOKED, restart_lost_start=False))
    room.press(Action.MEETING_START, meeting=OUTER)
    room.write()
    room.lose_connection(answer_first=True)
    room.connect()
    room.live(asked)
    room.meeting("inner", asked, 600)
    room.live(700)
    assert room.owner == "meeting:outer"


def test_what_a_person_records_instead_gives_the_room_back() -> None:
    """By its greatest duration; a person's stop would have dismissed the meeting."""
    room = missing()
    room.press(Action.RECORD)
    room.answers(Done(OTHER_ID), IS_RECORDING)
    assert room.room.meetings[0].due


def test_what_is_handed_over_while_a_meeting_was_to_start_may_end_before_it() -> None:
    room = BookedRoom(replace(BOOKED, max_duration=1800.0))
    answer = execute(room.world, f"startRecording {SESSION}")
    room.lose_connection(answer_first=True)
    room.press(Action.ADOPT, recording_id=RecordingId(answer.removeprefix("OK|")))
    start = room.meeting("a", 0, 7200)
    room.connect()
    room.live(60)
    assert (room.outcome(start), room.owner) == (Outcome.IGNORED, "adopted")
    room.live(1800)
    assert room.owner == "meeting:a"


def test_a_spare_file_that_ends_leaves_no_meeting_uncovered() -> None:
    """A start was lost, repeated and stopped; then the first one turns out to be recording."""
    room = DrivenRoom()
    room.press(Action.RECORD)
    room.cut()
    not_there = refused("040009", "Source not found", "removeSourceFromSession")
    while not room.sends(StepKind.START):
        room.answer(not_there)
        room.wait(2.0)
    room.answers(STARTED, IS_RECORDING)
    room.press(Action.STOP)
    room.answers(OK, FINISHED)
    start = room.press(Action.MEETING_START, meeting=OUTER)
    recorded = refused(
        "060003", "Active recording currently in progress", "removeSourceFromSession"
    )
    room.answer(recorded)
    assert (room.outcome(start), room.room.active) == (Outcome.IGNORED, True)
    room.wait(2.0)
    room.answer(not_there)
    assert room.sends(StepKind.START)
    assert room.room.next_owner == OUTER.owner


# -- starts that HMP refuses or loses --------------------------------------------------------------


def test_a_refused_start_is_tried_again_while_the_meeting_runs() -> None:
    room = BookedRoom()
    room.fault("error:startRecording:060009")
    start = room.meeting("a", 0, 3600)
    assert (room.outcome(start), room.room.alarm) == (Outcome.FAILED, Alarm.NO_SOURCE)
    room.live(600)
    assert 10 <= room.sent.count(StepKind.START) <= 25
    room.world.faults.clear()
    room.live(31)
    assert (room.owner, room.room.alarms) == ("meeting:a", frozenset())
    room.live(3600)
    assert (room.state, len(room.recorded)) == (State.IDLE, 1)


def test_a_refused_start_is_tried_again_when_its_time_has_come_and_nothing_else_happens() -> None:
    """Nothing looks at a clock for a meeting without an end."""
    room = DrivenRoom()
    room.press(Action.MEETING_START, meeting=Meeting("a"))
    room.answer(refused("060009", "No source", "startRecording"))
    room.wait(POLICY.interrupt_backoff - 0.5)
    assert room.sent == [StepKind.START]
    room.wait(0.5)
    assert room.sent == [StepKind.START, StepKind.START]


@pytest.mark.parametrize("fault", ["disk_full:startRecording", "write_error:startRecording"])
def test_a_full_disk_is_not_asked_again(fault: str) -> None:
    room = BookedRoom()
    room.fault(fault)
    room.meeting("a", 0, 3600)
    room.live(600)
    assert room.sent.count(StepKind.START) == 1
    assert room.word == "idle"


@pytest.mark.parametrize(("away", "outcome"), [(1800.0, Outcome.OK), (3700.0, Outcome.EXPIRED)])
def test_a_start_waits_for_hmp_as_long_as_its_meeting_runs(away: float, outcome: Outcome) -> None:
    room = BookedRoom()
    room.lose_connection(answer_first=True)
    start = room.meeting("a", 0, 3600)
    room.live(away)
    room.connect()
    room.live(1)
    assert room.outcome(start) is outcome
    assert room.recorded == ([(away, None)] if outcome is Outcome.OK else [])


def test_a_lost_start_is_repeated_while_its_meeting_still_runs() -> None:
    room = BookedRoom(replace(BOOKED, restart_within=0.0))
    room.press(Action.MEETING_START, meeting=Meeting("a"))
    room.write()
    room.lose_connection(answer_first=True)
    room.live(600)
    room.connect()
    room.live(40)
    assert (room.owner, len(room.active())) == ("meeting:a", 1)


def test_hmp_forgets_a_meetings_recording_and_another_one_follows() -> None:
    room = BookedRoom()
    room.meeting("a", 0, 3600)
    room.live(60)
    room.in_web_pages("delete", RecordingId(room.active()[0].id))
    room.live(60)
    assert (room.owner, room.state) == ("meeting:a", State.RECORDING)
    room.live(3600)
    assert room.word == "idle"


# -- what is said again ---------------------------------------------------------------------------


def test_a_start_after_its_end_was_said_goes_on_though_its_time_is_over() -> None:
    """The host comes back: a booking system then repeats the times that it had planned."""
    room = BookedRoom(replace(BOOKED, stop_grace=60.0))
    room.meeting("a", 0, 3600)
    room.live(3590)
    end = room.meeting_end("a")
    room.live(30)
    again = room.meeting("a", 0, 3600)
    assert (room.outcome(again), room.outcome(end)) == (Outcome.IGNORED, Outcome.IGNORED)
    room.live(600)
    assert room.recorded == [(0, None)]


def test_a_start_said_again_after_its_planned_end_does_not_harm_an_extended_meeting() -> None:
    room = BookedRoom()
    room.meeting("a", 0, 3600)
    room.ask("extend", seconds=3600.0)
    room.live(3700)
    assert room.outcome(room.meeting("a", 0, 3600)) is Outcome.IGNORED
    room.live(3501)
    assert room.recorded == [(0, 7200)]


def test_a_start_said_again_in_the_grace_of_a_planned_end_goes_on_until_its_end_is_said() -> None:
    room = BookedRoom(replace(BOOKED, stop_grace=60.0))
    room.meeting("a", 0, 3600)
    room.live(3630)
    assert room.outcome(room.meeting("a", 0, 3600)) is Outcome.IGNORED
    room.live(1800)
    assert (room.recorded, room.ends_at) == ([(0, None)], BOOKED.max_duration)
    room.meeting_end("a")
    room.live(61)
    assert room.recorded == [(0, 5490)]


def test_a_start_said_again_does_not_overtake_a_persons_toggle() -> None:
    """It means the recording that runs, as last known; HMP just cannot be asked yet."""
    room = BookedRoom()
    room.meeting("a", 0, 3600)
    room.live(60)
    room.lose_connection(answer_first=True)
    toggle = room.ask("toggle")
    room.meeting("a", 0, 3600)
    assert room.outcome(toggle) is None
    room.connect()
    room.live(5)
    assert (room.outcome(toggle), room.state) == (Outcome.OK, State.IDLE)
    assert room.room.meetings[0].dismissed


def test_a_meeting_does_not_wait_for_a_press_that_nobody_can_tell_about() -> None:
    """The press was long ago when HMP could be asked; the meeting had started meanwhile."""
    room = BookedRoom()
    room.press(Action.RECORD)
    room.write()
    room.lose_connection(answer_first=True)
    room.meeting("a", 0, 3600)
    room.live(300)
    room.connect()
    room.live(40)
    assert (room.state, room.owner) == (State.RECORDING, "meeting:a")
    assert room.room.alarm is Alarm.OUTCOME_UNKNOWN
    room.live(3600)
    assert [end for _, end in room.recorded] == [3600]
