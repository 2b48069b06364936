"""A broker of MQTT 5 that delivers strictly in order: nothing passes an unacknowledged message.

ejabberd does so; mosquitto sends QoS 0 past what waits, as the standard has it.
"""

from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import trio

from bridge.mqtt.filters import matches

from .scripted_broker import read_packet

__all__ = ["OrderlyBroker", "orderly_broker"]


class OrderlyBroker:
    """`backlog`: messages that were kept for the client `bridge`; `retained` by topic.

    `press` is published at QoS 1 to every other client as soon as that has subscribed to it.
    `published` is what has come in. Over a SUBSCRIBE to `hated` it closes the connection. Without
    `wildcards` a filter that has one is given nothing retained, as by RabbitMQ.
    """

    def __init__(self, backlog: int, retained: dict[str, bytes], *, wildcards: bool) -> None:
        self.wildcards = wildcards
        self.press: tuple[str, bytes] | None = None
        self.hated = ""
        self.published: dict[str, bytes] = {}
        self.port = 0
        self.backlog = backlog
        self.retained = retained
        self.clients: list[str] = []

    async def serve(self, stream: trio.SocketStream) -> None:
        """One connection."""
        with suppress(trio.BrokenResourceError):
            async with stream:
                connection = _Connection(self)
                while packet := await read_packet(stream):
                    if packet[0] >> 4 == 14:
                        return
                    connection.take(packet)
                    if connection.is_over:
                        return
                    await stream.send_all(connection.sent())


class _Connection:
    def __init__(self, broker: OrderlyBroker) -> None:
        self._broker = broker
        self.is_over = False
        self._out = bytearray()
        self._filters: set[str] = set()
        self._unacknowledged = 0
        self._held: deque[bytes] = deque()

    def sent(self) -> bytes:
        """What goes out."""
        out, self._out = bytes(self._out), bytearray()
        return out

    def take(self, packet: bytes) -> None:
        """What came in."""
        kind, flags, body = packet[0] >> 4, packet[0] & 0x0F, _after_length(packet)
        match kind:
            case 1:
                self._connect(body)
            case 3:
                self._publish(flags, body)
            case 4:
                self._unacknowledged -= 1
                while not self._unacknowledged and self._held:
                    self._out += self._held.popleft()
            case 8:
                filters = _texts(body[3:], after=1)
                self.is_over = self._broker.hated in filters
                self._out += _packet(0x90, body[:2] + b"\0" + bytes(len(filters)))
                self._filters.update(filters)
                self._press(filters)
                for topic, payload in self._broker.retained.items():
                    if any(self._is_given(each, topic) for each in filters):
                        self._deliver(topic, payload, retain=True)
            case 10:
                filters = _texts(body[3:], after=0)
                self._out += _packet(0xB0, body[:2] + b"\0" + bytes(len(filters)))
                self._filters.difference_update(filters)
            case 12:
                self._out += b"\xd0\x00"

    def _connect(self, body: bytes) -> None:
        client = _texts(_after_properties(body[10:]), after=0)[0]
        self._broker.clients.append(client)
        resumed = client == "bridge"
        self._out += _packet(0x20, bytes([resumed, 0, 0]))
        if resumed:
            self._unacknowledged = self._broker.backlog
            for number in range(1, self._broker.backlog + 1):
                self._out += _packet(0x32, _text("in/a") + number.to_bytes(2, "big") + b"\0x")

    def _press(self, filters: list[str]) -> None:
        press = self._broker.press
        if press is not None and any(matches(each, press[0]) for each in filters):
            self._broker.press = None
            self._unacknowledged += 1
            self._out += _packet(0x32, _text(press[0]) + b"\0\1\0" + press[1])

    def _is_given(self, topic_filter: str, topic: str) -> bool:
        return topic_filter == topic or (self._broker.wildcards and matches(topic_filter, topic))

    def _publish(self, flags: int, body: bytes) -> None:
        length = int.from_bytes(body[:2], "big")
        topic, rest = body[2 : 2 + length].decode(), body[2 + length :]
        if flags & 0x06:
            self._out += _packet(0x40, rest[:2])
            rest = rest[2:]
        payload = _after_properties(rest)
        self._broker.published[topic] = payload
        if flags & 0x01:
            self._broker.retained[topic] = payload
        if any(matches(each, topic) for each in self._filters):
            self._deliver(topic, payload, retain=False)

    def _deliver(self, topic: str, payload: bytes, *, retain: bool) -> None:
        packet = _packet(0x30 | retain, _text(topic) + b"\0" + payload)
        if self._unacknowledged:
            self._held.append(packet)
        else:
            self._out += packet


@asynccontextmanager
async def orderly_broker(
    backlog: int = 0, retained: dict[str, bytes] | None = None, *, wildcards: bool = True
) -> AsyncIterator[OrderlyBroker]:
    """Such a broker on loopback, for the time of the body."""
    broker = OrderlyBroker(backlog, retained or {}, wildcards=wildcards)
    async with trio.open_nursery() as nursery:
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
        nursery.start_soon(trio.serve_listeners, broker.serve, listeners)
        broker.port = listeners[0].socket.getsockname()[1]
        yield broker
        nursery.cancel_scope.cancel()


def _packet(first: int, body: bytes) -> bytes:
    length, left = bytearray(), len(body)
    while left > 0x7F:
        length.append(left & 0x7F | 0x80)
        left >>= 7
    return bytes([first, *length, left]) + body


def _text(text: str) -> bytes:
    return len(text).to_bytes(2, "big") + text.encode()


def _texts(data: bytes, *, after: int) -> list[str]:
    """Texts one after the other, each with so many bytes behind it."""
    found = []
    while len(data) > 1:
        length = int.from_bytes(data[:2], "big")
        found.append(data[2 : 2 + length].decode(errors="replace"))
        data = data[2 + length + after :]
    return found


def _after_length(packet: bytes) -> bytes:
    start = next(place for place in range(1, len(packet)) if not packet[place] & 0x80)
    return packet[start + 1 :]


def _after_properties(data: bytes) -> bytes:
    assert data[0] < 128
    return data[1 + data[0] :]
