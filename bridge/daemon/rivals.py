"""One bridge per base topic: whoever finds another one online leaves (R26).

The contact has it look at each connection and hear what comes later; `app` runs it beside the
rooms.
"""

from collections.abc import Mapping
from typing import TypeGuard

import trio

from ..mqtt.message import Message
from ..mqtt.topics import Topics
from .info_and_health import Identity, identity_in

__all__ = ["ForeignBridge", "Rivals"]


class ForeignBridge(Exception):
    """Another bridge is online on our base topic (R26)."""


class Rivals:
    """Looks for other bridges: `ours` is who we are, `address` where the broker is, for people."""

    def __init__(self, ours: Identity, topics: Topics, address: str) -> None:
        self._ours = ours
        self._topics = topics
        self._address = address
        self._rival: Identity | None = None
        self._heard = trio.Event()

    def check(self, retained: Mapping[str, bytes]) -> None:
        """Raise `ForeignBridge` where what the broker retains is another's, and that is online."""
        other = identity_in(retained.get(self._topics.bridge_info, b""))
        if self._is_foreign(other) and retained.get(self._topics.bridge_state) == b"online":
            raise self._foreign(other)

    def hear(self, message: Message) -> bool:
        """True for a bridge's word of itself; two that start at once meet here."""
        if message.topic != self._topics.bridge_info:
            return False
        if message.retain:
            return True  # MQTT 3.1.1 sends it with the subscription, whoever has long left
        other = identity_in(message.payload)
        if self._is_foreign(other) and other < self._ours:
            self._rival = other
            self._heard.set()
        return True

    async def leave_to_an_earlier_one(self) -> None:
        """Raise `ForeignBridge` once one is heard that started earlier than we did."""
        await self._heard.wait()
        raise self._foreign(self._rival)

    def _is_foreign(self, other: Identity | None) -> TypeGuard[Identity]:
        return other is not None and other.instance != self._ours.instance

    def _foreign(self, other: Identity | None) -> ForeignBridge:
        instance = "" if other is None else other.instance
        return ForeignBridge(
            f"another bridge ({instance}) is online on the base topic {self._topics.base!r} of "
            f"{self._address}; stop it, or give this one a base topic of its own: mqtt.base_topic"
        )
