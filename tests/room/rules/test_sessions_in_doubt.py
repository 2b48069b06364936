"""A session per recording where replies are lost, the bridge is killed, or its settings change."""

from dataclasses import replace

import pytest

from bridge.hmp.commands import AddSourceToSession, DeleteSession, RemoveSourceFromSession
from bridge.room.facts.answer import Answer
from bridge.room.facts.policy import Policy
from bridge.room.facts.state import RoomState
from bridge.room.facts.vocabulary import Action, Alarm, Outcome, State, StepKind, Target
from bridge.room.memory.durable import must_precede, remember
from bridge.room.memory.retained import adopt_retained
from tests.room.policies import policy_of

from ..driven import (
    FINISHED,
    IS_RECORDING,
    NOT_FOUND,
    OK,
    OTHER_ID,
    RECORDING_ID,
    SESSION,
    STARTED,
    DrivenRoom,
    refused,
)
from ..sessions import (
    CAMERA,
    CREATED,
    CREATED_AGAIN,
    GONE,
    KEEPS,
    MADE,
    POLICY,
    RECORDS,
    SECOND,
    lost_start,
    recording,
    session_id,
    starting,
    stopped,
    title,
)

K = StepKind


# Lost replies.


@pytest.mark.parametrize("killed", [True, False])
def test_a_lost_session_is_made_again_under_another_title_once(killed: bool) -> None:
    room = starting()
    first = title(room)

    def lose() -> None:
        if killed:
            room.kill()
            room.link(ready=True)
        else:
            room.cut()

    lose()
    assert title(room) == f"{first} (2)"
    assert room.room.problem is not None
    assert (room.room.problem.code, room.outcome(1)) == ("session_orphaned", None)
    assert first in room.room.problem.message
    lose()
    assert (room.outcome(1), room.code(1)) == (Outcome.FAILED, "session_not_made")
    assert (room.state, room.step) == (State.IDLE, None)
    room.press(Action.RECORD)  # another intent
    lose()
    assert title(room) == f"{first} (4)"


def test_the_orphan_is_said_while_it_records() -> None:
    room = starting()
    room.cut()
    room.answers(CREATED, OK, OK, STARTED, IS_RECORDING)
    assert (room.outcome(1), room.state) == (Outcome.OK, State.RECORDING)
    assert room.room.problem is not None
    assert room.room.problem.code == "session_orphaned"
    room.press(Action.STOP)
    room.answers(OK, FINISHED)
    assert room.room.sessions.orphan is None


def test_every_restart_may_lose_a_session_of_its_own() -> None:
    room = starting()
    room.cut()
    room.answers(CREATED, OK, OK, STARTED, IS_RECORDING)
    room.lose()
    room.answers(NOT_FOUND, NOT_FOUND)
    assert room.sends(K.CREATE_SESSION)
    room.cut()
    assert room.sends(K.CREATE_SESSION)
    assert (room.state, room.outcome(1)) == (State.STARTING, Outcome.OK)


@pytest.mark.parametrize("killed", [True, False])
def test_a_source_is_added_again(killed: bool) -> None:
    room = starting()
    room.answers(CREATED)
    if killed:
        room.kill()
        room.link(ready=True)
    else:
        room.cut()
    assert room.command() == AddSourceToSession(MADE, CAMERA)
    assert room.outcome(1) is None


@pytest.mark.parametrize("answer", [OK, GONE])
@pytest.mark.parametrize("policy", [POLICY, KEEPS], ids=["delete", "keep"])
def test_a_lost_start_that_did_not_work_is_restarted_at_once(
    answer: Answer, policy: Policy
) -> None:
    room = lost_start(policy)
    assert (room.outcome(1), str(room.state)) == (Outcome.UNKNOWN, "unknown")
    assert Alarm.OUTCOME_UNKNOWN in room.room.alarms
    assert room.command() == DeleteSession(MADE)
    if answer is GONE:  # it may be hidden from us only: one such answer ends nothing
        room.insist(answer)
    else:
        room.answer(answer)
    assert not room.room.alarms
    assert room.state is State.STARTING
    room.answers(CREATED_AGAIN, OK, OK, STARTED, IS_RECORDING)
    assert (room.state, session_id(room)) == (State.RECORDING, SECOND)
    assert not room.room.spare_suspected
    assert room.clock < 4.0


def test_a_lost_start_is_restarted_once() -> None:
    room = lost_start()
    room.answers(OK, CREATED_AGAIN, OK, OK)
    room.cut()
    room.answer(OK)
    assert (room.state, room.room.target, room.step) == (State.IDLE, Target.IDLE, None)


@pytest.mark.parametrize(
    ("policy", "away"),
    [
        (replace(POLICY, restart_lost_start=False), 0.0),
        (replace(POLICY, restart_within=60.0), 61.0),
    ],
    ids=["hold", "too late"],
)
def test_a_lost_start_that_is_not_to_be_restarted(policy: Policy, away: float) -> None:
    room = starting(policy)
    room.answers(CREATED, OK, OK)
    room.cut(seconds=away)
    room.answer(OK)
    assert (room.state, room.step, room.room.alarm) == (State.IDLE, None, None)


def test_a_stop_after_a_lost_start_that_did_not_work() -> None:
    room = lost_start()
    stop = room.press(Action.STOP)
    room.answer(OK)
    assert (room.outcome(stop), room.state, room.step) == (Outcome.IGNORED, State.IDLE, None)


@pytest.mark.parametrize(
    ("policy", "asks"),
    [(POLICY, DeleteSession(MADE)), (KEEPS, RemoveSourceFromSession(MADE, CAMERA))],
    ids=["delete", "keep"],
)
def test_a_lost_start_that_worked_is_watched_to_its_end(policy: Policy, asks: object) -> None:
    room = lost_start(policy)
    room.answer(RECORDS)
    assert (room.state, room.room.alarm) == (State.RECORDING, Alarm.OUTCOME_UNKNOWN)
    assert not room.room.server_proves  # another question than that one
    stop = room.press(Action.STOP)
    assert room.code(stop) == "id_unknown"
    for _ in range(3):
        room.wait(2.0)
        assert room.command() == asks
        room.answer(RECORDS)
    room.wait(2.0)
    room.answer(OK)
    assert (room.state, room.room.alarm, room.step) == (State.IDLE, None, None)
    assert session_id(room) == "none"


def test_the_question_itself_is_lost_or_refused() -> None:
    room = lost_start()
    room.cut()
    assert room.command() == DeleteSession(MADE)
    room.answer(refused("070000", "Internal Server Error", "deleteSession"))
    assert (room.state, room.step) == (State.UNKNOWN, None)
    room.wait(2.0)
    room.insist(GONE)
    assert room.state is State.STARTING


def test_its_id_is_handed_over() -> None:
    room = lost_start()
    room.answer(RECORDS)
    room.press(Action.ADOPT, recording_id=RECORDING_ID)
    room.answer(IS_RECORDING)
    assert (room.state, session_id(room)) == (State.RECORDING, MADE)
    room.press(Action.STOP)
    room.answers(OK, FINISHED)
    assert room.command() == DeleteSession(MADE)


def test_a_foreign_recording_is_handed_over() -> None:
    room = DrivenRoom(POLICY)
    room.press(Action.ADOPT, recording_id=OTHER_ID)
    room.answer(IS_RECORDING)
    assert (room.state, session_id(room)) == (State.RECORDING, "none")
    room.press(Action.STOP)
    room.answers(OK, FINISHED)
    assert room.step is None


# Kills.


def test_a_kill_while_the_start_is_on_its_way() -> None:
    room = starting()
    room.answers(CREATED, OK, OK)
    room.kill()
    assert (room.state, room.outcome(1)) == (State.UNKNOWN, Outcome.UNKNOWN)
    room.link(ready=True)
    assert room.command() == DeleteSession(MADE)


def test_a_kill_before_the_removal() -> None:
    room = stopped()
    room.kill()
    room.link(ready=True)
    assert room.command() == DeleteSession(MADE)


def test_a_kill_while_it_records() -> None:
    room = recording()
    room.kill()
    assert session_id(room) == MADE
    room.link(ready=True)
    room.press(Action.STOP)
    room.answers(IS_RECORDING, OK, FINISHED)
    assert room.command() == DeleteSession(MADE)


def test_the_configuration_names_a_session_now() -> None:
    room = lost_start()
    room.link(ready=False)
    room.room = replace(room.room, policy=policy_of(SESSION, restart_lost_start=False))
    room.kill()
    room.link(ready=True)
    assert room.command() == DeleteSession(MADE)  # still the session of the lost start
    room.insist(GONE)
    assert (room.state, session_id(room)) == (State.IDLE, SESSION)


def test_the_configuration_names_sources_now() -> None:
    room = DrivenRoom(policy_of(SESSION))
    room.press(Action.RECORD)
    room.room = replace(room.room, policy=POLICY)
    room.kill()  # with a start on its way, in a session that nobody knows any more
    room.link(ready=True)
    assert (room.state, room.step) == (State.UNKNOWN, None)
    room.press(Action.RECORD)
    assert room.sends(K.CREATE_SESSION)


def test_a_replaced_box_shows_the_session_and_never_removes_it() -> None:
    told = f'{{"recording_id":"{RECORDING_ID}","session_id":"{MADE}","state":"recording"}}'
    room = DrivenRoom(POLICY, ready=False)
    change = adopt_retained(RoomState(POLICY), told.encode(), room.now)
    room.room = change.state
    assert session_id(room) == MADE
    room.link(ready=True)
    room.answer(IS_RECORDING)
    room.press(Action.STOP)
    room.answers(OK, FINISHED)
    assert (room.state, room.step) == (State.IDLE, None)


@pytest.mark.parametrize("lost", [0, 1])
def test_an_intent_and_an_id_are_written_down_first(lost: int) -> None:
    """Also where createSession follows itself, and nothing but its title tells them apart (R6)."""
    room = DrivenRoom(POLICY)
    kept = remember(room.room)
    room.press(Action.RECORD)
    assert must_precede(remember(room.room), kept)
    for _ in range(lost):
        kept = remember(room.room)
        room.cut()
        assert room.sends(K.CREATE_SESSION)
        assert must_precede(remember(room.room), kept)
    kept = remember(room.room)
    room.answer(CREATED)
    assert must_precede(remember(room.room), kept)
    kept = remember(room.room)
    room.answer(OK)
    assert not must_precede(remember(room.room), kept)  # a source may be added again
