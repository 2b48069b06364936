"""WebSocket below MQTT (RFC 6455, and MQTT 5, 6.0), as paho wants it of a socket.

A message's parts and its end mean nothing to MQTT, so payloads are handed on as they come: of a
frame, however long it says it is, no more is kept than what is received of it at a time.
"""

import socket
import ssl
from collections.abc import Iterator
from contextlib import suppress

from paho.mqtt.client import WebsocketConnectionError
from wsproto import ConnectionType, WSConnection
from wsproto.connection import ConnectionState
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Ping,
    RejectConnection,
    Request,
    TextMessage,
)
from wsproto.frame_protocol import CloseReason
from wsproto.utilities import RemoteProtocolError

from ..text.shortened import shortened
from ..text.visible import visible
from .failures import WebSocketEnded

__all__ = ["WebSocket"]

_READ_AT_ONCE = 16_384
"""Bytes. More would keep other tasks waiting, where they are frames of next to nothing."""

_SHOWN = 60
"""Characters of a server's own words."""


class WebSocket:
    """MQTT's bytes over a WebSocket on `inner`, which has TLS where there is TLS.

    What is made blocks until the broker has answered, or raises `OSError`,
    `WebsocketConnectionError` among it; from then on it blocks where `inner` does.
    """

    def __init__(self, inner: socket.socket, host: str, port: int, path: str) -> None:
        self._inner = inner
        self._connection = WSConnection(ConnectionType.CLIENT)
        # To the newest of the broker's pings, or to its close.
        self._owed: Event | None = None
        self._ended: WebSocketEnded | None = None
        self._unsent = bytearray()
        # Bytes of MQTT in the frame under way.
        self._asked = 0
        scheme, usual = ("https", 443) if isinstance(inner, ssl.SSLSocket) else ("http", 80)
        name = f"[{host}]" if ":" in host else host
        authority = name if port == usual else f"{name}:{port}"
        origin = (b"Origin", f"{scheme}://{authority}".encode())
        request = Request(authority, path, extra_headers=[origin], subprotocols=["mqtt"])
        inner.sendall(self._connection.send(request))
        while not self._is_accepted():
            pass

    def _is_accepted(self) -> bool:
        """Whether the answer is there after the next bytes. Raises `WebsocketConnectionError`."""
        try:
            data = self._inner.recv(4096)
        except ConnectionResetError:
            data = b""
        if not data:
            raise WebsocketConnectionError("it closed the connection")
        try:
            self._connection.receive_data(data)
        # The latter where a header is no text.
        except (RemoteProtocolError, UnicodeDecodeError) as error:
            raise WebsocketConnectionError(_shown(str(error))) from error
        match next(self._connection.events(), None):
            case RejectConnection(status_code=status):
                raise WebsocketConnectionError(f"it answers with HTTP's {status}")
            case AcceptConnection():
                return True
        return False

    def recv(self, size: int) -> bytes:
        """What has come, at most about `size` bytes; none where the connection is closed.

        Raises `BlockingIOError` or what TLS has for it where nothing has come for MQTT, and
        `WebSocketEnded`.
        """
        if self._ended is None:
            data = self._inner.recv(min(size, _READ_AT_ONCE))
            if data:
                self._connection.receive_data(data)
            # With the first of them, what came with the broker's answer.
            payload = b"".join(self._payloads())
            self._answer()
            if payload or not data:
                return payload
        if self._ended is not None:
            raise self._ended
        raise BlockingIOError

    def _payloads(self) -> Iterator[bytes]:
        """What there is for MQTT in what was received; nothing behind the end is looked at."""
        for event in self._connection.events():
            match event:
                case BytesMessage():
                    yield bytes(event.data)
                case Ping():
                    self._owed = event.response()
                case TextMessage():
                    self._ended = WebSocketEnded("a text, where MQTT is binary", broken=True)
                    return
                case CloseConnection():
                    self._ended = self._end(event)

    def _end(self, close: CloseConnection) -> WebSocketEnded:
        why = _shown(close.reason or "")
        if self._connection.state is ConnectionState.OPEN:
            # The library's own word, over what the broker has said.
            return WebSocketEnded(why, broken=True)
        self._owed = close.response()
        given = close.code is not CloseReason.NO_STATUS_RCVD
        code = f"{int(close.code)}" if given else "no code"
        return WebSocketEnded(f"{code}, {why}" if why else code, broken=False)

    def _answer(self) -> None:
        """Send what is owed, where it goes at once; else it goes before the next packet."""
        if not self._asked:
            # A broker that does not listen is one whom the reader hears from.
            with suppress(OSError):
                self._flush()

    def send(self, data: bytes | bytearray) -> int:
        """Send this as one frame; how much of it has gone: all, once the whole frame has.

        Until then it is to be called again with the same. Raises `BlockingIOError`, or what TLS has
        for it. Once it has ended, which `recv` tells, nothing goes any more.
        """
        if not self._asked and self._ended is None:
            self._unsent += self._connection.send(BytesMessage(bytes(data)))
        self._asked = len(data)
        self._flush()
        sent, self._asked = self._asked, 0
        return sent

    def _flush(self) -> None:
        while self._unsent or self._owed is not None:
            if not self._unsent and self._owed is not None:
                self._unsent += self._connection.send(self._owed)
                self._owed = None
            # After a refusal TLS wants the same bytes again, and takes more behind them.
            del self._unsent[: self._inner.send(self._unsent)]

    def pending(self) -> int:
        """More than zero where there is something to read that the socket does not tell of."""
        held = self._inner.pending() if isinstance(self._inner, ssl.SSLSocket) else 0
        return held + (self._ended is not None)

    def fileno(self) -> int:
        """The file descriptor of the socket."""
        return self._inner.fileno()

    def setblocking(self, flag: bool) -> None:
        """As of a socket."""
        self._inner.setblocking(flag)

    def close(self) -> None:
        """Close the socket, without a word."""
        self._inner.close()


def _shown(text: str) -> str:
    return visible(shortened(text, _SHOWN))
