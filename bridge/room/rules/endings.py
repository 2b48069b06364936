"""How a recording ends, by whose doing, and whether another one takes its place (R11, R25)."""

from math import inf

from ...hmp.commands import RecordingStatus
from ..facts import problems
from ..facts.vocabulary import Alarm, Goal, Outcome, Stop, Target
from . import limits
from .turn import Turn

__all__ = ["ended_by_somebody", "interrupted", "may_be_ours", "stop_confirmed"]


def stop_confirmed(turn: Turn) -> None:
    """HMP has ended it, as it was asked to (R8)."""
    _end(turn)
    turn.resolve({Goal.STOP}, Outcome.OK)


def ended_by_somebody(turn: Turn) -> None:
    """FINISHED without a stop of ours: a person stopped it in HMP, and it stays so (R25)."""
    if turn.recording.stop is not Stop.NO or may_be_ours(turn):
        stop_confirmed(turn)
        return
    if limits.was_limit(turn.room, turn.now):
        _ended_by_limit(turn)
        return
    active_at = turn.recording.active_at
    turn.dismiss_meetings(until=inf if active_at is None else active_at)
    turn.be_due(turn.recording.owner)
    if turn.room.target is not Target.IDLE:
        turn.alarm(Alarm.STOPPED_UNEXPECTEDLY)
    _end(turn)
    turn.want_nothing()
    turn.resolve({Goal.PAUSE, Goal.RESUME}, Outcome.FAILED, problems.ENDED)


def interrupted(turn: Turn, *, gone: bool) -> None:
    """HMP says ERROR, or has forgotten a recording that it had shown before (R25)."""
    turn.alarm(Alarm.RECORDING_ERROR)
    turn.resolve({Goal.PAUSE, Goal.RESUME}, Outcome.FAILED, problems.ENDED)
    room, recording = turn.room, turn.recording
    verified = recording.verified_at is not None
    watched = verified and not recording.remembered
    if room.policy.restart_interrupted and watched and room.target is Target.RECORDING:
        restart_at = turn.now.monotonic
        if room.interrupted_at is not None:
            restart_at = max(restart_at, room.interrupted_at + room.policy.interrupt_backoff)
        _begin_again(turn, restart_at)
        turn.want_stop()  # of what is gone, too: it may only be hidden
    elif gone:
        turn.set_status(RecordingStatus.ERROR)


def may_be_ours(turn: Turn) -> bool:
    """True if the end may be that of a cut that was given up: then the next recording is due."""
    sent_at, active_at = turn.recording.stop_sent_at, turn.recording.active_at
    if sent_at is None:
        return False
    if active_at is not None and active_at <= sent_at:
        return True  # HMP has not said since that it went on
    policy = turn.room.policy
    return not turn.now.has_come(sent_at + policy.cut_timeout + policy.start_timeout)


def _ended_by_limit(turn: Turn) -> None:
    """FINISHED because HMP lets nothing run for longer: nobody wanted that, so it goes on (R25)."""
    room = turn.room
    turn.alarm(Alarm.STOPPED_BY_LIMIT)
    turn.resolve({Goal.PAUSE, Goal.RESUME}, Outcome.FAILED, problems.ENDED)
    wanted = room.target is Target.RECORDING and not limits.runs_on(room, turn.now)
    if room.policy.restart_limited and wanted:
        _begin_again(turn, turn.now.monotonic)
    else:
        turn.want_nothing()
    _end(turn)


def _begin_again(turn: Turn, restart_at: float) -> None:
    """Another recording takes the place of this one, and is whose this was."""
    recording = turn.recording
    turn.update(
        interrupted_at=restart_at,
        start_not_before=restart_at,
        next_owner=recording.owner,
        next_title=recording.title,
        next_counts_from=limits.counts_from(turn),
    )
    turn.update_meeting(recording.owner, due=False)


def _end(turn: Turn) -> None:
    """It is over, and nothing is in doubt any more but that HMP has lost it."""
    turn.certain()
    if turn.recording.held and not turn.recording.lost:
        turn.clear(Alarm.RECORDING_ERROR)
    turn.end_recording()
