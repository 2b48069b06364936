"""A broker that says what a test has written down, for what no real one can be made to say."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

import trio

__all__ = ["read_packet", "scripted_broker"]


@asynccontextmanager
async def scripted_broker(*answers: Sequence[bytes | None]) -> AsyncIterator[int]:
    """A port on loopback. The n-th connection is answered by the n-th sequence, packet by packet.

    After each packet that comes in, the next bytes go out; `None` closes. When a sequence ends,
    the connection stays open and silent. Connections beyond the last sequence get the last one.
    """
    waiting = list(answers)

    async def serve(stream: trio.SocketStream) -> None:
        script = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        # A client that closes with something unread resets the connection.
        with suppress(trio.BrokenResourceError):
            await play(stream, script)

    async def play(stream: trio.SocketStream, script: Sequence[bytes | None]) -> None:
        async with stream:
            for answer in script:
                await read_packet(stream)
                if answer is None:
                    return
                await stream.send_all(answer)
            async for _ in stream:
                pass

    async with trio.open_nursery() as nursery:
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
        nursery.start_soon(trio.serve_listeners, serve, listeners)
        yield listeners[0].socket.getsockname()[1]
        nursery.cancel_scope.cancel()


async def read_packet(stream: trio.abc.ReceiveStream) -> bytes:
    """A whole packet, or what there is of it when the client closes."""
    packet = await _read(stream, 1)
    length, shift = 0, 0
    while byte := await _read(stream, 1):
        packet += byte
        length |= (byte[0] & 0x7F) << shift
        shift += 7
        if not byte[0] & 0x80:
            break
    return packet + await _read(stream, length)


async def _read(stream: trio.abc.ReceiveStream, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = await stream.receive_some(count - len(data))
        if not more:
            break
        data += more
    return data
