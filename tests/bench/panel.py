"""A panel that adds as little as possible to what is measured: MQTT on blocking sockets."""

import select
import socket
import time
from collections.abc import Iterable, Sequence
from typing import NamedTuple

__all__ = ["Panel", "Said", "SlowPanel"]

_PUBLISH, _PUBACK, _SUBACK = 0x30, 0x40, 0x90


class Said(NamedTuple):
    """One message as it came."""

    topic: str
    payload: str


class Panel:
    """One connection: publishes at QoS 1 or 0, subscribes at `qos`, answers nothing else.

    PINGREQ is never sent: the keepalive is off. `receive_buffer` is the socket's, in bytes, where
    the kernel's own choice is not wanted. `level` is the protocol's: 4 of MQTT 3.1.1, 5 of MQTT 5,
    whose properties are left empty.
    """

    def __init__(
        self,
        port: int,
        filters: Sequence[str] = (),
        *,
        qos: int = 0,
        receive_buffer: int | None = None,
        level: int = 4,
    ) -> None:
        self._none = b"\0" if level == 5 else b""
        self._socket = socket.socket()
        if receive_buffer is not None:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self._socket.settimeout(60)
        self._socket.connect(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._mid = 0
        self._rest = b""
        self._waiting: list[Said] = []
        self._accepted = self._subscribed = False
        # Clean session, no keepalive, no client identifier.
        connect = b"\0\4MQTT" + bytes([level, 2, 0, 0]) + self._none + b"\0\0"
        self._socket.sendall(_packet(0x10, connect))
        while not self._accepted:
            self._read()
        if filters:
            wanted = b"".join(_text(each) + bytes([qos]) for each in filters)
            self._socket.sendall(_packet(0x82, b"\0\1" + self._none + wanted))
            while not self._subscribed:
                self._read()

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def publish(self, messages: Iterable[tuple[str, str]], *, qos: int = 1) -> None:
        """Publish all of them in one write; nobody waits for PUBACK."""
        self._socket.sendall(b"".join(self._publication(*each, qos) for each in messages))

    def receive(self, timeout: float = 60.0) -> list[Said]:
        """What has come, at least one message. Raises `TimeoutError`."""
        self._socket.settimeout(timeout)
        while not self._waiting:
            self._read()
        said, self._waiting = self._waiting, []
        return said

    def drain(self) -> list[Said]:
        """What has come by now, maybe nothing."""
        while select.select([self._socket], [], [], 0)[0]:
            self._read()
        said, self._waiting = self._waiting, []
        return said

    def settle(self, quiet: float = 0.3) -> list[Said]:
        """What comes until nothing has come for `quiet` seconds."""
        settled: list[Said] = []
        while True:
            try:
                settled += self.receive(quiet)
            except TimeoutError:
                return settled

    def wait_for(self, topic: str, payload: str, timeout: float = 60.0) -> float:
        """The monotonic time at which `topic` said `payload`. Raises `TimeoutError`."""
        deadline = time.monotonic() + timeout
        while True:
            said = self.receive(max(0.001, deadline - time.monotonic()))
            if (topic, payload) in said:
                return time.monotonic()

    def _publication(self, topic: str, payload: str, qos: int) -> bytes:
        if not qos:
            return _packet(_PUBLISH, _text(topic) + self._none + payload.encode())
        self._mid = self._mid % 65535 + 1
        body = _text(topic) + self._mid.to_bytes(2, "big") + self._none + payload.encode()
        return _packet(_PUBLISH | 0x02, body)

    def _read(self) -> None:
        data = self._socket.recv(65536)
        if not data:
            raise ConnectionError("the broker closed the connection")
        # A broker with Nagle's algorithm on waits for this before its next small packet.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        data = self._rest + data
        at = 0
        while (end := self._one(data, at)) is not None:
            at = end
        self._rest = data[at:]

    def _one(self, data: bytes, start: int) -> int | None:
        """Take in the packet at `start`; where it ends, None where it is not complete."""
        length, shift, at = 0, 0, start + 1
        while True:
            if at >= len(data):
                return None
            length |= (data[at] & 0x7F) << shift
            at, shift = at + 1, shift + 7
            if not data[at - 1] & 0x80:
                break
        if at + length > len(data):
            return None
        self._packet(data[start], data[at : at + length])
        return at + length

    def _packet(self, first: int, body: bytes) -> None:
        match first & 0xF0:
            case 0x20:
                assert body[1] == 0, f"the broker refused the panel: {body[1]}"
                self._accepted = True
            case 0x90:
                assert 0x80 not in body[2:], "the broker refused the panel's subscription"
                self._subscribed = True
            case 0x30:
                length = int.from_bytes(body[:2], "big")
                at = 2 + length
                if first & 0x06:
                    self._acknowledge(body[at : at + 2])
                    at += 2
                at += len(self._none) and 1 + body[at]
                self._waiting.append(Said(body[2 : 2 + length].decode(), body[at:].decode()))

    def _acknowledge(self, mid: bytes) -> None:
        self._socket.sendall(bytes([_PUBACK, 2]) + mid)


class SlowPanel(Panel):
    """A subscriber that takes its time over every message, as one that draws or stores does."""

    def __init__(
        self,
        port: int,
        filters: Sequence[str],
        *,
        seconds: float,
        receive_buffer: int | None = None,
    ) -> None:
        self.seconds = seconds
        super().__init__(port, filters, qos=1, receive_buffer=receive_buffer)

    def _packet(self, first: int, body: bytes) -> None:
        if first & 0xF0 == _PUBLISH:
            time.sleep(self.seconds)
        super()._packet(first, body)


def _text(text: str) -> bytes:
    encoded = text.encode()
    return len(encoded).to_bytes(2, "big") + encoded


def _packet(first: int, body: bytes) -> bytes:
    length, encoded = len(body), bytearray([first])
    while True:
        length, digit = divmod(length, 128)
        encoded.append(digit | (0x80 if length else 0))
        if not length:
            return bytes(encoded) + body
