"""Commands that wait for one HMP, and the tasks that wait for their answers."""

import heapq
from collections.abc import Callable
from itertools import count
from typing import Any, TypeAlias, TypeVar

import outcome
import trio

from .command import Command
from .link import Passage

__all__ = ["CommandQueue", "Exchanged", "Request"]

T = TypeVar("T")

Exchanged: TypeAlias = Callable[[Command[Any], Passage, outcome.Outcome[Any]], None]
"""Hears of every command that is settled: when it passed, and what came of it.

Of a bridge's links it is the `Observer` of ``metrics/observe``, which ``daemon/site`` hands over.
"""


class Request:
    """A command on its way, and the task that waits for it; the link's own probes have none."""

    __slots__ = ("_exchanged", "command", "passage", "sent", "task")

    def __init__(
        self,
        command: Command[Any],
        task: trio.lowlevel.Task | None,
        passage: Passage,
        exchanged: Exchanged | None,
    ) -> None:
        self.command = command
        self.task = task
        self.passage = passage
        self._exchanged = exchanged
        #: whether it left the queue: from then on its task waits for what became of it
        self.sent = False

    def settle(self, result: outcome.Outcome[Any]) -> None:
        """Let the task go on with `result`; to be called once."""
        self.passage.ended_at = trio.current_time()
        if self._exchanged is not None:
            self._exchanged(self.command, self.passage, result)
        if self.task is not None:
            trio.lowlevel.reschedule(self.task, result)


class CommandQueue:
    """A heap by priority, then by age.

    A task waits as `trio.to_thread.run_sync` does: cancelled before its command was sent, the
    command is withdrawn; afterwards the wait goes on, and returns the answer as if nobody had
    cancelled. So an answer that was received is never turned into `trio.Cancelled`.
    """

    def __init__(self, exchanged: Exchanged | None = None) -> None:
        self._exchanged = exchanged
        self._heap: list[tuple[int, int, Request]] = []
        self._sequence = count()

    def __len__(self) -> int:
        return len(self._heap)

    def put(self, command: Command[Any], priority: int) -> None:
        """Enqueue a command whose answer no task waits for."""
        self._push(Request(command, None, Passage(), self._exchanged), priority)

    async def wait(self, command: Command[T], priority: int, passage: Passage | None = None) -> T:
        """Enqueue `command` and wait until somebody settles it; its times go into `passage`."""
        task = trio.lowlevel.current_task()
        request = Request(command, task, passage or Passage(), self._exchanged)
        entry = self._push(request, priority)

        def abort(_: Callable[[], Any]) -> trio.lowlevel.Abort:
            if request.sent:
                return trio.lowlevel.Abort.FAILED
            self._heap.remove(entry)
            heapq.heapify(self._heap)
            return trio.lowlevel.Abort.SUCCEEDED

        result: T = await trio.lowlevel.wait_task_rescheduled(abort)
        return result

    def take(self) -> Request:
        """The command that goes next; it counts as sent."""
        request = heapq.heappop(self._heap)[2]
        request.sent = True
        request.passage.sent_at = trio.current_time()
        return request

    def clear(self) -> list[Request]:
        """Everything that waits, in no order; the caller settles it."""
        removed, self._heap = self._heap, []
        return [request for _, _, request in removed]

    def _push(self, request: Request, priority: int) -> tuple[int, int, Request]:
        request.passage.queued_at = trio.current_time()
        entry = (priority, next(self._sequence), request)
        heapq.heappush(self._heap, entry)
        return entry
