"""The broker's end of MQTT over WebSocket: as the library `websockets` has it, or as it is told.

The library's fails over whatever no client may do, such as a frame that is not masked.
"""

import re

import trio
from websockets.frames import Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol
from websockets.utils import accept_key

__all__ = ["SayingBroker", "WebSocketEnd", "websocket_end"]


class WebSocketEnd(trio.abc.Stream):
    """MQTT's bytes on a WebSocket whose handshake is done; `pongs` are as they came."""

    def __init__(self, below: trio.SocketStream) -> None:
        self.pongs: list[bytes] = []
        self._without_end = False
        self._below = below
        self._end = ServerProtocol(subprotocols=[Subprotocol("mqtt")])
        self._received = bytearray()
        self._sending = trio.Lock()

    async def handshake(self) -> None:
        """Hear the client's request, and accept it."""
        while not (events := self._end.events_received()):
            self._end.receive_data(await self._below.receive_some())
        (request,) = events
        assert isinstance(request, Request)
        self._end.send_response(self._end.accept(request))
        assert self._end.state is State.OPEN, self._end.handshake_exc
        await self._say()

    async def begin_without_end(self) -> None:
        """All that is sent from here on is in one frame, of 2^62 bytes."""
        self._without_end = True
        async with self._sending:
            await self._below.send_all(b"\x82\x7f" + (1 << 62).to_bytes(8, "big"))

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        while not self._received:
            data = await self._below.receive_some()
            if not data:
                return b""
            self._end.receive_data(data)
            assert self._end.parser_exc is None
            for event in self._end.events_received():
                self._take(event)
            await self._say()
        taken = bytes(self._received[:max_bytes])
        del self._received[: len(taken)]
        return taken

    def _take(self, event: object) -> None:
        match getattr(event, "opcode", None), getattr(event, "data", b""):
            case ((Opcode.BINARY | Opcode.CONT), data):
                self._received += data
            case Opcode.PONG, data:
                self.pongs.append(bytes(data))

    async def _say(self) -> None:
        async with self._sending:
            for data in self._end.data_to_send():
                if data:
                    await self._below.send_all(data)

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        if self._end.state is not State.OPEN:
            raise trio.BrokenResourceError
        if self._without_end:
            async with self._sending:
                await self._below.send_all(data)
        else:
            self._end.send_binary(bytes(data))
            await self._say()

    async def wait_send_all_might_not_block(self) -> None:
        await self._below.wait_send_all_might_not_block()

    async def aclose(self) -> None:
        await self._below.aclose()


async def websocket_end(below: trio.SocketStream) -> WebSocketEnd:
    """Such an end, once its handshake is done."""
    end = WebSocketEnd(below)
    await end.handshake()
    return end


_SWITCHING = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: "
)


class SayingBroker:
    """The socket to a broker that says this in pieces of so many bytes, and then has gone.

    It says this instead of an answer to the request for WebSocket, or behind one that `accepts`.
    """

    def __init__(self, said: bytes, *, piece: int, accepts: bool) -> None:
        self._said, self._at, self._piece, self._accepts = said, 0, piece, accepts
        self._answer = b""
        self.answered = bytearray()

    def sendall(self, request: bytes) -> None:
        """The request for WebSocket."""
        if self._accepts:
            found = re.search(rb"(?i)sec-websocket-key: (\S+)", request)
            assert found is not None
            self._answer = _SWITCHING + accept_key(found[1].decode()).encode() + b"\r\n\r\n"

    def recv(self, size: int) -> bytes:
        """The next piece."""
        if self._answer:
            answer, self._answer = self._answer, b""
            return answer
        piece = self._said[self._at : self._at + min(size, self._piece)]
        self._at += len(piece)
        return piece

    def send(self, data: bytes | bytearray) -> int:
        """What it is answered."""
        self.answered += data
        return len(data)
