"""One room's loop: requests in, commands out, state and results out.

The middle of the way of a press. Everything that is decided is decided in pure functions; this loop
gives them the time and carries what they say:

    request ──▶ decide ─┐                       ┌─▶ publish state, give results
    answer  ──▶ apply  ─┼─▶ RoomState ─▶ settle ┤
    link    ──▶ link_changed                    └─▶ next_step ──▶ the server link ──▶ answer
    time    ──▶ tick  ──┘

A room has one step under way at most. Requests are decided while it is, so a press is never held up
by HMP. A step that is no longer wanted is withdrawn; one that is on its way to HMP cannot be, and
its answer is always taken in, also when the room is being shut down (R6).
"""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

import trio

from ..hmp.client import ServerLink
from ..hmp.commands import RecordingId
from ..hmp.errors import LinkDown, OutcomeUnknown, Refused
from .answer import Answer, Done, NotSent
from .answers import apply
from .model import decide, link_changed, tick
from .plan import PRIORITY, next_step, wake_in
from .state import Change, Now, Policy, Request, Result, RoomState, Step
from .vocabulary import StepKind

__all__ = ["Room", "ServerFacts", "now"]


@dataclass(slots=True)
class ServerFacts:
    """What the rooms of one server have learnt about it."""

    #: It has answered 060003 to the question after a lost start, so that not doing so tells (R7b).
    proves: bool = False


@dataclass(frozen=True, slots=True)
class _Answered:
    step: Step
    answer: Answer


_Input = Request | _Answered | bool


def now() -> Now:
    """This instant, on Trio's clock for durations and the wall clock for people."""
    return Now(trio.current_time(), time.time())


class Room:
    """A room and its recorder.

    `publish` gets the state whenever it has changed, `give` every result, in that order.
    """

    def __init__(
        self,
        name: str,
        policy: Policy,
        link: ServerLink,
        *,
        facts: ServerFacts,
        publish: Callable[[RoomState], None],
        give: Callable[[Result], None],
    ) -> None:
        self.name = name
        self.state = RoomState(policy, not_ready_since=trio.current_time())
        self._link = link
        self._facts = facts
        self._publish = publish
        self._give = give
        self._inbox: deque[_Input] = deque()
        self._wake = trio.Event()
        self._withdrawal = trio.CancelScope()
        self._published: RoomState | None = None
        self._results: list[Result] = []

    def submit(self, request: Request) -> None:
        """Ask something of the room; the result is given when it is due."""
        self._put(request)

    def link_changed(self, *, ready: bool) -> None:
        """Tell the room whether its server link is usable."""
        self._put(ready)

    def holds(self, recording_id: RecordingId) -> bool:
        """Whether the recording with this id is this room's."""
        recording = self.state.recording
        held = None if recording is None else recording.id
        return recording_id in (held, self.state.adopting)

    async def run(self) -> None:
        """Serve the room until cancelled; a command in flight is waited for then, not cut off."""
        try:
            async with trio.open_nursery() as nursery:
                while True:
                    self._take_in()
                    self._send(nursery)
                    self._settle()
                    with trio.move_on_after(wake_in(self.state, now())):
                        await self._wake.wait()
        finally:
            self._take_in()
            self._settle()

    def _put(self, item: _Input) -> None:
        self._inbox.append(item)
        self._wake.set()

    def _take_in(self) -> None:
        """Decide everything that has come, and let time pass."""
        self._wake = trio.Event()
        instant = now()
        while self._inbox:
            match self._inbox.popleft():
                case Request() as request:
                    self._become(decide(self.state, request, instant))
                case _Answered(step, answer):
                    known = replace(self.state, server_proves=self._facts.proves)
                    self._become(apply(known, step, answer, instant))
                    self._facts.proves = self.state.server_proves
                case bool() as ready:
                    self._become(link_changed(self.state, ready, instant))
        self._become(tick(self.state, instant))

    def _become(self, change: Change) -> None:
        self.state = change.state
        self._results += change.results

    def _settle(self) -> None:
        """Say how things stand, then what came of requests: a result never runs ahead (R1)."""
        if self.state is not self._published:
            self._publish(self.state)
            self._published = self.state
        results, self._results = self._results, []
        for result in results:
            self._give(result)

    def _send(self, nursery: trio.Nursery) -> None:
        """Send what is wanted now, or call back what waits and is wanted no more (R10)."""
        step = next_step(self.state, now())
        if self.state.busy is None and step is not None:
            self.state = replace(self.state, busy=step)
            self._withdrawal = trio.CancelScope()
            nursery.start_soon(self._exchange, step, self._withdrawal)
        elif self.state.busy != step:
            self._withdrawal.cancel()

    async def _exchange(self, step: Step, withdrawal: trio.CancelScope) -> None:
        answer: Answer = NotSent()
        try:
            with withdrawal:
                answer = await self._ask(step)
        finally:
            self._put(_Answered(step, answer))

    async def _ask(self, step: Step) -> Answer:
        if step.kind in (StepKind.POLL, StepKind.VERIFY):
            await trio.sleep(self._link.poll_delay(soon=step.kind is StepKind.VERIFY))
        try:
            return Done(await self._link.execute(step.command, PRIORITY[step.kind]))
        except (Refused, OutcomeUnknown) as answer:
            return answer
        except LinkDown:
            return NotSent()
