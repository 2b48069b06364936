"""Server-Sent Events: views and results as they come, and a beat each second.

Hundreds of readers hear a beat each second. Where that can be, what they are told is written to the
connection itself, in chunks of HTTP/1.1 as the server would write them: a third of the work. Of a
reader that takes nothing, the connection makes an end.
"""

import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial

import anyio
import trio
from starlette.types import Receive, Scope, Send

from .access import Pass
from .connection import DIRECTLY, Connection
from .feed import Event, Feed

__all__ = ["BEAT", "Stream", "until_gone"]

BEAT = 1.0
"""Seconds between two signs of life."""

_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]

_Write = Callable[[bytes], Awaitable[None]]

_COME_AGAIN = b"retry: 1000\n\n"
"""Milliseconds until a reader that was cut off connects again."""


class Stream:
    """One reader's events, as an ASGI application: of one room, or of all that it may see."""

    def __init__(self, feed: Feed, reader: Pass, room: str | None, last_event_id: str) -> None:
        self._feed = feed
        self._reader = reader
        self._room = room
        self._number = feed.number_of(last_event_id)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve until the reader leaves or has to show its rights again."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(until_gone, receive, nursery.cancel_scope)
            await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
            await _write(send, _COME_AGAIN)
            with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
                await self._tell(_writer(scope, send))
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            nursery.cancel_scope.cancel()

    async def _tell(self, write: _Write) -> None:
        feed, generation = self._feed, self._feed.generation
        if not self._number:
            await self._tell_present(write)
        beat_at = trio.current_time() + BEAT
        while feed.generation == generation:
            if events := feed.since(self._number, self._room, self._reader):
                await write(b"".join(map(self._line, events)))
                self._number = events[-1].number
                beat_at = trio.current_time() + BEAT
                continue
            self._number = feed.number
            with trio.move_on_at(beat_at) as patience:  # woken for others, it beats all the same
                await feed.wait()
            if patience.cancelled_caught:
                await write(_beat())
                beat_at = trio.current_time() + BEAT

    async def _tell_present(self, write: _Write) -> None:
        self._number = self._feed.number
        rooms = self._feed.rooms if self._room is None else [self._room]
        for event in self._feed.present(list(rooms), self._reader):
            await write(self._line(event))
        await write(_beat())

    def _line(self, event: Event) -> bytes:
        head = f"event: {event.name}\nid: {self._feed.life}-{event.number}\ndata: "
        return head.encode() + event.data + b"\n\n"


def _beat() -> bytes:
    now = datetime.fromtimestamp(time.time(), UTC).isoformat(timespec="milliseconds")
    return f'event: beat\ndata: {{"now":"{now.removesuffix("+00:00")}Z"}}\n\n'.encode()


def _writer(scope: Scope, send: Send) -> _Write:
    """What writes to the reader: to its connection, where it speaks HTTP/1.1 in clear."""
    connection: Connection | None = scope.get("state", {}).get(DIRECTLY)
    if connection is None or scope["http_version"] != "1.1":
        return partial(_write, send)

    async def write(data: bytes) -> None:
        if rest := connection.send_now(b"%x\r\n%b\r\n" % (len(data), data)):
            await connection.send(rest)

    return write


async def _write(send: Send, data: bytes) -> None:
    await send({"type": "http.response.body", "body": data, "more_body": True})


async def until_gone(receive: Receive, serving: trio.CancelScope) -> None:
    """Cancel what serves somebody once he has hung up."""
    while (await receive())["type"] != "http.disconnect":
        pass
    serving.cancel()
