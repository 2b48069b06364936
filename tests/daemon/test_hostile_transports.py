"""A broker that breaks the rules of what MQTT is spoken over: TLS and WebSocket.

As with those of MQTT itself: the connection ends, with a reason that a person understands, and is
made again; nothing that was said before is lost, and no room is held up. And what breaks MQTT's
own rules comes to the same over either.
"""

import re
import ssl
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, NamedTuple

import pytest
import trio
from trio.testing import MockClock
from websockets.utils import accept_key

from tests.brokers import Certificates
from tests.mqtt.hostile_broker import Instead, Wrapped, packet
from tests.mqtt.websocket_end import WebSocketEnd, websocket_end
from tests.process.hmp import Hmp

from .hostile_house import USABLE, House, house
from .hostile_words import BASE, IN_3_1_1, IN_5, IN_BOTH, NOT_MQTT

NOT_WEBSOCKET = "the broker sent something that is not WebSocket: "
BROKEN_TLS = "TLS with the broker broke: "
LOST = "the connection was lost"
PINGRESP = b"\xd0\0"
PINGS = 100_000


class Below(NamedTuple):
    """What is said below MQTT, and what is in the log of it; `ends` the connection, or does not."""

    data: bytes
    log: str = ""
    ends: bool = True


def framed(first: int, payload: bytes, *, size: bytes | None = None) -> bytes:
    """A frame of a server, with whatever it says that its size is."""
    return bytes([first]) + (bytes([len(payload)]) if size is None else size) + payload


def not_websocket(data: bytes, rule: str) -> Below:
    return Below(data, NOT_WEBSOCKET + rule)


OF_WEBSOCKET = {
    "masked": not_websocket(b"\x82\x82abcd" + PINGRESP, "client received unexpected masked frame"),
    "text": not_websocket(framed(0x81, b"hello"), "a text, where MQTT is binary"),
    "reserved bits": not_websocket(framed(0xC2, PINGRESP), "Reserved bit set unexpectedly"),
    "a kind of no meaning": not_websocket(framed(0x83, b""), "Invalid opcode 0x3"),
    "a control frame of no meaning": not_websocket(framed(0x8B, b""), "Invalid opcode 0xb"),
    "a ping in pieces": not_websocket(
        framed(0x09, b"x"), "Invalid attempt to fragment control frame"
    ),
    "a ping that is too long": not_websocket(
        framed(0x89, bytes(126), size=b"\x7e\0\x7e"), "Control frame with payload len > 125"
    ),
    "a size that is written too long": not_websocket(
        framed(0x82, PINGRESP, size=b"\x7f" + bytes(7) + b"\2"), "Payload length used 8 bytes"
    ),
    "a close that is too long": not_websocket(
        framed(0x88, b"", size=b"\x7f" + bytes(7) + b"\xff"), "Control frame with payload len > 125"
    ),
    "the middle of nothing": not_websocket(framed(0x80, PINGRESP), "unexpected CONTINUATION"),
    "one within another": not_websocket(
        framed(0x02, PINGRESP) + framed(0x82, PINGRESP), "expected CONTINUATION, got"
    ),
    "2^63 bytes": not_websocket(
        framed(0x82, b"", size=b"\x7f\x80" + bytes(7)), "8-byte payload length with non-zero MSB"
    ),
    "2^64 - 1 bytes": not_websocket(
        framed(0x82, b"", size=b"\x7f" + b"\xff" * 8), "8-byte payload length with non-zero MSB"
    ),
    "shorter than it is": not_websocket(framed(0x82, PINGRESP * 2 + b"pp", size=b"\2"), ""),
    # What follows is taken for the rest of it, and MQTT has no such packet.
    "longer than it is": Below(
        framed(0x82, PINGRESP, size=b"\x7e\xff\xff") + framed(0x82, PINGRESP), NOT_MQTT
    ),
    "a web server": not_websocket(b"HTTP/1.1 400 Bad Request\r\n\r\n", "Invalid attempt to"),
    "closed": Below(
        framed(0x88, b"\x03\xf0no thanks"), "the broker closed the WebSocket: 1008, no thanks"
    ),
    "closed with what is no text": not_websocket(
        framed(0x88, b"\x03\xf0no \xff"), "Error decoding CLOSE reason"
    ),
    "closed without a code": Below(framed(0x88, b""), "the broker closed the WebSocket: no code"),
    "closed with half a code": not_websocket(framed(0x88, b"\3"), "CLOSE with 1 byte payload"),
    "a ping": Below(framed(0x89, b"a"), ends=False),
    "a ping of nothing": Below(framed(0x89, b""), ends=False),
    "a pong never asked for": Below(framed(0x8A, b"a"), ends=False),
    "frames of nothing": Below(framed(0x82, b"") * 1000, ends=False),
    "a packet in pieces, pings between": Below(
        framed(0x02, PINGRESP[:1]) + framed(0x89, b"b") + framed(0x00, b"") + framed(0x80, b"\0"),
        ends=False,
    ),
}

OF_TLS = {
    "plain MQTT": Below(packet(0x32, b"\0\1a\0\1x"), BROKEN_TLS),
    "plain text": Below(b"HTTP/1.1 400 Bad Request\r\n\r\n", BROKEN_TLS),
    "zeroes": Below(bytes(64), BROKEN_TLS),
    "a record that nobody can have sealed": Below(b"\x17\3\3\0\x20" + bytes(32), BROKEN_TLS),
    "a record of nothing": Below(b"\x17\3\3\0\0", BROKEN_TLS),
    "a record that is too long": Below(b"\x17\3\3\xff\xff" + bytes(64), BROKEN_TLS),
    "an alert that anybody may have said": Below(b"\x15\3\3\0\2\2\x28", BROKEN_TLS),
    "a handshake anew": Below(b"\x16\3\3\0\4\0\0\0\0", BROKEN_TLS),
}


async def _tls(context: ssl.SSLContext, below: trio.SocketStream) -> trio.abc.Stream:
    stream = trio.SSLStream(below, context, server_side=True, https_compatible=True)
    await stream.do_handshake()
    return stream


async def _both(context: ssl.SSLContext, below: trio.SocketStream) -> trio.abc.Stream:
    return await websocket_end(await _tls(context, below))  # type: ignore[arg-type]


class Over(NamedTuple):
    """What MQTT is spoken over, and the bridge's settings for it."""

    wrapped: Wrapped
    mqtt: dict[str, Any]


@pytest.fixture
def overs(certificates: Certificates) -> dict[str, Over]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificates.cert, certificates.key)
    tls = {"tls": {"ca": str(certificates.ca)}}
    websocket = {"transport": "websockets"}
    return {
        "tls": Over(partial(_tls, context), tls),
        "websocket": Over(websocket_end, websocket),
        "both": Over(partial(_both, context), tls | websocket),
    }


@pytest.fixture
def clock() -> MockClock:
    return MockClock()


class Reached:
    """A daemon that reaches its broker over one of these."""

    def __init__(self, home: House, clock: MockClock) -> None:
        self.home, self.broker, self._clock = home, home.broker, clock

    async def ended_by(self, name: str, does: Callable[[], Awaitable[object]], log: str) -> None:
        """This ends the connection, once, with this in the log; the next one works."""
        before = await self._quiet()
        await does()
        await self.home.more_than(before)
        await self._works(name, log)
        assert len(self.broker.connections) == before + 1, name

    async def not_ended_by(self, name: str, does: Callable[[], Awaitable[object]]) -> None:
        """This does not."""
        before = await self._quiet()
        await does()
        await self._works(name, "")
        assert len(self.broker.connections) == before, name

    async def _quiet(self) -> int:
        self.home.heard()
        self._clock.jump(USABLE)
        return len(self.broker.connections)

    async def _works(self, name: str, log: str) -> None:
        await self.home.works()
        heard = self.home.heard()
        assert log in heard, (name, heard)


@pytest.fixture
def reached(
    overs: dict[str, Over], hmp: Hmp, clock: MockClock, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Any]:
    def over(name: str, *, mqtt5: bool = True, **mqtt: Any) -> Any:
        wrapped, settings = overs[name]
        return house(mqtt5, hmp, clock, capsys, over=wrapped, **settings, **mqtt)

    return over


OVER = pytest.mark.parametrize("over", ["tls", "websocket", "both"])

SMALLER = (
    *("topic that is no UTF-8", "wildcard +", "QoS 2", "topic longer than its packet"),
    *("remaining length of five bytes", "SUBACK of one byte", "PUBACK never asked for", "zeroes"),
    *("AUTH", "longer than we take", "DISCONNECT with half a code", "length of properties"),
)


@OVER
@pytest.mark.parametrize("mqtt5", [True, False], ids=["5", "3.1.1"])
async def test_what_breaks_the_rules_of_mqtt(
    over: str, mqtt5: bool, reached: Callable[..., Any], clock: MockClock
) -> None:
    async with reached(over, mqtt5=mqtt5) as home:
        rig = Reached(home, clock)
        table = IN_BOTH | (IN_5 if mqtt5 else IN_3_1_1)
        for name, said in table.items():
            if name.startswith(SMALLER):
                say = partial(rig.broker.say, said.data)
                if said.ends:
                    await rig.ended_by(name, say, said.log)
                else:
                    await rig.not_ended_by(name, say)


@pytest.mark.parametrize("over", ["websocket", "tls"])
async def test_what_breaks_the_rules_below(
    over: str, reached: Callable[..., Any], clock: MockClock
) -> None:
    async with reached(over) as home:
        rig = Reached(home, clock)
        for name, said in (OF_WEBSOCKET if over == "websocket" else OF_TLS).items():
            say = partial(rig.broker.say_below, said.data)
            if said.ends:
                await rig.ended_by(name, say, said.log)
            else:
                await rig.not_ended_by(name, say)


@OVER
async def test_however_it_leaves(over: str, reached: Callable[..., Any], clock: MockClock) -> None:
    """In the middle of a packet, a frame or a record, or behind the last, with no word for it."""
    async with reached(over) as home:
        rig = Reached(home, clock)
        broker = rig.broker

        async def says_half_of_a_packet() -> None:
            await broker.say(broker.publish(f"{BASE}/x", b"x")[:-3])
            await broker.cut()

        async def says_half_of_what_is_below() -> None:
            await broker.say_below(b"\x17\3\3\0\x20ab" if over == "tls" else b"\x82\x20ab")
            await broker.cut()

        await rig.ended_by("cut", broker.cut, LOST)
        await rig.ended_by("half a packet", says_half_of_a_packet, LOST)
        if over != "both":
            await rig.ended_by("half of what is below", says_half_of_what_is_below, LOST)
        if over == "tls":
            await rig.ended_by("with TLS's own word alone", broker.hang_up, LOST)


async def test_a_frame_without_end_holds_nothing_up(
    reached: Callable[..., Any], clock: MockClock
) -> None:
    """All that follows is in it; it is carried out as it comes."""
    async with reached("websocket") as home:
        broker = home.broker
        before = len(broker.connections)
        end = broker.stream
        assert isinstance(end, WebSocketEnd)
        async with broker.sending:
            await end.begin_without_end()
        for _ in range(4):
            await broker.say(broker.publish(f"{BASE}/x", bytes(4_000_000)) + PINGRESP * 1000)
            await home.works()
        assert len(broker.connections) == before


async def test_pings_without_end_hold_nothing_up(
    reached: Callable[..., Any], clock: MockClock
) -> None:
    """The newest is answered, as RFC 6455 has it (5.5.3), and presses go on."""
    async with reached("websocket") as home:
        broker = home.broker
        before = len(broker.connections)

        async def flood() -> None:
            for _ in range(PINGS // 1000):
                await broker.say_below(framed(0x89, bytes(100)) * 1000)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(flood)
            await home.works()
        await broker.say_below(framed(0x89, b"the last"))
        end = broker.stream
        assert isinstance(end, WebSocketEnd)
        await home.until(lambda: b"the last" in end.pongs)
        await home.works()
        assert len(broker.connections) == before


async def _request(below: trio.SocketStream) -> bytes:
    received = b""
    while b"\r\n\r\n" not in received:
        received += await below.receive_some()
    return received


def _answers(head: bytes, *more: bytes, key: bool = True) -> Instead:
    """An answer to the request for WebSocket; with `key`, the request's own follows `head`."""

    async def answer(below: trio.SocketStream) -> None:
        request = await _request(below)
        found = re.search(rb"(?i)sec-websocket-key: *(\S+)", request)
        assert found is not None
        accept = f"Sec-WebSocket-Accept:{accept_key(found[1].decode())}\r\n" if key else ""
        await below.send_all(head + accept.encode() + b"".join(more))
        await _until_it_leaves(below)

    return answer


async def _until_it_leaves(below: trio.SocketStream) -> None:
    async for _ in below:
        pass


UPGRADED = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
)
NO_WEBSOCKET = "does not speak WebSocket: "
NO_HTTP = NO_WEBSOCKET + "Bad HTTP message"
ACCEPTED = packet(0x20, b"\0\0\0")

ANSWERS: dict[str, tuple[Instead, str]] = {
    "no such page": (
        _answers(b"HTTP/1.1 404 \x1b[2J\xff\r\n", b"\r\n"),
        NO_WEBSOCKET + "it answers with HTTP's 404",
    ),
    "a page": (
        _answers(b"HTTP/1.1 200 OK\r\n", b"\r\n"),
        NO_WEBSOCKET + "it answers with HTTP's 200",
    ),
    "another's key": (
        _answers(UPGRADED + b"Sec-WebSocket-Accept: YWJj\r\n\r\n", key=False),
        NO_WEBSOCKET + "Bad accept token",
    ),
    "no key": (_answers(UPGRADED, b"\r\n", key=False), NO_WEBSOCKET + "Bad accept token"),
    "a key of no letters": (
        _answers(UPGRADED + b"Sec-WebSocket-Accept\xff\xfe: \xff\r\n\r\n", key=False),
        NO_HTTP,
    ),
    "no upgrade": (
        _answers(b"HTTP/1.1 101 x\r\nUpgrade: websocket\r\n", b"\r\n"),
        "Missing header, 'Connection: Upgrade'",
    ),
    "an upgrade to something else": (
        _answers(b"HTTP/1.1 101 x\r\nUpgrade: h2c\r\nConnection: upgrade\r\n", b"\r\n"),
        "Missing header, 'Upgrade: websocket'",
    ),
    "another protocol": (
        _answers(UPGRADED, b"Sec-WebSocket-Protocol: chat\r\n\r\n"),
        "unrecognized subprotocol chat",
    ),
    "MQTT itself": (_answers(ACCEPTED + b"\r\n\r\n", key=False), NO_HTTP),
    "nothing but line feeds": (_answers(b"\r\n\r\n", key=False), NO_HTTP),
    "no end of a line": (_answers(bytes(1_000_000), key=False), NO_HTTP),
    "no end of lines": (_answers(b"a: b\r\n" * 100_000, key=False), NO_HTTP),
}


async def _leaves(below: trio.SocketStream) -> None:
    await _request(below)


async def _closes(below: trio.SocketStream) -> None:
    await (await websocket_end(below)).receive_some(1)
    await below.send_all(framed(0x88, b"\x03\xf5too much"))
    await _until_it_leaves(below)


ANSWERS["a close, once MQTT has begun"] = (
    _closes,
    "closed the connection without an answer; the broker closed the WebSocket: 1013, too much",
)


@pytest.mark.parametrize("name", [*ANSWERS, "it leaves"])
async def test_however_it_answers_the_request_for_websocket(
    name: str, reached: Callable[..., Any], clock: MockClock
) -> None:
    instead, log = ANSWERS.get(name, (_leaves, NO_WEBSOCKET + "it closed the connection"))
    async with reached("websocket") as home:
        home.broker.instead = [instead]
        await Reached(home, clock).ended_by(name, home.broker.cut, log)


async def _says_what_is_not_tls(below: trio.SocketStream) -> None:
    await below.receive_some()
    await below.send_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    await _until_it_leaves(below)


async def _leaves_tls(below: trio.SocketStream) -> None:
    await below.receive_some()


async def _says_half_of_a_record(below: trio.SocketStream) -> None:
    await below.receive_some()
    await below.send_all(b"\x16\3\3\0\x7a\2\0")


@pytest.mark.parametrize(
    ("instead", "log"),
    [(_says_what_is_not_tls, "no TLS with "), (_says_half_of_a_record, "EOF"), (_leaves_tls, "")],
)
async def test_however_it_answers_the_hello_of_tls(
    instead: Instead, log: str, reached: Callable[..., Any], clock: MockClock
) -> None:
    async with reached("tls") as home:
        home.broker.instead = [instead]
        await Reached(home, clock).ended_by(instead.__name__, home.broker.cut, log)
