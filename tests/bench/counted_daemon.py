"""``python -m tests.bench.counted_daemon FILE run …``: `hmp-bridge`, and how many tasks it has.

Once a second at most, before it waits for I/O, the number of Trio's tasks is written to the file:
from outside nobody sees them. An instrument counts; nothing else of the program differs.
"""

import sys
import time
from functools import partial
from pathlib import Path

import trio

from bridge.__main__ import main as hmp_bridge

__all__ = ["Census", "main"]


class Census(trio.abc.Instrument):
    """Counts tasks as they come and go."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._living = 0
        self._written_at = 0.0

    def task_spawned(self, task: trio.lowlevel.Task) -> None:  # noqa: ARG002 - as Trio calls it
        """One more."""
        self._living += 1

    def task_exited(self, task: trio.lowlevel.Task) -> None:  # noqa: ARG002 - as Trio calls it
        """One less."""
        self._living -= 1

    def before_io_wait(self, timeout: float) -> None:  # noqa: ARG002 - as Trio calls it
        """Everybody has had a turn."""
        if (now := time.monotonic()) - self._written_at >= 1:
            self._written_at = now
            draft = self._file.with_suffix(".new")
            draft.write_text(str(self._living), encoding="ascii")
            draft.replace(self._file)  # whoever reads it reads all of it


def main() -> None:
    """The program, with the first argument taken off."""
    census = Census(Path(sys.argv.pop(1)))
    trio.run = partial(trio.run, instruments=[census])  # type: ignore[assignment]
    hmp_bridge()


if __name__ == "__main__":
    main()
