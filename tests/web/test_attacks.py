"""Strangers who know HTTP well: what they send comes to nothing, and holds up nobody."""

import http.client
from typing import Any

import pytest
import trio
import trio.testing

from bridge.web.access import COOKIE

from .doors import Site
from .test_listening import GET, exchanged, gone, served

ROOM = "/rooms/boardroom"
POST = b"POST /rooms/boardroom/record HTTP/1.1\r\nHost: localhost\r\n"
INNER = b"POST /rooms/boardroom/record HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"


@pytest.mark.parametrize(
    "data",
    [
        POST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + INNER,
        POST + b"Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n0\r\n\r\n" + INNER,
        POST + b"Content-Length: 0\r\nContent-Length: 5\r\n\r\n" + INNER,
        POST + b"Content-Length: 0, 5\r\n\r\n" + INNER,
        POST + b"Content-Length: +0\r\n\r\n" + INNER,
        POST + b"Content-Length: -1\r\n\r\n" + INNER,
        POST + b"Content-Length: 0x0\r\n\r\n" + INNER,
        POST + b"Content-Length : 0\r\n\r\n" + INNER,
        POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + INNER,
        POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + INNER,
        POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n" + INNER,
        POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n" + INNER,
        POST + b"X: a\rContent-Length: 0\r\n\r\n" + INNER,
        POST + b"X: a\x00\r\nContent-Length: 0\r\n\r\n" + INNER,
    ],
)
async def test_where_a_request_ends_is_no_matter_of_taste(
    data: bytes, autojump_clock: trio.abc.Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    """Refused, and nothing after it is read: a proxy before the bridge may see two requests."""
    site = Site()
    async with site.running(), served(site.web.door.app) as (listener, port, _):
        said = await exchanged(port, data)
        # Hung up on with something unread, a peer may not even get its answer.
        assert not said or said.split(b" ")[1] in (b"400", b"501"), said
        assert said.count(b"HTTP/1.1 ") <= 1
        assert site.house.executed.count("startRecording") == 0
        await gone(listener)
    assert "internal error" not in capsys.readouterr().out


async def test_a_body_in_parts_is_one_request(autojump_clock: trio.abc.Clock) -> None:
    site = Site()
    async with site.running(), served(site.web.door.app) as (_, port, _):
        chunked = POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
        said = await exchanged(
            port, chunked + GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
        )
        assert said.count(b"HTTP/1.1 200") == 2


@pytest.mark.parametrize(
    ("head", "most"),
    [
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ", 80),
        (POST + b"Content-Length: 999\r\n\r\n", 15),
    ],
)
async def test_who_sends_a_byte_at_a_time_has_an_end(
    head: bytes, most: float, autojump_clock: trio.abc.Clock
) -> None:
    async with served(Site().web.door.app) as (listener, port, _), trio.open_nursery() as nursery:
        stream = await trio.open_tcp_stream("127.0.0.1", port)
        await stream.send_all(head)

        async def dribble() -> None:
            while True:
                await trio.sleep(1)
                await stream.send_all(b"x")

        nursery.start_soon(dribble)
        began = trio.current_time()
        await trio.testing.wait_all_tasks_blocked()
        await gone(listener)
        assert trio.current_time() - began < most
        nursery.cancel_scope.cancel()
        await trio.aclose_forcefully(stream)


@pytest.mark.parametrize("path", ["/" + "a" * 15_000, "/rooms/" + "a/" * 7_000, "/%2e%2e/%00/%ff"])
async def test_a_path_without_end_is_not_said_again(
    path: str, autojump_clock: trio.abc.Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    async with served(Site().web.door.app) as (_, port, _):
        request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        said = await exchanged(port, request.encode())
        assert said.split(b" ")[1] in (b"400", b"404")
        assert len(said) < 2000
    assert len(capsys.readouterr().out) < 2000


async def test_absolute_targets_are_of_the_host_that_is_named(
    autojump_clock: trio.abc.Clock,
) -> None:
    async with served(Site().web.door.app) as (_, port, _):
        for target, host in (
            ("http://evil.example/rooms", "localhost"),
            ("/rooms", "evil.example"),
        ):
            request = f"GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
            status = int((await exchanged(port, request.encode())).split(b" ")[1])
            assert status in (http.client.NOT_FOUND, http.client.MISDIRECTED_REQUEST)


async def test_who_reads_no_events_is_dropped(autojump_clock: trio.abc.Clock) -> None:
    """While a room changes without end, it costs the kernel's buffers, and no room waits for it."""
    site = Site()
    async with site.running() as client, served(site.web.door.app) as (listener, port, _):
        stream = await trio.open_tcp_stream("127.0.0.1", port)
        await stream.send_all(GET.replace(b"/health/live", b"/events"))
        await trio.testing.wait_all_tasks_blocked()
        assert listener.connections == 1
        with trio.fail_after(3600):
            while listener.connections:
                site.web.broker_changed()
                await trio.sleep(0.05)
        assert (await client.post(f"{ROOM}/record")).status_code == 200
        await trio.aclose_forcefully(stream)


async def test_a_cookie_stands_for_its_own_secret_alone(autojump_clock: trio.abc.Clock) -> None:
    """Neither under the name of another's, nor for another role or room."""
    site = Site(web={"operate_secret": "operate-all"}, look_secret="look-at-board")
    async with site.running() as client:
        await client.post("/session", json={"secret": "look-at-board"})
        [(_, looks)] = client.cookies.items()
        assert (await client.post(f"{ROOM}/record")).status_code == 403
        assert (await client.get("/metrics")).status_code == 403
        operates, right = site.web.door._access.cookie("operate-all")  # noqa: SLF001
        for name in (operates, COOKIE, f"{COOKIE}0", COOKIE + "x" * 2000):
            client.cookies.clear()
            client.cookies.set(name, looks)
            assert (await client.get(ROOM)).status_code == 401, name
        client.cookies.clear()
        client.cookies.set(operates, right.upper())
        assert (await client.get(ROOM)).status_code == 401


async def test_what_others_need_is_left_to_them(autojump_clock: trio.abc.Clock) -> None:
    """Of a process that may open few files, the pages take what broker and HMP do without."""
    async with served(Site().web.door.app, spare=lambda: 2) as (listener, port, _):
        streams = [await trio.open_tcp_stream("127.0.0.1", port) for _ in range(2)]
        await trio.testing.wait_all_tasks_blocked()
        assert b"503" in await exchanged(port, b"")
        assert listener.connections == 2
        for each in streams:
            await each.aclose()


@pytest.mark.parametrize(
    ("request_line", "address", "status"),
    [
        ("POST /rooms/boardroom/pause", "127.0.0.1", b"409"),
        ("GET /health/live", "127.0.0.2", b"200"),
    ],
)
async def test_who_asks_for_much_at_once_waits_for_it_himself(
    request_line: str, address: str, status: bytes, autojump_clock: trio.abc.Clock
) -> None:
    """Between two of his answers others have theirs, and a press waits for none but presses."""
    site, answered = Site(), 0

    async def counted(*asgi: Any) -> None:
        nonlocal answered
        await site.web.door.app(*asgi)
        answered += 1

    def asked(line: str) -> tuple[bytes, bytes]:
        head = f"{line} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n".encode()
        return head + b"\r\n", head + b"Connection: close\r\n\r\n"

    async with site.running(), served(counted) as (listener, port, _), trio.open_nursery() as crowd:
        for path in ("/openapi.json", "/metrics", "/nowhere/at/all", "/rooms"):
            more, last = asked(f"GET {path}")
            for _ in range(15):
                crowd.start_soon(exchanged, port, more * 4 + last)
        while listener.connections < 60 or not answered:
            await trio.lowlevel.checkpoint()
        before = answered
        said = await exchanged(port, asked(request_line)[1], address)
        assert said.split(b" ")[1] == status
        assert answered - before < 30
    assert answered == 301
