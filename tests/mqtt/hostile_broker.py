"""A broker that serves as any other does, in both versions, and says besides whatever it is told.

It has one subscriber to care for. What that says of the bridge's availability tells whether it is
online; a connection that it makes to find out about versions is accepted, and is not counted.

What is below MQTT, TLS or WebSocket or nothing, is a `Wrapped`; it can be got around too.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress

import trio

from bridge.mqtt.filters import matches

from .scripted_broker import read_packet

__all__ = [
    "HostileBroker",
    "Instead",
    "Wrapped",
    "as_it_is",
    "hostile_broker",
    "packet",
    "text",
]

Wrapped = Callable[[trio.SocketStream], Awaitable[trio.abc.Stream]]
"""What MQTT is spoken over, once its handshake is done."""

Instead = Callable[[trio.SocketStream], Awaitable[None]]
"""What is done with a connection instead of serving it."""


async def as_it_is(stream: trio.SocketStream) -> trio.abc.Stream:
    """MQTT over TCP alone."""
    return stream


Answer = Callable[[bytes, int], bytes]
"""What is said to a SUBSCRIBE, of its packet identifier and how many filters it has."""


def packet(first: int, body: bytes) -> bytes:
    """A whole packet of MQTT."""
    length, left = bytearray(), len(body)
    while left > 0x7F:
        length.append(left & 0x7F | 0x80)
        left >>= 7
    return bytes([first, *length, left]) + body


def text(data: bytes | str) -> bytes:
    """Bytes behind their length, as texts are in MQTT."""
    data = data.encode() if isinstance(data, str) else data
    return len(data).to_bytes(2, "big") + data


class HostileBroker:
    """`retained` by topic, `connections` as they came, in `trio.current_time`.

    The next CONNACKs and SUBACKs are taken from `connacks` and `subacks` while there are any, and
    the next answers to a PUBLISH begin with one of `pubacks`, and have no codes. The next ones that
    reach the port are had by those of `instead`. `stream` is the newest connection.
    """

    def __init__(self, *, mqtt5: bool, availability: str, over: Wrapped = as_it_is) -> None:
        self.mqtt5 = mqtt5
        self.instead: list[Instead] = []
        self._over = over
        self.port = 0
        self.connections: list[float] = []
        self.connacks: list[bytes] = []
        self.subacks: list[Answer] = []
        self.pubacks: list[int] = []
        self.retained: dict[str, bytes] = {}
        #: What is said as soon as the bridge is online.
        self.greeting = b""
        self.is_online = False
        self._availability = availability
        self._filters: dict[str, int] = {}
        self.stream: trio.abc.Stream | None = None
        self._below: trio.SocketStream | None = None
        #: Held by whoever sends: packets do not mix.
        self.sending = trio.Lock()
        self._mid = 1000
        self._news = trio.lowlevel.ParkingLot()

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Return once this is so."""
        while not is_so():
            await self._news.park()

    async def say(self, data: bytes, *, at_once: int = 1 << 20) -> None:
        """Say this on the connection that there is, so many bytes at a time."""
        assert self.stream is not None
        with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            await self._send(self.stream, data, at_once)

    async def say_below(self, data: bytes) -> None:
        """Say this past what MQTT is spoken over: past TLS, or in no frame of WebSocket's."""
        assert self._below is not None
        async with self.sending:
            with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
                await self._below.send_all(data)

    async def cut(self) -> None:
        """End the connection there, without the word that TLS or WebSocket has for it."""
        assert self._below is not None
        self.is_online = False
        await self._below.aclose()

    async def _send(self, stream: trio.abc.Stream, data: bytes, at_once: int = 1 << 20) -> None:
        async with self.sending:
            for start in range(0, len(data), at_once):
                await stream.send_all(data[start : start + at_once])

    async def hang_up(self) -> None:
        """End the connection that there is, without a word."""
        assert self.stream is not None
        self.is_online = False
        await self.stream.aclose()

    def publish(self, topic: bytes | str, payload: bytes, *, mid: int | None = None) -> bytes:
        """A PUBLISH at QoS 1 without properties."""
        self._mid += 1
        number = (self._mid if mid is None else mid).to_bytes(2, "big")
        return packet(0x32, text(topic) + number + self.nothing + payload)

    @property
    def nothing(self) -> bytes:
        """No properties, as they are written."""
        return b"\0" if self.mqtt5 else b""

    async def serve(self, below: trio.SocketStream) -> None:
        """One connection."""
        with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            if self.instead:
                instead = self.instead.pop(0)
                async with below:
                    await instead(below)
            else:
                await self._serve(below)
        self._news.unpark_all()

    async def _serve(self, below: trio.SocketStream) -> None:
        async with below:
            stream = await self._over(below)
            self._below, self.stream, self.is_online = below, stream, False
            try:
                while taken := await read_packet(stream):
                    await self._take(stream, taken[0] >> 4, taken[0] & 0x0F, _body(taken))
                    self._news.unpark_all()
            finally:
                if stream is self.stream:
                    self.is_online = False

    async def _take(self, stream: trio.abc.Stream, kind: int, flags: int, body: bytes) -> None:
        match kind:
            case 1:
                self.connections.append(trio.current_time())
                self._filters.clear()
                plain = packet(0x20, b"\0\0" + self.nothing)
                await self._send(stream, self.connacks.pop(0) if self.connacks else plain)
            case 3:
                await self._published(stream, flags, body)
            case 8:
                await self._subscribe(stream, body[:2], self._without_properties(body[2:]))
            case 10:
                count = len(list(_filters(self._without_properties(body[2:]), after=0)))
                codes = b"\0" + bytes(count) if self.mqtt5 else b""
                await self._send(stream, packet(0xB0, body[:2] + codes))
            case 12:
                await self._send(stream, b"\xd0\0")

    async def _subscribe(self, stream: trio.abc.Stream, mid: bytes, rest: bytes) -> None:
        filters = dict(_filters(rest, after=1))
        codes = b"\1" * len(filters)
        plain = packet(0x90, mid + self.nothing + codes)
        said = self.subacks.pop(0)(mid, len(filters)) if self.subacks else plain
        await self._send(stream, said)
        self._filters |= filters
        for topic, payload in list(self.retained.items()):
            if any(matches(each, topic) and how >> 4 != 2 for each, how in filters.items()):
                await self._send(stream, packet(0x31, text(topic) + self.nothing + payload))

    async def _published(self, stream: trio.abc.Stream, flags: int, body: bytes) -> None:
        length = int.from_bytes(body[:2], "big")
        topic, rest = body[2 : 2 + length].decode(), body[2 + length :]
        if flags & 0x06:
            odd = packet(self.pubacks.pop(0), rest[:2] + self.nothing) if self.pubacks else b""
            await self._send(stream, odd or packet(0x40, rest[:2]))
            rest = rest[2:]
        payload = self._without_properties(rest)
        if flags & 0x01:
            self.retained[topic] = payload
        if topic == self._availability:
            self.is_online = payload == b"online"
            if self.is_online and self.greeting:
                await self._send(stream, self.greeting)
        if any(matches(each, topic) and not how & 0x04 for each, how in self._filters.items()):
            await self._send(stream, packet(0x30, text(topic) + self.nothing + payload))

    def _without_properties(self, data: bytes) -> bytes:
        return data[1 + data[0] :] if self.mqtt5 else data


@asynccontextmanager
async def hostile_broker(
    *, mqtt5: bool, availability: str, over: Wrapped = as_it_is
) -> AsyncIterator[HostileBroker]:
    """Such a broker on loopback, for the time of the body."""
    broker = HostileBroker(mqtt5=mqtt5, availability=availability, over=over)
    async with trio.open_nursery() as nursery:
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
        nursery.start_soon(trio.serve_listeners, broker.serve, listeners)
        broker.port = listeners[0].socket.getsockname()[1]
        yield broker
        nursery.cancel_scope.cancel()


def _body(whole: bytes) -> bytes:
    """What follows the remaining length."""
    start = next(place for place in range(1, len(whole)) if not whole[place] & 0x80)
    return whole[start + 1 :]


def _filters(rest: bytes, *, after: int) -> Iterator[tuple[str, int]]:
    """Topic filters, each with the byte that follows it where there is one."""
    while rest:
        end = 2 + int.from_bytes(rest[:2], "big")
        yield rest[2:end].decode(), rest[end] if after else 0
        rest = rest[end + after :]
