"""TLS and WebSocket, as paho wants them of a socket."""

import base64
import os
import socket
import ssl
from contextlib import suppress

from paho.mqtt.client import WebsocketConnectionError

from .frames import BINARY, LONGEST_HEAD, Frames, frame, refusal, request

__all__ = ["TlsContext", "WebSocket", "WebSocketEnded"]


_READ_AT_ONCE = 16_384
"""Bytes. More would keep other tasks waiting, where they are frames of next to nothing."""


class TlsContext:
    """A context for one connection, `shared` with others.

    It remembers the socket it wrapped, which paho leaks when the handshake fails.
    """

    def __init__(self, shared: ssl.SSLContext) -> None:
        self.shared = shared
        self.check_hostname = shared.check_hostname
        self.wrapped: ssl.SSLSocket | None = None

    def peer_ends(self) -> dict[str, float]:
        """The broker's certificate, with the seconds since the epoch at which it ends.

        Nothing where it is not verified, and once the connection is closed.
        """
        sock = self.wrapped
        certificate = None if sock is None or sock.fileno() < 0 else sock.getpeercert()
        end = str(certificate["notAfter"]) if certificate else ""
        return {"the broker's certificate": ssl.cert_time_to_seconds(end)} if end else {}

    def wrap_socket(
        self, sock: socket.socket, *, server_hostname: str, do_handshake_on_connect: bool
    ) -> ssl.SSLSocket:
        """As paho calls it."""
        self.wrapped = self.shared.wrap_socket(
            sock,
            server_hostname=server_hostname,
            do_handshake_on_connect=do_handshake_on_connect,
        )
        return self.wrapped


class WebSocketEnded(OSError):
    """The broker closed it in good order, or not: `broken` is the rule that it did not keep."""

    def __init__(self, detail: str, *, broken: bool) -> None:
        super().__init__(detail)
        self.broken = broken


class WebSocket:
    """MQTT's bytes over a WebSocket on `inner`, which has TLS where there is TLS.

    What is made blocks until the broker has answered, or raises `OSError`,
    `WebsocketConnectionError` among it; from then on it blocks where `inner` does.
    """

    def __init__(self, inner: socket.socket, host: str, port: int, path: str) -> None:
        self._inner = inner
        self._frames = Frames()
        # What came with the end of the broker's answer.
        self._early = b""
        self._unsent = bytearray()
        # Bytes of MQTT in the frame under way.
        self._asked = 0
        scheme, usual = ("https", 443) if isinstance(inner, ssl.SSLSocket) else ("http", 80)
        name = f"[{host}]" if ":" in host else host
        authority = name if port == usual else f"{name}:{port}"
        key = base64.b64encode(os.urandom(16))
        inner.sendall(request(authority, f"{scheme}://{authority}", path, key))
        refused = refusal(self._head(), key)
        if refused is not None:
            raise WebsocketConnectionError(refused)

    def _head(self) -> bytes:
        received = bytearray()
        while (end := received.find(b"\r\n\r\n")) < 0:
            if len(received) > LONGEST_HEAD:
                raise WebsocketConnectionError("its answer has no end")
            try:
                more = self._inner.recv(4096)
            except ConnectionResetError:
                more = b""
            if not more:
                raise WebsocketConnectionError("it closed the connection")
            received += more
        self._early = bytes(received[end + 4 :])
        return bytes(received[:end])

    def recv(self, size: int) -> bytes:
        """What has come, at most about `size` bytes; none where the connection is closed.

        Raises `BlockingIOError` or what TLS has for it where nothing has come for MQTT, and
        `WebSocketEnded`.
        """
        frames = self._frames
        if not frames.over:
            data = self._inner.recv(min(size, _READ_AT_ONCE))
            if not data and not self._early:
                return b""
            data, self._early = self._early + data, b""
            payload = frames.payload(data)
            self._answer()
            if payload:
                return payload
        if frames.broken is not None:
            raise WebSocketEnded(frames.broken, broken=True)
        if frames.closed is not None:
            raise WebSocketEnded(frames.closed, broken=False)
        raise BlockingIOError

    def _answer(self) -> None:
        """Send what is owed, where it goes at once; else it goes before the next packet."""
        if not self._asked:
            # A broker that does not listen is one whom the reader hears from.
            with suppress(OSError):
                self._flush()

    def send(self, data: bytes | bytearray) -> int:
        """Send this as one frame; how much of it has gone: all, once the whole frame has.

        Until then it is to be called again with the same. Raises `BlockingIOError`, or what TLS has
        for it.
        """
        if not self._asked:
            self._asked = len(data)
            self._unsent += frame(BINARY, data, os.urandom(4))
        self._flush()
        sent, self._asked = self._asked, 0
        return sent

    def _flush(self) -> None:
        while self._unsent or self._frames.owed is not None:
            if not self._unsent and self._frames.owed is not None:
                self._unsent += frame(*self._frames.owed, os.urandom(4))
                self._frames.owed = None
            # After a refusal TLS wants the same bytes again, and takes more behind them.
            del self._unsent[: self._inner.send(self._unsent)]

    def pending(self) -> int:
        """More than zero where there is something to read that the socket does not tell of."""
        held = self._inner.pending() if isinstance(self._inner, ssl.SSLSocket) else 0
        return held + self._frames.over

    def fileno(self) -> int:
        """The file descriptor of the socket."""
        return self._inner.fileno()

    def setblocking(self, flag: bool) -> None:
        """As of a socket."""
        self._inner.setblocking(flag)

    def close(self) -> None:
        """Close the socket, without a word."""
        self._inner.close()
