"""Inbound messages, and the receipts by which each is acknowledged once."""

from collections.abc import Callable
from dataclasses import dataclass, field

from ..text.shortened import shortened

__all__ = ["Message", "Receipt", "is_topic_name"]


_LONGEST_ORIGIN = 500
"""Characters, more than any topic has that means something to us; a topic may have 65,535 bytes."""

_NOT_IN_A_NAME = frozenset("+#\0")


def is_topic_name(topic: str) -> bool:
    """True if something can be published to this topic (MQTT 5, 4.7).

    No wildcards, no NUL, 1 to 65,535 bytes of UTF-8.
    """
    if not topic or not _NOT_IN_A_NAME.isdisjoint(topic):
        return False
    try:
        return len(topic.encode()) <= 65_535
    except UnicodeEncodeError:
        return False


@dataclass(slots=True, eq=False)
class Receipt:
    """The acknowledgement that the broker waits for, over however many connections.

    `send` is `Session._acknowledge` of the connection that delivered the message last. When a
    session is resumed the broker delivers again what it saw no PUBACK for; the inbox then points
    `send` to the new connection, so the message itself is handed out once only. `fingerprint` is a
    hash of topic and payload: packet identifiers alone are used again. Each of several brokers may
    have a session of its own, and packet identifiers with it: `number` is the packet identifier
    told apart from those of other sessions (`numbers_of`).
    """

    mid: int
    fingerprint: int
    send: Callable[[int], None]
    acknowledged: bool = False
    on_acknowledged: Callable[[], None] | None = None
    number: int = field(init=False)

    def __post_init__(self) -> None:
        self.number = self.mid

    def acknowledge(self) -> None:
        """PUBACK, the first time; where somebody keeps the order of several, in its turn."""
        if self.acknowledged:
            return
        self.acknowledged = True
        if self.on_acknowledged is None:
            self.send(self.mid)
        else:
            self.on_acknowledged()


@dataclass(frozen=True, slots=True)
class Message:
    """A PUBLISH that the broker delivered.

    `received_at` is `trio.current_time()`. `expiry` is the Message Expiry Interval that was left,
    in seconds. `response_topic` is none when it is not a topic that can be published to. These,
    and `correlation_data`, exist in MQTT 5 only.
    """

    topic: str
    payload: bytes
    qos: int
    retain: bool
    duplicate: bool
    received_at: float
    expiry: int | None = None
    response_topic: str | None = None
    correlation_data: bytes | None = None
    receipt: Receipt | None = field(default=None, repr=False, compare=False)

    @property
    def origin(self) -> str:
        """The topic, as answers and lines of the log say it again: of a long one the beginning."""
        return shortened(self.topic, _LONGEST_ORIGIN)

    def acknowledge(self) -> None:
        """Let the broker forget the message (R27); harmless when repeated, late, or QoS 0."""
        if self.receipt is not None:
            self.receipt.acknowledge()
