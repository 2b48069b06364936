"""A broker that answers as MQTT 3.1.1 asks, and closes the connection over what it does not like.

No real one can be made to: they are services in a cloud.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import trio

from .scripted_broker import read_packet

__all__ = ["PickyBroker", "Refuses", "picky_broker"]

Refuses = Callable[[str], bool]
"""True for a topic, or a topic filter, that this broker closes the connection over."""

_CONNECT, _PUBLISH, _SUBSCRIBE, _UNSUBSCRIBE, _PINGREQ = 1, 3, 8, 10, 12


class PickyBroker:
    """`retained` is what it holds, `connections` counts CONNECTs, `filters` SUBSCRIBE by packet."""

    def __init__(self, publish: Refuses, subscribe: Refuses, silent: Refuses) -> None:
        self.port = 0
        self.connections = 0
        self.retained: dict[str, bytes] = {}
        self.published: list[tuple[str, bytes]] = []
        self.filters: list[list[str]] = []
        self._hates_publish, self._hates_subscribe, self._leaves = publish, subscribe, silent
        self._news = trio.lowlevel.ParkingLot()

    async def until(self, true: Callable[["PickyBroker"], bool]) -> None:
        """Return once this is true."""
        while not true(self):
            await self._news.park()

    async def serve(self, stream: trio.SocketStream) -> None:
        """One connection."""
        with suppress(trio.BrokenResourceError):
            async with stream:
                while packet := await read_packet(stream):
                    answer = self._answer(packet[0] >> 4, packet[0] & 0x0F, _body(packet))
                    self._news.unpark_all()
                    if answer is None:
                        return
                    await stream.send_all(answer)

    def _answer(self, kind: int, flags: int, body: bytes) -> bytes | None:
        if kind == _CONNECT:
            self.connections += 1
            return b"\x20\x02\x00\x00"
        if kind == _SUBSCRIBE:
            filters = list(_filters(body[2:]))
            self.filters.append(filters)
            if any(self._hates_subscribe(each) for each in filters):
                return None
            if any(self._leaves(each) for each in filters):
                return b""
            return bytes([0x90, 2 + len(filters), *body[:2], *(1 for _ in filters)])
        if kind == _UNSUBSCRIBE:
            return bytes([0xB0, 2, *body[:2]])
        if kind == _PUBLISH:
            return self._take(flags, body)
        return b"\xd0\x00" if kind == _PINGREQ else None

    def _take(self, flags: int, body: bytes) -> bytes | None:
        length = int.from_bytes(body[:2], "big")
        topic, rest = body[2 : 2 + length].decode(), body[2 + length :]
        identifier, payload = (rest[:2], rest[2:]) if flags & 0x06 else (b"", rest)
        if self._hates_publish(topic):
            return None
        self.published.append((topic, payload))
        if flags & 0x01:
            self.retained[topic] = payload
        return b"\x40\x02" + identifier if identifier else b""


@asynccontextmanager
async def picky_broker(
    *,
    publish: Refuses = lambda _: False,
    subscribe: Refuses = lambda _: False,
    silent: Refuses = lambda _: False,
) -> AsyncIterator[PickyBroker]:
    """Such a broker on loopback, for the time of the body; to a `silent` filter it says nothing."""
    broker = PickyBroker(publish, subscribe, silent)
    async with trio.open_nursery() as nursery:
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
        nursery.start_soon(trio.serve_listeners, broker.serve, listeners)
        broker.port = listeners[0].socket.getsockname()[1]
        yield broker
        nursery.cancel_scope.cancel()


def _body(packet: bytes) -> bytes:
    """What follows the remaining length."""
    start = next(place for place in range(1, len(packet)) if not packet[place] & 0x80)
    return packet[start + 1 :]


def _filters(rest: bytes) -> list[str]:
    found = []
    while rest:
        length = int.from_bytes(rest[:2], "big")
        found.append(rest[2 : 2 + length].decode())
        rest = rest[3 + length :]
    return found
