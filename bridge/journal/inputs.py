"""The key by which a message that is delivered again is recognised, also after a restart (R27)."""

import hashlib
import zlib
from dataclasses import dataclass

__all__ = ["InputKey", "key_held", "key_of", "numbers_of"]

_PACKET_IDS = 65_536


@dataclass(frozen=True, slots=True)
class InputKey:
    """The packet id of an inbound message, and a digest of its topic and payload.

    `mid` tells the packet ids of several sessions apart (`numbers_of`). Several bindings may have
    to do with one message. Each has its `part`, which its room writes down by itself: a redelivery
    is for those that have not. Without a packet, `mid` is negative.
    """

    mid: int
    digest: bytes
    part: str = ""


def numbers_of(session: int) -> range:
    """The packet ids of one of the broker's sessions, as they are told apart from another's."""
    return range(session * _PACKET_IDS, (session + 1) * _PACKET_IDS)


def key_of(mid: int, topic: str, payload: bytes, part: str = "") -> InputKey:
    """The key of a message, or of what one binding makes of it."""
    return InputKey(mid, _digest(topic, payload), part)


def key_held(topic: str, held_at: float, part: str) -> InputKey:
    """The key of a press at the moment at which it has been held for long enough.

    It has no packet. What stands for one is negative and the topic's, so that the next press on the
    topic takes the place of this one.
    """
    return InputKey(-1 - zlib.crc32(topic.encode()), _digest(topic, repr(held_at).encode()), part)


def _digest(topic: str, payload: bytes) -> bytes:
    digest = hashlib.blake2b(topic.encode(), digest_size=16)
    digest.update(b"\0" + payload)
    return digest.digest()
