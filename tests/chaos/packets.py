"""MQTT 3.1.1 as far as a panel needs it: bytes to packets and back, no I/O.

Of its own on purpose: what judges the bridge must not share the bridge's MQTT library, and must
know to the packet what the broker has acknowledged.
"""

from collections.abc import Iterator
from dataclasses import dataclass

__all__ = [
    "CONNACK",
    "PINGRESP",
    "PUBACK",
    "PUBLISH",
    "SUBACK",
    "Packet",
    "Packets",
    "Publish",
    "connect",
    "disconnect",
    "pingreq",
    "puback",
    "publish",
    "subscribe",
]

CONNACK, PUBLISH, PUBACK, SUBACK, PINGRESP = 2, 3, 4, 9, 13


@dataclass(frozen=True, slots=True)
class Packet:
    """One control packet: its type, the four flag bits, and everything after the length."""

    kind: int
    flags: int
    body: bytes

    @property
    def packet_id(self) -> int:
        """Of a PUBACK or SUBACK."""
        return int.from_bytes(self.body[:2], "big")


@dataclass(frozen=True, slots=True)
class Publish:
    """A PUBLISH taken apart; `packet_id` is 0 at QoS 0."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    duplicate: bool
    packet_id: int

    @classmethod
    def read(cls, packet: Packet) -> "Publish":
        """Read it. Raises `ValueError` when it is cut short."""
        qos = packet.flags >> 1 & 3
        length = int.from_bytes(packet.body[:2], "big")
        start = 2 + length + (2 if qos else 0)
        if len(packet.body) < start:
            raise ValueError("PUBLISH is shorter than its topic")
        return cls(
            topic=packet.body[2 : 2 + length].decode(),
            payload=packet.body[start:],
            qos=qos,
            retain=bool(packet.flags & 1),
            duplicate=bool(packet.flags & 8),
            packet_id=int.from_bytes(packet.body[2 + length : start], "big"),
        )


class Packets:
    """Cuts a stream of bytes into packets, however it arrives."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def feed(self, data: bytes | bytearray) -> Iterator[Packet]:
        """The packets that are whole now that `data` has come."""
        self._waiting += data
        while (found := self._next()) is not None:
            yield found

    def _next(self) -> Packet | None:
        length, index = 0, 1
        while True:
            if index >= len(self._waiting):
                return None
            byte = self._waiting[index]
            length |= (byte & 0x7F) << 7 * (index - 1)
            index += 1
            if not byte & 0x80:
                break
        end = index + length
        if len(self._waiting) < end:
            return None
        head, body = self._waiting[0], bytes(self._waiting[index:end])
        del self._waiting[:end]
        return Packet(head >> 4, head & 15, body)


def connect(client_id: str, *, clean: bool, keepalive: int = 60) -> bytes:
    """CONNECT without will or credentials."""
    flags = 2 if clean else 0
    head = _text("MQTT") + bytes([4, flags]) + keepalive.to_bytes(2, "big")
    return _packet(0x10, head + _text(client_id))


def subscribe(packet_id: int, filters: list[str], qos: int) -> bytes:
    """SUBSCRIBE to all of `filters` at one QoS."""
    body = b"".join(_text(each) + bytes([qos]) for each in filters)
    return _packet(0x82, packet_id.to_bytes(2, "big") + body)


def publish(packet_id: int, topic: str, payload: bytes) -> bytes:
    """PUBLISH at QoS 1, not retained."""
    return _packet(0x32, _text(topic) + packet_id.to_bytes(2, "big") + payload)


def puback(packet_id: int) -> bytes:
    """PUBACK."""
    return _packet(0x40, packet_id.to_bytes(2, "big"))


def pingreq() -> bytes:
    """PINGREQ."""
    return _packet(0xC0, b"")


def disconnect() -> bytes:
    """DISCONNECT."""
    return _packet(0xE0, b"")


def _text(text: str) -> bytes:
    encoded = text.encode()
    return len(encoded).to_bytes(2, "big") + encoded


def _packet(head: int, body: bytes) -> bytes:
    length, digits = len(body), bytearray()
    while True:
        length, digit = divmod(length, 128)
        digits.append(digit | 0x80 if length else digit)
        if not length:
            return bytes([head]) + bytes(digits) + body
