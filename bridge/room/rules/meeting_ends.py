"""When a meeting ends: what booking systems and people say of that (R11, R12, R13)."""

from ..facts import problems
from ..facts.meeting import Meeting
from ..facts.state import RoomState
from ..facts.values import Problem, Request
from ..facts.vocabulary import Goal, Outcome
from .meetings import end_of, ending_at, ending_in, settle
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
    before = end_of(meeting, turn.now)
    if given.end is not None:
        ending = ending_at(meeting, given.end)
    else:
        ending = _moved(turn, request, meeting, given.length)
    after = end_of(ending, turn.now)
    if after is None or (before is not None and after <= before):
        turn.answer(request, Outcome.IGNORED)
        return
    turn.update_meeting(meeting.owner, until=ending.until, end=ending.end, ended_at=None)
    turn.resolve({Goal.MEETING_END}, Outcome.IGNORED, about=meeting.owner)
    turn.answer(request, Outcome.OK)


def _moved(turn: Turn, request: Request, meeting: Meeting, length: float | None) -> Meeting:
    """Its end moved by `minutes`, a `duration`, or as far as `extend_by` says."""
    now = turn.now
    if request.seconds is None and length is not None:
        if meeting.start is None:
            return ending_in(meeting, length, now)
        return ending_at(meeting, meeting.start + length)
    seconds = request.seconds or turn.room.policy.extend_by
    if meeting.until is not None:
        return ending_in(meeting, meeting.until - now.monotonic + seconds, now)
    if meeting.end is not None:
        return ending_at(meeting, meeting.end + seconds)
    # It goes on after all, for so long.
    return meeting if meeting.ended_at is None else ending_in(meeting, seconds, now)


def extend(turn: Turn, meeting: Meeting, seconds: float) -> None:
    """A person moves the end of the meeting that is being recorded."""
    now = turn.now
    if meeting.ended_at is not None:  # it was to end about now
        ending = ending_in(meeting, seconds, now)
    elif meeting.until is not None:
        ending = ending_in(meeting, max(meeting.until - now.monotonic, 0.0) + seconds, now)
    else:
        end = None if meeting.end is None else max(meeting.end, now.wall) + seconds
        ending = ending_at(meeting, end)
    turn.update_meeting(
        meeting.owner,
        until=ending.until,
        end=ending.end,
        ended_at=None,
        extended=meeting.extended + seconds,
    )
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
