"""What people hold in their hands: presses with ids, and everything the bridge says in reply.

The panel's session outlives its connection, so that a result that comes while the broker is away
is delivered later. It never sends a press twice: one that the broker did not acknowledge may or may
not have been delivered, and the judge is told so.
"""

import math
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import trio

from . import packets
from .packets import Packet, Packets, Publish

__all__ = ["Heard", "Panel", "Press", "read_retained"]


@dataclass(slots=True)
class Press:
    """One request as it was sent; `at` is Unix time, `acked` when the broker took it over."""

    id: str
    room: str
    action: str
    at: float
    acked: float | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """A message of the bridge's, and when it came (Unix time)."""

    at: float
    topic: str
    payload: str


@dataclass(slots=True)
class Panel:
    """An MQTT client that reconnects for ever; `heard` is everything on `topics`, in order."""

    port: int
    topics: list[str]
    heard: list[Heard] = field(default_factory=list)
    presses: list[Press] = field(default_factory=list)
    #: The last message on each topic.
    newest: dict[str, Heard] = field(default_factory=dict)
    #: Set while connected and subscribed.
    connected: bool = False
    _stream: trio.SocketStream | None = None
    _sending: trio.Lock = field(default_factory=trio.Lock)
    _unacked: dict[int, Press] = field(default_factory=dict)
    _next_id: int = 1

    async def run(self) -> None:
        """Stay connected until cancelled."""
        while True:
            try:
                async with _open(self.port) as stream:
                    await self._serve(stream)
            except OSError:
                pass  # the broker is away: that is what this program is about
            except trio.BrokenResourceError:
                pass
            self.connected, self._stream = False, None
            self._unacked.clear()
            await trio.sleep(0.05)

    async def press(self, press: Press, topic: str, payload: bytes) -> bool:
        """Send a press; False, and nothing is sent, while the broker is away."""
        stream = self._stream
        if stream is None or not self.connected:
            return False
        packet_id = self._next_id
        self._next_id = self._next_id % 65535 + 1
        self._unacked[packet_id] = press
        self.presses.append(press)
        try:
            async with self._sending:
                await stream.send_all(packets.publish(packet_id, topic, payload))
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass  # it may have gone out: not acknowledged is all that is known
        return True

    async def _serve(self, stream: trio.SocketStream) -> None:
        reader = Packets()
        await stream.send_all(packets.connect("chaos-panel", clean=False))
        async for data in stream:
            for packet in reader.feed(data):
                await self._take(stream, packet)

    async def _take(self, stream: trio.SocketStream, packet: Packet) -> None:
        match packet.kind:
            case packets.CONNACK:
                self._stream = stream
                await self._send(stream, packets.subscribe(1, self.topics, 1))
            case packets.SUBACK:
                self.connected = True
            case packets.PUBACK:
                if (press := self._unacked.pop(packet.packet_id, None)) is not None:
                    press.acked = time.time()
            case packets.PUBLISH:
                message = Publish.read(packet)
                heard = Heard(time.time(), message.topic, message.payload.decode())
                self.heard.append(heard)
                self.newest[heard.topic] = heard
                if message.qos:
                    await self._send(stream, packets.puback(message.packet_id))

    async def _send(self, stream: trio.SocketStream, data: bytes) -> None:
        async with self._sending:
            await stream.send_all(data)


async def read_retained(port: int, topic_filter: str) -> dict[str, str]:
    """What somebody new is told: every retained message below the filter.

    At QoS 0 the broker writes all of them before it answers the PINGREQ. Raises `OSError` or
    `trio.BrokenResourceError` when it is away.
    """
    found: dict[str, str] = {}
    async with _open(port) as stream:
        await stream.send_all(packets.connect(f"chaos-{time.monotonic_ns()}", clean=True))
        reader = Packets()
        async for data in stream:
            for packet in reader.feed(data):
                match packet.kind:
                    case packets.CONNACK:
                        await stream.send_all(packets.subscribe(1, [topic_filter], 0))
                    case packets.SUBACK:
                        await stream.send_all(packets.pingreq())
                    case packets.PUBLISH:
                        message = Publish.read(packet)
                        if message.retain:
                            found[message.topic] = message.payload.decode()
                    case packets.PINGRESP:
                        await stream.send_all(packets.disconnect())
                        return found
    raise ConnectionResetError("the broker closed before everything was read")


@asynccontextmanager
async def _open(port: int) -> AsyncIterator[trio.SocketStream]:
    stream = await trio.open_tcp_stream("127.0.0.1", port, happy_eyeballs_delay=math.inf)
    async with stream:
        yield stream
