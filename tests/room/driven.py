"""A room driven by hand: what the worker's loop and the server link do, on a clock of our own.

A step goes out as soon as the room wants it. It is *written* at once, a poll after the poll
interval, and nothing while `queueing` is true. A step that waits is called back when the room no
longer wants it; one that was written is answered by the test. Every request must get exactly one
result: `DrivenRoom` fails as soon as there is a second one.
"""

from collections.abc import Callable
from dataclasses import replace

from bridge.hmp.commands import RecordingId, RecordingStatus, SessionId
from bridge.hmp.errors import NotUnderstood, OutcomeUnknown, Refused
from bridge.room.facts.answer import Answer, Done, NotSent
from bridge.room.facts.meeting import Meeting
from bridge.room.facts.policy import Policy
from bridge.room.facts.state import Change, RoomState
from bridge.room.facts.values import Now, Request, Result
from bridge.room.facts.vocabulary import Action, Outcome, State, StepKind
from bridge.room.memory.durable import from_document, remember, restore, to_document
from bridge.room.rules.answers import apply
from bridge.room.rules.model import decide, link_changed, tick
from bridge.room.rules.plan import next_step, wake_in
from tests.room.policies import policy_of

__all__ = [
    "DOWN",
    "FINISHED",
    "IS_ERROR",
    "IS_PAUSED",
    "IS_RECORDING",
    "LOST",
    "NOT_FOUND",
    "NOT_RECORDED",
    "OK",
    "OTHER_ID",
    "POLICY",
    "RECORDING_ID",
    "SESSION",
    "SESSION_RECORDS",
    "STARTED",
    "STATUS_NOT_FOUND",
    "UNCLEAR",
    "WALL",
    "DrivenRoom",
    "recording",
    "refused",
]

SESSION = SessionId("71edd346-2cf0-4c62-b3d3-9d457b287394")
RECORDING_ID = RecordingId("f678f415-0665-48cd-b141-1e95283469f1")
OTHER_ID = RecordingId("0f0f0f0f-0665-48cd-b141-1e95283469f1")
POLICY = policy_of(SESSION)
#: Wall time when the driven clock shows 0.
WALL = 1_700_000_000.0

OK = Done()
STARTED = Done(RECORDING_ID)
IS_RECORDING = Done(RecordingStatus.RECORDING)
IS_PAUSED = Done(RecordingStatus.PAUSED)
IS_ERROR = Done(RecordingStatus.ERROR)
FINISHED = Done(RecordingStatus.FINISHED)
LOST = OutcomeUnknown("any", "the connection was lost")
NOT_FOUND = Refused("040001", "Active recording not found", "040001", "getRecordingStatus")


def refused(code: str, message: str, command: str) -> Refused:
    """HMP's refusal of a command."""
    return Refused(code, message, code, command)


DOWN = refused("070000", "Internal Server Error", "any")
STATUS_NOT_FOUND = refused("070003", "Recording not found", "getRecordingStatus")


#: What HMP says of a session when it is asked to remove a source from it that nobody has (R7b).
NOT_RECORDED = refused("040009", "Source not found", "removeSourceFromSession")
SESSION_RECORDS = refused("060003", "Recording currently in progress", "removeSourceFromSession")
UNCLEAR = NotUnderstood("getRecordingStatus", "HMP says 'FINALIZING', no status of its guide")

_LONGEST_SLEEP = 1e6
"""Seconds, beyond the longest that a room waits for anything."""


class DrivenRoom:
    """One room and everything around it that is not the model."""

    def __init__(self, policy: Policy = POLICY, *, ready: bool = True) -> None:
        self.clock = 0.0
        #: By how much the wall clock has been set, and whether it can be believed.
        self.stepped = 0.0
        self.synchronised = True
        self._looked_at = self._wall_clock()
        self.room = RoomState(policy, not_ready_since=0.0)
        self.queueing = False
        self.written = False
        #: When the step under way may be written: polls are spread (R3).
        self.due = 0.0
        self.results: dict[str | int, Result] = {}
        self.asked: list[str | int] = []
        #: Steps that were written, in order.
        self.sent: list[StepKind] = []
        if ready:
            self.link(ready=True)

    @property
    def now(self) -> Now:
        """This instant."""
        return Now(self.clock, WALL + self.clock + self.stepped, self.synchronised)

    @property
    def state(self) -> State:
        """The published state."""
        return self.room.state

    @property
    def step(self) -> StepKind | None:
        """The step under way, in the queue or written."""
        return None if self.room.busy is None else self.room.busy.kind

    def sends(self, *kinds: StepKind) -> bool:
        """Whether the step under way is of one of these kinds."""
        return self.step in kinds

    def command(self) -> object:
        """What is under way says to HMP."""
        return None if self.room.busy is None else self.room.busy.command

    def press(
        self,
        action: Action | str,
        *,
        title: str | None = None,
        recording_id: RecordingId | None = None,
        ip: str | None = None,
        port: int | None = None,
        meeting: Meeting | None = None,
        seconds: float | None = None,
        field: str = "title",
        text: str = "Weekly",
    ) -> int:
        """Ask something of the room; the request's id. `field` and `text` are for metadata."""
        action = Action(action)
        describes = action is Action.DESCRIBE
        request_id = len(self.asked) + 1
        self.asked.append(request_id)
        request = Request(
            action,
            request_id,
            f"metadata/{field}" if describes else str(action),
            f"hmp/room/r/press/{action}",
            self.clock,
            title=title,
            recording_id=recording_id,
            ip=ip,
            port=port,
            meeting=meeting,
            seconds=seconds,
            text=text if describes else None,
        )
        self.hear(lambda room, now: decide(room, request, now))
        return request_id

    def answer(self, answer: Answer) -> None:
        """HMP's answer to the step under way, or word that there will be none."""
        step = self.room.busy
        assert step is not None, "nothing is under way"
        if not self.written and not self.queueing and not isinstance(answer, NotSent):
            self.wait(self.due - self.clock)
        assert self.written or isinstance(answer, NotSent), "it still waits in the queue"
        self.written = False
        self._become(apply(self.room, step, answer, self.now))
        self._go_on()

    def answers(self, *answers: Answer) -> None:
        """Several answers in a row, each to the step that the one before brought about."""
        for answer in answers:
            self.answer(answer)

    def lose(self, answer: Answer = NOT_FOUND, *, times: int = 4) -> None:
        """HMP does not know the recording, so often, and its session speaks for nothing (R25)."""
        for _ in range(times):
            self.answer(answer)
            assert self.step is StepKind.WITNESS
            self.answer(NOT_RECORDED)
            if self.room.recording is not None and not self.room.recording.lost:
                self.wait(1.0)

    def insist(self, answer: Answer) -> None:
        """HMP answers so as often as it is asked, until that counts."""
        for _ in range(3):
            self.answer(answer)
            assert self.step is None
            self.wait(1.0)
        self.answer(answer)

    def hear(self, told: Callable[[RoomState, Now], Change]) -> None:
        """The room is told something, as the worker tells it."""
        self._become(told(self.room, self.now))
        self._go_on()

    def link(self, *, ready: bool) -> None:
        """Word of the server link."""
        self.hear(lambda room, now: link_changed(room, ready, now))

    def cut(self, *, seconds: float = 0.0) -> None:
        """The link is lost with what is under way, and comes back after `seconds`."""
        if self.room.busy is not None:
            written = self.written
            self._become(link_changed(self.room, False, self.now))
            self.answer(LOST if written else NotSent())
        else:
            self.link(ready=False)
        self.wait(seconds)
        self.link(ready=True)

    def kill(self, *, same_boot: bool = True) -> None:
        """The next process takes over, which has the journal; its link is not ready yet."""
        known = from_document(to_document(remember(self.room)))
        policy = self.room.policy
        self._become(
            restore(
                policy,
                known,
                saved_at=self.clock,
                shift=0.0,
                same_boot=same_boot,
                now=self.now,
            )
        )
        self._go_on()

    def let_go(self) -> None:
        """What waits in the queue is written now."""
        self.queueing = False
        assert self.room.busy is not None, "nothing waits"
        if not self.written:
            self._write()

    def wait(self, seconds: float) -> None:
        """Time passes, in the steps in which the worker would look."""
        end = self.clock + seconds
        while True:
            until = self.clock + wake_in(self.room, self.now)
            if self.room.busy is not None and not self.written and self.due > self.clock:
                until = min(until, self.due)
            self.check_that_nothing_passes_unseen()
            if until > end:
                break
            self.clock = until
            self._go_on()
        self.clock = end
        self._go_on()

    def check_that_nothing_passes_unseen(self) -> None:
        """Just before the room would wake by itself, it is what it was and wants what it wanted.

        Polls and others' words may wake it earlier: whatever falls due by time does not rely on it.
        """
        if self._wall_clock() != self._looked_at:
            return  # it was set meanwhile, which nobody knows in advance
        asleep = min(wake_in(self.room, self.now), _LONGEST_SLEEP)
        passed = asleep - min(0.001, asleep / 2)
        then = Now(self.clock + passed, self.now.wall + passed, self.synchronised)
        if then.monotonic >= self.clock + asleep:
            return  # no number lies between the two
        change = tick(self.room, then)
        assert change == Change(self.room, ()), "something fell due and nobody looked"
        assert next_step(self.room, then) == next_step(self.room, self.now), "a step fell due"

    def outcome(self, request_id: int) -> Outcome | None:
        """What became of a request, None while it waits."""
        result = self.results.get(request_id)
        return None if result is None else result.outcome

    def code(self, request_id: int) -> str | None:
        """The code of what went wrong with a request."""
        problem = self.results[request_id].problem
        return None if problem is None else problem.code

    def _wall_clock(self) -> tuple[float, bool]:
        return self.stepped, self.synchronised

    def _become(self, change: Change) -> None:
        self.room = change.state
        for result in change.results:
            assert result.id in self.asked, f"a result for {result.id}, which nobody asked"
            assert result.id not in self.results, f"a second result for {result.id}"
            self.results[result.id] = result

    def _go_on(self) -> None:
        """Let time take effect, call back what waits in vain, send what is wanted."""
        self._looked_at = self._wall_clock()
        for _ in range(20):
            self._become(tick(self.room, self.now))
            step = next_step(self.room, self.now)
            busy = self.room.busy
            if busy is None and step is not None:
                until = wake_in(self.room, self.now)
                self.room = replace(self.room, busy=step)
                assert wake_in(self.room, self.now) >= until, "a step brings a moment about"
                self.written = False
                polling = step.kind is StepKind.POLL
                self.due = self.clock + (self.room.policy.poll_interval if polling else 0.0)
            elif busy is None or busy == step or self.written:
                if busy is not None:
                    self._write_when_due()
                return
            else:
                self._become(apply(self.room, busy, NotSent(), self.now))
        raise AssertionError("the room goes round in circles")

    def _write_when_due(self) -> None:
        if not self.written and not self.queueing and self.due <= self.clock:
            self._write()

    def _write(self) -> None:
        assert self.room.busy is not None
        self.written = True
        self.sent.append(self.room.busy.kind)


def recording(policy: Policy = POLICY) -> DrivenRoom:
    """A room that records, as HMP's first status has confirmed."""
    room = DrivenRoom(policy)
    room.press(Action.RECORD)
    room.answers(STARTED, IS_RECORDING)
    return room
