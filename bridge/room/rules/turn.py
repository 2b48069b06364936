"""One turn of a room: the state as it is being changed and the results that fall due.

`decide`, `tick` and `apply` are pure functions from a state to a `Change`; within one of them this
builder carries the intermediate state, so that their bodies read as a list of what happens.
"""

from collections.abc import Container
from dataclasses import replace
from math import inf

from ...hmp.commands import RecordingStatus
from ..facts import problems
from ..facts.changed import changed
from ..facts.meeting import Meeting
from ..facts.state import Change, Recording, RoomState, elapsed
from ..facts.values import Now, Pending, Problem, Request, Result
from ..facts.vocabulary import Alarm, Goal, Outcome, Stop, Target

__all__ = ["ASKED_AGAIN", "ASK_AGAIN", "DETAILS_FOR", "MARK_EVERY", "SPARE_FOR", "Turn"]

ASK_AGAIN = 1.0
"""Seconds before a question is put again whose answer does not settle it."""

ASKED_AGAIN = 3
"""How often a question is put again before its answer ends something (`bridge/RULES.md`)."""

MARK_EVERY = 1.0
"""Seconds between two HotMarks: HMP rounds down to the second (addHotmark)."""

DETAILS_FOR = 600.0
"""Seconds for which the details of a recording that has ended are still tried."""

SPARE_FOR = 86_400.0
"""Seconds after which nobody records any more by accident."""


class Turn:
    """A state under change, at one instant."""

    def __init__(self, room: RoomState, now: Now) -> None:
        self.room = room
        self.now = now
        self._before = room
        self._answers: list[tuple[Request, Outcome, Problem | None]] = []

    def update(self, **changes: object) -> None:
        """Replace fields of the room."""
        self.room = changed(self.room, changes)

    def update_recording(self, **changes: object) -> None:
        """Replace fields of the recording, which must exist."""
        self.update(recording=changed(self.recording, changes))

    @property
    def recording(self) -> Recording:
        """The recording; asking without one is a mistake of ours."""
        assert self.room.recording is not None  # noqa: S101  # an invariant, not a check of input
        return self.room.recording

    def alarm(self, alarm: Alarm) -> None:
        """Raise an alarm."""
        if alarm not in self.room.alarms:
            self.update(alarms=self.room.alarms | {alarm})

    def clear(self, *alarms: Alarm) -> None:
        """Clear alarms."""
        if not self.room.alarms.isdisjoint(alarms):
            self.update(alarms=self.room.alarms - set(alarms))

    def answer(
        self, request: Request | None, outcome: Outcome, problem: Problem | None = None
    ) -> None:
        """Give a request its one result; what the room does by itself has none."""
        if request is not None:
            self._answers.append((request, outcome, problem or request.doubt))

    def wait_for(
        self, request: Request, goal: Goal, left: float | None, *, about: str = ""
    ) -> None:
        """Accept a request; its result comes when `goal` is reached or given up."""
        waiting = self.as_pending(request, goal, left, about=about)
        self.update(pending=(*self.room.pending, waiting))

    def as_pending(
        self, request: Request, goal: Goal, left: float | None, *, about: str = ""
    ) -> Pending:
        """A request that survives `left` more seconds of an unusable link (R8).

        An outage that has begun counts from now on only.
        """
        since = self.room.not_ready_since
        if left is not None and since is not None:
            left += self.now.monotonic - since
        return Pending(request, goal, left, about)

    def resolve(
        self,
        goals: Container[Goal],
        outcome: Outcome,
        problem: Problem | None = None,
        *,
        about: str | None = None,
    ) -> None:
        """Answer every pending request that waits for one of `goals`, of `about` where given."""

        def meant(pending: Pending) -> bool:
            return pending.goal in goals and about in (None, pending.about)

        over = [pending for pending in self.room.pending if meant(pending)]
        for pending in over:
            self.answer(pending.request, outcome, problem)
        if over:
            self.update(pending=tuple(p for p in self.room.pending if not meant(p)))

    def fail_start(self, problem: Problem, *, for_good: bool = False) -> None:
        """Nothing is being recorded for `problem`; what restarts by itself tries again (R25).

        A meeting's start is tried again while the meeting runs: nobody stands by to press.
        """
        self.update(problem=problem)
        again_at = self.now.monotonic + self.room.policy.interrupt_backoff
        if self.room.restarting and not for_good:
            self.update(start_not_before=again_at)
            return
        if not for_good:
            self.be_due(self.room.next_owner, retry_at=again_at)
        self.want_nothing()
        self.resolve({Goal.START, Goal.PAUSE, Goal.RESUME}, Outcome.FAILED, problem)

    def want_recording(self, owner: str, title: str | None = None) -> None:
        """From now on the room is to be recorded, for `owner` (R5)."""
        interrupted_at = self.room.interrupted_at
        if self.room.recording is None:
            self.resolve({Goal.STOP}, Outcome.IGNORED)
        for other in self.room.served:
            self.be_due(other)
        self.update_meeting(owner, due=False)
        self.update(
            target=Target.RECORDING,
            # A restart that was still to come is overtaken by this start.
            interrupted_at=interrupted_at and min(interrupted_at, self.now.monotonic),
            next_owner=owner,
            next_title=title or self.room.next_title,
            next_counts_from=None,
            intended_at=self.now.monotonic,
            restarted=False,
            start_not_before=0.0,
        )

    def want_nothing(self) -> None:
        """From now on nothing is to be recorded; the title of a start that was to come goes too."""
        self.update(target=Target.IDLE, next_title=None)

    def want_stop(self) -> None:
        """The recording is to be ended by HMP, and that at once."""
        self.update_recording(stop=Stop.WANTED, not_before=0.0)

    def stop_recording(self) -> None:
        """The bridge ends the recording: its meeting is over, or its time."""
        self.want_nothing()
        if self.room.recording is not None and self.recording.id is not None:
            if self.recording.stop is Stop.NO:
                self.want_stop()
            self.update_recording(cut_until=None, not_before=0.0)

    def meeting(self, owner: str) -> Meeting | None:
        """The meeting with this owner, while it is not over."""
        return next((each for each in self.room.meetings if each.owner == owner), None)

    def update_meeting(self, owner: str, **changes: object) -> None:
        """Replace fields of the meeting with this owner, if there is one."""
        if self.meeting(owner) is not None:
            meetings = self.room.meetings
            self.update(
                meetings=tuple(
                    changed(each, changes) if each.owner == owner else each for each in meetings
                )
            )

    def be_due(self, owner: str, *, retry_at: float = 0.0) -> None:
        """The meeting with this owner is to be recorded, unless a person has dismissed it (R11)."""
        if (meeting := self.meeting(owner)) is not None and not meeting.dismissed:
            self.update_meeting(owner, due=True, retry_at=retry_at)

    def dismiss_meetings(self, *, until: float = inf) -> None:
        """A person has stopped the recording: nothing is started for the meetings of now (R11).

        Where nobody can tell when that was, `until` is the monotonic time before which it was not;
        who had not begun by then is recorded.
        """
        dismissed = [
            replace(each, dismissed=True, due=False) if each.began <= until else each
            for each in self.room.meetings
        ]
        if dismissed != list(self.room.meetings):
            self.update(meetings=tuple(dismissed))

    def suspect_spare(self) -> None:
        """A lost start may be recording beside what comes next (`lost_start`, R7b)."""
        self.update(spare_suspected=True, spare_until=self.now.monotonic + SPARE_FOR)

    def leave_lost_start(self) -> None:
        """Nothing more can be learnt about it now; the alarm stays."""
        self.suspect_spare()
        self.update(lost_start=None, spare_suspected=False)

    def certain(self) -> None:
        """HMP has spoken of the recording, so the only doubt left is about a spare one (R7b)."""
        if self.room.spare_until is None:
            self.clear(Alarm.OUTCOME_UNKNOWN)

    def wait_until(self, moment: float) -> None:
        """Ask or send nothing for the recording before the monotonic time `moment`."""
        self.update_recording(not_before=moment)

    def next_try_at(self, failures: int, longest: float) -> float:
        """Monotonic time to try again at what has failed so often in a row, within `longest` s."""
        # 2**20 half-seconds are far beyond any `longest`; the bound keeps the power small.
        return self.now.monotonic + min(longest, 0.5 * 2.0 ** min(failures, 20))

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
        active = status in (RecordingStatus.RECORDING, RecordingStatus.PAUSED)
        paused_since = recording.paused_since
        if status is not RecordingStatus.PAUSED:
            paused_since = None
        elif paused_since is None:
            paused_since = self.now.monotonic
        self.update_recording(
            status=status,
            active_at=self.now.monotonic if active else recording.active_at,
            recorded=recorded,
            running_since=running,
            paused_since=paused_since,
            pause_over=recording.pause_over and paused_since is not None,
        )
        if changed:
            self.update(elapsed=elapsed(self.recording, self.now))

    def follow_status(self) -> None:
        """Give up what was wanted and want what is, so that the state stops being an ``-ing``."""
        if self.recording.stop is Stop.NO:
            paused = self.recording.status is RecordingStatus.PAUSED
            self.update(target=Target.PAUSED if paused else Target.RECORDING)

    def end_recording(self) -> None:
        """The recording is over: keep its id, give up what only a running one could do."""
        recording, details = self.recording, self.room.details
        for mark in self.room.marks:
            self.answer(mark.request, Outcome.FAILED, problems.ENDED)
        if details is not None and details.recording == recording.id:
            # What is still to be given to it is tried for a while.
            details = replace(details, until=self.now.monotonic + DETAILS_FOR)
        self.update(
            marks=(),
            recording=None,
            elapsed=0,
            details=details,
            spare_suspected=self.room.spare_until is not None,
            last_recording_id=recording.id or self.room.last_recording_id,
        )
        self.clear(Alarm.ENDING_SOON, Alarm.PAUSED_TOO_LONG)
        self.resolve({Goal.MEETING_END}, Outcome.OK, about=recording.owner)

    def sweep(self) -> None:
        """Answer what nothing will answer any more, now that no command is under way (R10).

        A pending request whose goal contradicts the target was overtaken; one whose goal was
        reached without a command of ours found it already so. Both end `ignored`.
        """
        room = self.room
        undecided = room.busy is not None or room.lost_start is not None
        if not room.pending or undecided or room.adopting is not None:
            return
        recording = room.recording
        self._sweep_ends()
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

    def _sweep_ends(self) -> None:
        """A meeting that is over and is not recorded, nor to be, has nothing left to end."""
        room = self.room
        if not room.awaits(Goal.MEETING_END):
            return
        owners = {each.owner for each in room.meetings}
        if room.recording is not None:
            owners.add(room.recording.owner)
        if room.target is not Target.IDLE:
            owners.add(room.next_owner)
        for pending in room.pending:
            if pending.goal is Goal.MEETING_END and pending.about not in owners:
                self.resolve({Goal.MEETING_END}, Outcome.IGNORED, about=pending.about)

    def finish(self) -> Change:
        """The change, once everything is answered that nothing will answer any more."""
        self.sweep()
        return self.as_it_is()

    def as_it_is(self) -> Change:
        """The change, each result with the state as it now is and the seconds it took."""
        if self.room is not self._before and self.room.held != self._before.held:
            self.update(revision=self.room.revision + 1)
        results = tuple(
            Result(
                id=request.id,
                word=request.word,
                origin=request.origin,
                outcome=outcome,
                state=self.room.state,
                problem=problem,
                took=self.now.monotonic - request.received_at,
                recording_id=self.room.held_id,
                reply=request.reply,
            )
            for request, outcome, problem in self._answers
        )
        return Change(self.room, results)
