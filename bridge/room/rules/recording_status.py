"""HMP's word about a recording: polled, asked to settle a doubt, or to confirm a stop.

R2 (verification), R8 (a stop counts when HMP confirms it) and R25 (HMP lost the recording).
"""

from math import inf

from ...hmp.commands import RecordingStatus
from ...hmp.errors import ErrorKind, Refused
from ..facts import problems
from ..facts.answer import Answer, Done, problem_of
from ..facts.vocabulary import Alarm, Goal, Outcome, Stop, Target
from .turn import Turn

__all__ = ["confirmed", "polled"]

_CONFIRM_EVERY = 0.5
"""Seconds between two questions whether a stop has taken effect."""

_STOP_AGAIN_AFTER = 5.0
"""Seconds after which a recording that goes on in spite of an answered stop is stopped again."""

_ASK_AGAIN = 1.0
"""Seconds before a question is repeated that HMP could not answer."""


def polled(turn: Turn, answer: Answer) -> None:
    """The answer to a routine poll, or to a question asked because something was uncertain."""
    turn.update_recording(asked=True)
    match answer:
        case Done(value=RecordingStatus.FINISHED):
            _ended_by_somebody(turn)
        case Done(value=RecordingStatus.ERROR):
            _found(turn, RecordingStatus.ERROR)
            _interrupted(turn, gone=False)
        case Done(value=RecordingStatus() as status):
            _found(turn, status)
            _compare(turn, status)
        case Refused(kind=ErrorKind.RECORDING_NOT_FOUND):
            _missing(turn)
        case _:
            _not_told(turn, answer)


def confirmed(turn: Turn, answer: Answer) -> None:
    """The answer to whether a stop has taken effect."""
    turn.update_recording(asked=True)
    recording = turn.recording
    match answer:
        case Done(value=RecordingStatus.FINISHED):
            _stop_confirmed(turn)
        case Done(value=RecordingStatus() as status):
            _found(turn, status)
            if status is RecordingStatus.ERROR:
                turn.alarm(Alarm.RECORDING_ERROR)
            if recording.stop_answered_at is None or recording.stop is not Stop.ANSWERED:
                return
            error = status is RecordingStatus.ERROR
            longest = turn.room.policy.start_timeout if error else _STOP_AGAIN_AFTER
            over = turn.now.has_come(recording.stop_answered_at + longest)
            if error and over:
                _stop_confirmed(turn)  # HMP took the stop and will never call it FINISHED
            elif over:
                turn.want_stop()
            else:
                turn.wait_until(turn.now.monotonic + _CONFIRM_EVERY)
        case Refused(kind=ErrorKind.RECORDING_NOT_FOUND):
            if recording.verified_at is not None or recording.remembered or recording.stop_taken:
                _stop_confirmed(turn)
            else:
                _stop_of_missing(turn)
        case _:
            _not_told(turn, answer)


def _not_told(turn: Turn, answer: Answer) -> None:
    """HMP was asked for the status and did not say: ask again, later where it has troubles."""
    if isinstance(answer, Refused):
        turn.update(problem=problem_of(answer))
        turn.wait_until(turn.now.monotonic + _ASK_AGAIN)
    else:
        turn.update_recording(unsettled=True)


def _found(turn: Turn, status: RecordingStatus) -> None:
    """HMP knows the recording: take over what it says."""
    recording = turn.recording
    turn.certain()
    verified_at = recording.verified_at
    if verified_at is None and status is not RecordingStatus.ERROR:
        verified_at = turn.now.wall
    turn.set_status(status)
    turn.update_recording(
        unsettled=False,
        missing=False,
        missing_since=None,
        verified_at=verified_at,
        not_before=0.0,
        remembered=False,
    )


def _compare(turn: Turn, status: RecordingStatus) -> None:
    """Seen against what is wanted: reached, refused, changed by somebody else, or still to do."""
    paused = status is RecordingStatus.PAUSED
    reached, wanted = (Goal.PAUSE, Goal.RESUME) if paused else (Goal.RESUME, Goal.PAUSE)
    if turn.room.target is Target.IDLE:
        # Its stop could not be carried out while HMP did not know it.
        if turn.recording.stop is Stop.NO:
            turn.want_stop()
        return
    if turn.room.target is (Target.PAUSED if paused else Target.RECORDING):
        turn.resolve({reached}, Outcome.OK)
        turn.update_recording(refused=None)
    elif turn.recording.refused is not None:
        turn.resolve({wanted}, Outcome.FAILED, turn.recording.refused)
        turn.update_recording(refused=None)
        turn.follow_status()
    elif not turn.room.awaits(wanted):
        turn.follow_status()  # somebody paused or resumed it in HMP's web pages


def _ended_by_somebody(turn: Turn) -> None:
    """FINISHED without a stop of ours: a person stopped it in HMP, and it stays so (R25)."""
    if turn.recording.stop is not Stop.NO or _ours(turn):
        _stop_confirmed(turn)
        return
    active_at = turn.recording.active_at
    turn.dismiss_meetings(until=inf if active_at is None else active_at)
    turn.be_due(turn.recording.owner)
    if turn.room.target is not Target.IDLE:
        turn.alarm(Alarm.STOPPED_UNEXPECTEDLY)
    turn.certain()
    turn.end_recording()
    turn.want_nothing()
    turn.resolve({Goal.PAUSE, Goal.RESUME}, Outcome.FAILED, problems.ENDED)


def _ours(turn: Turn) -> bool:
    """True if the end may be that of a cut that was given up: then the next recording is due."""
    sent_at, active_at = turn.recording.stop_sent_at, turn.recording.active_at
    if sent_at is None:
        return False
    if active_at is not None and active_at <= sent_at:
        return True  # HMP has not said since that it went on
    policy = turn.room.policy
    return not turn.now.has_come(sent_at + policy.cut_timeout + policy.start_timeout)


def _stop_confirmed(turn: Turn) -> None:
    turn.certain()
    turn.end_recording()
    turn.resolve({Goal.STOP}, Outcome.OK)


def _missing(turn: Turn) -> None:
    """HMP does not know the recording (any more)."""
    recording = turn.recording
    turn.update_recording(unsettled=False)
    if recording.remembered:
        # Nobody watched it since who knows when: it has ended, and whether it was lost is moot.
        _ended_by_somebody(turn)
        return
    if recording.verified_at is not None and _ours(turn):
        _stop_confirmed(turn)
        return
    if recording.verified_at is not None:
        _interrupted(turn, gone=True)
        return
    if _asked_long_enough(turn):
        turn.update_recording(missing=True)
        turn.alarm(Alarm.OUTCOME_UNKNOWN)
        turn.resolve({Goal.PAUSE, Goal.RESUME}, Outcome.UNKNOWN, problems.OUTCOME_UNKNOWN)
    turn.wait_until(turn.now.monotonic + _ASK_AGAIN)


def _stop_of_missing(turn: Turn) -> None:
    """A stop for a recording HMP has never shown: ask for `start_timeout`, then say so (R8)."""
    turn.update_recording(unsettled=False)
    if _asked_long_enough(turn):
        turn.update_recording(missing=True, stop=Stop.NO)
        turn.alarm(Alarm.OUTCOME_UNKNOWN)
        turn.resolve({Goal.STOP}, Outcome.UNKNOWN, problems.OUTCOME_UNKNOWN)
        owner = turn.recording.owner
        turn.resolve({Goal.MEETING_END}, Outcome.UNKNOWN, problems.OUTCOME_UNKNOWN, about=owner)
    else:
        turn.wait_until(turn.now.monotonic + _ASK_AGAIN)


def _asked_long_enough(turn: Turn) -> bool:
    since = turn.recording.missing_since
    if since is None:
        since = turn.now.monotonic
        turn.update_recording(missing_since=since)
    return turn.now.has_come(since + turn.room.policy.start_timeout)


def _interrupted(turn: Turn, *, gone: bool) -> None:
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
        turn.update(
            interrupted_at=restart_at,
            start_not_before=restart_at,
            next_owner=recording.owner,
            next_title=recording.title,
        )
        turn.update_meeting(recording.owner, due=False)
        if gone:
            turn.end_recording()
        else:
            turn.want_stop()
    elif gone:
        turn.set_status(RecordingStatus.ERROR)
