"""Two records of a room, the journal's and its retained `status`: the newer one counts (R9)."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.hmp.commands import GetRecordingStatus, RecordingId
from bridge.mqtt.topics import timestamp
from bridge.room.facts.meeting import Meeting
from bridge.room.facts.state import RoomState
from bridge.room.facts.vocabulary import Action, Alarm, Outcome, State, StepKind
from bridge.room.memory.retained import adopt_retained

from ..driven import (
    DOWN,
    FINISHED,
    IS_PAUSED,
    IS_RECORDING,
    LOST,
    NOT_FOUND,
    OK,
    OTHER_ID,
    RECORDING_ID,
    SESSION,
    STARTED,
    UNCLEAR,
    WALL,
    DrivenRoom,
    recording,
)
from .test_retained import retained


def told(**members: Any) -> bytes:
    """A `status` that names another recording of the room's session, and is newer."""
    status = {"recording_id": OTHER_ID, "session_id": SESSION, "state": "recording", "revision": 99}
    return json.dumps(status | members).encode()


def restarted(driven: DrivenRoom, status: bytes, *, journalled: int | None = None) -> DrivenRoom:
    """The room after a kill, with its journal, and what the broker retains; HMP is reached."""
    driven.kill()
    known = driven.room.revision if journalled is None else journalled
    driven.room = adopt_retained(driven.room, status, driven.now, known).state
    driven.link(ready=True)
    return driven


def asked(driven: DrivenRoom) -> object:
    """The recording that HMP is being asked about."""
    command = driven.command()
    assert isinstance(command, GetRecordingStatus)
    return command.recording


def held(driven: DrivenRoom) -> RecordingId | None:
    return driven.room.held_id


def ended() -> DrivenRoom:
    driven = recording()
    driven.press(Action.STOP)
    driven.answers(OK, FINISHED)
    return driven


def test_the_revision_grows_with_every_recording_and_with_nothing_else() -> None:
    driven = DrivenRoom()
    seen = [driven.room.revision]

    def grown() -> int:
        seen.append(driven.room.revision)
        return seen[-1] - seen[-2]

    driven.press(Action.RECORD)
    assert grown() == 1  # it may be recorded from here on
    driven.answer(STARTED)
    assert grown() == 1
    driven.answer(IS_RECORDING)
    driven.press(Action.PAUSE)
    driven.answers(OK, IS_PAUSED)
    driven.press(Action.MARK)
    driven.press(Action.STOP)
    assert grown() == 0
    driven.answers(OK, OK, FINISHED)
    assert driven.state is State.IDLE
    assert grown() == 1


def test_a_kill_keeps_the_revision() -> None:
    driven = recording()
    before = driven.room.revision
    driven.kill()
    assert driven.room.revision == before > 0


@pytest.mark.parametrize("before", [DrivenRoom, ended, recording])
@given(behind=st.integers(0, 3), revision=st.integers(0, 200))
def test_a_status_counts_only_if_it_is_newer(
    before: Callable[[], DrivenRoom], behind: int, revision: int
) -> None:
    """Its revision against the journal's, whatever either says, and however far the room is."""
    room = before().room
    journalled = max(0, room.revision - behind)
    now = DrivenRoom().now
    after = adopt_retained(room, told(revision=revision), now, journalled).state
    if revision <= journalled:
        assert after is room
    else:
        assert after.revision == max(room.revision, revision)
        assert OTHER_ID in (after.held_id, after.adopting)


def test_what_a_newer_status_names_is_taken_over_and_asked_about() -> None:
    driven = restarted(ended(), told())
    assert (driven.state, held(driven), driven.room.stale) == (State.RECORDING, OTHER_ID, True)
    assert (driven.step, asked(driven)) == (StepKind.SETTLE, OTHER_ID)
    driven.answer(IS_RECORDING)
    assert (driven.state, driven.room.stale) == (State.RECORDING, False)
    assert driven.room.revision == 99


def test_a_newer_status_that_names_nothing_ends_nothing() -> None:
    driven = restarted(recording(), told(recording_id=None, state="idle"))
    assert (held(driven), asked(driven)) == (RECORDING_ID, RECORDING_ID)
    driven.answer(IS_RECORDING)
    assert (driven.state, held(driven)) == (State.RECORDING, RECORDING_ID)


def test_of_two_the_one_that_hmp_records_is_held() -> None:
    """The journal's has ended, the newer one goes on: both were asked about, the first at first."""
    driven = restarted(recording(), told())
    assert asked(driven) == RECORDING_ID
    driven.answer(FINISHED)
    assert (driven.step, asked(driven)) == (StepKind.ADOPT, OTHER_ID)
    driven.answer(IS_RECORDING)
    assert (driven.state, held(driven)) == (State.RECORDING, OTHER_ID)
    assert driven.room.alarms == frozenset()
    assert driven.room.last_recording_id == RECORDING_ID


@pytest.mark.parametrize("answer", [FINISHED, NOT_FOUND])
def test_of_two_the_one_that_has_ended_is_left(answer: Any) -> None:
    driven = restarted(recording(), told())
    driven.answer(IS_RECORDING)
    assert (driven.step, asked(driven)) == (StepKind.ADOPT, OTHER_ID)
    driven.answer(answer)
    assert (driven.state, held(driven)) == (State.RECORDING, RECORDING_ID)
    assert (driven.room.alarms, driven.room.adopting) == (frozenset(), None)


def test_of_two_that_hmp_records_the_journal_s_is_held_and_people_are_told() -> None:
    driven = restarted(recording(), told())
    driven.answers(IS_RECORDING, IS_RECORDING)
    assert held(driven) == RECORDING_ID
    assert driven.room.alarm is Alarm.OUTCOME_UNKNOWN
    assert driven.room.problem is not None
    assert OTHER_ID in driven.room.problem.message
    driven.answer(IS_RECORDING)
    assert driven.room.alarm is Alarm.OUTCOME_UNKNOWN
    assert StepKind.STOP not in driven.sent


@pytest.mark.parametrize("answer", [LOST, DOWN, UNCLEAR])
def test_what_is_named_beside_is_asked_about_until_hmp_tells(answer: Any) -> None:
    driven = restarted(recording(), told())
    driven.answer(IS_RECORDING)
    for _ in range(3):
        while driven.step is not StepKind.ADOPT:
            driven.answer(IS_RECORDING)
        driven.answer(answer)
        assert driven.room.adopting == OTHER_ID
    while driven.step is not StepKind.ADOPT:
        driven.answer(IS_RECORDING)
    driven.answer(FINISHED)
    assert driven.room.adopting is None


def test_no_other_is_started_while_what_is_named_is_asked_about() -> None:
    """The journal's has ended: before another one begins, HMP is asked for what is named."""
    driven = restarted(recording(), told())
    press = driven.press(Action.RECORD)
    driven.answer(FINISHED)
    assert asked(driven) == OTHER_ID
    driven.answer(IS_RECORDING)
    assert (driven.state, held(driven)) == (State.RECORDING, OTHER_ID)
    assert driven.outcome(press) is Outcome.IGNORED
    assert StepKind.START not in driven.sent[-2:]


def test_a_start_that_was_lost_gets_its_id_and_keeps_the_doubt() -> None:
    driven = DrivenRoom()
    driven.press(Action.RECORD)
    restarted(driven, told())
    assert driven.state is State.UNKNOWN
    assert (driven.step, asked(driven)) == (StepKind.ADOPT, OTHER_ID)
    driven.answer(IS_RECORDING)
    assert (driven.state, held(driven)) == (State.RECORDING, OTHER_ID)
    assert driven.room.alarm is Alarm.OUTCOME_UNKNOWN


@pytest.mark.parametrize("state", ["starting", "unknown"])
def test_a_start_of_which_the_journal_knows_nothing_is_a_doubt(state: str) -> None:
    driven = restarted(ended(), told(recording_id=None, state=state))
    assert driven.room.alarm is Alarm.OUTCOME_UNKNOWN
    assert driven.step is StepKind.QUESTION


@pytest.mark.parametrize("named", [RECORDING_ID, OTHER_ID])
def test_a_status_without_a_revision_names_what_is_asked_about_if_it_is_not_known(
    named: RecordingId,
) -> None:
    """Of an earlier version, or made of the one topic that is left."""
    only = json.dumps({"recording_id": named}).encode()
    driven = restarted(ended(), only)
    assert held(driven) == (OTHER_ID if named == OTHER_ID else None)


def test_a_meeting_of_the_journal_stays_and_owns_what_it_started() -> None:
    driven = DrivenRoom()
    meeting = Meeting("a", WALL, WALL + 7200.0)
    driven.press(Action.MEETING_START, meeting=meeting)
    driven.answers(STARTED, IS_RECORDING, FINISHED)
    kept = driven.room.meetings
    forged = {"id": "a", "start": timestamp(WALL), "end": timestamp(WALL)}
    restarted(driven, told(owner="meeting:a", meetings=[forged]))
    assert driven.room.meetings == kept
    assert driven.room.recording is not None
    assert driven.room.recording.owner == meeting.owner


@given(
    st.dictionaries(
        st.sampled_from(["revision", "recording_id", "state", "alarms", "session_id"]),
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    )
)
def test_nothing_that_is_told_makes_a_room_forget(changes: dict[str, Any]) -> None:
    room: RoomState = recording().room
    status = json.dumps(json.loads(told()) | changes).encode()
    after = adopt_retained(room, status, DrivenRoom().now, room.revision).state
    assert after.recording == room.recording
    assert after.target is room.target
    assert isinstance(after.revision, int)


def test_the_revision_is_told() -> None:
    driven = recording()
    assert json.loads(retained(driven))["revision"] == driven.room.revision
