"""Connections, by real sockets: who is slow, silent, unreadable, or one too many."""

import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
import trio.testing
from structlog.testing import capture_logs

from bridge.web.listening import Listener
from tests.brokers import Certificates

from .doors import Site

GET = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"
TO_HTTP_2 = (
    b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\n"
    b"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n\r\n"
)
TO_WEBSOCKET = (
    b"GET /events HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
BIG = b"x" * 1_000_000


async def endless(_scope: Any, receive: Any, send: Any) -> None:
    """An application that says more than anybody takes, to whoever is there."""
    async with trio.open_nursery() as nursery:

        async def say() -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            while True:
                await send({"type": "http.response.body", "body": BIG, "more_body": True})

        nursery.start_soon(say)
        while (await receive())["type"] != "http.disconnect":
            pass
        nursery.cancel_scope.cancel()


async def forgotten(scope: Any, _receive: Any, _send: Any) -> None:
    """An application that says nothing."""
    await trio.sleep_forever()


@asynccontextmanager
async def served(
    app: Any, **how: Any
) -> AsyncIterator[tuple[Listener, int, Callable[[], trio.CancelScope]]]:
    """A listener with its port, and what ends it."""
    listener = Listener(app, what="pages are", key="web.listen", **how)
    with capture_logs() as said:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(listener.serve, "127.0.0.1", 0)
            await trio.testing.wait_all_tasks_blocked()
            port = int(said[-1]["address"].rpartition(":")[2])
            yield listener, port, lambda: nursery.cancel_scope
            nursery.cancel_scope.cancel()
    assert [each for each in said if each["log_level"] == "error"] == []


async def gone(listener: Listener) -> None:
    """Wait until there is no connection left."""
    with trio.fail_after(300):
        while listener.connections:
            await listener.ended()


async def exchanged(port: int, data: bytes, address: str = "127.0.0.1") -> bytes:
    """All that comes back until the bridge hangs up, to somebody at this address."""
    async with await trio.open_tcp_stream("127.0.0.1", port, local_address=address) as stream:
        await stream.send_all(data)
        said = b""
        with trio.fail_after(300):
            try:
                while part := await stream.receive_some():
                    said += part
            except trio.BrokenResourceError:
                pass
        return said


async def test_several_requests_of_one_connection(autojump_clock: trio.abc.Clock) -> None:
    async with served(Site().web.door.app) as (_, port, _):
        last = GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
        said = await exchanged(port, GET + GET + last)
        assert said.count(b"HTTP/1.1 200") == 3
        assert said.count(b'"live": true') == 3
        assert b"server:" not in said.lower()


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"hello\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\n\r\n", b"400"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200), b"400"),
        (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 5000, b"431"),
        (b"GET /" + b"a" * 20_000, b"431"),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n", b"400"),
        (
            b"POST /rooms/boardroom/record HTTP/1.1\r\nHost: localhost\r\n"
            b"Content-Length: 1000000\r\n\r\n" + b"x" * 100_000,
            b"413",
        ),
        (b"POST /session HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{", b"408"),
        (b"POST /session HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: x\r\n\r\n", b"501"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"505"),
        (b"PRI * HTTP/2.0\r\nHost: localhost\r\n\r\nSM\r\n\r\n", b"505"),
        (TO_HTTP_2, b"200"),
        (TO_WEBSOCKET, b"403"),
        (b"GET / HTTP/1.1\r\nHost: localhost", b""),
        (b"", b""),
    ],
)
async def test_what_cannot_be_read_is_hung_up_on(
    data: bytes, status: bytes, autojump_clock: trio.abc.Clock
) -> None:
    site = Site()
    async with site.running(), served(site.web.door.app) as (listener, port, _):
        said = await exchanged(port, data)
        if status:
            assert said.split(b" ")[1] == status, said
        else:
            assert said == b""
        assert (await exchanged(port, GET + GET)).count(b"200") >= 2
        await gone(listener)


@pytest.mark.parametrize("half", [True, False])
@pytest.mark.parametrize(
    "request_line", [b"GET /events", b"POST /rooms/boardroom/record", b"GET /health/live", b"GET /"]
)
async def test_of_who_has_hung_up_nothing_is_left(
    request_line: bytes, half: bool, autojump_clock: trio.abc.Clock
) -> None:
    """Not even for as long as a connection may be idle."""
    site = Site()
    async with site.running(), served(site.web.door.app) as (listener, port, _):
        site.house.room.link_changed(ready=False)  # no answer before the peer has left
        stream = await trio.open_tcp_stream("127.0.0.1", port)
        rest = b" HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"
        await stream.send_all(request_line + (b"" if request_line == b"GET /" else rest))
        await trio.testing.wait_all_tasks_blocked()
        began = trio.current_time()
        await (stream.send_eof() if half else stream.aclose())
        await gone(listener)
        assert trio.current_time() - began < 2
        await stream.aclose()


async def test_a_reader_that_takes_nothing_is_dropped(autojump_clock: trio.abc.Clock) -> None:
    async with served(endless) as (listener, port, _):
        stream = await trio.open_tcp_stream("127.0.0.1", port)
        await stream.send_all(GET)
        began = trio.current_time()
        await trio.testing.wait_all_tasks_blocked()
        assert listener.connections == 1
        await gone(listener)
        assert trio.current_time() - began < 60
        await stream.aclose()


async def test_nobody_holds_up_the_end(autojump_clock: trio.abc.Clock) -> None:
    """Not a peer that takes nothing, nor one that is silent, nor one that gets no answer."""
    for app, data in ((endless, GET), (forgotten, GET), (forgotten, b""), (forgotten, b"GET")):
        async with served(app) as (_, port, end):
            stream = await trio.open_tcp_stream("127.0.0.1", port)
            await stream.send_all(data)
            await trio.testing.wait_all_tasks_blocked()
            began = trio.current_time()
            end().cancel()
        assert trio.current_time() - began <= 2.5
        await trio.aclose_forcefully(stream)


async def test_who_has_no_time_for_a_farewell_ends_at_once(
    certificates: Certificates, autojump_clock: trio.abc.Clock
) -> None:
    """A peer that has yet to speak TLS included; it is no fault of ours that it has not."""
    pair = (str(certificates.cert), str(certificates.key))
    for how in ({"pair": pair}, {}):
        async with served(forgotten, farewell=0.0, **how) as (_, port, end):
            stream = await trio.open_tcp_stream("127.0.0.1", port)
            await trio.testing.wait_all_tasks_blocked()
            began = trio.current_time()
            end().cancel()
        assert trio.current_time() == began
        await trio.aclose_forcefully(stream)


async def test_an_answer_under_way_is_waited_for(autojump_clock: trio.abc.Clock) -> None:
    asked, answer = trio.Event(), trio.Event()

    async def late(_scope: Any, _receive: Any, send: Any) -> None:
        asked.set()
        await answer.wait()
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async with trio.open_nursery() as nursery, served(late) as (_, port, end):
        said: list[bytes] = []

        async def ask() -> None:
            said.append(await exchanged(port, GET))

        nursery.start_soon(ask)
        await asked.wait()
        end().cancel()
        nursery.start_soon(_set, answer)
    assert b"HTTP/1.1 204" in said[0]


async def _set(event: trio.Event) -> None:
    event.set()


async def test_one_address_does_not_take_all(autojump_clock: trio.abc.Clock) -> None:
    async with served(forgotten, most_of_one=3) as (listener, port, _):
        streams = [await trio.open_tcp_stream("127.0.0.1", port) for _ in range(3)]
        await trio.testing.wait_all_tasks_blocked()
        assert b"503" in await exchanged(port, b"")
        assert listener.connections == 3
        await streams[0].aclose()
        await trio.testing.wait_all_tasks_blocked()
        streams[0] = await trio.open_tcp_stream("127.0.0.1", port)
        await trio.testing.wait_all_tasks_blocked()
        assert listener.connections == 3
        for each in streams:
            await each.aclose()


async def test_an_address_that_is_taken_is_tried_again(autojump_clock: trio.abc.Clock) -> None:
    app = Site().web.door.app
    listener = Listener(app, what="pages are", key="web.listen")
    with socket.create_server(("127.0.0.1", 0)) as other, capture_logs() as said:
        port = other.getsockname()[1]
        async with trio.open_nursery() as nursery:
            nursery.start_soon(listener.serve, "127.0.0.1", port)
            await trio.sleep(12)
            assert [each["event"] for each in said] == ["pages are not served"]
            assert "web.listen" in said[0]["what_to_do"]
            other.close()
            await trio.sleep(12)
            assert said[-1]["event"] == "pages are served"
            assert b"200" in await exchanged(port, GET)
            nursery.cancel_scope.cancel()


async def test_tls(certificates: Certificates, autojump_clock: trio.abc.Clock) -> None:
    pair = (str(certificates.cert), str(certificates.key))
    site = Site()
    async with served(site.web.door.app, pair=pair) as (listener, port, _):
        context = ssl.create_default_context(cafile=certificates.ca)
        for _ in range(2):
            plain = await trio.open_tcp_stream("127.0.0.1", port)
            stream = trio.SSLStream(plain, context, server_hostname="localhost")
            await stream.send_all(GET)
            assert b"200" in await stream.receive_some(65536)
            await trio.aclose_forcefully(stream)
            listener.renew()
        assert await exchanged(port, GET) in (b"", b"\x15\x03\x01\x00\x02\x02F")
        assert await exchanged(port, b"") == b""  # no handshake, no end of waiting
        await gone(listener)
