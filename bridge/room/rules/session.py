"""A session for each recording: made before the start, removed after the end.

::

    createSession ──▶ addSourceToSession × n ──▶ startRecording … finished ──▶ deleteSession

Where a reply is lost (E45): to add a source and to remove a session can be repeated. A session that
HMP may have made without our learning its id has no source and can record nothing, so another one
is made, once. And a lost start needs no guessing here: nobody but the room uses the session, so
HMP is asked to remove it. ``060003`` proves that it is being recorded; otherwise it is gone, and a
start that HMP might still be working on finds nothing to record.
"""

from dataclasses import replace
from datetime import datetime

from ...hmp.commands import (
    AddSourceToSession,
    CreateSession,
    DeleteSession,
    RemoveSourceFromSession,
    SourceId,
    StartRecording,
)
from ...hmp.errors import ErrorKind, Refused
from ..facts import problems
from ..facts.answer import Answer, Done, problem_of
from ..facts.changed import changed
from ..facts.created import MadeSession, UnwantedSession
from ..facts.state import RoomState, Step
from ..facts.values import Now, Problem
from ..facts.vocabulary import Alarm, StepKind, Target
from . import lost_start
from .turn import Turn

__all__ = [
    "added",
    "created",
    "creation_lost",
    "errand",
    "forget",
    "orphan",
    "question",
    "questioned",
    "removed",
    "settle",
    "start",
    "witness",
]

_REMOVE_AGAIN = 10.0
"""Seconds before a removal is tried again that HMP has refused."""

_MOST_REFUSALS = 5
"""Refusals, other than that it is being recorded, after which a session is left to people."""

_GONE = (ErrorKind.SESSION_MISSING, ErrorKind.SOURCE_NOT_FOUND)


# What to send.


def start(room: RoomState) -> Step | None:
    """The next command on the way to a recording."""
    if room.policy.session is not None:
        return Step(StepKind.START, StartRecording(room.policy.session))
    made, title = room.sessions.made, room.sessions.title
    if made is None:
        return None if title is None else Step(StepKind.CREATE_SESSION, CreateSession(title))
    missing = next((each for each in room.policy.sources if each not in made.sources), None)
    if missing is not None:
        return Step(StepKind.ADD_SOURCE, AddSourceToSession(made.id, missing))
    return Step(StepKind.START, StartRecording(made.id))


def question(room: RoomState) -> Step | None:
    """The question that settles a doubt about a recording without id; None in a foreign session.

    A session that is to be kept is asked by removing one of its sources once it has been recorded.
    """
    made = room.sessions.made
    about = room.lost_start or room.recording
    if made is None or about is None or about.session != made.id:
        return None
    if room.recording is None or room.policy.delete_session or not made.sources:
        return Step(StepKind.PROVE, DeleteSession(made.id))
    return Step(StepKind.PROVE, RemoveSourceFromSession(made.id, made.sources[0]))


def witness(room: RoomState) -> SourceId | None:
    """A source by which the recording's session can be asked beyond doubt (R25).

    None in a foreign session. It is lost to the session only where that is not being recorded, and
    a session that was used is not used again.
    """
    made, about = room.sessions.made, room.recording
    if made is None or about is None or about.session != made.id or not made.sources:
        return None
    return made.sources[0]


def errand(room: RoomState, now: Now) -> Step | None:
    """The step that clears something away when nothing else is to be done."""
    unwanted = room.sessions.unwanted
    if not unwanted or not now.has_come(room.sessions.remove_at):
        return None
    details = (room.details, *room.unfinished)
    if any(each and each.outstanding and each.session == unwanted[0].id for each in details):
        return None  # its recording gets its details first
    return Step(StepKind.REMOVE_SESSION, DeleteSession(unwanted[0].id))


# What passes by itself.


def settle(turn: Turn) -> None:
    """Give up the session of what has ended, and name the one that is to be made."""
    room, sessions = turn.room, turn.room.sessions
    made = sessions.made
    recorded = room.recording is not None
    if recorded or room.lost_start is not None:
        if made is not None and not made.used:
            _update(turn, made=replace(made, used=True))
        if recorded and sessions.orphan is not None:
            _update(turn, orphan=None)
        return
    under_way = (StepKind.CREATE_SESSION, StepKind.ADD_SOURCE, StepKind.START)
    if room.sending(*under_way):
        return  # its answer speaks of the session as it is
    wanted = room.target is not Target.IDLE and room.policy.session is None
    # A meeting whose start was refused uses it when it is tried again, which may be for hours.
    kept = wanted or (room.policy.session is None and any(each.due for each in room.meetings))
    if made is not None and (made.used or not kept):
        _retire(turn, made)
    if not wanted:
        _update(turn, title=None, orphan=None)
    elif turn.room.sessions.made is None and sessions.title is None:
        _name(turn)


def _retire(turn: Turn, made: MadeSession) -> None:
    forget(turn)
    if turn.room.policy.delete_session:
        _update(turn, unwanted=(*turn.room.sessions.unwanted, UnwantedSession(made.id)))


def _name(turn: Turn) -> None:
    """HMP does not mind equal titles (createSession), people do."""
    at = datetime.fromtimestamp(turn.now.wall).astimezone()
    text = f"{turn.room.policy.session_title} {at:%Y-%m-%d %H:%M:%S}"
    before, number = turn.room.sessions.titled
    number = number + 1 if text == before else 1
    title = text if number == 1 else f"{text} ({number})"
    _update(turn, title=title, titled=(text, number))


def forget(turn: Turn) -> None:
    """The session is used up, or HMP does not have it any more."""
    if turn.room.sessions.made is not None:
        _update(turn, made=None)


def orphan(room: RoomState) -> Problem | None:
    """The warning about a session that may have been made in vain."""
    title = room.sessions.orphan
    if title is None:
        return None
    return Problem(
        "session_orphaned",
        f"HMP may have made a session {title!r} whose id was lost with a reply",
        "It has no source and records nothing. Delete it in HMP's web pages if it is there.",
    )


# What HMP answers.


def created(turn: Turn, answer: Answer) -> None:
    """The answer to createSession."""
    match answer:
        case Done(value=session_id):
            made = MadeSession(session_id)  # type: ignore[arg-type]  # CreateSession's result
            _update(turn, made=made, title=None)
        case Refused():
            _update(turn, title=None)
            turn.fail_start(problem_of(answer))
        case _:
            creation_lost(turn)


def creation_lost(turn: Turn) -> None:
    """No reply came to createSession: make another one, but not blindly for ever."""
    again = turn.room.sessions.orphan is None
    _update(turn, title=None, orphan=turn.room.sessions.title)
    if again:
        turn.update(problem=orphan(turn.room))
    else:
        turn.fail_start(problems.SESSION_NOT_MADE)


def added(turn: Turn, answer: Answer) -> None:
    """The answer to addSourceToSession."""
    made = turn.room.sessions.made
    assert made is not None  # noqa: S101  # kept while the command is under way
    match answer:
        case Done() | Refused(kind=ErrorKind.ALREADY_DONE):
            missing = [each for each in turn.room.policy.sources if each not in made.sources]
            _update(turn, made=replace(made, sources=(*made.sources, *missing[:1])))
        case Refused():
            if answer.kind is ErrorKind.SESSION_MISSING:
                forget(turn)
            elif answer.kind is ErrorKind.SOURCE_NOT_FOUND:
                turn.alarm(Alarm.NO_SOURCE)
            turn.fail_start(problem_of(answer))
        case _:
            pass  # harmless to repeat


def questioned(turn: Turn, answer: Answer) -> None:
    """The answer to the question about the session that only this room uses."""
    match answer:
        case Refused(kind=ErrorKind.ACTIVE_RECORDING):
            lost_start.proved(turn)
        case Refused(kind=kind) if kind not in _GONE:
            turn.update(problem=problem_of(answer))
            lost_start.ask_again(turn, turn.now.monotonic + turn.room.policy.poll_interval)
        case Done():
            forget(turn)
            lost_start.known_not_recorded(turn)
        case Refused() if lost_start.said_often(turn):
            forget(turn)
            lost_start.known_not_recorded(turn)
        case Refused():
            pass
        case _:
            lost_start.ask_again(turn, turn.now.monotonic)


def removed(turn: Turn, answer: Answer) -> None:
    """The answer to deleteSession."""
    first, *others = turn.room.sessions.unwanted
    match answer:
        case Done() | Refused(kind=ErrorKind.SESSION_MISSING):
            _update(turn, unwanted=tuple(others))
            return
        case Refused(kind=ErrorKind.ACTIVE_RECORDING):
            pass  # by somebody else; it ends some time
        case Refused():
            turn.update(problem=problem_of(answer))
            first = replace(first, refusals=first.refusals + 1)
        case _:
            return  # harmless to repeat
    if first.refusals < _MOST_REFUSALS:
        others.append(first)
    else:
        turn.alarm(Alarm.DETAILS_FAILED)
    _update(turn, unwanted=tuple(others), remove_at=turn.now.monotonic + _REMOVE_AGAIN)


def _update(turn: Turn, **changes: object) -> None:
    turn.update(sessions=changed(turn.room.sessions, changes))
