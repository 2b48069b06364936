"""One connection of a browser or program, as anycorn wants it: a stream of bytes with bounds.

What anycorn sends it shields from cancellation, so a peer that takes nothing must be bounded here.
"""

import os
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import anyio
import trio
from anyio.abc import ByteStream, SocketAttribute

__all__ = ["DIRECTLY", "Connection"]

DIRECTLY = "connection"
"""The name in a request's `state` of the connection itself, where it is not encrypted."""

_PATIENCE = 15.0
"""Seconds for a peer to take what is sent to it; a page on a lost network comes again."""


class Connection(ByteStream):
    """A stream of Trio's for anyio's users; `end` makes an end of it, whatever it is doing."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self._stream = stream
        # What answers and what ends a connection are two tasks of anycorn's.
        self._writing = trio.Lock()
        # The kernel gives up a peer that confirms nothing, though there is little to confirm.
        milliseconds = int(_PATIENCE * 1000)
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, milliseconds)

    @property
    def extra_attributes(self) -> Mapping[Any, Callable[[], Any]]:
        """The socket, which anycorn asks for both addresses."""
        return {SocketAttribute.raw_socket: self._socket}

    def _socket(self) -> trio.socket.SocketType:
        return self._stream.socket

    async def receive(self, max_bytes: int = 65536) -> bytes:
        """Some bytes. Raises `EndOfStream`, and what anyio's streams raise besides."""
        with _in_anyios_words():
            data = bytes(await self._stream.receive_some(max_bytes))
        if not data:
            raise anyio.EndOfStream
        return data

    async def send(self, item: bytes) -> None:
        """All of `item`; where the peer does not take it, that is the end of the connection.

        Raises `BrokenResourceError`.
        """
        with _in_anyios_words(), trio.move_on_after(_PATIENCE) as patience:
            async with self._writing:
                await self._stream.send_all(item)
        if patience.cancelled_caught:
            self.end()
            raise anyio.BrokenResourceError

    def send_now(self, item: bytes) -> bytes:
        """As much of `item` as the kernel takes at once; returns the rest, to be sent with `send`.

        For whoever writes alone, and often: no task is switched to. Raises `BrokenResourceError`.
        """
        try:
            return item[os.write(self._stream.socket.fileno(), item) :]
        except BlockingIOError:
            return item
        except OSError as error:
            raise anyio.BrokenResourceError from error

    async def send_eof(self) -> None:
        """Nothing more will come."""
        with _in_anyios_words():
            async with self._writing:
                await self._stream.send_eof()

    async def aclose(self) -> None:
        """Close it; safe to repeat."""
        await self._stream.aclose()

    def end(self) -> None:
        """Close it in the middle of whatever; nobody waits for the peer."""
        self._stream.socket.close()


@contextmanager
def _in_anyios_words() -> Iterator[None]:
    try:
        yield
    except (trio.BrokenResourceError, OSError) as error:
        raise anyio.BrokenResourceError from error
    except trio.ClosedResourceError as error:
        raise anyio.ClosedResourceError from error
    except trio.BusyResourceError as error:
        raise anyio.BusyResourceError("write to") from error
