"""HMP's answers to steps, and what each makes of a room.

`apply` takes the step that was sent and what came of it. Answers to questions about a recording
are in `recording_status`, answers to the question after a lost start in `lost_start`.
"""

from collections.abc import Callable
from dataclasses import replace

from ...hmp.commands import RecordingStatus
from ...hmp.errors import ErrorKind, OutcomeUnknown, Refused
from ..facts import problems
from ..facts.answer import Answer, Done, NotSent, problem_of
from ..facts.state import Change, Recording, RoomState, Step
from ..facts.values import Mark, Now
from ..facts.vocabulary import Alarm, Goal, Outcome, StepKind, Stop, Target
from . import details, live, lost_start, recording_status, restream, session
from .model import decide_deferred
from .turn import MARK_EVERY, Turn

__all__ = ["apply"]

_START_ALARMS = {
    ErrorKind.NO_SOURCE: Alarm.NO_SOURCE,
    ErrorKind.DISK_FULL: Alarm.DISK_FULL,
    ErrorKind.WRITE_ERROR: Alarm.WRITE_ERROR,
    ErrorKind.SESSION_MISSING: Alarm.SESSION_MISSING,
}

_NEVER_AGAIN = frozenset({ErrorKind.DISK_FULL, ErrorKind.WRITE_ERROR})
"""Refusals that another start can only make worse (R25)."""

_LONGEST_RETRY = 30.0
"""Seconds between two attempts at a stop that HMP refuses."""


def apply(room: RoomState, step: Step, answer: Answer, now: Now) -> Change:
    """Take in what came of `step`, which was `room.busy` until now."""
    turn = Turn(room, now)
    turn.update(busy=None)
    if not isinstance(answer, NotSent) and _concerns(room, step):
        if step.kind in _BY_COMMAND:
            _BY_COMMAND[step.kind](turn, step, answer)
        else:
            _HANDLERS[step.kind](turn, answer)
        if not turn.room.stale:
            decide_deferred(turn)
    return turn.finish()


def _concerns(room: RoomState, step: Step) -> bool:
    """True if the step is about what the room holds now: it may have given a recording up."""
    about = getattr(step.command, "recording", None)
    if about is None or step.kind in (StepKind.ADOPT, StepKind.RESTREAM, StepKind.DETAIL):
        return True
    return room.recording is not None and room.recording.id == about


def _started(turn: Turn, answer: Answer) -> None:
    match answer:
        case Done(value=recording_id):
            _begin(turn, recording_id)
        case Refused():
            _start_refused(turn, answer)
        case OutcomeUnknown(waited=waited):
            lost_start.start_lost(turn, waited)


def _begin(turn: Turn, recording_id: object) -> None:
    room, title = turn.room, turn.room.next_title
    turn.update(
        recording=Recording(
            id=recording_id,  # type: ignore[arg-type]  # StartRecording's result
            session=room.session,
            started_at=turn.now.wall,
            status=RecordingStatus.RECORDING,
            owner=room.next_owner,
            active_at=turn.now.monotonic,
            running_since=turn.now.monotonic,
            began=turn.now.monotonic,
            dated=turn.now.synchronised,
            # Stop was pressed while the start could not be called back any more (R10).
            stop=Stop.WANTED if room.target is Target.IDLE else Stop.NO,
            counts_from=room.next_counts_from,
        ),
        next_title=None,
        next_counts_from=None,
        problem=session.orphan(room),
        elapsed=0,
    )
    over = (Alarm.STOPPED_UNEXPECTEDLY, Alarm.CUT_FAILED, Alarm.DETAILS_FAILED)
    turn.clear(*_START_ALARMS.values(), *over)
    turn.certain()
    details.begin(turn, turn.recording, title)
    if not room.restarting:
        turn.clear(Alarm.RECORDING_ERROR, Alarm.STOPPED_BY_LIMIT)
    turn.resolve({Goal.START}, Outcome.OK)


def _start_refused(turn: Turn, refused: Refused) -> None:
    if refused.kind in _START_ALARMS:
        turn.alarm(_START_ALARMS[refused.kind])
    if refused.kind is ErrorKind.SESSION_MISSING:
        session.forget(turn)
    if refused.kind is ErrorKind.ACTIVE_RECORDING and turn.room.policy.session is not None:
        # The session is being recorded, and not by a recording that this room knows.
        turn.alarm(Alarm.OUTCOME_UNKNOWN)
        turn.suspect_spare()
        turn.update(restarted=False)
    turn.fail_start(problem_of(refused), for_good=refused.kind in _NEVER_AGAIN)


def _stopped(turn: Turn, answer: Answer) -> None:
    if not isinstance(answer, Refused):
        turn.update_recording(stop_sent_at=turn.now.monotonic)
    match answer:
        case Done():
            answered = True
            turn.update_recording(stop_taken=True, witness_due=False)
        case Refused(kind=kind) if turn.recording.lost or kind is ErrorKind.RECORDING_NOT_FOUND:
            answered = True  # its status says whether it has ended or was never there
        case _:
            answered = False
    if answered:
        turn.update(problem=None)
        turn.update_recording(
            stop=Stop.ANSWERED,
            stop_answered_at=turn.now.monotonic,
            not_before=0.0,
            failures=turn.recording.failures + 1 if isinstance(answer, Refused) else 0,
        )
    elif isinstance(answer, Refused):
        failures = turn.recording.failures + 1
        turn.update(problem=problem_of(answer))
        turn.update_recording(failures=failures)
        turn.wait_until(turn.next_try_at(failures, _LONGEST_RETRY))
    else:
        turn.update_recording(unsettled=True)


def _paused(turn: Turn, answer: Answer) -> None:
    _changed(turn, answer, RecordingStatus.PAUSED, Goal.PAUSE)


def _resumed(turn: Turn, answer: Answer) -> None:
    _changed(turn, answer, RecordingStatus.RECORDING, Goal.RESUME)


def _changed(turn: Turn, answer: Answer, reached: RecordingStatus, goal: Goal) -> None:
    if isinstance(answer, Done):
        turn.update(problem=None)
        turn.set_status(reached)
        turn.resolve({goal}, Outcome.OK)
        _mark_by_itself(turn, goal)
        return
    # HMP may have done it, or it may have been so already (E25): its status settles it.
    turn.update_recording(unsettled=True, not_before=0.0)
    if isinstance(answer, Refused):
        turn.update(problem=problem_of(answer))
        turn.update_recording(refused=problem_of(answer))


def _mark_by_itself(turn: Turn, goal: Goal) -> None:
    """A HotMark where a pause begins and ends, so that a viewer finds it."""
    policy = turn.room.policy
    title = policy.pause_mark if goal is Goal.PAUSE else policy.resume_mark
    if title is not None:
        mark = Mark(None, title, turn.now.monotonic + policy.mark_ttl)
        turn.update(marks=(*turn.room.marks, mark))


def _marked(turn: Turn, answer: Answer) -> None:
    if not turn.room.marks:
        return
    mark, *others = turn.room.marks
    turn.update(marks=tuple(others))
    turn.update_recording(marked_at=turn.now.monotonic)
    match answer:
        case Refused(kind=ErrorKind.ALREADY_DONE) if _can_move(turn, mark):
            turn.update(marks=(replace(mark, moved=True), *others))
        case Done() | Refused(kind=ErrorKind.ALREADY_DONE):  # 060004: the second is marked (R15)
            turn.answer(mark.request, Outcome.OK)
        case Refused():
            turn.answer(mark.request, Outcome.FAILED, problem_of(answer))
        case _:
            # A repeat would mark another second.
            turn.answer(mark.request, Outcome.UNKNOWN, problems.OUTCOME_UNKNOWN)


def _can_move(turn: Turn, mark: Mark) -> bool:
    """True if the next second of the recording comes in time for this mark."""
    running = turn.recording.status is RecordingStatus.RECORDING
    return running and not mark.moved and not turn.now.has_come(mark.expires_at - MARK_EVERY)


_BY_COMMAND: dict[StepKind, Callable[[Turn, Step, Answer], None]] = {
    StepKind.DETAIL: details.answered,
    StepKind.LIVE: live.answered,
}
"""Steps of which several may be wanted: the answer is to the one that was sent."""

_HANDLERS: dict[StepKind, Callable[[Turn, Answer], None]] = {
    StepKind.CREATE_SESSION: session.created,
    StepKind.ADD_SOURCE: session.added,
    StepKind.START: _started,
    StepKind.STOP: _stopped,
    StepKind.CONFIRM: recording_status.confirmed,
    StepKind.PAUSE: _paused,
    StepKind.RESUME: _resumed,
    StepKind.SETTLE: recording_status.polled,
    StepKind.ADOPT: lost_start.adopted,
    StepKind.QUESTION: lost_start.questioned,
    StepKind.PROVE: session.questioned,
    StepKind.WITNESS: recording_status.witnessed,
    StepKind.MARK: _marked,
    StepKind.REMOVE_SESSION: session.removed,
    StepKind.RESTREAM: restream.started,
    StepKind.RESTREAM_STOP: restream.stopped,
    StepKind.VERIFY: recording_status.polled,
    StepKind.POLL: recording_status.polled,
}
