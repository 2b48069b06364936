"""A room's writings: results, and messages that were taken, kept before anybody hears of them."""

from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from math import inf

import trio

from ..journal.inputs import InputKey
from .delivery import Bearer
from .facts.state import RoomState
from .facts.values import Result
from .memory.memory import Memory
from .stages import Stages

__all__ = ["Writing", "Writings"]

_GATHERING = 0.02
"""Seconds for which what only PUBACK waits for may wait for what else comes: HMP's answer (R27)."""


@dataclass(slots=True, eq=False)
class Writing:
    """Heard of once it is written; `saved` waits for that, None where nothing need be.

    `patient`: nobody waits for it but the broker, for PUBACK.
    """

    saved: Awaitable[None] | None = None
    patient: bool = True
    results: list[tuple[Result, Stages]] = field(default_factory=list)
    bearers: list[Bearer] = field(default_factory=list)


class Writings:
    """All that has come about in a room; `given` is told of each result, in order (R1, R6).

    What is heard `at_once` leaves together (`Audience`).
    """

    def __init__(
        self,
        memory: Memory,
        given: Callable[[Result, Stages], None],
        at_once: Callable[[], AbstractContextManager[None]],
    ) -> None:
        self._memory = memory
        self._given = given
        self._at_once = at_once
        self._taken: list[InputKey] = []
        self._next = Writing()
        #: What the journal was given and nobody has heard yet, the oldest first.
        self._under_way: deque[Writing] = deque()
        #: Of that, what `run` is to see through.
        self._left: list[Writing] = []
        #: What it is to see through when something comes that is not patient, or when it is due.
        self._waiting: list[Writing] = []
        #: `trio.current_time` until which that may wait; infinite: there is none.
        self.due_at = inf
        self._more = trio.lowlevel.ParkingLot()
        self._waits_for_the_journal = False
        self._closed = False

    @property
    def due(self) -> int:
        """Results that the journal has not been given."""
        return len(self._next.results)

    @property
    def unserved(self) -> Writing | None:
        """What `run` is to see through next, unless it waits for the journal with another one."""
        return self._left[0] if self._left and not self._waits_for_the_journal else None

    def add(self, result: Result, stages: Stages) -> None:
        """This has come about."""
        self._next.results.append((result, stages))

    def take(self, key: InputKey | None, bearer: Bearer | None) -> None:
        """A message was taken in: `bearer` is to be told once that cannot be lost (R27)."""
        if key is not None:
            self._taken.append(key)
        if bearer is not None:
            self._next.bearers.append(bearer)

    def hand_over(self, state: RoomState, *, first: bool = False) -> Writing | None:
        """Give the journal what has come about; None where nothing need be seen through.

        Unless it goes `first`, or somebody waits for a result, it is patient.
        """
        writing, self._next = self._next, Writing()
        taken, self._taken = self._taken, []
        results = [result for result, _ in writing.results]
        writing.patient = not (first or results)
        writing.saved = self._memory.keep(state, results, taken)
        if writing.saved is None and self._under_way:  # it is being written already
            self._under_way[-1].bearers += writing.bearers
            return None
        if writing.saved is None and not writing.bearers:
            return None
        self._under_way.append(writing)
        return writing

    async def see_through(
        self, writing: Writing | None, then: Callable[[], None] | None = None
    ) -> None:
        """Once it would survive a kill: `then`, and let be heard what came of it.

        What was handed over before it is as safe, and is heard of before it.
        """
        if writing is not None and writing.saved is not None:
            with trio.CancelScope(shield=True):
                await writing.saved
        with self._at_once():
            if then is not None:
                then()
            self._let_hear(writing)

    def leave(self, writing: Writing) -> None:
        """Have `run` see it through; what is patient with what comes next, or when it is due."""
        if writing.saved is None:
            self._let_hear(writing)
            return
        self._waiting.append(writing)
        if not writing.patient:
            self.hasten()
        elif self.due_at == inf:
            self.due_at = trio.current_time() + _GATHERING

    def hasten(self) -> None:
        """Have all that is left to `run` seen through now."""
        self.due_at = inf
        self._left += self._waiting
        self._waiting.clear()
        self._more.unpark()

    async def run(self) -> None:
        """See through what is left to it, until `close` and the last of it."""
        with trio.CancelScope(shield=True):
            while self._left or not self._closed:
                if not self._left:
                    await self._more.park()
                    continue
                writings, self._left = self._left, []
                self._waits_for_the_journal = True
                for writing in writings:  # as a rule one commit has them all
                    assert writing.saved is not None  # noqa: S101 - else it is not left here
                    await writing.saved
                self._waits_for_the_journal = False
                self._let_hear(writings[-1])

    def close(self) -> None:
        """Nothing more is left to `run`."""
        self._closed = True
        self.hasten()

    def _let_hear(self, writing: Writing | None) -> None:
        with self._at_once():
            while writing in self._under_way:
                each = self._under_way.popleft()
                for result, stages in each.results:
                    self._given(result, stages)
                for bearer in each.bearers:
                    bearer.accept()
