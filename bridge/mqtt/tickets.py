"""Tickets: what was given and is not confirmed yet, and those who wait until it is."""

import trio

__all__ = ["Tickets"]


class Tickets:
    """Numbers in the order in which they are given; each is open until it is closed."""

    def __init__(self) -> None:
        self._last = 0
        self._open: dict[int, None] = {}
        self._closing = trio.lowlevel.ParkingLot()

    def __len__(self) -> int:
        return len(self._open)

    def new(self) -> int:
        """One more, open."""
        self._last += 1
        self._open[self._last] = None
        return self._last

    def close(self, *tickets: int) -> None:
        """These are closed; whoever waits for any looks again, also where there were none."""
        for ticket in tickets:
            self._open.pop(ticket, None)
        if self._closing:
            self._closing.unpark_all()

    async def closed(self) -> None:
        """Wait for the next `close`."""
        await self._closing.park()

    async def settled(self) -> None:
        """Wait until all that were given so far are closed."""
        await trio.lowlevel.checkpoint()
        last = self._last
        while self._open and next(iter(self._open)) <= last:
            await self._closing.park()
