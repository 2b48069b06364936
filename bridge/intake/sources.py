"""Sources of messages: which share of the bridge's work each gets, and its rank there. Pure."""

from collections.abc import Callable, Collection, Mapping
from typing import Protocol

from ..mqtt.shares import Source
from ..mqtt.topics import ALL_ROOMS, Topics

__all__ = ["MOST_UNDER_WAY", "Answering", "Sources"]

MOST_UNDER_WAY = 64
"""Results of one room that may be on their way before more of it is handled."""

_RANKS = {"metadata": 1, "mark": 2}
"""By the first level below the room; presses and events go before both."""

_LEAVES = {"press": "press/+", "metadata": "metadata/+", "mark": "mark", "set": "set"}


class Answering(Protocol):
    """As much of a room as is looked at here."""

    @property
    def unanswered(self) -> int:
        """The requests whose result the broker does not have."""


class Sources:
    """Sorts topics. `rooms` are those there are at any time.

    Everything for one room shares one place, in the order in which it came, so that the last press
    wins whichever way it took (R10). `servers` are those that may be asked. `bound` gives the room
    to which all bindings of a topic lead, or else their topic filter, and None for a topic that is
    not bound. What is for no room of ours shares one place, however many names it has.
    """

    def __init__(
        self,
        topics: Topics,
        rooms: Mapping[str, Answering],
        bound: Callable[[str], tuple[str | None, str] | None],
    ) -> None:
        self._base = f"{topics.base}/"
        self._alone = not topics.part
        self.rooms = rooms
        self.servers: Collection[str] = ()
        self._bound = bound

    def is_ours(self, topic: str) -> bool:
        """False on a topic of a room or a server that another one of several bridges has (R38)."""
        kind, _, rest = topic.removeprefix(self._base).partition("/")
        name = rest.partition("/")[0]
        if self._alone or kind not in ("room", "server"):
            return True
        return (
            name in self.servers if kind == "server" else (name in self.rooms or name == ALL_ROOMS)
        )

    def of(self, topic: str) -> Source:
        """The source of a message on this topic."""
        kind, _, rest = topic.removeprefix(self._base).partition("/")
        if topic.startswith(self._base) and kind in ("room", "server", "bridge", "bridges"):
            return self._own(kind, rest)
        bound = self._bound(topic)
        if bound is None:
            return Source("", 0, "#")
        room, topic_filter = bound
        share = f"bound {topic_filter}" if room not in self.rooms else f"room/{room}"
        return Source(share, 0, topic_filter)

    def held(self, share: str) -> bool:
        """True for a room's share while the broker has yet to take `MOST_UNDER_WAY` results of it.

        Else the results of a room that is flooded would be in the way of those of all others.
        """
        room = self.rooms.get(share.removeprefix("room/"))
        return room is not None and room.unanswered >= MOST_UNDER_WAY

    def _own(self, kind: str, rest: str) -> Source:
        name, _, leaf = rest.partition("/")
        if kind != "room":
            return Source(kind, 0, f"{self._base}{kind}/#")
        if name not in self.rooms:
            return Source("", 0, f"{self._base}room/+/#")
        first = leaf.partition("/")[0]
        told = _LEAVES.get(first, "event")
        return Source(f"room/{name}", _RANKS.get(first, 0), f"{self._base}room/{name}/{told}")
