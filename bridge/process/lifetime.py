"""The time that something runs beside others of its kind, and can end before they do."""

from collections.abc import Awaitable, Callable

import trio

__all__ = ["Lifetime"]


class Lifetime:
    """One stay in a nursery: it ends with the nursery, or by `end`."""

    def __init__(self) -> None:
        self._scope = trio.CancelScope()
        self._ended = trio.Event()

    async def of(self, run: Callable[[], Awaitable[None]]) -> None:
        """Carry out `run`, which knows how to leave when it is cancelled."""
        try:
            with self._scope:
                await run()
        finally:
            self._ended.set()

    def end(self) -> None:
        """Have it leave."""
        self._scope.cancel()

    async def ended(self) -> None:
        """Wait until it has left."""
        await self._ended.wait()
