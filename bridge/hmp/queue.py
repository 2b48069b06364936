"""Commands that wait for one HMP, and those who wait for their answers."""

import heapq
from collections.abc import Callable
from itertools import count
from typing import Any, TypeAlias

import outcome
import trio

from .command import Command
from .link import Passage

__all__ = ["CommandQueue", "Exchanged", "Request", "Settled", "Waiter"]

Exchanged: TypeAlias = Callable[[Command[Any], Passage, outcome.Outcome[Any]], None]
"""Hears of every command that is settled: when it passed, and what came of it.

Of a bridge's links it is the `Observer` of ``metrics/observe``, which ``daemon/site`` hands over.
"""

Settled: TypeAlias = Callable[[outcome.Outcome[Any]], object]
"""Hears, once, what came of one command."""


class Request:
    """A command on its way, and who hears what came of it; of the link's own probes nobody does."""

    __slots__ = ("_exchanged", "_queue", "_settled", "command", "passage")

    def __init__(
        self,
        command: Command[Any],
        settled: Settled | None,
        passage: Passage,
        exchanged: Exchanged | None,
        queue: "CommandQueue",
    ) -> None:
        self.command = command
        self.passage = passage
        self._settled = settled
        self._exchanged = exchanged
        self._queue = queue

    @property
    def is_probe(self) -> bool:
        """True where nobody waits for what comes of it."""
        return self._settled is None

    def withdraw(self) -> bool:
        """Take the command back if it still waits, and nothing comes of it; True if so."""
        return self._queue.withdraw(self)

    def settle(self, result: outcome.Outcome[Any], at: float | None = None) -> None:
        """Say what came of it, by now or `at` a moment before; to be called once."""
        self.passage.ended_at = trio.current_time() if at is None else at
        if self._exchanged is not None:
            self._exchanged(self.command, self.passage, result)
        if self._settled is not None:
            self._settled(result)


class Waiter:
    """Waits for what comes of one command: `settle` is to be told, and tells `heard`.

    As `trio.to_thread.run_sync` does: cancelled before the command was sent, the command is
    withdrawn; afterwards the wait goes on, and returns the answer as if nobody had cancelled. So an
    answer that was received is never turned into `trio.Cancelled`.
    """

    def __init__(self, heard: Settled | None = None) -> None:
        self._heard = heard
        self._task: trio.lowlevel.Task | None = None
        self._result: outcome.Outcome[Any] | None = None

    def settle(self, result: outcome.Outcome[Any]) -> None:
        """This came of it."""
        if self._heard is not None:
            self._heard(result)
        self._result = result
        if self._task is not None:
            trio.lowlevel.reschedule(self._task)

    async def wait(self, withdraw: Callable[[], bool]) -> Any:
        """The answer, or raise what came of it; `withdraw` tells whether it could do so."""

        def abort(_: Callable[[], Any]) -> trio.lowlevel.Abort:
            return trio.lowlevel.Abort.SUCCEEDED if withdraw() else trio.lowlevel.Abort.FAILED

        if self._result is None:
            self._task = trio.lowlevel.current_task()
            await trio.lowlevel.wait_task_rescheduled(abort)
        assert self._result is not None  # noqa: S101 - nothing else reschedules the task
        return self._result.unwrap()


class CommandQueue:
    """A heap by priority, then by age."""

    def __init__(self, exchanged: Exchanged | None = None) -> None:
        self._exchanged = exchanged
        self._heap: list[tuple[int, int, Request]] = []
        self._sequence = count()

    def __len__(self) -> int:
        return len(self._heap)

    def put(
        self,
        command: Command[Any],
        priority: int,
        passage: Passage | None = None,
        settled: Settled | None = None,
    ) -> Request:
        """Enqueue a command; its times go into `passage`, what comes of it to `settled`."""
        request = Request(command, settled, passage or Passage(), self._exchanged, self)
        request.passage.queued_at = trio.current_time()
        heapq.heappush(self._heap, (priority, next(self._sequence), request))
        return request

    def withdraw(self, request: Request) -> bool:
        """Take a command out that still waits; True if there was one."""
        kept = [entry for entry in self._heap if entry[2] is not request]
        withdrawn = len(kept) < len(self._heap)
        if withdrawn:
            heapq.heapify(kept)
            self._heap = kept
        return withdrawn

    def take(self) -> Request:
        """The command that goes next; it counts as sent."""
        request = heapq.heappop(self._heap)[2]
        request.passage.sent_at = trio.current_time()
        return request

    def refuse(self, failure: Callable[[], Exception]) -> None:
        """Tell whoever waits, each by a failure of its own, that the command was not sent."""
        removed, self._heap = self._heap, []
        for _, _, request in removed:
            request.settle(outcome.Error(failure()))
