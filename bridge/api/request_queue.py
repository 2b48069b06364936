"""Requests that wait for one server, in the order in which they came.

A queue has one command at the link at most, so that requests never overtake each other there and
each can expire where it waits. Time runs out in two ways: at the sender's deadline (MQTT 5's
message expiry), or, without one, when the link has been unusable for `ttl` seconds since (R8).

::

    submit ──▶ waiting ──▶ journalled, where a repeat would do harm ──▶ server link ──▶ answer
                 │  ▲                                                        │
                 │  └──────────── the link was lost, nothing was sent ◀──────┤
                 ▼                                                           ▼
              expired                                                     unknown
"""

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import trio

from ..hmp.client import ServerLink
from ..hmp.commands import Command
from ..hmp.errors import LinkDown, OutcomeUnknown, Refused
from ..hmp.link import LinkState, Priority
from ..hmp.queue import Settled
from ..mqtt.api_topics import Answer, Caller
from ..process.progress import Progress
from . import answers
from .ledger import Entry, Ledger

__all__ = ["MOST_WAITING", "Call", "Downtime", "Finish", "RequestQueue"]

MOST_WAITING = 64
"""Requests of one queue that may wait at once: what a program that never waits for answers can
pile up."""

_FAREWELL = 5.0
"""Seconds that answering what was left waiting may take at shutdown."""

_SHORTEST_SLEEP = 0.001
"""Seconds; what is left of a time may be too little for a clock to show."""

Finish = Callable[["Call", Answer, Callable[[], None]], None]
"""Gets each call with its one answer, and what to call once the broker has that."""


class Downtime:
    """A clock that runs only while the link is unusable."""

    def __init__(self) -> None:
        self._total = 0.0
        self._since: float | None = trio.current_time()

    def link_changed(self, *, ready: bool) -> None:
        """The link has become usable or unusable."""
        self._total = self.now()
        self._since = None if ready else trio.current_time()

    @property
    def running(self) -> bool:
        """True while the link is unusable."""
        return self._since is not None

    def now(self) -> float:
        """Seconds so far."""
        return self._total + (0.0 if self._since is None else trio.current_time() - self._since)


@dataclass(slots=True, eq=False)
class Call:
    """One request that was validated.

    `heard` is told at once what came of the command, before HMP says anything else. `deadline` is
    `trio.current_time`, infinite where the sender gave none; `ttl_until` is then on the clock of
    `Downtime`. `entry` is there where it is journalled.
    """

    caller: Caller
    command: Command[Any]
    received_at: float
    heard: Settled
    deadline: float = math.inf
    ttl_until: float = math.inf
    entry: Entry | None = None
    taken: trio.Event = field(default_factory=trio.Event)


class RequestQueue:
    """Carries out one request after the other."""

    def __init__(
        self,
        link: ServerLink,
        priority: Priority,
        downtime: Downtime,
        ledger: Ledger,
        finish: Finish,
    ) -> None:
        self._link = link
        self._priority = priority
        self._downtime = downtime
        self._ledger = ledger
        self._finish = finish
        self._waiting: deque[Call] = deque()
        self._under_way = False
        self._carrying_out = Progress()
        self._expiring = Progress()

    @property
    def due_at(self) -> float:
        """By when both loops go on by themselves (`Progress`)."""
        return min(self._carrying_out.due_at, self._expiring.due_at)

    @property
    def full(self) -> bool:
        """True while another request would be too many."""
        return len(self._waiting) >= MOST_WAITING

    @property
    def goes_at_once(self) -> bool:
        """True while a request that is submitted is sent at once."""
        return not self._waiting and not self._under_way and not self._downtime.running

    def submit(self, call: Call) -> None:
        """Have a request carried out when its turn comes."""
        self._waiting.append(call)
        self.wake()

    def wake(self) -> None:
        """The link has changed."""
        self._carrying_out.wanted()
        self._expiring.wanted()

    async def run(self) -> None:
        """Carry out, and let expire, until cancelled; then answer whatever was left waiting."""
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._expire)
                await self._carry_out_in_order()
        finally:
            for each in (self._carrying_out, self._expiring):
                each.waits()
            with trio.move_on_after(_FAREWELL, shield=True):
                while self._waiting:
                    await self._answer(self._waiting.popleft(), answers.STOPPING)

    async def _carry_out_in_order(self) -> None:
        while True:
            self._carrying_out.within(0.0)
            await trio.lowlevel.checkpoint()
            while not self._waiting or self._link.state is not LinkState.READY:
                await self._carrying_out.rest()
            call = self._waiting.popleft()
            self._under_way = True
            self._carrying_out.waits()  # for the journal, and for the link
            try:
                await self._carry_out(call)
            finally:
                self._under_way = False

    async def _carry_out(self, call: Call) -> None:
        answer: Answer | None = answers.STOPPING
        try:
            answer = await self._ask(call)
        finally:
            if answer is None:
                self._waiting.appendleft(call)
                self.wake()
            else:
                await self._answer(call, answer)

    async def _ask(self, call: Call) -> Answer | None:
        """The answer to the request; None where nothing was sent and it can still wait."""
        with trio.CancelScope(deadline=call.deadline):
            if call.entry is not None:
                await call.taken.wait()
                await self._ledger.sending(call.entry)
            try:
                done = await self._link.execute(call.command, self._priority, call.heard)
                return answers.done(done)
            except Refused as error:
                return answers.refused(error)
            except OutcomeUnknown as error:
                return answers.unknown(error, call.command)
            except LinkDown:
                if call.entry is not None:
                    self._ledger.unsent(call.entry)
                return None
        return answers.EXPIRED

    async def _answer(self, call: Call, answer: Answer) -> None:
        """Give the answer, after it has been journalled where that matters (R6)."""
        arrived: Callable[[], None] = _nothing
        if call.entry is not None:
            with trio.CancelScope(shield=True):
                await self._ledger.answered(call.entry, answer)
            arrived = partial(self._ledger.arrived, call.entry)
        self._finish(call, answer, arrived)

    async def _expire(self) -> None:
        while True:
            while (call := self._first_over()) is not None:
                self._waiting.remove(call)
                self._expiring.waits()  # for the journal
                await self._answer(call, answers.EXPIRED)
            await self._expiring.rest(trio.current_time() + self._next_expiry())

    def _first_over(self) -> Call | None:
        now, down = trio.current_time(), self._downtime.now()
        over = (c for c in self._waiting if c.deadline <= now or c.ttl_until <= down)
        return next(over, None)

    def _next_expiry(self) -> float:
        now, down = trio.current_time(), self._downtime.now()
        left = [call.deadline - now for call in self._waiting]
        if self._downtime.running:
            left += [call.ttl_until - down for call in self._waiting]
        return max(_SHORTEST_SLEEP, min(left, default=math.inf))


def _nothing() -> None:
    pass
