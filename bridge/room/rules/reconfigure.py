"""Settings that change while a room runs, and its own removal. Pure."""

from dataclasses import replace

from ..facts import problems
from ..facts.policy import Policy
from ..facts.state import Change, RoomState
from ..facts.values import Now
from ..facts.vocabulary import Outcome, State
from .turn import Turn

__all__ = ["in_use", "reconfigured", "removed"]


def in_use(room: RoomState) -> str:
    """The trace that the room would leave behind, for people; empty where there is none.

    A room in use keeps its server, its session and its sources.
    """
    if room.state is not State.IDLE:
        return f"is {room.state}"
    if room.adopting is not None:
        return "is adopting a recording"
    if room.deferred:
        return "has a toggle that waits for HMP"
    if room.restream is not None:
        return "re-streams a recording"
    if any(each and each.outstanding for each in (room.details, *room.unfinished)):
        return "has yet to give its last recording all details"
    return ""


def reconfigured(room: RoomState, policy: Policy, now: Now) -> Change:
    """From now on it goes by `policy`.

    What it records, waits for and remembers stays; times are measured against the settings of now.
    """
    return Turn(replace(room, policy=policy), now).finish()


def removed(room: RoomState, now: Now) -> Change:
    """The room ends here: what still waits for something gets its result."""
    turn = Turn(room, now)
    waiting = [each.request for each in (*room.pending, *room.deferred)]
    for request in (*waiting, *(mark.request for mark in room.marks)):
        turn.answer(request, Outcome.FAILED, problems.ROOM_REMOVED)
    turn.update(pending=(), deferred=(), marks=())
    return turn.finish()
