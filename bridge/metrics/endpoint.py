"""A small HTTP server: a few pages to be read, by a scraper or by hand.

HTTP/1.1 by h11 on Trio's streams; everything that a peer could make large or slow has a bound. What
is not HTTP gets 400 and is hung up on.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from typing import TypeAlias

import h11
import structlog
import trio

__all__ = ["Page", "Pages", "Server", "serve_pages"]

log = structlog.get_logger("metrics")

MOST_CONNECTIONS = 16
"""At once: more than there are scrapers; who comes then is told to come again."""

LONGEST_HEAD = 8192
"""Bytes of a request line and its headers."""

LONGEST_BODY = 65536
"""Bytes of a body, which no page wants but which must be read to its end."""

PATIENCE = 10.0
"""Seconds for a request to arrive, and for an answer to be taken."""

IDLE = 120.0
"""Seconds that a connection may be silent between two requests: longer than scrapes are apart."""

_LINGER = 1.0
"""Seconds for a peer that is hung up on to read why."""

_RECEIVE_SIZE = 8192

_BUSY = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n"
    b"Retry-After: 10\r\n\r\n"
)


@dataclass(frozen=True, slots=True)
class Page:
    """An answer."""

    status: int
    content_type: str
    body: bytes


Pages: TypeAlias = Mapping[str, Callable[[str], Awaitable[Page]]]
"""By path; each is called with the request's ``Accept``."""


async def serve_pages(host: str, port: int, pages: Pages, *, again_in: float = 5.0) -> None:
    """Serve until cancelled.

    An address that cannot be listened on is said once and tried every `again_in` seconds: rooms do
    not depend on it.
    """
    said = False
    while True:
        try:
            listeners = await trio.open_tcp_listeners(port, host=host or None)
        except OSError as error:
            if not said:
                log.error(  # noqa: TRY400 - the place in Trio tells nobody anything
                    "metrics cannot be served",
                    address=_shown(host, port),
                    error=error.strerror or str(error),
                    what_to_do="set metrics.listen to an address of this box that is free; tried "
                    "again until it is",
                )
                said = True
            await trio.sleep(again_in)
            continue
        for listener in listeners:
            here = listener.socket.getsockname()
            log.info("metrics are served", address=_shown(here[0], here[1]), pages=" ".join(pages))
        await trio.serve_listeners(Server(pages).talk, listeners)


def _shown(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class Server:
    """Answers on any number of connections, on so many at a time."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._connections = 0

    async def talk(self, stream: trio.abc.HalfCloseableStream) -> None:
        """One connection, to its end."""
        self._connections += 1
        try:
            if self._connections > MOST_CONNECTIONS:
                with trio.move_on_after(_LINGER):
                    await stream.send_all(_BUSY)
            else:
                await _Conversation(stream, self._pages).run()
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass  # the peer has left
        finally:
            self._connections -= 1
            await trio.aclose_forcefully(stream)


class _TooLong(Exception):
    """A body beyond `LONGEST_BODY`."""


class _Conversation:
    """Requests and answers on one connection."""

    def __init__(self, stream: trio.abc.HalfCloseableStream, pages: Pages) -> None:
        self._stream = stream
        self._pages = pages
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=LONGEST_HEAD)
        self._only_head = False

    async def run(self) -> None:
        """Until the peer leaves, is silent for too long, or says what is not HTTP."""
        try:
            while (request := await self._request()) is not None:
                await self._answer(request)
                if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
                    break
                self._http.start_next_cycle()
                self._only_head = False
        except h11.RemoteProtocolError as error:
            await self._hang_up(error.error_status_hint, f"not understood: {error}")
        except _TooLong:
            await self._hang_up(413, "no page takes a body")
        except trio.TooSlowError:
            pass

    async def _request(self) -> h11.Request | None:
        """The next request, with its body read; None when the peer has left."""
        event = self._http.next_event()
        if event is h11.NEED_DATA:
            with trio.fail_after(IDLE):
                await self._receive()
            event = self._http.next_event()
        with trio.fail_after(PATIENCE):
            while event is h11.NEED_DATA:
                await self._receive()
                event = self._http.next_event()
            if not isinstance(event, h11.Request):
                return None
            self._only_head = event.method == b"HEAD"
            if not self._http.they_are_waiting_for_100_continue:
                await self._skip_body()
            return event

    async def _skip_body(self) -> None:
        length = 0
        while True:
            part = self._http.next_event()
            if part is h11.NEED_DATA:
                await self._receive()
            elif isinstance(part, h11.Data):
                length += len(part.data)
                if length > LONGEST_BODY:
                    raise _TooLong
            else:
                return

    async def _receive(self) -> None:
        self._http.receive_data(bytes(await self._stream.receive_some(_RECEIVE_SIZE)))

    async def _answer(self, request: h11.Request) -> None:
        path = request.target.partition(b"?")[0].decode("latin-1")
        page = self._pages.get(path)
        if page is None:
            await self._send(_text(404, f"There is nothing here; pages: {' '.join(self._pages)}"))
        elif request.method not in (b"GET", b"HEAD"):
            await self._send(_text(405, "GET or HEAD"), (b"Allow", b"GET, HEAD"))
        else:
            accept = b",".join(value for name, value in request.headers if name == b"accept")
            await self._send(await page(accept.decode("latin-1")))

    async def _send(self, page: Page, *headers: tuple[bytes, bytes]) -> None:
        response = h11.Response(
            status_code=page.status,
            reason=HTTPStatus(page.status).phrase,
            headers=[
                (b"Date", formatdate(usegmt=True).encode()),
                (b"Content-Type", page.content_type.encode()),
                (b"Content-Length", str(len(page.body)).encode()),
                (b"Cache-Control", b"no-store"),
                *headers,
            ],
        )
        data = self._http.send(response) or b""
        if not self._only_head:
            data += self._http.send(h11.Data(page.body)) or b""
        data += self._http.send(h11.EndOfMessage()) or b""
        with trio.fail_after(PATIENCE):
            await self._stream.send_all(data)

    async def _hang_up(self, status: int, reason: str) -> None:
        """Say why, and leave the peer a moment to read it: a reset would take it away."""
        with trio.move_on_after(_LINGER):
            if self._http.our_state in (h11.IDLE, h11.SEND_RESPONSE):
                await self._send(_text(status, reason), (b"Connection", b"close"))
            await self._stream.send_eof()
            while await self._stream.receive_some(_RECEIVE_SIZE):
                pass


def _text(status: int, text: str) -> Page:
    return Page(status, "text/plain; charset=utf-8", f"{text}\n".encode())
