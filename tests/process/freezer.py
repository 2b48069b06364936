"""A program that becomes the daemon, and on SIGUSR1 freezes one of its loops.

``python freezer.py FUNCTION hmp-bridge run …``: the tasks that are inside of the function of this
qualified name do nothing from their next step on, as if they waited for what never comes; nor do
they heed a cancellation. All else goes on.
"""

import signal
import sys
from collections.abc import Iterator

import trio


async def _never() -> None:
    await trio.lowlevel.wait_task_rescheduled(lambda _: trio.lowlevel.Abort.FAILED)


class _Frozen:
    """Stands in for a task's coroutine, which is kept: the end of one runs its clean-up."""

    def __init__(self, coroutine: object) -> None:
        self._coroutine = coroutine

    def send(self, _value: object) -> object:
        """What Trio is given by a task that waits."""
        return _never().send(None)


def _tasks(task: trio.lowlevel.Task) -> Iterator[trio.lowlevel.Task]:
    yield task
    for nursery in task.child_nurseries:
        for child in nursery.child_tasks:
            yield from _tasks(child)


def main(function: str) -> None:
    """Run the daemon."""

    def freeze(_number: int, _frame: object) -> None:
        root = trio.lowlevel.current_root_task()
        assert root is not None
        inside = [
            task
            for task in _tasks(root)
            if any(frame.f_code.co_qualname == function for frame, _ in task.iter_await_frames())
        ]
        assert inside, function
        for task in inside:
            task.coro = _Frozen(task.coro)  # type: ignore[assignment]
        print(f"frozen: {function}", flush=True)

    signal.signal(signal.SIGUSR1, freeze)
    from bridge.__main__ import main as run

    run()


if __name__ == "__main__":
    _, name, *sys.argv = sys.argv
    main(name)
