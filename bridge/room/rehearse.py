"""A request as it would go, played through with an HMP that says yes to everything."""

from dataclasses import dataclass, replace

from ..hmp.command import Command
from ..hmp.commands import (
    CreateSession,
    GetRecordingStatus,
    PauseRecording,
    RecordingId,
    RecordingStatus,
    ResumeRecording,
    SessionId,
    StartRecording,
    StartRestreamRecording,
    StopRecording,
    StreamId,
)
from .facts.answer import Done
from .facts.policy import Policy
from .facts.state import Change, RoomState
from .facts.values import Now, Request, Result
from .facts.vocabulary import Action, State
from .rules.answers import apply
from .rules.model import decide, link_changed, tick
from .rules.plan import ROUTINE, next_step, wake_in

__all__ = ["Rehearsal", "rehearse"]

_MOST_COMMANDS = 1000
"""No room wants so many; a rehearsal that went round in circles would end there."""

_PATIENCE = 120.0
"""Seconds, on the clock of the rehearsal, that a result is waited for."""

_MADE_UP = "00000000-0000-4000-8000-{:012d}"


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """The commands that HMP would be sent, in order, the request's end, and the room's state then.

    Routine looks at a recording that runs are left out: they follow from no request. `result` is
    None for a request whose result does not fall due while it is rehearsed.
    """

    commands: tuple[Command[object], ...]
    result: Result | None
    state: State


def rehearse(policy: Policy, request: Request, now: Now, *, recording: bool = False) -> Rehearsal:
    """Play the request through in a room that is idle and ready, or that is `recording`."""
    stage = _Stage(policy, now)
    if recording:
        stage.ask(replace(request, action=Action.RECORD, id="before", word="record", title=None))
    return stage.ask(request)


class _Stage:
    """A room, a clock that only this module moves, and an HMP that knows one recording."""

    def __init__(self, policy: Policy, now: Now) -> None:
        self._now = now
        self._results: list[Result] = []
        self._status = RecordingStatus.FINISHED
        self._made = 0
        self._room = RoomState(policy, not_ready_since=now.monotonic)
        self._become(link_changed(self._room, True, now))

    def ask(self, request: Request) -> Rehearsal:
        """Take the request, and go on until its result is there and nothing but polls is left."""
        began = self._now.monotonic
        commands: list[Command[object]] = []
        self._results.clear()
        self._become(decide(self._room, replace(request, received_at=began), self._now))
        while len(commands) < _MOST_COMMANDS and self._now.monotonic - began < _PATIENCE:
            self._become(tick(self._room, self._now))
            step = next_step(self._room, self._now)
            if step is None or step.kind in ROUTINE:
                if self._result_of(request) is not None:
                    break
                self._wait()
            else:
                commands.append(step.command)
            if step is not None:
                self._room = replace(self._room, busy=step)
                answer = Done(self._answer(step.command))
                self._become(apply(self._room, step, answer, self._now))
        return Rehearsal(tuple(commands), self._result_of(request), self._room.state)

    def _result_of(self, request: Request) -> Result | None:
        return next((each for each in self._results if each.id == request.id), None)

    def _wait(self) -> None:
        pause = min(wake_in(self._room, self._now), self._room.policy.poll_interval)
        pause = max(pause, 0.1)
        self._now = Now(self._now.monotonic + pause, self._now.wall + pause)

    def _become(self, change: Change) -> None:
        self._room = change.state
        self._results += change.results

    def _answer(self, command: Command[object]) -> object:
        self._made += 1
        made_up = _MADE_UP.format(self._made)
        match command:
            case CreateSession():
                return SessionId(made_up)
            case StartRestreamRecording():
                return StreamId(made_up)
            case StartRecording():
                self._status = RecordingStatus.RECORDING
                return RecordingId(made_up)
            case PauseRecording():
                self._status = RecordingStatus.PAUSED
            case ResumeRecording():
                self._status = RecordingStatus.RECORDING
            case StopRecording():
                self._status = RecordingStatus.FINISHED
            case GetRecordingStatus():
                return self._status
            case _:
                pass
        return None
