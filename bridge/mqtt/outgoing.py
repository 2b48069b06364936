"""A publication on its way out, and what carries it."""

from collections.abc import Callable, Hashable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from paho.mqtt.reasoncodes import ReasonCode

__all__ = ["Carrier", "Outgoing"]


class Carrier(Protocol):
    """A `Session`, as far as the image needs one."""

    @property
    def has_room(self) -> bool:
        """True if another QoS 1 message may be posted."""

    def fits(self, topic: str, payload: bytes, correlation_data: bytes | None = None) -> bool:
        """True if the broker takes a message of this size."""

    def post(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: int,
        retain: bool,
        correlation_data: bytes | None = None,
        acknowledged: Callable[[ReasonCode], None] | None = None,
    ) -> object:
        """Hand over a publication."""

    def together(self) -> AbstractContextManager[None]:
        """Write all that is posted within at once."""

    async def room(self) -> None:
        """Wait until `has_room`."""

    async def drained(self) -> None:
        """Wait until what was posted is with the socket."""


@dataclass(slots=True, eq=False)
class Outgoing:
    """A publication that waits for its turn, that of its `share`, or for its PUBACK.

    `sent` is its payload as sent.
    """

    ticket: int
    topic: str
    payload: bytes
    correlation_data: bytes | None = None
    retain: bool = False
    arrived: Callable[[], None] | None = None
    share: str = ""
    sent: bytes = b""

    @property
    def key(self) -> Hashable:
        """The key of a refusal: a topic's values have one, each message its own."""
        return self.topic if self.retain else self.ticket
