"""The re-stream of the last finished recording.

::

           restream_start             OK|id
      none ──────────────▶ WAITING ─────────────▶ RUNNING ── restream_stop, OK or 040003 ──▶ none
       ▲                    │   │                    ▲
       ├───── refused ──────┘   │ reply lost         │ OK|id; 010006: its id is lost
       │                        ▼                    │
       └───── refused ─────── sent again ────────────┘

A lost reply leaves a doubt (`Restream.doubt`) that HMP itself can end: the same command again gets
``010006`` where the first one worked (E45), since an address takes one re-stream. A re-stream
without id cannot be stopped here; `restream_start` asks HMP in the same way whether it still runs.
"""

from ...hmp.commands import StartRestreamRecording, StopRestreamRecording
from ...hmp.errors import ErrorKind, Refused
from ..facts import problems
from ..facts.answer import Answer, Done, problem_of
from ..facts.changed import changed
from ..facts.created import Phase, Restream
from ..facts.state import RoomState, Step
from ..facts.values import Request
from ..facts.vocabulary import Goal, Outcome, StepKind, Target
from .turn import Turn

__all__ = ["errand", "settle", "start_lost", "start_pressed", "started", "stop_pressed", "stopped"]

_BOTH = {Goal.RESTREAM, Goal.RESTREAM_END}


# What people ask.


def start_pressed(turn: Turn, request: Request) -> None:
    """`restream_start`, in any state: it waits until nothing is being recorded."""
    policy, stream = turn.room.policy, turn.room.restream
    ip = request.ip or policy.restream_ip
    port = request.port or policy.restream_port
    if stream is None:
        if ip is None or port is None:
            turn.answer(request, Outcome.FAILED, problems.NO_DESTINATION)
            return
        turn.update(restream=Restream(ip, port))
    elif stream.wanted and stream.phase is Phase.RUNNING and stream.id is None:
        if (ip, port) != (stream.ip, stream.port):
            turn.answer(request, Outcome.FAILED, problems.STREAM_ID_UNKNOWN)
            return
        _update(turn, phase=Phase.WAITING, recording=None, doubt=True)
    elif (elsewhere := _elsewhere(request, stream)) is not None:
        if not _send_elsewhere(turn, stream, elsewhere):
            turn.answer(request, Outcome.FAILED, problems.STREAMS_ELSEWHERE)
            return
    elif not stream.wanted:
        turn.resolve({Goal.RESTREAM}, Outcome.IGNORED)
        _update(turn, wanted=True, then=None)  # a stop is under way
    else:
        turn.answer(request, Outcome.IGNORED)
        return
    turn.wait_for(request, Goal.RESTREAM, policy.action_ttl)


def _elsewhere(request: Request, stream: Restream) -> tuple[str, int] | None:
    """The destination that a request names, where it is not the one that there is."""
    named = request.ip or stream.ip, request.port or stream.port
    return None if named == (stream.ip, stream.port) else named


def _send_elsewhere(turn: Turn, stream: Restream, destination: tuple[str, int]) -> bool:
    """The last destination wins (R10), unless a re-stream runs, or may, that nobody has stopped."""
    sent = stream.recording is not None or turn.room.sending(StepKind.RESTREAM)
    if stream.phase is Phase.WAITING and not stream.doubt and not sent:
        turn.resolve({Goal.RESTREAM}, Outcome.IGNORED)
        turn.update(restream=Restream(*destination))
    elif stream.phase is Phase.RUNNING and not stream.wanted:
        turn.resolve({Goal.RESTREAM}, Outcome.IGNORED)
        _update(turn, then=destination)
    else:
        return False
    return True


def stop_pressed(turn: Turn, request: Request) -> None:
    """`restream_stop`, in any state; kept until HMP answers it."""
    stream = turn.room.restream
    if stream is None or not stream.wanted:
        if stream is not None and stream.then is not None:
            turn.resolve({Goal.RESTREAM}, Outcome.IGNORED)
            _update(turn, then=None)
        turn.answer(request, Outcome.IGNORED)
    elif stream.phase is Phase.RUNNING and stream.id is None:
        turn.answer(request, Outcome.FAILED, problems.STREAM_ID_UNKNOWN)
    else:
        _update(turn, wanted=False)
        turn.wait_for(request, Goal.RESTREAM_END, None)


# What to send.


def errand(room: RoomState) -> Step | None:
    """The step that is to be sent when the recording itself wants nothing."""
    stream = room.restream
    if stream is None:
        return None
    if stream.phase is Phase.RUNNING:
        if stream.wanted or stream.id is None:
            return None
        return Step(StepKind.RESTREAM_STOP, StopRestreamRecording(stream.id))
    recording = stream.recording
    if recording is None and stream.wanted and _all_finished(room):
        recording = room.last_recording_id
    if recording is None:
        return None
    return Step(StepKind.RESTREAM, StartRestreamRecording(recording, stream.ip, stream.port))


def _all_finished(room: RoomState) -> bool:
    return room.recording is None and room.lost_start is None


# What passes by itself.


def settle(turn: Turn) -> None:
    """Answer what nothing will answer any more, now that no command is under way (R10)."""
    stream = turn.room.restream
    if stream is None or turn.room.sending(StepKind.RESTREAM, StepKind.RESTREAM_STOP):
        return
    if stream.phase is Phase.RUNNING:
        _settle_running(turn, stream)
    elif stream.recording is None:
        _settle_waiting(turn, stream)


def _settle_running(turn: Turn, stream: Restream) -> None:
    if stream.wanted:
        turn.resolve(_BOTH, Outcome.IGNORED)
        return
    if stream.then is None:
        turn.resolve({Goal.RESTREAM}, Outcome.IGNORED)
    elif not turn.room.awaits(Goal.RESTREAM):
        _update(turn, then=None)
    if stream.id is None:
        turn.resolve({Goal.RESTREAM_END}, Outcome.FAILED, problems.STREAM_ID_UNKNOWN)
        _update(turn, wanted=True)


def _settle_waiting(turn: Turn, stream: Restream) -> None:
    room = turn.room
    if not stream.wanted or not room.awaits(Goal.RESTREAM):
        turn.resolve(_BOTH, Outcome.IGNORED)
        _give_up(turn, stream)
    elif room.recording is not None and room.recording.id is None:
        turn.resolve({Goal.RESTREAM}, Outcome.FAILED, problems.ID_UNKNOWN)
        _give_up(turn, stream)
    elif _all_finished(room) and room.target is Target.IDLE and room.last_recording_id is None:
        turn.resolve({Goal.RESTREAM}, Outcome.FAILED, problems.NOTHING_TO_STREAM)
        _give_up(turn, stream)


def _give_up(turn: Turn, stream: Restream) -> None:
    """It is not started; one whose id is lost may be running all the same."""
    if stream.doubt:
        _runs_without_id(turn)
    else:
        turn.update(restream=None)


def _runs_without_id(turn: Turn) -> None:
    _update(turn, phase=Phase.RUNNING, id=None, doubt=False)


# What HMP answers.


def started(turn: Turn, answer: Answer) -> None:
    """The answer to startRestreamRecording."""
    stream = _held(turn)
    match answer:
        case Done(value=stream_id):
            recording = stream.recording or turn.room.last_recording_id
            _update(turn, phase=Phase.RUNNING, id=stream_id, recording=recording, doubt=False)
            turn.resolve({Goal.RESTREAM}, Outcome.OK)
        case Refused(kind=ErrorKind.ADDRESS_IN_USE) if stream.doubt:
            turn.update(problem=problems.STREAM_ID_UNKNOWN)
            _runs_without_id(turn)
        case Refused():
            turn.update(problem=problem_of(answer))
            turn.resolve({Goal.RESTREAM}, Outcome.FAILED, problem_of(answer))
            if stream.doubt and answer.backend_down:
                _runs_without_id(turn)  # nothing was learnt
            else:
                turn.update(restream=None)
                turn.resolve({Goal.RESTREAM_END}, Outcome.IGNORED)
        case _:
            start_lost(turn)


def start_lost(turn: Turn) -> None:
    """No reply came to startRestreamRecording: ask by the same command, once."""
    stream = _held(turn)
    turn.resolve({Goal.RESTREAM}, Outcome.UNKNOWN, problems.OUTCOME_UNKNOWN)
    if stream.doubt:
        turn.update(problem=problems.STREAM_ID_UNKNOWN)
        _runs_without_id(turn)
    else:
        turn.update(problem=problems.OUTCOME_UNKNOWN)
        _update(turn, recording=turn.room.last_recording_id, doubt=True)


def stopped(turn: Turn, answer: Answer) -> None:
    """The answer to stopRestreamRecording."""
    stream = _held(turn)
    match answer:
        case Done() | Refused(kind=ErrorKind.STREAM_NOT_FOUND):
            turn.resolve({Goal.RESTREAM_END}, Outcome.OK)
            # Wanted again while the stop could not be called back any more.
            again = stream.then or ((stream.ip, stream.port) if stream.wanted else None)
            turn.update(restream=None if again is None else Restream(*again))
        case Refused():
            turn.update(problem=problem_of(answer))
            goals = _BOTH if stream.then is not None else {Goal.RESTREAM_END}
            turn.resolve(goals, Outcome.FAILED, problem_of(answer))
            _update(turn, wanted=True, then=None)
        case _:
            pass  # harmless to repeat


def _held(turn: Turn) -> Restream:
    assert turn.room.restream is not None  # noqa: S101  # kept while a command is under way
    return turn.room.restream


def _update(turn: Turn, **changes: object) -> None:
    turn.update(restream=changed(_held(turn), changes))
