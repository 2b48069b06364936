"""Turns: one answer at a time is made, and every address has as many as any other.

An answer costs the event loop about a millisecond, so that whoever asks for hundreds at once would
have all others wait for them, the rooms too. A turn is the making of an answer alone: no peer that
sends or takes slowly holds one.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from weakref import WeakValueDictionary

import trio

from ..process.progress import Progress
from .guesses import network

__all__ = ["Turns"]


class Turns:
    """Whose turn it is: the addresses go round, and of one address the first that came."""

    def __init__(self) -> None:
        self._making = trio.Semaphore(1)
        #: Of whoever has his turn: no turn waits for anything from outside.
        self.progress = Progress()
        #: One for each address: only the first of a line stands with those of the others.
        self._lines: WeakValueDictionary[str, trio.Semaphore] = WeakValueDictionary()

    def __len__(self) -> int:
        """The addresses of the requests that are under way."""
        return len(self._lines)

    @asynccontextmanager
    async def turn(self, address: str) -> AsyncIterator[Callable[[], None]]:
        """Wait for a turn, and have it until the end, or until what is given is called."""
        line = self._lines.setdefault(network(address), trio.Semaphore(1))
        with ExitStack() as held:
            for each in (line, self._making):
                await each.acquire()
                held.callback(each.release)
            self.progress.within(0.0)
            held.callback(self.progress.waits)
            yield held.close
