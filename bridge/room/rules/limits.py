"""How long a recording and a pause may last, and how people move an end (R13).

Durations go by the monotonic clock, that of a meeting which was given one too. A recording that was
started before the machine was restarted is measured by the wall clock, once that can be believed:
until then nothing is ended for its age. The end of a meeting that was given as a time is the wall
clock's, and is the business of `meetings`.
"""

from math import inf

from ..facts import problems
from ..facts.meeting import Meeting
from ..facts.state import Recording, RoomState
from ..facts.values import Now, Request
from ..facts.vocabulary import Alarm, Outcome, State, Stop, Target
from . import meeting_ends
from .meetings import LOOK_AT_CLOCK
from .turn import Turn

__all__ = ["extend", "moments", "settle"]

_SAME_END = 1.5
"""Seconds by which a computed end may differ from the published one and be the same."""


# What people ask.


def extend(turn: Turn, request: Request) -> None:
    """`extend`: move the end that would come by itself, up to `max_extend` in all."""
    room = turn.room
    if room.recording is None or room.recording.stop is not Stop.NO:
        turn.answer(request, Outcome.FAILED, problems.NOT_RECORDING)
        return
    meeting = _bounding(room)
    before = room.recording.extended if meeting is None else meeting.extended
    left = room.policy.max_extend - before
    if left <= 0:
        turn.answer(request, Outcome.FAILED, problems.TOO_LONG)
        return
    seconds = min(request.seconds or room.policy.extend_by, left)
    if meeting is None:
        turn.update_recording(extended=before + seconds)
    else:
        meeting_ends.extend(turn, meeting, seconds)
    settle(turn)
    turn.answer(request, Outcome.OK)


def _bounding(room: RoomState) -> Meeting | None:
    """The meeting whose end is the recording's; None where the greatest duration is."""
    meeting = room.owner_meeting
    if meeting is None or (not meeting.has_end and meeting.ended_at is None):
        return None
    return meeting


# What passes by itself.


def settle(turn: Turn) -> None:
    """Stop what runs on for too long, warn of an end, and act on a pause that lasts."""
    room = turn.room
    if room.recording is None:
        _publish_end(turn, _end_of_newest(room))
        return
    left = _left(room, turn.now)
    stopping = room.recording.stop is not Stop.NO
    if left <= 0 and not stopping and room.recording.id is not None:
        _stop(turn)
        stopping = True
    soon = left <= room.policy.warn_before and not stopping
    if soon and Alarm.ENDING_SOON not in room.alarms:
        turn.alarm(Alarm.ENDING_SOON)
    elif not soon and Alarm.ENDING_SOON in room.alarms:
        turn.clear(Alarm.ENDING_SOON)
    if not stopping:  # it ends now, whatever would have ended it else
        _publish_end(turn, None if left == inf else turn.now.wall + left)
    _settle_pause(turn)


def moments(room: RoomState, now: Now) -> list[float]:
    """Monotonic times at which `settle` has something to do."""
    recording = room.recording
    if recording is None or recording.stop is not Stop.NO:
        return []
    left = _left(room, now)
    found = [now.monotonic + left, now.monotonic + left - room.policy.warn_before]
    if recording.began is None:
        found.append(now.monotonic + LOOK_AT_CLOCK)
    if recording.paused_since is not None:
        limits = (room.policy.pause_reminder, room.policy.max_pause)
        found += [recording.paused_since + limit for limit in limits if limit is not None]
    return [moment for moment in found if moment != inf]


def _left(room: RoomState, now: Now) -> float:
    """Seconds until the recording's end comes by itself; infinite where nobody can say."""
    assert room.recording is not None  # noqa: S101  # asked of what is being recorded
    age = _age(room.recording, now)
    longest = room.policy.max_duration + room.recording.extended
    meeting = _bounding(room)
    if meeting is not None and meeting.ended_at is not None:
        return meeting.ended_at + room.policy.stop_grace - now.monotonic
    if meeting is not None and meeting.until is not None:
        return meeting.until - now.monotonic
    if meeting is None or meeting.end is None:
        return inf if age is None else longest - age
    if now.synchronised:
        return meeting.end - now.wall
    # Nobody knows how late it is: the meeting gets the time that was planned for it.
    planned = (meeting.planned or 0.0) + meeting.extended
    return inf if age is None else max(longest, planned) - age


def _age(recording: Recording, now: Now) -> float | None:
    """Seconds since its start, pauses included; None where nobody can say."""
    if recording.began is not None:
        return now.monotonic - recording.began
    return max(0.0, now.wall - recording.started_at) if now.synchronised else None


def _stop(turn: Turn) -> None:
    """Its time is over; a meeting that has an end keeps its grace (R11)."""
    meeting = _bounding(turn.room)
    if meeting is not None and (
        meeting.ended_at is not None or meeting.until is not None or turn.now.synchronised
    ):
        return
    owner = turn.recording.owner
    turn.update(meetings=tuple(each for each in turn.room.meetings if each.owner != owner))
    turn.stop_recording()


def _end_of_newest(room: RoomState) -> float | None:
    return next((each.end for each in reversed(room.meetings) if each.end is not None), None)


def _publish_end(turn: Turn, end: float | None) -> None:
    """Not anew for the clocks' drift against each other."""
    shown = turn.room.ends_at
    same = end == shown or (end and shown and abs(end - shown) <= _SAME_END)
    if not same:
        turn.update(ends_at=end)


def _settle_pause(turn: Turn) -> None:
    room, recording = turn.room, turn.recording
    paused = None
    if recording.paused_since is not None and room.state is State.PAUSED:
        paused = turn.now.monotonic - recording.paused_since
    reminder, longest = room.policy.pause_reminder, room.policy.max_pause
    if paused is not None and reminder is not None and paused >= reminder:
        if Alarm.PAUSED_TOO_LONG not in room.alarms:
            turn.alarm(Alarm.PAUSED_TOO_LONG)
    elif recording.paused_since is None and Alarm.PAUSED_TOO_LONG in room.alarms:
        turn.clear(Alarm.PAUSED_TOO_LONG)
    if paused is None or longest is None or paused < longest or recording.pause_over:
        return
    turn.update_recording(pause_over=True)
    if room.policy.on_max_pause == "resume":
        turn.update(target=Target.RECORDING)
    else:
        turn.dismiss_meetings()  # people have paused: nothing else is to begin now
        turn.stop_recording()
