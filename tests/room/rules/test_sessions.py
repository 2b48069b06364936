"""A session per recording: every step × every answer, and what is removed."""

from dataclasses import replace

import pytest

from bridge.hmp.commands import AddSourceToSession, DeleteSession, StartRecording
from bridge.room.facts.answer import Answer
from bridge.room.facts.created import UnwantedSession
from bridge.room.facts.meeting import Meeting
from bridge.room.facts.vocabulary import Action, Alarm, Outcome, State, StepKind

from ..driven import FINISHED, IS_RECORDING, LOST, NOT_FOUND, OK, STARTED, DrivenRoom, refused
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
    SLIDES,
    recording,
    session_id,
    starting,
    stopped,
    title,
    unwanted,
)

K = StepKind


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
    room.lose()
    room.answers(NOT_FOUND, NOT_FOUND)
    assert room.sends(K.CREATE_SESSION)
    assert unwanted(room) == [MADE]


def test_each_session_is_named_for_the_time_at_which_it_is_made() -> None:
    """Also where no press comes between: after a loss, and after a restart that HMP refused."""
    room = starting()
    titles = [title(room)]
    room.answers(CREATED, OK, OK, STARTED, IS_RECORDING)
    room.wait(60.0)
    room.lose()
    room.answers(NOT_FOUND, NOT_FOUND)
    titles.append(title(room))
    room.answer(refused("070019", "Failed to create a session", "createSession"))
    while not room.sends(K.CREATE_SESSION):
        room.wait(1.0)
        if room.sends(K.REMOVE_SESSION):
            room.answer(OK)
    titles.append(title(room))
    assert sorted(set(titles)) == titles


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
    room.lose()
    room.answers(NOT_FOUND, NOT_FOUND, CREATED_AGAIN, OK, OK)
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
