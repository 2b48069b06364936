"""One turn of a room: the state as it is being changed and the results that fall due.

`decide`, `tick` and `apply` are pure functions from a state to a `Change`; within one of them this
builder carries the intermediate state, so that their bodies read as a list of what happens.
"""

from collections.abc import Container
from dataclasses import replace

from ..hmp.commands import RecordingStatus
from . import problems
from .state import Change, Now, Pending, Problem, Recording, Request, Result, RoomState, elapsed
from .vocabulary import Alarm, Goal, Outcome, Stop, Target

__all__ = ["SPARE_FOR", "Turn"]

SPARE_FOR = 86_400.0
"""Seconds after which nobody records any more by accident."""


class Turn:
    """A state under change, at one instant."""

    def __init__(self, room: RoomState, now: Now) -> None:
        self.room = room
        self.now = now
        self._answers: list[tuple[Request, Outcome, Problem | None]] = []

    def update(self, **changes: object) -> None:
        """Replace fields of the room."""
        self.room = replace(self.room, **changes)  # type: ignore[arg-type]  # names are the fields'

    def update_recording(self, **changes: object) -> None:
        """Replace fields of the recording, which must exist."""
        self.update(recording=replace(self.recording, **changes))  # type: ignore[arg-type]

    @property
    def recording(self) -> Recording:
        """The recording; asking without one is a mistake of ours."""
        assert self.room.recording is not None  # noqa: S101  # an invariant, not a check of input
        return self.room.recording

    def alarm(self, alarm: Alarm) -> None:
        """Raise an alarm."""
        self.update(alarms=self.room.alarms | {alarm})

    def clear(self, *alarms: Alarm) -> None:
        """Clear alarms."""
        self.update(alarms=self.room.alarms - set(alarms))

    def answer(self, request: Request, outcome: Outcome, problem: Problem | None = None) -> None:
        """Give a request its one result."""
        self._answers.append((request, outcome, problem))

    def wait_for(self, request: Request, goal: Goal, left: float | None) -> None:
        """Accept a request; its result comes when `goal` is reached or given up."""
        self.update(pending=(*self.room.pending, self.pending(request, goal, left)))

    def pending(self, request: Request, goal: Goal, left: float | None) -> Pending:
        """A request that survives `left` more seconds of an unusable link (R8).

        An outage that has begun counts from now on only.
        """
        since = self.room.not_ready_since
        if left is not None and since is not None:
            left += self.now.monotonic - since
        return Pending(request, goal, left)

    def resolve(
        self, goals: Container[Goal], outcome: Outcome, problem: Problem | None = None
    ) -> None:
        """Answer every pending request that waits for one of `goals`."""
        for pending in self.room.pending:
            if pending.goal in goals:
                self.answer(pending.request, outcome, problem)
        self.update(pending=tuple(p for p in self.room.pending if p.goal not in goals))

    def fail_start(self, problem: Problem, *, for_good: bool = False) -> None:
        """Nothing is being recorded for `problem`; what restarts by itself tries again (R25)."""
        self.update(problem=problem)
        if self.room.restarting and not for_good:
            pause = self.room.policy.interrupt_backoff
            self.update(start_not_before=self.now.monotonic + pause)
            return
        self.update(target=Target.IDLE, next_title=None)
        self.resolve({Goal.START, Goal.PAUSE, Goal.RESUME}, Outcome.FAILED, problem)

    def suspect_spare(self) -> None:
        """A start whose reply was lost may be recording beside what comes next (R7b)."""
        self.update(spare_suspected=True, spare_until=self.now.monotonic + SPARE_FOR)

    def certain(self) -> None:
        """HMP has spoken of the recording, so the only doubt left is about a spare one (R7b)."""
        if self.room.spare_until is None:
            self.clear(Alarm.OUTCOME_UNKNOWN)

    def wait_until(self, moment: float) -> None:
        """Ask or send nothing for the recording before the monotonic time `moment`."""
        self.update_recording(not_before=moment)

    def overtake_deferred(self) -> None:
        """A request that says exactly what is wanted overtakes toggles still undecided (R10)."""
        for pending in self.room.deferred:
            self.answer(pending.request, Outcome.IGNORED)
        self.update(deferred=())

    def set_status(self, status: RecordingStatus) -> None:
        """Take over what HMP says of the recording, and keep the count of seconds recorded."""
        recording = self.recording
        running = recording.running_since
        recorded = recording.recorded
        if running is not None and status is not RecordingStatus.RECORDING:
            recorded += self.now.monotonic - running
            running = None
        elif running is None and status is RecordingStatus.RECORDING:
            running = self.now.monotonic
        changed = status is not recording.status
        self.update_recording(status=status, recorded=recorded, running_since=running)
        if changed:
            self.update(elapsed=elapsed(self.recording, self.now))

    def end_recording(self) -> None:
        """The recording is over: keep its id, give up what only a running one could do."""
        recording = self.recording
        for mark in self.room.marks:
            self.answer(mark.request, Outcome.FAILED, problems.ENDED)
        self.update(
            marks=(),
            recording=None,
            elapsed=0,
            spare_suspected=self.room.spare_until is not None,
            last_recording_id=recording.id or self.room.last_recording_id,
        )

    def sweep(self) -> None:
        """Answer what nothing will answer any more, now that no command is under way (R10).

        A pending request whose goal contradicts the target was overtaken; one whose goal was
        reached without a command of ours found it already so. Both end `ignored`.
        """
        room = self.room
        if room.busy is not None or room.lost_start is not None or room.adopting is not None:
            return
        recording = room.recording
        if recording is None:
            over: set[Goal] = {Goal.PAUSE, Goal.RESUME, Goal.START, Goal.STOP}
            if room.target is not Target.IDLE:
                over -= {Goal.START}
                if room.target is Target.PAUSED:
                    over -= {Goal.PAUSE}
        elif recording.stop is not Stop.NO:
            over = {Goal.PAUSE, Goal.RESUME}
            if room.target is Target.IDLE:
                over |= {Goal.START}
        elif recording.unsettled:
            return
        else:
            over = {Goal.START, Goal.STOP}
            over |= {Goal.RESUME} if room.target is Target.PAUSED else {Goal.PAUSE}
            if recording.status is RecordingStatus.RECORDING:
                over |= {Goal.RESUME}
            elif recording.status is RecordingStatus.PAUSED:
                over |= {Goal.PAUSE}
        self.resolve(over, Outcome.IGNORED)

    def finish(self) -> Change:
        """The change, each result with the state as it now is and the seconds it took."""
        self.sweep()
        state, recording = self.room.state, self.room.recording
        results = tuple(
            Result(
                id=request.id,
                word=request.word,
                origin=request.origin,
                outcome=outcome,
                state=state,
                problem=problem,
                took=self.now.monotonic - request.received_at,
                recording_id=None if recording is None else recording.id,
                reply=request.reply,
            )
            for request, outcome, problem in self._answers
        )
        return Change(self.room, results)
