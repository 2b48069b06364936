"""When a meeting ends: what booking systems and people say of that (R11, R12, R13)."""

from ..facts import problems
from ..facts.meeting import LAST_MOMENT, Meeting
from ..facts.state import RoomState
from ..facts.values import Problem, Request
from ..facts.vocabulary import Goal, Outcome
from .meetings import settle
from .turn import Turn

__all__ = ["ended", "extend", "extended"]


def ended(turn: Turn, request: Request) -> None:
    """`meeting_end`: what its own meeting started is stopped, after the grace."""
    meeting = _spoken_of(turn.room, request.meeting or Meeting())
    if isinstance(meeting, Problem):
        turn.answer(request, Outcome.FAILED, meeting)
    elif meeting is None or meeting.ended_at is not None:
        turn.answer(request, Outcome.IGNORED)
    else:
        turn.update_meeting(meeting.owner, ended_at=turn.now.monotonic)
        turn.wait_for(request, Goal.MEETING_END, None, about=meeting.owner)
        settle(turn)


def extended(turn: Turn, request: Request) -> None:
    """`meeting_extend`: the booking system moves the end."""
    given = request.meeting or Meeting()
    meeting = _spoken_of(turn.room, given)
    if isinstance(meeting, Problem) or meeting is None:
        turn.answer(request, Outcome.FAILED, meeting or problems.NO_SUCH_MEETING)
        return
    end = given.end if given.end is not None else _moved(turn, request, meeting, given.length)
    if end is None or (meeting.end is not None and end <= meeting.end):
        turn.answer(request, Outcome.IGNORED)
        return
    turn.update_meeting(meeting.owner, end=min(end, LAST_MOMENT), ended_at=None)
    turn.resolve({Goal.MEETING_END}, Outcome.IGNORED, about=meeting.owner)
    turn.answer(request, Outcome.OK)


def _moved(turn: Turn, request: Request, meeting: Meeting, length: float | None) -> float | None:
    """The wall time of an end that was not given: by `minutes`, a `duration`, or `extend_by`."""
    if request.seconds is None and length is not None:
        return (turn.now.wall if meeting.start is None else meeting.start) + length
    seconds = request.seconds or turn.room.policy.extend_by
    if meeting.end is not None:
        return meeting.end + seconds
    # It goes on after all, for so long.
    return None if meeting.ended_at is None else turn.now.wall + seconds


def extend(turn: Turn, meeting: Meeting, seconds: float) -> None:
    """A person moves the end of the meeting that is being recorded."""
    if meeting.ended_at is not None:  # it was to end about now
        end: float | None = turn.now.wall + seconds
    else:
        end = None if meeting.end is None else max(meeting.end, turn.now.wall) + seconds
    end = None if end is None else min(end, LAST_MOMENT)
    turn.update_meeting(meeting.owner, end=end, ended_at=None, extended=meeting.extended + seconds)
    turn.resolve({Goal.MEETING_END}, Outcome.IGNORED, about=meeting.owner)


def _spoken_of(room: RoomState, given: Meeting) -> Meeting | Problem | None:
    """The running meeting that an event means; without an id, the only one there is."""
    if given.id:
        meant = [each for each in room.meetings if each.is_same(given)]
        held = None if room.recording is None else room.recording.owner
        return next((each for each in meant if each.owner == held), meant[0] if meant else None)
    # One that is over but for its grace does not run any more, while another does.
    running = [each for each in room.meetings if each.ended_at is None] or list(room.meetings)
    if len(running) > 1:
        return problems.WHICH_MEETING
    return running[0] if running else None
