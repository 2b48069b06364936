"""How long a recording and a pause may last, and how people move an end (R13).

Durations go by the monotonic clock, that of a meeting which was given one too. A recording that was
started before the machine was restarted is measured by the wall clock, once that can be believed:
until then nothing is ended for its age. The end of a meeting that was given as a time is the wall
clock's, and is the business of `meetings`.

HMP may have a *maximum recording duration* of its own, of whole hours (E53). It is no end of ours,
so nothing is stopped for it; but it is shown and warned of, and what HMP ends then is told from
what a person stops.
"""

from math import ceil, inf

from ..facts import problems
from ..facts.meeting import Meeting
from ..facts.restart import Monotonic
from ..facts.state import Recording, RoomState
from ..facts.values import Now, Request
from ..facts.vocabulary import Alarm, Outcome, State, StepKind, Stop, Target
from . import meeting_ends
from .turn import Turn

__all__ = ["counts_from", "extend", "runs_on", "settle", "was_limit"]

_SAME_END = 1.5
"""Seconds by which a computed end may differ from the published one and be the same."""

_NEAR_CAP = 60.0
"""Seconds by which an end may differ from HMP's known limit and still be due to it."""

_HOUR = 3600.0
_NEAR_HOUR = 10.0
"""Seconds by which an end may differ from a whole number of hours where the limit is not known."""

_LONGEST_LOOK_AWAY = 60.0
"""Seconds in which HMP could not be asked after which nobody can say what hour it ended at."""


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
    room, now = turn.room, turn.now
    if room.recording is None:
        if room.restarting and _is_over(room, now):
            turn.want_nothing()  # HMP refused it for so long that nobody expects it any more
        _publish_end(turn, _end_of_newest(room))
        return
    end = _end(room, room.recording, now)
    shown = min(end, _end_at_hmp(room, room.recording, now))
    stopping = room.recording.stop is not Stop.NO
    if not stopping and room.recording.id is not None and now.has_come(end):
        _stop(turn)
        stopping = True
    if not stopping and now.has_come(shown - room.policy.warn_before):
        turn.alarm(Alarm.ENDING_SOON)
    else:
        turn.clear(Alarm.ENDING_SOON)
    if not stopping:  # it ends now, whatever would have ended it else
        _publish_end(turn, None if shown == inf else now.wall + (shown - now.monotonic))
    _settle_pause(turn)


def _end(room: RoomState, recording: Recording, now: Now) -> Monotonic:
    """When the recording's end comes by itself; infinite where nobody can say."""
    longest = room.policy.max_duration + recording.extended
    meeting = _bounding(room)
    if meeting is not None and meeting.ended_at is not None:
        return meeting.ended_at + room.policy.stop_grace
    if meeting is not None and meeting.until is not None:
        return meeting.until
    if meeting is not None and meeting.end is not None:
        end = now.monotonic_at(meeting.end)
        if end != inf:
            return end
        # Nobody knows how late it is: the meeting gets the time that was planned for it.
        longest = max(longest, (meeting.planned or 0.0) + meeting.extended)
    return _counted_from(recording, now) + longest


def _end_at_hmp(room: RoomState, recording: Recording, now: Now) -> Monotonic:
    """When HMP ends it by its own limit; infinite where there is none, or it has not done so."""
    longest = room.policy.max_recording
    if longest is None:
        return inf
    end = _began(recording, now) + longest
    return inf if now.has_come(end + _NEAR_CAP) else end


def was_limit(room: RoomState, now: Now) -> bool:
    """True if an end that nobody here has asked for may be that of HMP's own limit (E53).

    It came between HMP's last word that the recording is active and now. Whether pauses count
    nobody says, so either will do.
    """
    recording, longest = room.recording, room.policy.max_recording
    if recording is None:
        return False
    running = 0.0 if recording.running_since is None else now.monotonic - recording.running_since
    unseen = 0.0 if recording.active_at is None else now.monotonic - recording.active_at
    if recording.unsettled:
        unseen = inf  # HMP was out of reach, or the bridge was away
    ages = {recording.recorded + running}
    if (began := _began(recording, now)) != inf:
        ages.add(now.monotonic - began)
    if longest is not None:
        return any(age - unseen - _NEAR_CAP <= longest <= age + _NEAR_CAP for age in ages)
    unseen = min(unseen, _LONGEST_LOOK_AWAY) + _NEAR_HOUR
    hours = {age: max(1, ceil((age - unseen) / _HOUR)) * _HOUR for age in ages}
    return any(hour <= age + _NEAR_HOUR for age, hour in hours.items())


def runs_on(room: RoomState, now: Now) -> bool:
    """True if the greatest duration is over about now, whatever else has ended the recording."""
    if room.recording is None or _bounding(room) is not None:
        return False
    return now.has_come(_end(room, room.recording, now) - _NEAR_CAP)


def _is_over(room: RoomState, now: Now) -> bool:
    """True if what was to begin again for a person has none of its greatest duration left."""
    since = room.next_counts_from
    if (
        since is None
        or room.sending(StepKind.START)
        or any(each.owner == room.next_owner for each in room.meetings)
    ):
        return False
    return now.has_come(since + room.policy.max_duration)


def counts_from(turn: Turn) -> Monotonic | None:
    """From when the greatest duration of a recording counts that takes the place of this one.

    From the start of the first of them, moved as people have extended it; None where nobody can
    say, so that it is the recording's own.
    """
    began = _counted_from(turn.recording, turn.now)
    return None if began == inf else began + turn.recording.extended


def _counted_from(recording: Recording, now: Now) -> Monotonic:
    return _began(recording, now) if recording.counts_from is None else recording.counts_from


def _began(recording: Recording, now: Now) -> Monotonic:
    """When it was started, pauses included; infinite where nobody can say."""
    if recording.began is not None:
        return recording.began
    began = now.monotonic_at(recording.started_at)
    return began if began == inf else min(began, now.monotonic)


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
    room, policy, since = turn.room, turn.room.policy, turn.recording.paused_since
    if since is None:
        turn.clear(Alarm.PAUSED_TOO_LONG)
        return
    if room.state is not State.PAUSED:
        return
    if policy.pause_reminder is not None and turn.now.has_come(since + policy.pause_reminder):
        turn.alarm(Alarm.PAUSED_TOO_LONG)
    if policy.max_pause is None or turn.recording.pause_over:
        return
    if not turn.now.has_come(since + policy.max_pause):
        return
    turn.update_recording(pause_over=True)
    if policy.on_max_pause == "resume":
        turn.update(target=Target.RECORDING)
    else:
        turn.dismiss_meetings()  # people have paused: nothing else is to begin now
        turn.stop_recording()
