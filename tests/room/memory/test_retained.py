"""A replaced box: rooms as their own retained topics remember them (R9)."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.hmp.commands import RecordingStatus
from bridge.mqtt.topics import Topics, render_room
from bridge.room.facts.meeting import Meeting, owner_in_words
from bridge.room.facts.state import RoomState
from bridge.room.facts.values import Now
from bridge.room.facts.vocabulary import Action, Alarm, Outcome, State, StepKind, Target
from bridge.room.memory.retained import adopt_retained

from ..driven import (
    FINISHED,
    IS_ERROR,
    IS_PAUSED,
    IS_RECORDING,
    NOT_FOUND,
    OK,
    POLICY,
    RECORDING_ID,
    STARTED,
    WALL,
    DrivenRoom,
    recording,
)

NOW = Now(1000.0, WALL + 1000.0)
FRESH = RoomState(POLICY, not_ready_since=1000.0)
WORDS = dict.fromkeys(State, "word")


def retained(driven: DrivenRoom) -> bytes:
    """The room's `status` as the broker keeps it."""
    topics = Topics()
    return render_room(topics, "r", driven.room, WORDS)[topics.room("r", "status")].encode()


def adopted(status: bytes) -> DrivenRoom:
    """A room of a bridge without a journal that has read `status` and reaches HMP."""
    driven = DrivenRoom(ready=False)
    driven.clock = NOW.monotonic
    driven.room = adopt_retained(FRESH, status, NOW).state
    driven.link(ready=True)
    return driven


def test_a_recording_is_taken_over_as_stale_and_confirmed_by_hmp() -> None:
    state = adopt_retained(FRESH, retained(recording()), NOW).state
    assert state.stale
    assert state.state is State.RECORDING
    assert state.recording is not None
    assert state.recording.id == RECORDING_ID
    assert state.recording.started_at == WALL

    driven = adopted(retained(recording()))
    driven.answer(IS_RECORDING)
    assert (driven.state, driven.room.stale) == (State.RECORDING, False)


def test_hmp_decides() -> None:
    driven = adopted(retained(recording()))
    driven.answer(IS_PAUSED)
    assert driven.state is State.PAUSED


@pytest.mark.parametrize("ended", [FINISHED, NOT_FOUND])
def test_what_ended_meanwhile_has_ended_and_nothing_is_started(ended: Any) -> None:
    driven = adopted(retained(recording()))
    if ended is NOT_FOUND:
        driven.lose()
    else:
        driven.answer(ended)
    assert driven.state is State.IDLE
    assert driven.room.alarm is Alarm.STOPPED_UNEXPECTEDLY
    assert driven.room.last_recording_id == RECORDING_ID
    driven.wait(3600.0)
    assert driven.step is None


def test_a_paused_one_stays_paused() -> None:
    before = recording()
    before.press(Action.PAUSE)
    before.answer(OK)
    driven = adopted(retained(before))
    driven.answer(IS_PAUSED)
    assert driven.state is State.PAUSED


def test_a_meeting_around_the_one_that_is_recorded_is_recorded_after_it() -> None:
    before = DrivenRoom()
    for name in ("outer", "inner"):
        before.press(Action.MEETING_START, meeting=Meeting(name, WALL, WALL + 7200))
    before.answers(STARTED, IS_RECORDING)
    driven = adopted(retained(before))
    driven.answer(IS_RECORDING)
    driven.press(Action.MEETING_END, meeting=Meeting("inner"))
    driven.answers(OK, FINISHED)
    assert (driven.state, driven.room.next_owner) == (
        State.STARTING,
        Meeting("outer", WALL).owner,
    )


def test_a_meeting_that_was_to_be_recorded_is() -> None:
    before = DrivenRoom()
    before.link(ready=False)
    before.press(Action.MEETING_START, meeting=Meeting("a", WALL, WALL + 7200))
    assert adopted(retained(before)).sends(StepKind.START)
    before.press(Action.STOP)
    assert adopted(retained(before)).step is None


LONG_AGO = "2000-01-01T00:00:00+00:00"
FORGED: list[dict[str, Any]] = [
    {"state": "stopping"},
    {"started_at": LONG_AGO, "elapsed": 31_000_000, "verified_at": LONG_AGO},
    {"ends_at": LONG_AGO},
    {
        "owner": "meeting:a",
        "meetings": [{"id": "a", "start": LONG_AGO, "end": "2000-01-01T01:00:00+00:00"}],
    },
]


@pytest.mark.parametrize("forged", FORGED, ids=["stopping", "old", "over", "meeting"])
@pytest.mark.parametrize("same_boot", [True, False])
def test_nothing_is_stopped_on_the_word_of_a_retained_message(
    forged: dict[str, Any], same_boot: bool
) -> None:
    status = json.loads(retained(recording())) | forged
    driven = adopted(json.dumps(status).encode())
    for minute in range(60):
        if minute == 30:
            driven.kill(same_boot=same_boot)
            driven.link(ready=True)
        driven.answer(IS_RECORDING)
        driven.wait(60.0)
    assert (driven.state, StepKind.STOP in driven.sent) == (State.RECORDING, False)
    stop = driven.press(Action.STOP)  # a person's word counts
    driven.answers(*[IS_RECORDING] * (driven.step is not StepKind.STOP), OK, FINISHED)
    assert (driven.outcome(stop), driven.state) == (Outcome.OK, State.IDLE)


def test_what_is_adopted_is_stopped_by_limits_that_count_from_the_adoption() -> None:
    status = json.loads(retained(recording())) | {"started_at": LONG_AGO}
    driven = adopted(json.dumps(status).encode())
    driven.answer(IS_RECORDING)
    driven.wait(POLICY.max_duration + 3)
    driven.answer(IS_RECORDING)
    assert driven.step is StepKind.STOP


def test_an_error_of_what_is_adopted_stops_nothing() -> None:
    """HMP has shown this bridge no recording that it could have lost."""
    driven = adopted(retained(recording()))
    driven.answer(IS_ERROR)
    assert (driven.state, driven.room.alarm) == (State.ERROR, Alarm.RECORDING_ERROR)
    assert driven.step is StepKind.POLL


def test_the_last_recording_is_remembered() -> None:
    before = recording()
    before.press(Action.STOP)
    before.answers(OK, FINISHED)
    state = adopt_retained(FRESH, retained(before), NOW).state
    assert (state.state, state.last_recording_id) == (State.IDLE, RECORDING_ID)


def test_a_doubt_is_kept_as_an_alarm() -> None:
    state = adopt_retained(FRESH, b'{"state":"unknown"}', NOW).state
    assert state.alarm is Alarm.OUTCOME_UNKNOWN


def test_another_session_s_recording_is_left() -> None:
    told = json.loads(retained(recording()))
    told["session_id"] = "00000000-2cf0-4c62-b3d3-9d457b287394"
    assert adopt_retained(FRESH, json.dumps(told).encode(), NOW).state.recording is None


def test_a_room_that_knows_something_is_left_as_it_is() -> None:
    busy = replace(FRESH, target=Target.RECORDING)
    assert adopt_retained(busy, retained(recording()), NOW).state is busy


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: st.lists(children, max_size=2) | st.dictionaries(st.text(), children),
    max_leaves=4,
)
KEYS = list(json.loads(retained(recording())))


@given(st.dictionaries(st.sampled_from(KEYS), json_values))
def test_nothing_retained_is_trusted(changes: dict[str, Any]) -> None:
    told = json.loads(retained(recording())) | changes
    state = adopt_retained(FRESH, json.dumps(told).encode(), NOW).state
    if state.recording is not None:
        assert state.recording.session == POLICY.session
        assert state.recording.status in (RecordingStatus.RECORDING, RecordingStatus.PAUSED)
        render_room(Topics(), "r", state, WORDS)


@given(st.binary(max_size=200))
def test_noise_is_nothing(noise: bytes) -> None:
    assert adopt_retained(FRESH, noise, NOW).state == FRESH


def test_a_meeting_still_ends_what_it_started() -> None:
    driven = DrivenRoom()
    driven.press(Action.MEETING_START, meeting=Meeting("a", WALL, WALL + 1800.0, "Weekly"))
    driven.answers(STARTED, OK, IS_RECORDING)
    replaced = adopted(retained(driven))
    replaced.answer(IS_RECORDING)
    held = replaced.room.recording
    assert held is not None
    assert (owner_in_words(held.owner), held.title) == ("meeting:a", "Weekly")
    replaced.press(Action.MEETING_END, meeting=Meeting("a"))
    assert replaced.step is StepKind.STOP
    replaced.answers(OK, FINISHED)
    assert replaced.state is State.IDLE


def test_a_dismissal_is_remembered_and_an_owner_that_is_none_is_not() -> None:
    driven = DrivenRoom()
    driven.press(Action.MEETING_START, meeting=Meeting("a", WALL, WALL + 7200.0))
    driven.answers(STARTED, IS_RECORDING)
    driven.press(Action.STOP)
    driven.answers(OK, FINISHED)
    again = adopted(retained(driven))
    repeated = again.press(Action.MEETING_START, meeting=Meeting("a", WALL, WALL + 7200.0))
    assert again.outcome(repeated) is Outcome.IGNORED
    for owner in ("meeting:b", ["meeting"], None, 7):
        status = json.loads(retained(recording())) | {"owner": owner}
        held = adopted(json.dumps(status).encode()).room.recording
        assert held is not None
        assert held.owner == "adopted"
