"""Packets as nearly all are, without properties: PUBLISH, PUBACK, SUBACK, UNSUBACK. Pure.

paho takes three to five times as long for them, most of it over properties that are not there. It
is left everything else: what is read here is `None` where it is not of the plain form, malformed or
not.
"""

from collections.abc import Iterator
from typing import NamedTuple

__all__ = [
    "LONGEST",
    "PUBACK",
    "PUBLISH",
    "Incoming",
    "Plain",
    "Unreadable",
    "plain_answer",
    "plain_puback",
    "plain_publish",
    "puback",
    "publish",
]

PUBLISH, PUBACK = 0x30, 0x40
_DUPLICATE, _QOS, _RETAIN = 0x08, 0x06, 0x01

LONGEST = 268_435_455
"""Bytes after the remaining length of a packet: what four bytes of seven bits can say."""


class Unreadable(Exception):
    """A remaining length of more than four bytes (2.1.4): where the next packet begins is lost."""


class Plain(NamedTuple):
    """A PUBLISH at QoS 0 or 1 without properties; `mid` is 0 at QoS 0."""

    topic: bytes
    payload: bytes
    qos: int
    retain: bool
    dup: bool
    mid: int


class Incoming:
    """Bytes as they are received, and the packets in them.

    Of a packet that is longer than `longest`, in bytes after the remaining length, no more is kept.
    """

    def __init__(self, longest: int = LONGEST) -> None:
        self._longest = longest
        self._unread = bytearray()
        # Bytes to come of a packet whose beginning was enough.
        self._passed_over = 0
        #: Bytes that the packet under way still lacks, as far as is known.
        self.missing = 0

    def packets(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """First byte, and what follows the remaining length, of every packet that is now complete.

        They are all to be taken before more is received. Raises `Unreadable`, behind the packets
        before it.
        """
        if self._passed_over:
            passed = min(self._passed_over, len(data))
            self._passed_over -= passed
            data = data[passed:]
        self._unread += data
        self.missing -= len(data)
        if self.missing > 0:
            return
        received, at, self.missing = bytes(self._unread), 0, 0
        self._unread.clear()
        while (body := _body(received, at)) is not None:
            kept = min(body.stop, body.start + self._longest)
            if kept > len(received):
                self.missing = kept - len(received)
                break
            yield received[at], received[body.start : kept]
            at = body.stop
            self._passed_over = max(0, at - len(received))
        self._unread += received[at:]


def _body(received: bytes, at: int) -> slice | None:
    """Where the body of the packet is; none where its length has not all come."""
    if at + 1 < len(received) and (length := received[at + 1]) < 0x80:  # of nearly all of them
        return slice(at + 2, at + 2 + length)
    length = 0
    for place, digit in enumerate(received[at + 1 : at + 5]):
        length |= (digit & 0x7F) << 7 * place
        if digit < 0x80:
            start = at + place + 2
            return slice(start, start + length)
    if len(received) > at + 5:
        raise Unreadable
    return None


def publish(
    topic: bytes, payload: bytes, *, qos: int, retain: bool, mid: int, properties: bytes
) -> bytes:
    """A PUBLISH at QoS 0 or 1; `properties` as they are sent, nothing at all in MQTT 3.1.1.

    Raises `ValueError` for what is longer than a packet can be.
    """
    identifier = mid.to_bytes(2, "big") if qos else b""
    length = 2 + len(topic) + len(identifier) + len(properties) + len(payload)
    if length > LONGEST:
        raise ValueError("packet too large")
    head = bytearray((PUBLISH | qos << 1 | retain,))
    while length > 0x7F:
        head.append(length & 0x7F | 0x80)
        length >>= 7
    head.append(length)
    return b"".join((head, len(topic).to_bytes(2, "big"), topic, identifier, properties, payload))


def puback(mid: int) -> bytes:
    """A PUBACK that accepts."""
    return b"\x40\x02" + mid.to_bytes(2, "big")


def plain_publish(first: int, body: bytes, *, mqtt5: bool) -> Plain | None:
    """A PUBLISH at QoS 0 or 1 that has no properties and a topic."""
    qos = (first & _QOS) >> 1
    at = 2 + int.from_bytes(body[:2], "big")
    identified = at + 2 * qos
    payload = identified + mqtt5
    if qos > 1 or at == 2 or len(body) < payload or (mqtt5 and body[identified]):
        return None
    return Plain(
        topic=body[2:at],
        payload=body[payload:],
        qos=qos,
        retain=bool(first & _RETAIN),
        dup=bool(first & _DUPLICATE),
        mid=int.from_bytes(body[at:identified], "big"),
    )


def plain_puback(body: bytes, *, mqtt5: bool) -> tuple[int, int] | None:
    """Packet identifier and reason code of a PUBACK without properties."""
    if len(body) == 2:
        return int.from_bytes(body, "big"), 0
    if mqtt5 and len(body) == 3:
        return int.from_bytes(body[:2], "big"), body[2]
    return None


def plain_answer(body: bytes, *, mqtt5: bool) -> tuple[int, bytes] | None:
    """Packet identifier and reason codes of a SUBACK or UNSUBACK of MQTT 5 without properties."""
    if mqtt5 and len(body) > 3 and not body[2]:
        return int.from_bytes(body[:2], "big"), body[3:]
    return None
