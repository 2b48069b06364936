"""A session per recording: every step × every answer, lost replies, kills, and what is removed."""

from dataclasses import replace

import pytest

from bridge.hmp.commands import (
    AddSourceToSession,
    CreateSession,
    DeleteSession,
    RemoveSourceFromSession,
    SessionId,
    SourceId,
    StartRecording,
)
from bridge.hmp.errors import Refused
from bridge.mqtt.topics import Topics, render_room
from bridge.room.answer import Answer, Done
from bridge.room.durable import must_precede, remember
from bridge.room.made import UnwantedSession
from bridge.room.meeting import Meeting
from bridge.room.retained import adopt_retained
from bridge.room.state import Policy, RoomState
from bridge.room.vocabulary import Action, Alarm, Outcome, State, StepKind, Target

from .driven import (
    FINISHED,
    IS_RECORDING,
    LOST,
    NOT_FOUND,
    OK,
    OTHER_ID,
    RECORDING_ID,
    SESSION,
    STARTED,
    DrivenRoom,
    refused,
)

CAMERA = SourceId("b86befc3-7b44-4655-852f-21a77935d110")
SLIDES = SourceId("c1d5a6f0-7b44-4655-852f-21a77935d110")
MADE = SessionId("0a0a0a0a-0cf0-4c62-b3d3-9d457b287394")
SECOND = SessionId("0b0b0b0b-0cf0-4c62-b3d3-9d457b287394")
POLICY = Policy(None, sources=(CAMERA, SLIDES), delete_session=True, session_title="Boardroom")
KEEPS = replace(POLICY, delete_session=False)
CREATED, CREATED_AGAIN = Done(MADE), Done(SECOND)
RECORDS = refused("060003", "Recording currently in progress", "deleteSession")
GONE = refused("040006", "Session not found", "deleteSession")
K = StepKind


def starting(policy: Policy = POLICY) -> DrivenRoom:
    """`record` was pressed: the session is on its way."""
    room = DrivenRoom(policy)
    room.press(Action.RECORD)
    return room


def recording(policy: Policy = POLICY) -> DrivenRoom:
    room = starting(policy)
    room.answers(CREATED, OK, OK, STARTED, IS_RECORDING)
    return room


def stopped(policy: Policy = POLICY) -> DrivenRoom:
    room = recording(policy)
    room.press(Action.STOP)
    room.answers(OK, FINISHED)
    return room


def lost_start(policy: Policy = POLICY) -> DrivenRoom:
    """The reply to the start was lost; the link is back."""
    room = starting(policy)
    room.answers(CREATED, OK, OK)
    room.cut()
    return room


def session_id(room: DrivenRoom) -> str:
    words = dict.fromkeys(State, "")
    return render_room(Topics(), "r", room.room, words)["hmp/room/r/session_id"]


def title(room: DrivenRoom) -> str:
    command = room.command()
    assert isinstance(command, CreateSession)
    return command.title


def unwanted(room: DrivenRoom) -> list[str]:
    return [each.id for each in room.room.sessions.unwanted]


# The way there and back.


def test_each_recording_gets_a_session_and_it_is_removed() -> None:
    room = DrivenRoom(POLICY)
    assert session_id(room) == "none"
    request = room.press(Action.RECORD)
    assert room.state is State.STARTING
    assert title(room).startswith("Boardroom 20")
    room.answer(CREATED)
    assert session_id(room) == MADE
    assert room.command() == AddSourceToSession(MADE, CAMERA)
    room.answer(OK)
    assert room.command() == AddSourceToSession(MADE, SLIDES)
    room.answer(refused("060008", "Source already added to this session", "addSourceToSession"))
    assert room.command() == StartRecording(MADE)
    room.answers(STARTED, IS_RECORDING)
    assert (room.outcome(request), room.state) == (Outcome.OK, State.RECORDING)
    assert room.room.recording is not None
    assert room.room.recording.session == session_id(room) == MADE
    room.press(Action.STOP)
    room.answers(OK, FINISHED)
    assert (room.command(), session_id(room)) == (DeleteSession(MADE), "none")
    room.answer(OK)
    assert room.step is None
    assert room.room.sessions.unwanted == ()


def test_the_session_is_kept_unless_it_is_to_be_removed() -> None:
    room = stopped(KEEPS)
    assert (room.step, session_id(room)) == (None, "none")


def test_the_next_recording_gets_another_session_at_once() -> None:
    room = recording()
    room.press(Action.STOP)
    room.press(Action.RECORD)
    room.answers(OK, FINISHED)
    assert room.sends(K.CREATE_SESSION)
    room.answers(CREATED_AGAIN, OK, OK, STARTED)
    assert session_id(room) == SECOND
    room.answer(IS_RECORDING)
    assert room.command() == DeleteSession(MADE)  # after everything that somebody waits for
    room.answer(OK)
    assert room.sends(K.POLL)


def test_titles_of_one_second_differ() -> None:
    room = starting()
    first = title(room)
    room.answer(refused("070019", "Failed to create a session", "createSession"))
    room.press(Action.RECORD)
    assert title(room) == f"{first} (2)"


def test_a_recording_that_hmp_lost_is_restarted_in_another_session() -> None:
    room = recording()
    room.answer(NOT_FOUND)
    assert room.sends(K.CREATE_SESSION)
    assert unwanted(room) == [MADE]


# Refusals.


@pytest.mark.parametrize("delete", [True, False])
@pytest.mark.parametrize(
    ("before", "refusal", "alarm"),
    [
        ([], ("070019", "Failed to create a session", "createSession"), None),
        ([CREATED], ("040009", "Source not found", "addSourceToSession"), Alarm.NO_SOURCE),
        ([CREATED, OK], ("070010", "Could not create a track", "addSourceToSession"), None),
        ([CREATED, OK], ("040006", "Session not found", "addSourceToSession"), None),
        (
            [CREATED, OK, OK],
            ("070027", "Insufficient Disk Space", "startRecording"),
            Alarm.DISK_FULL,
        ),
        ([CREATED, OK, OK], ("060003", "Active recording currently", "startRecording"), None),
        (
            [CREATED, OK, OK],
            ("040006", "Session not found", "startRecording"),
            Alarm.SESSION_MISSING,
        ),
    ],
)
def test_a_refusal_fails_the_press(
    before: list[Answer], refusal: tuple[str, str, str], alarm: Alarm | None, delete: bool
) -> None:
    code = refusal[0]
    room = DrivenRoom(POLICY if delete else KEEPS)
    request = room.press(Action.RECORD)
    room.answers(*before, refused(*refusal))
    assert (room.outcome(request), room.code(request)) == (Outcome.FAILED, code)
    assert (room.state, session_id(room), room.room.alarm) == (State.IDLE, "none", alarm)
    half_made = bool(before) and code != "040006" and delete
    assert room.command() == (DeleteSession(MADE) if half_made else None)


def test_a_restart_that_is_refused_uses_its_session_again() -> None:
    """So an HMP that refuses for hours does not fill up with sessions."""
    room = recording()
    room.answers(NOT_FOUND, CREATED_AGAIN, OK, OK)
    room.answer(refused("070000", "Internal Server Error", "startRecording"))
    assert session_id(room) == SECOND
    room.wait(30.0)
    while room.sends(K.REMOVE_SESSION):
        room.answer(OK)
    room.wait(1.0)
    assert room.command() == StartRecording(SECOND)


@pytest.mark.parametrize("refusal", [0, 2])
def test_a_meeting_whose_start_is_refused_for_hours_needs_one_session(refusal: int) -> None:
    room = DrivenRoom(KEEPS)
    room.press(Action.MEETING_START, meeting=Meeting("a"))
    room.answers(CREATED, *[OK] * refusal)
    codes = {0: ("040009", "Source not found"), 2: ("070000", "Internal Server Error")}
    for _ in range(5):
        room.answer(refused(*codes[refusal], "any"))
        assert (room.state, session_id(room)) == (State.IDLE, MADE)
        room.wait(30.0)
    assert room.sent.count(K.CREATE_SESSION) == 1
    room.press(Action.MEETING_END, meeting=Meeting("a"))
    room.answer(refused(*codes[refusal], "any"))
    assert (room.state, session_id(room), room.step) == (State.IDLE, "none", None)


def test_stop_on_the_way_leaves_nothing_behind() -> None:
    room = starting()
    [record, stop] = [1, room.press(Action.STOP)]
    room.answer(CREATED)
    assert (room.outcome(record), room.outcome(stop)) == (Outcome.IGNORED, Outcome.IGNORED)
    assert (room.state, room.command()) == (State.IDLE, DeleteSession(MADE))


def test_a_stop_after_the_start_was_sent_stops_the_recording() -> None:
    room = starting()
    room.answers(CREATED, OK, OK)
    stop = room.press(Action.STOP)
    room.answer(STARTED)
    assert (session_id(room), room.room.sessions.unwanted) == (MADE, ())
    room.answers(OK, FINISHED)
    assert (room.outcome(stop), room.command()) == (Outcome.OK, DeleteSession(MADE))


def test_stop_while_a_source_is_being_added() -> None:
    room = starting()
    room.answer(CREATED)
    stop = room.press(Action.STOP)
    assert (room.command(), session_id(room)) == (AddSourceToSession(MADE, CAMERA), MADE)
    room.answer(OK)
    assert (room.outcome(stop), room.command()) == (Outcome.IGNORED, DeleteSession(MADE))


def test_stop_and_record_again_on_the_way_go_on_with_the_same_session() -> None:
    room = starting()
    room.answer(CREATED)
    room.press(Action.STOP)
    room.press(Action.RECORD)
    room.answer(OK)
    assert room.command() == AddSourceToSession(MADE, SLIDES)


def test_a_press_that_expires_on_the_way_leaves_nothing_behind() -> None:
    room = starting()
    room.answer(CREATED)
    room.link(ready=False)
    room.answer(LOST)
    room.wait(31.0)
    assert room.outcome(1) is Outcome.EXPIRED
    room.link(ready=True)
    assert room.command() == DeleteSession(MADE)


# Removal.


@pytest.mark.parametrize("answers", [[OK], [GONE], [LOST, GONE]])
def test_a_removal_succeeds(answers: list[Answer]) -> None:
    room = stopped()
    room.answers(*answers)
    assert (room.step, room.room.sessions.unwanted) == (None, ())


def test_a_removal_is_tried_again_while_somebody_records_there() -> None:
    room = stopped()
    for _ in range(20):
        room.answer(RECORDS)
        assert room.step is None
        room.wait(10.0)
    room.answer(OK)
    assert room.room.sessions.unwanted == ()
    assert room.room.alarm is None


def test_a_removal_that_hmp_keeps_refusing_is_left_to_people() -> None:
    room = stopped()
    for _ in range(5):
        assert room.room.alarm is None
        room.answer(refused("070000", "Internal Server Error", "deleteSession"))
        room.wait(10.0)
    assert (room.step, room.room.alarm) == (None, Alarm.DETAILS_FAILED)
    assert room.room.problem is not None
    assert room.room.problem.code == "070000"


def test_one_that_is_refused_does_not_hold_up_the_others() -> None:
    room = stopped()
    two = (UnwantedSession(MADE), UnwantedSession(SECOND))
    room.room = replace(room.room, sessions=replace(room.room.sessions, unwanted=two))
    room.answer(RECORDS)
    assert unwanted(room) == [SECOND, MADE]


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
    room.answers(CREATED, OK, OK, STARTED, IS_RECORDING, NOT_FOUND)
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
    room.answer(answer)
    assert not room.room.alarms
    assert room.state is State.STARTING
    room.answers(CREATED_AGAIN, OK, OK, STARTED, IS_RECORDING)
    assert (room.state, session_id(room)) == (State.RECORDING, SECOND)
    assert not room.room.spare_suspected
    assert room.clock < 3.0


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
    room.answer(GONE)
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
    room.room = replace(room.room, policy=Policy(SESSION, restart_lost_start=False))
    room.kill()
    room.link(ready=True)
    assert room.command() == DeleteSession(MADE)  # still the session of the lost start
    room.answer(GONE)
    assert (room.state, session_id(room)) == (State.IDLE, SESSION)


def test_the_configuration_names_sources_now() -> None:
    room = DrivenRoom(Policy(SESSION))
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


def test_refusals_are_values() -> None:
    """The refusals used here are what the error table makes of them."""
    assert isinstance(RECORDS, Refused)
    assert (str(RECORDS.kind), str(GONE.kind)) == ("active_recording", "session_missing")
