"""HMP's own maximum recording duration: an end that nobody wanted, told from a person's stop (R25).

The world is the simulated HMP, whose limit is a knob in hours.
"""

from dataclasses import replace

import pytest

from bridge.room.facts.policy import Policy
from bridge.room.facts.vocabulary import Action, Alarm, Outcome, State, StepKind

from ..bookings import BOOKED, BookedRoom
from ..driven import FINISHED, IS_PAUSED, IS_RECORDING, OK, OTHER_ID, STARTED, recording

HOUR = 3600.0
FOUR: dict[str, object] = {"max_recording": 4}
KNOWN = replace(BOOKED, max_recording=4 * HOUR)
FORGOTTEN = replace(BOOKED, poll_interval=60.0)


@pytest.mark.unmeasured
@pytest.mark.parametrize("policy", [BOOKED, KNOWN], ids=["unknown", "known"])
def test_a_meeting_of_five_hours_is_recorded_to_its_end(policy: Policy) -> None:
    room = BookedRoom(replace(policy, poll_interval=5.0), FOUR)
    room.meeting("a", 0, 5 * HOUR, title="Long")
    room.live(4 * HOUR + 10)
    assert (room.word, room.owner) == ("recording", "meeting:a")
    assert room.room.alarm is Alarm.STOPPED_BY_LIMIT
    assert not any(each.dismissed for each in room.room.meetings)
    room.live(HOUR)
    assert room.word == "idle"
    [first, second] = room.recorded
    assert [*first, second[1]] == [0, 4 * HOUR, 5 * HOUR]
    assert 4 * HOUR <= second[0] <= 4 * HOUR + 6
    room.ask("record")
    assert not room.room.alarms


def test_a_person_s_recording_goes_on() -> None:
    room = BookedRoom(KNOWN, FOUR)
    room.ask("record")
    room.live(4 * HOUR + 30)
    assert (room.state, room.owner, len(room.recorded)) == (State.RECORDING, "manual", 2)


@pytest.mark.parametrize("killed", [True, False])
@pytest.mark.parametrize("known", [None, HOUR], ids=["unknown", "known"])
def test_what_goes_on_beyond_hmps_limit_is_stopped_all_the_same(
    known: float | None, killed: bool
) -> None:
    """A room that was forgotten: `max_duration` counts from the first start (R13)."""
    policy = replace(FORGOTTEN, max_duration=2.2 * HOUR, max_recording=known)
    room = BookedRoom(policy, {"max_recording": 1})
    room.ask("record")
    room.live(0.5 * HOUR)
    room.ask("extend", seconds=0.2 * HOUR)
    room.live(1.6 * HOUR)
    if killed:
        room.kill()
        room.connect()
        room.live(1)
    room.live(HOUR)
    assert (room.state, room.recorded[-1][1]) == (State.IDLE, 2.4 * HOUR)
    room.ask("record")
    assert room.ends_at == room.clock + (known or 2.2 * HOUR), "it counts anew"


def test_a_limit_like_ours_ends_it() -> None:
    policy = replace(FORGOTTEN, max_duration=HOUR, max_recording=HOUR)
    room = BookedRoom(policy, {"max_recording": 1})
    room.ask("record")
    room.live(1.1 * HOUR)
    assert (room.state, len(room.recorded)) == (State.IDLE, 1)


def test_a_meeting_is_recorded_to_its_last_seconds_beyond_both_limits() -> None:
    policy = replace(FORGOTTEN, max_duration=HOUR, max_recording=HOUR, poll_interval=5.0)
    room = BookedRoom(policy, {"max_recording": 1})
    room.meeting("a", 0, HOUR + 20)
    room.live(1.1 * HOUR)
    assert [each[1] for each in room.recorded] == [HOUR, HOUR + 20]


def test_held_nothing_begins_until_somebody_says_so() -> None:
    room = BookedRoom(replace(KNOWN, restart_limited=False), FOUR)
    room.meeting("a", 0, 6 * HOUR)
    room.live(5 * HOUR)
    assert (room.state, len(room.recorded)) == (State.IDLE, 1)
    assert room.room.alarm is Alarm.STOPPED_BY_LIMIT
    assert room.outcome(room.meeting("a", 0, 6 * HOUR)) is Outcome.OK  # it was not dismissed
    assert (room.state, len(room.recorded)) == (State.RECORDING, 2)


def test_the_known_limit_is_shown_and_warned_of() -> None:
    room = BookedRoom(KNOWN, FOUR)
    room.ask("record")
    assert room.ends_at == 4 * HOUR
    room.live(4 * HOUR - 301)
    assert not room.room.alarms
    room.live(2)
    assert room.room.alarm is Alarm.ENDING_SOON
    room.live(400)
    assert room.ends_at == round(room.recorded[1][0] + 4 * HOUR, 1)


def test_a_limit_that_is_not_hmps_is_left_alone() -> None:
    """HMP records on beyond what the configuration says: nothing is stopped for it."""
    room = BookedRoom(KNOWN)
    room.ask("record")
    room.live(5 * HOUR)
    assert (room.recorded, room.ends_at) == ([(0, None)], 12 * HOUR)
    room.in_web_pages("stop", room.newest.id)  # type: ignore[arg-type]
    room.live(30)
    assert (room.state, room.room.alarm) == (State.IDLE, Alarm.STOPPED_UNEXPECTEDLY)


@pytest.mark.parametrize(
    ("policy", "after", "limited"),
    [
        (BOOKED, HOUR - 12, False),
        (BOOKED, HOUR - 8, True),
        (BOOKED, HOUR + 8, True),
        (BOOKED, HOUR + 13, False),
        (BOOKED, 5.0, False),
        (BOOKED, 3 * HOUR, True),
        (KNOWN, HOUR, False),
        (KNOWN, 4 * HOUR - 62, False),
        (KNOWN, 4 * HOUR - 58, True),
        (KNOWN, 4 * HOUR + 63, False),
    ],
)
def test_how_near_the_end_must_be(policy: Policy, after: float, limited: bool) -> None:
    room = recording(replace(policy, poll_interval=2.0))
    room.wait(after - 2.0)
    room.answer(IS_RECORDING)
    room.wait(after - room.clock)
    room.stepped = -7200.0  # the wall clock is of no account
    room.answer(FINISHED)
    alarm = Alarm.STOPPED_BY_LIMIT if limited else Alarm.STOPPED_UNEXPECTEDLY
    assert alarm in room.room.alarms
    assert room.state is (State.STARTING if limited else State.IDLE)


def test_pauses_may_count_or_not() -> None:
    """Half an hour recorded, a pause, half an hour recorded: an hour of the file."""
    room = recording()
    room.wait(HOUR / 2)
    room.press(Action.PAUSE)
    room.answers(IS_RECORDING, OK)
    room.wait(700.0)
    room.answer(IS_PAUSED)
    room.press(Action.RESUME)
    room.answers(*[IS_PAUSED] * (room.step is not StepKind.RESUME), OK)
    room.wait(HOUR / 2 - 4)
    room.answers(IS_RECORDING, FINISHED)
    assert (room.state, room.room.alarm) == (State.STARTING, Alarm.STOPPED_BY_LIMIT)


def test_what_is_paused_is_not_begun_again() -> None:
    room = recording()
    pause = room.press(Action.PAUSE)
    room.answers(OK)
    assert room.outcome(pause) is Outcome.OK
    room.wait(HOUR)
    room.answers(IS_PAUSED, FINISHED)
    assert (room.state, room.room.alarm) == (State.IDLE, Alarm.STOPPED_BY_LIMIT)


@pytest.mark.parametrize("killed", [True, False])
@pytest.mark.parametrize(
    ("policy", "alarm"),
    [(BOOKED, Alarm.STOPPED_UNEXPECTEDLY), (KNOWN, Alarm.STOPPED_BY_LIMIT)],
    ids=["unknown", "known"],
)
def test_an_hour_that_passed_unseen_is_a_person_s_unless_the_limit_is_known(
    policy: Policy, alarm: Alarm, killed: bool
) -> None:
    room = recording(replace(policy, poll_interval=2.0))
    room.wait(3.5 * HOUR)
    room.answer(IS_RECORDING)
    if killed:
        room.clock += HOUR
        room.kill()
        room.link(ready=True)
    else:
        room.cut(seconds=HOUR)
    room.answer(FINISHED)
    assert alarm in room.room.alarms


def test_the_alarm_stays_through_the_recording_that_follows_by_itself() -> None:
    room = recording()
    room.wait(HOUR - 1)
    room.answers(IS_RECORDING, FINISHED, replace(STARTED, value=OTHER_ID), IS_RECORDING)
    assert (room.state, room.room.alarm) == (State.RECORDING, Alarm.STOPPED_BY_LIMIT)
    room.press(Action.STOP)
    room.answers(OK, FINISHED)
    room.press(Action.RECORD)
    room.answer(STARTED)
    assert not room.room.alarms
