"""HMP's word about a recording: polled, asked to settle a doubt, or to confirm a stop.

R2 (verification), R8 (a stop counts when HMP confirms it) and R25 (HMP lost the recording).

*Not found* for what HMP has known ends nothing by itself: a *doubt* puts the question four times,
and between any two of them asks the session whether it records::

    not found ──▶ witness ── 060003 ──▶ held: it goes on, with an alarm
        ▲            │
        └─ 3 times ──┴── 4th ──▶ lost: a stop is owed to it, then another may start
"""

from math import inf

from ...hmp.commands import RecordingStatus
from ...hmp.errors import ErrorKind, NotUnderstood, Refused
from ..facts import problems
from ..facts.answer import Answer, Done, problem_of
from ..facts.vocabulary import Alarm, Goal, Outcome, Stop, Target
from . import limits
from .turn import ASK_AGAIN, ASKED_AGAIN, Turn

__all__ = ["confirmed", "polled", "witnessed"]

_CONFIRM_EVERY = 0.5
"""Seconds between two questions whether a stop has taken effect."""

_STOP_AGAIN_AFTER = 5.0
"""Seconds after which a recording that goes on in spite of an answered stop is stopped again."""


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
        case NotUnderstood():
            _unclear(turn)
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
            _not_ended(turn, status)
        case Refused(kind=ErrorKind.RECORDING_NOT_FOUND):
            if recording.stop_taken or recording.lost:
                _stop_confirmed(turn)
            elif recording.verified_at is not None or recording.remembered:
                _doubt(turn)
            else:
                _stop_of_missing(turn)
        case NotUnderstood():
            _unclear(turn)
            _ask_in(turn, ASK_AGAIN)
        case _:
            _not_told(turn, answer)


def _not_ended(turn: Turn, status: RecordingStatus) -> None:
    """The stop was answered and has not taken effect yet."""
    recording = turn.recording
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
        _ask_in(turn, _CONFIRM_EVERY)


def _not_told(turn: Turn, answer: Answer) -> None:
    """HMP was asked for the status and did not say: ask again, later where it has troubles."""
    if isinstance(answer, Refused):
        turn.update(problem=problem_of(answer))
        _ask_in(turn, ASK_AGAIN)
    else:
        turn.update_recording(unsettled=True)


def _unclear(turn: Turn) -> None:
    """HMP has the recording, in a state that its guide does not have (E54): all else stays."""
    _certain_again(turn)
    _give_up_change(turn)
    _stop_after_all(turn)


def _stop_after_all(turn: Turn) -> None:
    """A stop that could not be carried out while HMP did not know the recording."""
    if turn.room.target is Target.IDLE and turn.recording.stop is Stop.NO:
        turn.want_stop()


def _give_up_change(turn: Turn) -> None:
    """HMP has refused a pause or a resume, and does not say how things stand instead."""
    if turn.recording.refused is not None:
        turn.resolve({Goal.PAUSE, Goal.RESUME}, Outcome.FAILED, turn.recording.refused)
        turn.update_recording(refused=None)
        turn.follow_status()


def _certain_again(turn: Turn) -> None:
    """HMP has the recording, so that there is no doubt about that."""
    turn.certain()
    if turn.recording.held:
        turn.clear(Alarm.RECORDING_ERROR)
    turn.update_recording(
        unsettled=False,
        missing=False,
        missing_since=None,
        not_found=0,
        witness_due=False,
        held=False,
        lost=False,
        not_before=0.0,
    )


def _ask_in(turn: Turn, seconds: float) -> None:
    """Put the next question so much later; a stop that was pressed meanwhile is sent before it."""
    if turn.recording.stop is not Stop.WANTED:
        turn.wait_until(turn.now.monotonic + seconds)


def _found(turn: Turn, status: RecordingStatus) -> None:
    """HMP knows the recording: take over what it says."""
    _certain_again(turn)
    verified_at = turn.recording.verified_at
    if verified_at is None and status is not RecordingStatus.ERROR:
        verified_at = turn.now.wall
    turn.set_status(status)
    turn.update_recording(verified_at=verified_at, remembered=False)


def _compare(turn: Turn, status: RecordingStatus) -> None:
    """Seen against what is wanted: reached, refused, changed by somebody else, or still to do."""
    paused = status is RecordingStatus.PAUSED
    reached, wanted = (Goal.PAUSE, Goal.RESUME) if paused else (Goal.RESUME, Goal.PAUSE)
    if turn.room.target is Target.IDLE:
        _stop_after_all(turn)
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
    if limits.was_limit(turn.room, turn.now):
        _ended_by_limit(turn)
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


def _ended_by_limit(turn: Turn) -> None:
    """FINISHED because HMP lets nothing run for longer: nobody wanted that, so it goes on (R25)."""
    room = turn.room
    turn.alarm(Alarm.STOPPED_BY_LIMIT)
    turn.resolve({Goal.PAUSE, Goal.RESUME}, Outcome.FAILED, problems.ENDED)
    if room.policy.restart_limited and room.target is Target.RECORDING:
        _begin_again(turn, turn.now.monotonic)
    else:
        turn.want_nothing()
    turn.certain()
    turn.end_recording()


def _begin_again(turn: Turn, restart_at: float) -> None:
    """Another recording takes the place of this one, and is whose this was."""
    recording = turn.recording
    turn.update(
        interrupted_at=restart_at,
        start_not_before=restart_at,
        next_owner=recording.owner,
        next_title=recording.title,
    )
    turn.update_meeting(recording.owner, due=False)


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
    if recording.verified_at is not None or recording.remembered:
        _doubt(turn)
        return
    if _asked_long_enough(turn):
        turn.update_recording(missing=True)
        turn.alarm(Alarm.OUTCOME_UNKNOWN)
        turn.resolve({Goal.PAUSE, Goal.RESUME}, Outcome.UNKNOWN, problems.OUTCOME_UNKNOWN)
    _ask_in(turn, ASK_AGAIN)


def _doubt(turn: Turn) -> None:
    """HMP does not know what it has known: its session is asked next, unless it is lost."""
    if turn.recording.lost:
        return
    turn.update_recording(
        not_found=turn.recording.not_found + 1, witness_due=True, unsettled=True, not_before=0.0
    )
    if turn.recording.session is None:  # adopted, in a room that makes its sessions
        _no_witness(turn)


def witnessed(turn: Turn, answer: Answer) -> None:
    """The answer to whether the session records, of whose recording HMP does not know (R25)."""
    if turn.room.recording is None or not turn.recording.witness_due:
        return  # it was given up, or HMP took the stop
    match answer:
        case Refused(kind=ErrorKind.ACTIVE_RECORDING):
            _hold(turn)
        case Done() | Refused(kind=ErrorKind.SOURCE_NOT_FOUND | ErrorKind.SESSION_MISSING):
            _no_witness(turn)
        case Refused():
            turn.update(problem=problem_of(answer))
            _ask_in(turn, turn.room.policy.poll_interval)
        case _:
            pass  # nothing was learnt, and nothing is changed by another question


def _hold(turn: Turn) -> None:
    """HMP does not know the recording, yet its session is being recorded: it goes on."""
    turn.alarm(Alarm.RECORDING_ERROR)
    turn.update_recording(not_found=0, witness_due=False, unsettled=False, held=True)
    if turn.room.policy.session is not None:
        turn.update(server_proves=True)
    _give_up_change(turn)
    if turn.recording.stop is Stop.NO:
        _ask_in(turn, turn.room.policy.poll_interval)
    else:
        turn.want_stop()
        _stop_of_missing(turn)


def _no_witness(turn: Turn) -> None:
    """Nothing speaks for the recording: it is asked for again, and given up after the last time."""
    turn.update_recording(witness_due=False)
    if turn.recording.not_found <= ASKED_AGAIN:
        _ask_in(turn, ASK_AGAIN)
        return
    turn.update_recording(lost=True, unsettled=False)
    if turn.recording.stop is Stop.WANTED:
        pass  # it was pressed meanwhile, and is sent all the same
    elif turn.recording.stop is Stop.ANSWERED or _ours(turn):
        _stop_confirmed(turn)
    elif turn.recording.remembered:
        # Nobody watched it since who knows when: it has ended, and whether it was lost is moot.
        _ended_by_somebody(turn)
    else:
        _interrupted(turn, gone=True)


def _stop_of_missing(turn: Turn) -> None:
    """A stop for a recording that HMP does not know: ask for `start_timeout`, then say so (R8)."""
    turn.update_recording(unsettled=False)
    if _asked_long_enough(turn):
        turn.update_recording(missing=True, stop=Stop.NO)
        turn.alarm(Alarm.OUTCOME_UNKNOWN)
        turn.resolve({Goal.STOP}, Outcome.UNKNOWN, problems.OUTCOME_UNKNOWN)
        owner = turn.recording.owner
        turn.resolve({Goal.MEETING_END}, Outcome.UNKNOWN, problems.OUTCOME_UNKNOWN, about=owner)
    else:
        turn.wait_until(turn.now.monotonic + ASK_AGAIN)


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
        _begin_again(turn, restart_at)
        turn.want_stop()  # of what is gone, too: it may only be hidden
    elif gone:
        turn.set_status(RecordingStatus.ERROR)
