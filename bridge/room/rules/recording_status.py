"""HMP's word about a recording: polled, asked to settle a doubt, or to confirm a stop.

R2 (verification), R8 (a stop counts when HMP confirms it) and R25 (HMP lost the recording).

*Not found* for what HMP has known ends nothing by itself: a *doubt* puts the question four times,
and between any two of them asks the session whether it records::

    not found ──▶ witness ── 060003 ──▶ held: it goes on, with an alarm
        ▲            │
        └─ 3 times ──┴── 4th ──▶ lost: a stop is owed to it, then another may start
"""

from ...hmp.commands import RecordingStatus
from ...hmp.errors import ErrorKind, NotUnderstood, Refused
from ..facts import problems
from ..facts.answer import Answer, Done, problem_of
from ..facts.vocabulary import Alarm, Goal, Outcome, Stop, Target
from . import endings
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
            endings.ended_by_somebody(turn)
        case Done(value=RecordingStatus.ERROR):
            _found(turn, RecordingStatus.ERROR)
            endings.interrupted(turn, gone=False)
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
            endings.stop_confirmed(turn)
        case Done(value=RecordingStatus() as status):
            _found(turn, status)
            _not_ended(turn, status)
        case Refused(kind=ErrorKind.RECORDING_NOT_FOUND):
            if recording.stop_taken or recording.lost:
                endings.stop_confirmed(turn)
            elif recording.verified_at is not None or recording.remembered:
                _doubt(turn)
            else:
                _stop_of_missing(turn)
        case NotUnderstood():
            _unclear(turn)
            _not_said_to_have_ended(turn)
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
        endings.stop_confirmed(turn)  # HMP took the stop and will never call it FINISHED
    elif over:
        turn.want_stop()
    else:
        _ask_in(turn, _CONFIRM_EVERY)


def _not_said_to_have_ended(turn: Turn) -> None:
    """The stop was answered, and HMP has another word for the recording than its guide (E54).

    That may be its word for what has ended. So its session is asked, once a stop was taken, or was
    refused as one of nothing active so often that it is no mistake of the moment.
    """
    recording = turn.recording
    answered_at = recording.stop_answered_at
    if answered_at is None or not turn.now.has_come(answered_at + _STOP_AGAIN_AFTER):
        _ask_in(turn, ASK_AGAIN)
    elif recording.stop_taken or recording.failures > ASKED_AGAIN:
        _ask_witness(turn)
    else:
        turn.want_stop()


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
    turn.update_recording(not_found=turn.recording.not_found + 1, unsettled=True)
    _ask_witness(turn)


def _ask_witness(turn: Turn) -> None:
    turn.update_recording(witness_due=True, not_before=0.0)
    if turn.recording.session is None:  # adopted, in a room that makes its sessions
        _no_witness(turn)


def witnessed(turn: Turn, answer: Answer) -> None:
    """The answer to whether the session records, of whose recording HMP is not clear (R25)."""
    if turn.room.recording is None or not turn.recording.witness_due:
        return  # it was given up, or HMP took the stop
    match answer:
        case Refused(kind=ErrorKind.ACTIVE_RECORDING) if turn.recording.not_found:
            _hold(turn)
        case Refused(kind=ErrorKind.ACTIVE_RECORDING):  # whatever its status is called, it goes on
            turn.update_recording(witness_due=False)
            turn.want_stop()
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
    if not turn.recording.not_found:
        endings.stop_confirmed(turn)
        return
    if turn.recording.not_found <= ASKED_AGAIN:
        _ask_in(turn, ASK_AGAIN)
        return
    turn.update_recording(lost=True, unsettled=False)
    if turn.recording.stop is Stop.WANTED:
        pass  # it was pressed meanwhile, and is sent all the same
    elif turn.recording.stop is Stop.ANSWERED or endings.may_be_ours(turn):
        endings.stop_confirmed(turn)
    elif turn.recording.remembered:
        # Nobody watched it since who knows when: it has ended, and whether it was lost is moot.
        endings.ended_by_somebody(turn)
    else:
        endings.interrupted(turn, gone=True)


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
