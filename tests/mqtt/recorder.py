"""The far end of an image: a connection that records what is posted, with PUBACKs on demand."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import trio
import trio.testing
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from bridge.mqtt.image import Image

__all__ = ["Recorder", "flushed"]

SUCCESS = ReasonCode(PacketTypes.PUBACK, "Success")


class Recorder:
    """A connection with a window of `window`, whose other end acknowledges when told to."""

    def __init__(self, window: int = 1000, largest: int = 10_000) -> None:
        self.window = window
        self.largest = largest
        self.posted: list[tuple[str, bytes, int, bool]] = []
        self.correlation: list[bytes | None] = []
        self.drains = 0
        self._waiting: list[Callable[[ReasonCode], None]] = []
        self._room = trio.lowlevel.ParkingLot()

    @property
    def has_room(self) -> bool:
        return len(self._waiting) < self.window

    def fits(self, topic: str, payload: bytes, correlation_data: bytes | None = None) -> bool:
        return len(topic) + len(payload) + len(correlation_data or b"") <= self.largest

    def post(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: int,
        retain: bool,
        correlation_data: bytes | None = None,
        acknowledged: Callable[[ReasonCode], None] | None = None,
    ) -> None:
        self.posted.append((topic, payload, qos, retain))
        self.correlation.append(correlation_data)
        if qos:
            assert acknowledged is not None
            self._waiting.append(acknowledged)

    def together(self) -> AbstractContextManager[None]:
        return nullcontext()

    async def room(self) -> None:
        while not self.has_room:
            await self._room.park()

    async def drained(self) -> None:
        self.drains += 1
        await trio.lowlevel.checkpoint()

    def acknowledge(self, count: int | None = None, reason: ReasonCode = SUCCESS) -> None:
        """PUBACK for the oldest `count` messages."""
        count = len(self._waiting) if count is None else count
        done, self._waiting = self._waiting[:count], self._waiting[count:]
        for acknowledged in done:
            acknowledged(reason)
        self._room.unpark_all()

    def topics(self, qos: int) -> list[tuple[str, bytes]]:
        """What was posted at this quality of service."""
        return [(topic, payload) for topic, payload, each, _ in self.posted if each == qos]


async def flushed(image: Image, carrier: Recorder) -> None:
    """Flush until nothing more happens, and leave the connection."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(image.flush, carrier)
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
