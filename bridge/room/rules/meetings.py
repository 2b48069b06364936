"""Meetings: whose recording it is, what each start and end asks for, and what time does (R11, R12).

::

                      nothing is recorded
    meeting_start ──▶ due ─────────────▶ recorded ── end, grace ──▶ over
                      │ ▲                   │ │
                      │ └───────────────────┘ │ another meeting starts: cut
                      │                       │
                      └───────────────────────┴── a person's stop ──▶ dismissed

A room keeps every meeting that has started and is not over, which its end and grace bring about in
every state. At most one owns the recording; the others are *due*: the newest of them is recorded as
soon as the room records nothing. What a person started is never ended here, and what a person
stopped is not started again.
"""

from dataclasses import replace
from math import inf

from ..facts import problems
from ..facts.meeting import LAST_MOMENT, Meeting, is_meeting, is_of_before
from ..facts.restart import Monotonic
from ..facts.state import RoomState
from ..facts.values import Now, Request
from ..facts.vocabulary import Alarm, Goal, Outcome, State, StepKind, Stop, Target
from .turn import Turn

__all__ = [
    "MOST_MEETINGS",
    "end_of",
    "ending_at",
    "ending_in",
    "settle",
    "started",
]

MOST_MEETINGS = 64
"""Meetings that one room can have running at once; whoever sends more has lost count."""

_SAME_END = 1.5
"""Seconds by which an end may lie elsewhere for the clocks' drift against each other."""


# When a meeting ends: at a time of day, or, given as a duration, by the clock that is never set.


def end_of(meeting: Meeting, now: Now) -> float | None:
    """The wall time of its end, as far as can be said now; None where it has none."""
    if meeting.until is None:
        return meeting.end
    return min(now.wall + meeting.until - now.monotonic, LAST_MOMENT)


def ending_in(meeting: Meeting, seconds: float, now: Now) -> Meeting:
    """The meeting ending after so many seconds, whatever the clock is set to.

    The wall time is for people, and for after a restart of the machine: none where it is not known.
    """
    end = min(now.wall + seconds, LAST_MOMENT) if now.synchronised else None
    return replace(meeting, until=now.monotonic + seconds, end=end)


def ending_at(meeting: Meeting, wall: float | None) -> Meeting:
    """The meeting ending at that time, or without an end."""
    return replace(meeting, until=None, end=None if wall is None else min(wall, LAST_MOMENT))


def _is_past(meeting: Meeting, now: Now) -> bool:
    """True if its end has passed for certain."""
    if meeting.until is not None:
        return now.has_come(meeting.until)
    return now.is_past(meeting.end)


# What booking systems say.


def started(turn: Turn, request: Request) -> None:
    """`meeting_start`: the room is to be recorded for it, or it goes on as it was."""
    given = request.meeting or Meeting()
    known = next((each for each in turn.room.meetings if each.is_same(given)), None)
    if known is None and given.all_day and not turn.room.policy.record_all_day:
        turn.answer(request, Outcome.IGNORED, problems.ALL_DAY)
        return
    if known is None and turn.now.is_past(given.end):
        turn.answer(request, Outcome.EXPIRED, problems.MEETING_OVER)
        return
    if known is None and is_of_before(given, turn.room.meetings):
        turn.answer(request, Outcome.IGNORED)
        return
    if known is None and len(turn.room.meetings) >= MOST_MEETINGS:
        turn.answer(request, Outcome.FAILED, problems.TOO_MANY_MEETINGS)
        return
    if known is not None:
        _repeat(turn, known, given)
        turn.resolve({Goal.MEETING_END}, Outcome.IGNORED, about=known.owner)
        if known.dismissed or _covered(turn.room):
            turn.answer(request, Outcome.IGNORED)
            return
        given = known
    else:
        _enter(turn, given)
    _RECORD[turn.room.state](turn, request, given.owner)


def _repeat(turn: Turn, known: Meeting, given: Meeting) -> None:
    """The same meeting said again: it runs, and may have a later end and another title.

    One that runs beyond the end that was known for it has none.
    """
    ending = known
    if given.end is not None and given.end > (end_of(known, turn.now) or 0.0):
        ending = ending_at(known, given.end)
    if _is_past(ending, turn.now):
        ending = ending_at(known, None)
    turn.update_meeting(
        known.owner,
        until=ending.until,
        end=ending.end,
        ended_at=None,
        title=given.title or known.title,
        organizer=given.organizer or known.organizer,
        fields=given.fields or known.fields,
    )


def _enter(turn: Turn, given: Meeting) -> None:
    """Another occurrence of a known id takes the place of one that nobody ended."""
    others = []
    for each in turn.room.meetings:
        if each.id == given.id and not each.has_end:
            turn.resolve({Goal.START, Goal.MEETING_END}, Outcome.IGNORED, about=each.owner)
        else:
            others.append(each)
    if given.end is None and given.length is not None:
        given = ending_in(given, given.length, turn.now)
    meeting = replace(given, began=turn.now.monotonic, due=True)
    turn.update(meetings=(*others, meeting))


def _covered(room: RoomState) -> bool:
    """True if the room is being recorded, or on the way to it, whoever owns that."""
    if room.recording is not None and room.recording.stop is Stop.NO:
        return True
    return room.target is not Target.IDLE


# What a start asks for in each state.


def _record(turn: Turn, request: Request, owner: str) -> None:
    turn.want_recording(owner)
    turn.wait_for(request, Goal.START, None, about=owner)


def _take_over(turn: Turn, request: Request, owner: str) -> None:
    """A start is under way: it becomes this meeting's, unless a person asked for it."""
    if turn.room.target is Target.IDLE or is_meeting(turn.room.next_owner):
        _record(turn, request, owner)
    else:
        turn.answer(request, Outcome.IGNORED)


def _cut(turn: Turn, request: Request, owner: str) -> None:
    """End the recording of the meeting before, then start one for this (R12)."""
    recording = turn.recording
    if not is_meeting(recording.owner):
        turn.answer(request, Outcome.IGNORED)  # it goes on, and covers the meeting
        return
    if recording.id is None:
        if recording.owner != owner:
            turn.be_due(recording.owner)
        _run_on(turn, owner)
        turn.answer(request, Outcome.OK, problems.CUT_FAILED)
        return
    turn.want_stop()
    turn.update_recording(cut_until=turn.now.monotonic + turn.room.policy.cut_timeout)
    _record(turn, request, owner)


def _replace(turn: Turn, request: Request, owner: str) -> None:
    """HMP says ERROR: that recording is of no use to anybody."""
    turn.want_stop()
    _record(turn, request, owner)


def _while_unknown(turn: Turn, request: Request, owner: str) -> None:
    """It might be being recorded: if it turns out that it is not, the meeting is due (R5)."""
    lost = turn.room.lost_start
    if lost is None:
        _record(turn, request, owner)
        turn.end_recording()
    elif lost.inconclusive:
        _record(turn, request, owner)
        turn.leave_lost_start()
    else:
        if is_meeting(lost.owner):
            turn.be_due(lost.owner)
            turn.update_meeting(owner, due=False)
            turn.update(lost_start=replace(lost, owner=owner))
        turn.update(target=Target.RECORDING)
        turn.resolve({Goal.STOP}, Outcome.IGNORED)
        turn.answer(request, Outcome.IGNORED)


_RECORD = {
    State.IDLE: _record,
    State.STARTING: _take_over,
    State.RECORDING: _cut,
    State.PAUSING: _cut,
    State.PAUSED: _cut,
    State.RESUMING: _cut,
    State.STOPPING: _take_over,
    State.ERROR: _replace,
    State.UNKNOWN: _while_unknown,
}


# What passes by itself.


def settle(turn: Turn) -> None:
    """Let meetings be over, give up a cut, and begin what is due."""
    for meeting in turn.room.meetings:
        if turn.now.has_come(_over_at(turn.room, meeting, turn.now)):
            _be_over(turn, meeting)
        elif meeting.until is not None:
            _follow_the_clock(turn, meeting, meeting.until)
    recording = turn.room.recording
    if recording is not None:
        if turn.now.has_come(recording.cut_until):
            _run_on(turn, turn.room.next_owner)
            turn.resolve({Goal.START}, Outcome.OK, problems.CUT_FAILED)
        return
    room = turn.room
    if room.sending(StepKind.START) or room.adopting is not None or not _is_free(room):
        return
    due = [each for each in room.meetings if each.due and turn.now.has_come(each.retry_at)]
    if due:
        turn.want_recording(due[-1].owner)
        if turn.room.lost_start is not None:
            turn.leave_lost_start()


def _follow_the_clock(turn: Turn, meeting: Meeting, until: Monotonic) -> None:
    """The clock was set, or can be believed at last: say anew when the meeting will be over."""
    said = turn.now.monotonic_at(meeting.end or 0.0)  # it is looked at again and again
    if not turn.now.synchronised:
        return
    if meeting.end is None or abs(said - until) > _SAME_END:
        turn.update_meeting(meeting.owner, end=end_of(meeting, turn.now))


def _is_free(room: RoomState) -> bool:
    """True if what is due may begin: nothing else is wanted, or nobody will say what became of it.

    A meeting's own lost start is another matter: it was sent again once already (R7b).
    """
    lost = room.lost_start
    if lost is not None:
        return lost.inconclusive and not is_meeting(lost.owner)
    return room.target is Target.IDLE


def _over_at(room: RoomState, meeting: Meeting, now: Now) -> float:
    """Monotonic time from which the meeting is over, as far as can be said now."""
    grace = room.policy.stop_grace
    if meeting.ended_at is not None:
        return meeting.ended_at + grace
    if meeting.until is not None:
        return meeting.until + grace
    if meeting.end is not None:
        return now.monotonic_at(meeting.end + grace)
    recorded = room.recording is not None and room.recording.owner == meeting.owner
    return inf if recorded else meeting.began + room.policy.max_duration


def _be_over(turn: Turn, meeting: Meeting) -> None:
    """Its grace has passed: end what is recorded for it, or give up what was to be."""
    owner, recording = meeting.owner, turn.room.recording
    turn.update(meetings=tuple(each for each in turn.room.meetings if each.owner != owner))
    if recording is not None and recording.owner == owner and recording.stop is Stop.NO:
        if recording.id is None:
            turn.resolve({Goal.MEETING_END}, Outcome.FAILED, problems.ID_UNKNOWN, about=owner)
        else:
            turn.stop_recording()
        return
    lost = turn.room.lost_start
    awaited = turn.room.next_owner if lost is None else lost.owner
    started = awaited == owner and turn.room.target is not Target.IDLE
    if started and (recording is None or recording.stop is not Stop.NO):
        turn.want_nothing()
        if recording is not None:
            turn.update_recording(cut_until=None)
        if turn.room.sending(StepKind.START) or lost is not None:
            return  # HMP has the last word about it
        turn.resolve({Goal.START}, Outcome.EXPIRED, problems.MEETING_OVER, about=owner)
    if recording is None or recording.owner != owner:
        turn.resolve({Goal.MEETING_END}, Outcome.IGNORED, about=owner)


def _run_on(turn: Turn, owner: str) -> None:
    """The recording could not be ended in time: it goes on, and is the next meeting's (R12)."""
    stop_sent_at = turn.recording.stop_sent_at
    if turn.room.sending(StepKind.STOP):  # what is on its way cannot be called back
        stop_sent_at = turn.now.monotonic
    turn.update_meeting(owner, due=False)
    turn.update_recording(
        owner=owner,
        stop=Stop.NO,
        cut_until=None,
        stop_answered_at=None,
        stop_sent_at=stop_sent_at,
        unsettled=turn.recording.id is not None,
        not_before=0.0,
    )
    turn.alarm(Alarm.CUT_FAILED)
