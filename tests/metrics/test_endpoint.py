"""The HTTP server: over memory streams on a virtual clock, and with a real client on a socket.

The client's side is h11 again, as a client. Every exchange has a bound, of virtual seconds.
"""

import http.client
import socket
from collections.abc import AsyncIterator, MutableMapping
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any

import h11
import pytest
import trio
import trio.testing
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from bridge.metrics.endpoint import (
    IDLE,
    LONGEST_BODY,
    LONGEST_HEAD,
    MOST_CONNECTIONS,
    PATIENCE,
    Page,
    Pages,
    Server,
    serve_pages,
)
from tests.process.watched import PATIENCE as WAIT


async def hello(accept: str) -> Page:
    """A page."""
    return Page(200, "text/plain", f"hello {accept}".encode())


async def large(_accept: str) -> Page:
    """A page that fills every buffer on its way."""
    return Page(200, "text/plain", bytes(10_000_000))


PAGES: Pages = {"/hello": hello, "/large": large}


class Peer:
    """One connection to a server."""

    def __init__(self, stream: trio.abc.HalfCloseableStream) -> None:
        self.stream = stream

    async def say(self, data: bytes) -> None:
        """Send, whether or not anybody listens any more."""
        with suppress(trio.BrokenResourceError):
            await self.stream.send_all(data)

    async def everything(self) -> bytes:
        """All that comes until the server hangs up."""
        received = b""
        with trio.fail_after(IDLE * 2):
            while data := await self.stream.receive_some():
                received += data
        return received


@asynccontextmanager
async def connected(server: Server | None = None) -> AsyncIterator[Peer]:
    """A peer of a server that serves it for the time of the body."""
    ours, theirs = trio.testing.memory_stream_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon((server or Server(PAGES)).talk, theirs)
        yield Peer(ours)
        await ours.aclose()


def answers(data: bytes, *methods: bytes) -> list[tuple[int, dict[str, str], bytes]]:
    """What a client makes of `data`, which answers requests of these methods; all of it."""
    found = []
    client = h11.Connection(h11.CLIENT)
    client.receive_data(data)
    for method in methods:
        client.send(h11.Request(method=method, target="/", headers=[("Host", "x")]))
        client.send(h11.EndOfMessage())
        response = client.next_event()
        assert isinstance(response, h11.Response), response
        body = b""
        while isinstance(part := client.next_event(), h11.Data):
            body += part.data
        assert isinstance(part, h11.EndOfMessage)
        headers = {name.decode(): value.decode() for name, value in response.headers}
        found.append((response.status_code, headers, body))
        if client.our_state is h11.DONE and client.their_state is h11.DONE:
            client.start_next_cycle()
    return found


async def exchange(data: bytes, *methods: bytes) -> list[tuple[int, dict[str, str], bytes]]:
    """Say `data` and that it was all; the answers."""
    async with connected() as peer:
        await peer.say(data)
        await peer.stream.send_eof()
        return answers(await peer.everything(), *methods)


async def test_a_page(autojump_clock: trio.abc.Clock) -> None:
    request = b"GET /hello?x=/y HTTP/1.1\r\nHost: x\r\nAccept: a/b\r\nAccept: c\r\n\r\n"
    [(status, headers, body)] = await exchange(request, b"GET")
    assert (status, body) == (200, b"hello a/b,c")
    assert headers["content-type"] == "text/plain"
    assert headers["content-length"] == str(len(body))
    assert headers["date"].endswith("GMT")


async def test_one_connection_serves_many(autojump_clock: trio.abc.Clock) -> None:
    one = b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n"
    other = b"HEAD /hello HTTP/1.1\r\nHost: x\r\n\r\n"
    post = b"POST /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody"
    missing = b"HEAD /nothing HTTP/1.1\r\nHost: x\r\n\r\n"
    got = await exchange(one + other + post + missing + one, *b"GET HEAD POST HEAD GET".split())
    assert [status for status, _, _ in got] == [200, 200, 405, 404, 200]
    assert [body for _, _, body in got] == [b"hello ", b"", b"GET or HEAD\n", b"", b"hello "]
    assert got[1][1]["content-length"] == "6"
    assert got[2][1]["allow"] == "GET, HEAD"


async def test_what_is_not_there_says_what_is(autojump_clock: trio.abc.Clock) -> None:
    [(status, _, body)] = await exchange(b"GET / HTTP/1.0\r\n\r\n", b"GET")
    assert status == 404
    assert b"/hello /large" in body


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),  # the hello of TLS
        (b"GET /hello HTTP/1.1\r\n\r\n", 400),  # no Host
        (b"GET /hello HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n", 400),
        (b"GET /hello HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
        (b"GET /hello HTTP/1.1\r\nHost: x\r\nbad header\r\n\r\n", 400),
        (b"GET /" + b"x" * 3 * LONGEST_HEAD + b" HTTP/1.1\r\nHost: x\r\n\r\n", 431),
        (b"GET /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999\r\n\r\n" + b"x" * 99999, 413),
        (b"HEAD /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999\r\n\r\n" + b"x" * 99999, 413),
    ],
)
async def test_what_is_not_understood_is_said_and_hung_up_on(
    data: bytes, status: int, autojump_clock: trio.abc.Clock
) -> None:
    assert len(data) < LONGEST_BODY or status == 413
    method = b"HEAD" if data.startswith(b"HEAD") else b"GET"
    async with connected() as peer:
        await peer.say(data)
        [(said, headers, _)] = answers(await peer.everything(), method)
    assert said == status
    assert headers["connection"] == "close"


async def test_the_error_arrives_before_the_hanging_up(autojump_clock: trio.abc.Clock) -> None:
    """Although the peer goes on talking for a while."""
    async with connected() as peer:
        await peer.say(b"nonsense\r\n\r\n")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(peer.say, b"more " * 100_000)
            [(said, _, _)] = answers(await peer.everything(), b"GET")
    assert said == 400


async def test_nobody_may_be_slow(autojump_clock: trio.abc.Clock) -> None:
    for begun in (b"GET /hello HTTP/1.1\r\nHo", b"GET /hello HTTP/1.1\r\nHost: x\r\n"):
        async with connected() as peer:
            began = trio.current_time()
            for byte in begun:
                await peer.say(bytes([byte]))
                await trio.sleep(PATIENCE / len(begun) / 2)
            assert await peer.everything() == b""
            assert trio.current_time() - began <= PATIENCE * 1.2
    async with connected() as peer:
        began = trio.current_time()
        await peer.say(b"POST /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n")
        assert await peer.everything() == b""
        assert trio.current_time() - began == pytest.approx(PATIENCE)


async def test_a_scraper_may_come_once_a_minute(autojump_clock: trio.abc.Clock) -> None:
    request = b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n"
    async with connected() as peer:
        for _ in range(3):
            await peer.say(request)
            await trio.sleep(60)
        await trio.sleep(IDLE)
        assert len(answers(await peer.everything(), b"GET", b"GET", b"GET")) == 3


async def test_expect_is_answered_at_once(autojump_clock: trio.abc.Clock) -> None:
    began = trio.current_time()
    head = b"POST /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n"
    async with connected() as peer:
        await peer.say(head)
        [(status, _, _)] = answers(await peer.everything(), b"POST")
    assert status == 405
    assert trio.current_time() - began < 1


async def test_more_connections_than_there_are_scrapers(autojump_clock: trio.abc.Clock) -> None:
    server = Server(PAGES)
    async with trio.open_nursery() as nursery:
        peers = []
        for _ in range(MOST_CONNECTIONS + 1):
            ours, theirs = trio.testing.memory_stream_pair()
            nursery.start_soon(server.talk, theirs)
            peers.append(Peer(ours))
            await trio.testing.wait_all_tasks_blocked()
        assert (await peers[-1].everything()).startswith(b"HTTP/1.1 503 ")
        await peers[0].stream.aclose()
        await trio.testing.wait_all_tasks_blocked()
        async with connected(server) as peer:
            await peer.say(b"GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert answers(await peer.everything(), b"GET")[0][0] == 200
        nursery.cancel_scope.cancel()


PIECES = st.one_of(
    st.binary(max_size=60),
    st.sampled_from(
        [
            b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n",
            b"HEAD /hello HTTP/1.1\r\nHost: x\r\n\r\n",
            b"POST /hello HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"5\r\nhello\r\n",
            b"0\r\n\r\n",
            b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
            b"Expect: 100-continue\r\n",
            b"\r\n",
            b"GET ",
            b"HTTP/9.9",
        ]
    ),
)


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(PIECES, max_size=8), st.booleans())
def test_whatever_comes_is_answered_or_hung_up_on(pieces: list[bytes], eof: bool) -> None:
    """Nothing raises, nothing hangs, and every answer begins as one of HTTP."""

    async def run() -> None:
        async with connected() as peer:
            for piece in pieces:
                await peer.say(piece)
                await trio.lowlevel.checkpoint()
            if eof:
                await peer.stream.send_eof()
            said = await peer.everything()
            assert said == b"" or said.startswith(b"HTTP/1.1 ")
            assert b" 500 " not in said[:20]

    trio.run(run, clock=trio.testing.MockClock(autojump_threshold=0))


async def test_a_real_client_on_a_real_socket() -> None:
    with capture_logs() as lines:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(serve_pages, "127.0.0.1", 0, PAGES)
            port = await _port(lines)

            def scrape() -> tuple[list[int], int]:
                client = http.client.HTTPConnection("127.0.0.1", port, timeout=WAIT)
                statuses = []
                for method, path in (("GET", "/hello"), ("HEAD", "/hello"), ("GET", "/large")):
                    client.request(method, path)
                    response = client.getresponse()
                    statuses.append(response.status)
                    length = len(response.read())
                client.close()
                return statuses, length

            assert await trio.to_thread.run_sync(scrape) == ([200, 200, 200], 10_000_000)
            nursery.cancel_scope.cancel()


async def test_an_address_that_is_taken_is_said_once_and_tried_again() -> None:
    taken = socket.create_server(("127.0.0.1", 0))
    port = taken.getsockname()[1]
    with capture_logs() as lines:
        async with trio.open_nursery() as nursery:
            again = partial(serve_pages, "127.0.0.1", port, PAGES, again_in=0.01)
            nursery.start_soon(again)
            with trio.fail_after(WAIT):
                while not lines:
                    await trio.lowlevel.checkpoint()
            [failed] = lines
            taken.close()
            assert await _port(lines) == port
            nursery.cancel_scope.cancel()
    assert failed["event"] == "metrics cannot be served"
    assert failed["address"] == f"127.0.0.1:{port}"
    assert "metrics.listen" in failed["what_to_do"]


async def _port(lines: list[MutableMapping[str, Any]]) -> int:
    """The port that the log says."""
    with trio.fail_after(WAIT):
        while True:
            for line in lines:
                if line["event"] == "metrics are served":
                    return int(line["address"].rpartition(":")[2])
            await trio.lowlevel.checkpoint()
