"""Requests in each published state: the table of `bridge/RULES.md`, as data.

`TABLE[state][action]` is a function of the turn and the request that answers the request at once or
lets it wait for its goal. Nothing here sends a command; what to send follows from the state.
"""

from collections.abc import Callable
from dataclasses import replace

from ..facts import problems
from ..facts.values import Mark, Request
from ..facts.vocabulary import Action, Goal, Outcome, State, Target
from . import details, limits, live, meeting_ends, meetings, restream
from .turn import Turn

__all__ = ["MOST_MARKS", "TABLE"]

MOST_MARKS = 16
"""HotMarks that may wait at once: more than a person can press within `mark_ttl`."""


def _ignore(turn: Turn, request: Request) -> None:
    turn.answer(request, Outcome.IGNORED)


def _not_recording(turn: Turn, request: Request) -> None:
    turn.answer(request, Outcome.FAILED, problems.NOT_RECORDING)


def _not_certain(turn: Turn, request: Request) -> None:
    turn.answer(request, Outcome.FAILED, problems.NOT_CERTAIN)


def _stop_in_idle(turn: Turn, request: Request) -> None:
    if turn.room.adopting is None or turn.room.awaits(Goal.STOP):
        turn.answer(request, Outcome.IGNORED)
    else:  # it is meant for the recording that is being handed over
        turn.wait_for(request, Goal.STOP, None)


def _start(turn: Turn, request: Request) -> None:
    turn.want_recording("manual", request.title)
    ttl = turn.room.policy.action_ttl if request.ttl is None else request.ttl
    turn.wait_for(request, Goal.START, ttl)


def _record_while_starting(turn: Turn, request: Request) -> None:
    if turn.room.target is Target.IDLE:  # a stop came in between and is overtaken now
        _start(turn, request)
    else:
        _resume_while_starting(turn, request)  # after a pause this is the last target (R10)


def _stop_while_starting(turn: Turn, request: Request) -> None:
    if turn.room.target is Target.IDLE:
        turn.answer(request, Outcome.IGNORED)
        return
    turn.want_nothing()
    turn.wait_for(request, Goal.STOP, None)


def _toggle_while_starting(turn: Turn, request: Request) -> None:
    if turn.room.target is Target.IDLE:
        _record_while_starting(turn, request)
    else:
        _stop_while_starting(turn, request)


def _pause_while_starting(turn: Turn, request: Request) -> None:
    if turn.room.target is Target.RECORDING:
        turn.update(target=Target.PAUSED)
        turn.wait_for(request, Goal.PAUSE, turn.room.policy.action_ttl)
    elif turn.room.target is Target.PAUSED:
        turn.answer(request, Outcome.IGNORED)
    else:
        turn.answer(request, Outcome.FAILED, problems.NOT_RECORDING)


def _resume_while_starting(turn: Turn, request: Request) -> None:
    if turn.room.target is Target.PAUSED:
        turn.resolve({Goal.PAUSE}, Outcome.IGNORED)
        turn.update(target=Target.RECORDING)
    turn.answer(request, Outcome.IGNORED)


def _toggle_pause_while_starting(turn: Turn, request: Request) -> None:
    if turn.room.target is Target.PAUSED:
        _resume_while_starting(turn, request)
    else:
        _pause_while_starting(turn, request)


def _stop(turn: Turn, request: Request) -> None:
    if turn.recording.id is None:
        turn.answer(request, Outcome.FAILED, problems.ID_UNKNOWN)
        return
    turn.want_nothing()
    turn.want_stop()
    turn.wait_for(request, Goal.STOP, None)


def _pause(turn: Turn, request: Request) -> None:
    if turn.recording.id is None:
        turn.answer(request, Outcome.FAILED, problems.ID_UNKNOWN)
    elif turn.room.target is Target.PAUSED:
        turn.answer(request, Outcome.IGNORED)
    else:
        turn.update(target=Target.PAUSED)
        turn.wait_for(request, Goal.PAUSE, turn.room.policy.action_ttl)


def _resume(turn: Turn, request: Request) -> None:
    turn.update(target=Target.RECORDING)
    turn.wait_for(request, Goal.RESUME, turn.room.policy.action_ttl)


def _toggle_pause(turn: Turn, request: Request) -> None:
    if turn.room.target is Target.PAUSED:
        _resume(turn, request)
    else:
        _pause(turn, request)


def _start_after_stop(turn: Turn, request: Request) -> None:
    if turn.room.target is Target.IDLE:
        _start(turn, request)
    else:
        turn.answer(request, Outcome.IGNORED)


def _stop_while_stopping(turn: Turn, request: Request) -> None:
    """The stop stands; a start that was to follow it is overtaken."""
    turn.want_nothing()
    turn.update_recording(cut_until=None)
    turn.answer(request, Outcome.IGNORED)


def _toggle_while_stopping(turn: Turn, request: Request) -> None:
    if turn.room.target is Target.IDLE:
        _start(turn, request)
    else:
        _stop_while_stopping(turn, request)


def _replace(turn: Turn, request: Request) -> None:
    """HMP says ERROR: end that recording, then start another (R25)."""
    turn.want_stop()
    _start(turn, request)


def _record_while_unknown(turn: Turn, request: Request) -> None:
    """Start only where everything has been asked and nothing was learnt (R5, R7b)."""
    lost = turn.room.lost_start
    if lost is not None and lost.inconclusive:
        _start(turn, request)
        turn.leave_lost_start()
    elif lost is not None:
        # It might be recording: the start that was lost stands for this press too.
        if turn.room.target is Target.IDLE:  # after a stop it is this press's alone (R11)
            turn.update(lost_start=replace(lost, owner="manual"))
        turn.update(target=Target.RECORDING)
        turn.resolve({Goal.STOP}, Outcome.IGNORED)
        turn.answer(request, Outcome.IGNORED)
    else:
        _start(turn, request)
        turn.end_recording()


def _stop_while_unknown(turn: Turn, request: Request) -> None:
    lost = turn.room.lost_start
    if turn.room.awaits(Goal.STOP):
        turn.answer(request, Outcome.IGNORED)
        return
    turn.want_nothing()
    if lost is not None and lost.inconclusive:
        turn.leave_lost_start()
        turn.answer(request, Outcome.UNKNOWN, problems.OUTCOME_UNKNOWN)
        return
    if lost is None:
        turn.want_stop()
        turn.update_recording(missing=False, missing_since=None)
    turn.wait_for(request, Goal.STOP, None)


def _mark(turn: Turn, request: Request) -> None:
    room = turn.room
    if room.recording is not None and room.recording.id is None:
        turn.answer(request, Outcome.FAILED, problems.ID_UNKNOWN)
    elif len(room.marks) >= MOST_MARKS:
        turn.answer(request, Outcome.FAILED, problems.BUSY_MARKING)
    else:
        title = request.title or room.policy.mark_title
        mark = Mark(request, title, request.received_at + room.policy.mark_ttl)
        turn.update(marks=(*room.marks, mark))


def _adopt(turn: Turn, request: Request) -> None:
    recording = turn.room.recording
    if recording is not None and recording.id is not None:
        if recording.id == request.recording_id:
            turn.answer(request, Outcome.IGNORED)
        else:
            turn.answer(request, Outcome.FAILED, problems.ALREADY_RECORDING)
        return
    turn.resolve({Goal.ADOPT}, Outcome.IGNORED)
    turn.update(adopting=request.recording_id)
    turn.wait_for(request, Goal.ADOPT, turn.room.policy.action_ttl)


def _already_recording(turn: Turn, request: Request) -> None:
    turn.answer(request, Outcome.FAILED, problems.ALREADY_RECORDING)


_Row = dict[Action, Callable[[Turn, Request], None]]

_ALWAYS: _Row = {
    Action.EXTEND: limits.extend,
    Action.RESTREAM_START: restream.start_pressed,
    Action.RESTREAM_STOP: restream.stop_pressed,
    Action.LIVE_ON: live.pressed,
    Action.LIVE_OFF: live.pressed,
    Action.MEETING_START: meetings.started,
    Action.MEETING_END: meeting_ends.ended,
    Action.MEETING_EXTEND: meeting_ends.extended,
    Action.DESCRIBE: details.describe_pressed,
}

_ACTIVE: _Row = {
    Action.RECORD: _resume,
    Action.STOP: _stop,
    Action.PAUSE: _pause,
    Action.RESUME: _resume,
    Action.TOGGLE: _stop,
    Action.TOGGLE_PAUSE: _toggle_pause,
    Action.MARK: _mark,
    Action.ADOPT: _adopt,
}

_TABLE: dict[State, _Row] = {
    State.IDLE: {
        Action.RECORD: _start,
        Action.STOP: _stop_in_idle,
        Action.PAUSE: _not_recording,
        Action.RESUME: _not_recording,
        Action.TOGGLE: _start,
        Action.TOGGLE_PAUSE: _not_recording,
        Action.MARK: _not_recording,
        Action.ADOPT: _adopt,
    },
    State.STARTING: {
        Action.RECORD: _record_while_starting,
        Action.STOP: _stop_while_starting,
        Action.PAUSE: _pause_while_starting,
        Action.RESUME: _resume_while_starting,
        Action.TOGGLE: _toggle_while_starting,
        Action.TOGGLE_PAUSE: _toggle_pause_while_starting,
        Action.MARK: _mark,
        Action.ADOPT: _already_recording,
    },
    State.RECORDING: _ACTIVE | {Action.RECORD: _ignore, Action.RESUME: _ignore},
    State.PAUSING: _ACTIVE,
    State.PAUSED: _ACTIVE,
    State.RESUMING: _ACTIVE,
    State.STOPPING: {
        Action.RECORD: _start_after_stop,
        Action.STOP: _stop_while_stopping,
        Action.PAUSE: _not_recording,
        Action.RESUME: _not_recording,
        Action.TOGGLE: _toggle_while_stopping,
        Action.TOGGLE_PAUSE: _not_recording,
        Action.MARK: _not_recording,
        Action.ADOPT: _adopt,
    },
    State.ERROR: {
        Action.RECORD: _replace,
        Action.STOP: _stop,
        Action.PAUSE: _not_recording,
        Action.RESUME: _not_recording,
        Action.TOGGLE: _not_certain,
        Action.TOGGLE_PAUSE: _not_certain,
        Action.MARK: _not_recording,
        Action.ADOPT: _adopt,
    },
    State.UNKNOWN: {
        Action.RECORD: _record_while_unknown,
        Action.STOP: _stop_while_unknown,
        Action.PAUSE: _not_recording,
        Action.RESUME: _not_recording,
        Action.TOGGLE: _not_certain,
        Action.TOGGLE_PAUSE: _not_certain,
        Action.MARK: _not_recording,
        Action.ADOPT: _adopt,
    },
}

TABLE = {state: row | _ALWAYS for state, row in _TABLE.items()}
