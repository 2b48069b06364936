"""One bridge per server of a base topic, and per session at the broker (R26, R38).

Whoever finds another one online that has a server of its own leaves; a bridge that is not one of
several has all of its base topic. Two that have one client id take the
session from each other at every connection, and no press is sure of an answer: one of them leaves.
The contact has it look at each connection and hear what comes later; `app` runs it beside the
rooms.
"""

import random
import re
from collections.abc import Callable, Collection, Mapping
from typing import TypeGuard

import trio

from ..mqtt.failures import BrokerFailure, FailureKind
from ..mqtt.message import Message
from ..mqtt.settings import BrokerSettings
from ..mqtt.topics import Topics
from ..process.progress import Progress
from ..text.json_text import read_object
from .info_and_health import Identity, identity_in

__all__ = ["ForeignBridge", "Rivals"]


_PART = re.compile(r"[a-z0-9_,-]+")
"""Servers of one of several bridges, as they stand in its topics."""

_LIVED = 60.0
"""Seconds after which a connection was none of those that are taken at once."""

_WEIGHTS = {FailureKind.TAKEN_OVER: 2, FailureKind.LOST: 1}
"""How much the end of such a connection says. MQTT 5 has a reason for a takeover; many a broker
closes without a word, as a bad network does; but that keeps some attempts from connecting, which
nobody does who takes a session."""

_ENOUGH = range(10, 15)
"""The sum at which such ends in a row suffice. Each bridge draws one number, and leaves as it loses
a connection to the other, which keeps the session from then on: never do both leave."""


_ENDS = ("/info", "/bridge")
"""Of the topics on which bridges say who they are, and what they have."""


class ForeignBridge(Exception):
    """Another bridge is online on our base topic, or has our session (R26)."""


class Rivals:
    """Looks for other bridges: `ours` is who we are, `broker` as whom we connect, and where.

    `servers` are those that we have; `object_to` tells a bridge alone that it is not.
    """

    def __init__(
        self,
        ours: Identity,
        topics: Topics,
        broker: BrokerSettings,
        servers: Collection[str] = (),
        object_to: Callable[[], None] = lambda: None,
    ) -> None:
        self._ours = ours
        self._topics = topics
        self._alone = topics.of_part("")
        self._infos = list(dict.fromkeys([topics.bridge_info, self._alone.bridge_info]))
        self._servers = servers
        self._object = object_to
        self._broker = broker
        self._found: ForeignBridge | None = None
        #: Of `leave_to_an_earlier_one`.
        self.progress = Progress()
        self._online_since: float | None = None
        self._suspicion = 0
        self._enough = random.choice(_ENOUGH)

    @property
    def topics(self) -> list[str]:
        """Where other bridges say who they are, and what they have."""
        if not self._topics.part:
            return self._infos
        return [*self._infos, *map(self._topics.owner, self._servers)]

    def states(self, retained: Mapping[str, bytes]) -> list[str]:
        """Where those say whether they are online that `retained`, of `topics`, names."""
        return [state for state, _ in self._others(retained)]

    def check(self, retained: Mapping[str, bytes]) -> None:
        """Raise `ForeignBridge` where what the broker retains is another's, and that is online."""
        for state, other in self._others(retained):
            if retained.get(state) == b"online":
                raise self._foreign(other)

    def _others(self, retained: Mapping[str, bytes]) -> list[tuple[str, Identity]]:
        """Bridges that are not ours, and have what is; each behind its topic of availability."""
        found = []
        for topic in self.topics:
            other = identity_in(payload := retained.get(topic, b""))
            if self._is_foreign(other) and self._overlaps(topic, payload):
                found.append((self._topics_of(topic, payload).bridge_state, other))
        return found

    def _topics_of(self, topic: str, payload: bytes) -> Topics:
        """The topics of whoever has published this."""
        if topic == self._alone.bridge_info:
            return self._alone
        part = read_object(payload).get("bridge", self._topics.part)
        is_part = isinstance(part, str) and _PART.fullmatch(part)
        return self._topics.of_part(part if is_part else self._topics.part)

    def _overlaps(self, topic: str, payload: bytes) -> bool:
        """True unless it is the word of a bridge alone that has no server of ours."""
        if not self._topics.part or topic != self._alone.bridge_info:
            return True
        theirs = read_object(payload).get("servers")
        return not isinstance(theirs, list) or any(each in self._servers for each in theirs)

    def hear(self, message: Message) -> bool:
        """True for a bridge's word of itself; two that start at once meet here."""
        topic = message.topic
        # Nearly everything that is heard ends otherwise.
        if not topic.endswith(_ENDS) or topic not in self.topics:
            return False
        if message.retain:
            return True  # MQTT 3.1.1 sends it with the subscription, whoever has long left
        other = identity_in(message.payload)
        if self._is_foreign(other) and self._overlaps(topic, message.payload):
            is_alone = self._topics.part and topic == self._alone.bridge_info
            if is_alone and self._online_since is not None:
                self._object()  # it has not looked for those that are several
            elif other < self._ours:
                self._leave_to(self._foreign(other))
        return True

    def online(self) -> None:
        """A connection to the broker is complete."""
        self._online_since = trio.current_time()

    def away(self, failure: BrokerFailure | None) -> None:
        """The connection has ended, or could not be made, with `failure`."""
        since, self._online_since = self._online_since, None
        weight = 0 if failure is None else _WEIGHTS.get(failure.kind, 0)
        if since is None:
            if not weight:
                self._suspicion = 0
            return
        short = trio.current_time() - since < _LIVED
        self._suspicion = self._suspicion + weight if weight and short else 0
        if self._suspicion >= self._enough:
            self._leave_to(
                ForeignBridge(
                    f"{self._broker.addresses} has ended connection after connection as soon as it "
                    "was online, as it does when another program has the same client id, "
                    f"{self._broker.client_id}; give each its own: mqtt.client_id, or a "
                    "bridge.state_dir that was not copied"
                )
            )

    def _leave_to(self, found: ForeignBridge) -> None:
        self._found = found
        self.progress.wanted()

    async def leave_to_an_earlier_one(self) -> None:
        """Raise `ForeignBridge` once one is heard that has more right to be here."""
        while self._found is None:
            await self.progress.rest()
        raise self._found

    def _is_foreign(self, other: Identity | None) -> TypeGuard[Identity]:
        return other is not None and other.instance != self._ours.instance

    def _foreign(self, other: Identity) -> ForeignBridge:
        return ForeignBridge(
            f"another bridge ({other.instance}) is online on the base topic "
            f"{self._topics.base!r} of {self._broker.addresses}; stop it, or give this one a base "
            "topic of its own: mqtt.base_topic"
            + (", or servers that no other one has: bridge.servers" if self._topics.part else "")
        )
