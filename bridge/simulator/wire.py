"""The byte stream under one connection, over a socket or over any Trio stream.

Sockets are used directly: a `trio.SocketStream` costs a sixth of the time that an answer takes,
and the simulator serves a thousand rooms in the benchmarks.
"""

import socket
import struct
from typing import Protocol

import trio

__all__ = ["SocketWire", "StreamWire", "Wire", "address_of"]

_CHUNK = 65_536


async def address_of(host: str, port: int) -> tuple[socket.AddressFamily, tuple[object, ...]]:
    """The first address that `host` names, to listen on. Raises `OSError` where it names none."""
    found = await trio.socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    return found[0][0], found[0][4]


class Wire(Protocol):
    """The stream of a connection. Its loss raises `OSError` or `trio.BrokenResourceError`."""

    async def receive(self) -> bytes:
        """The next bytes; empty when the client has closed its side."""
        ...

    async def send(self, data: bytes) -> None:
        """All of the data, in one segment where the network permits."""
        ...

    async def finish(self) -> None:
        """Send FIN; the client can still be read."""
        ...

    def reset(self) -> None:
        """Make the coming `close` send RST instead of FIN."""
        ...

    async def close(self) -> None:
        """Let go of the stream at once, cancelled or not."""
        ...


class SocketWire:
    """A TCP connection, with Nagle's algorithm off."""

    def __init__(self, sock: trio.socket.SocketType) -> None:
        self._socket = sock
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    async def receive(self) -> bytes:
        """See `Wire`."""
        return await self._socket.recv(_CHUNK)

    async def send(self, data: bytes) -> None:
        """See `Wire`."""
        sent = await self._socket.send(data)
        while sent < len(data):
            sent += await self._socket.send(data[sent:])

    async def finish(self) -> None:
        """See `Wire`."""
        self._socket.shutdown(socket.SHUT_WR)
        await trio.lowlevel.checkpoint()

    def reset(self) -> None:
        """See `Wire`: a linger time of zero discards what is unsent and resets."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    async def close(self) -> None:
        """See `Wire`."""
        self._socket.close()


class StreamWire:
    """A Trio stream, in memory for instance. It knows no RST: `reset` means an abrupt close."""

    def __init__(self, stream: trio.abc.HalfCloseableStream) -> None:
        self._stream = stream

    async def receive(self) -> bytes:
        """See `Wire`."""
        return bytes(await self._stream.receive_some())

    async def send(self, data: bytes) -> None:
        """See `Wire`."""
        await self._stream.send_all(data)

    async def finish(self) -> None:
        """See `Wire`."""
        await self._stream.send_eof()

    def reset(self) -> None:
        """See `Wire`."""

    async def close(self) -> None:
        """See `Wire`."""
        await trio.aclose_forcefully(self._stream)
