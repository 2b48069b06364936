"""Loops that are frozen: in the process of a test, or in a daemon that this program becomes.

``python freezer.py FUNCTION[,FUNCTION…] hmp-bridge run …`` freezes the first function on the first
SIGUSR1, and thaws it on SIGUSR2. The next SIGUSR1 is for the next function.
"""

import signal
import sys
from collections.abc import Callable, Iterator
from typing import Any

import trio

__all__ = ["freeze", "tasks"]


async def _never() -> None:
    await trio.lowlevel.wait_task_rescheduled(lambda _: trio.lowlevel.Abort.FAILED)


class _Frozen:
    """Stands in for a task's coroutine, which is kept: the end of one runs its clean-up."""

    def __init__(self, task: trio.lowlevel.Task) -> None:
        self._task = task
        self._coroutine: Any = task.coro
        self._is_thawed = False
        #: What the task waited for, an outcome, once that has come.
        self._came: Any = None
        task.coro = self  # type: ignore[assignment]

    def __getattr__(self, name: str) -> Any:
        """All else that is asked of a coroutine: whether it is running, where it waits."""
        return getattr(self._coroutine, name)

    def send(self, came: object) -> object:
        """What Trio is given by a task that waits."""
        if self._is_thawed:
            return self._coroutine.send(came)
        self._came = came
        return _never().send(None)

    def thaw(self) -> None:
        """Have the task go on, with what it has waited for if that has come."""
        self._is_thawed = True
        self._task.coro = self._coroutine
        if self._came is not None:
            trio.lowlevel.reschedule(self._task, self._came)


def tasks(task: trio.lowlevel.Task | None) -> Iterator[trio.lowlevel.Task]:
    """The task and all that run below it."""
    assert task is not None
    yield task
    for nursery in task.child_nurseries:
        for child in nursery.child_tasks:
            yield from tasks(child)


def freeze(function: str) -> Callable[[], None]:
    """Freeze the tasks that wait inside of the function of this qualified name; what thaws them.

    They do nothing from their next step on, as if they waited for what never comes; nor do they
    heed a cancellation. All else goes on. Thawed, they go on where they were.
    """
    inside = [
        task
        for task in tasks(trio.lowlevel.current_root_task())
        if any(frame.f_code.co_qualname == function for frame, _ in task.iter_await_frames())
    ]
    assert inside, function
    frozen = [_Frozen(task) for task in inside]

    def thaw() -> None:
        while frozen:
            frozen.pop().thaw()

    return thaw


def main(functions: Iterator[str]) -> None:
    """Run the daemon."""
    thaws: list[Callable[[], None]] = []

    def freeze_next() -> None:
        function = next(functions)
        thaws.append(freeze(function))
        print(f"frozen: {function}", flush=True)

    def thaw() -> None:
        while thaws:
            thaws.pop()()
        print("thawed", flush=True)

    def soon(what: Callable[[], None]) -> Callable[[int, object], None]:
        # A signal may come while the very task has its turn, which then waits nowhere.
        return lambda _number, _frame: trio.lowlevel.current_trio_token().run_sync_soon(what)

    signal.signal(signal.SIGUSR1, soon(freeze_next))
    signal.signal(signal.SIGUSR2, soon(thaw))
    from bridge.__main__ import main as run

    run()


if __name__ == "__main__":
    _, names, *sys.argv = sys.argv
    main(iter(names.split(",")))
