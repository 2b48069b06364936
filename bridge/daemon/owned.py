"""What this installation has published and the broker may hold, as the journal's note has it.

Pure. A note is a JSON object: what is below the base topic of today, what is left below those of
before, and what Home Assistant may remember though it is gone.
"""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import structlog

from ..homeassistant.names import DeviceName
from ..mqtt.catalogue import retained_topics
from ..mqtt.topics import Topics
from ..text.json_text import read_value

__all__ = ["NOTE", "Gone", "Name", "Note", "Owned", "Published", "read_note"]

log = structlog.get_logger("bridge")

NOTE = "topics"
"""The journal's note of whose topics the broker may hold."""


class Name(NamedTuple):
    """A room or a server; `kind` is the word for it in topics."""

    kind: str
    key: str

    @classmethod
    def all_of(cls, *, rooms: Iterable[str], servers: Iterable[str]) -> set["Name"]:
        """Rooms and servers together."""
        return {*(cls("room", key) for key in rooms), *(cls("server", key) for key in servers)}


Published = dict[str, Mapping[str, str]]
"""By topic, the platform of each component that is announced on it."""

Gone = dict[DeviceName, dict[str, str]]
"""By device, the platform of each entity that was taken back since Home Assistant's last birth."""


@dataclass
class Owned:
    """What is below one base topic: rooms and servers, and Home Assistant's devices of these.

    Of several bridges one has a `part` of the servers; `servers` then says which each room has.
    """

    base: str
    names: set[Name] = field(default_factory=set)
    topics: Published = field(default_factory=dict)
    part: str = ""
    servers: dict[str, str] = field(default_factory=dict)

    @property
    def own(self) -> Topics:
        """The topics of the bridge itself, and all others."""
        return Topics(self.base, self.part)

    def gone_with_their_servers(self, there: Collection[Name]) -> set[Name]:
        """Names that are not there any more, as their servers are not: another bridge's (R38)."""
        rooms = {
            name
            for name in self.names
            if name.kind == "room" and Name("server", self.servers.get(name.key, "")) in there
        }
        return self.names - set(there) - rooms if self.part else set()

    @property
    def everything(self) -> list[str]:
        """Every topic that the broker may retain; empty where nothing was ever published.

        In the order of leaving: Home Assistant's devices, from the last one on, before the topics
        that they show, and the bridge's word of itself at the end.
        """
        topics = self.own
        found = [*reversed(self.topics)]
        for kind, key in sorted(self.names):
            found += retained_topics(self.base, kind, key)
        if found:
            if self.part:
                found += [topics.owner(key) for kind, key in sorted(self.names) if kind == "server"]
            found += [topics.bridge_info, topics.bridge_health, topics.bridge_state]
        return found

    def document(self) -> dict[str, Any]:
        """For the journal, as JSON's values."""
        document: dict[str, Any] = {"base": self.base, "names": sorted(self.names)}
        if self.part:
            document |= {"part": self.part, "servers": self.servers}
        return document | ({"topics": self.topics} if self.topics else {})


@dataclass
class Note:
    """All of it."""

    owned: Owned
    before: list[Owned] = field(default_factory=list)
    gone: Gone = field(default_factory=dict)

    def document(self) -> str:
        """For the journal."""
        document = self.owned.document()
        if self.before:
            document["before"] = [each.document() for each in self.before]
        if self.gone:
            document["gone"] = [[*device, each] for device, each in self.gone.items()]
        return json.dumps(document)


def read_note(document: str, base: str, part: str = "") -> Note:
    """What was written down, seen from this base topic: all below another one is of before.

    Of several bridges it is that with this `part`, whichever it had when that was written.
    """
    note = Note(Owned(base, part=part))
    if not document:
        return note
    try:
        kept = read_value(document)
        for each in (kept, *kept.get("before", ())):
            topics: Published = {
                topic: dict(found) for topic, found in each.get("topics", {}).items()
            }
            names = {Name(*pair) for pair in each["names"]}
            servers = dict(each.get("servers", {}))
            owned = Owned(each["base"], names, topics, each.get("part", ""), servers)
            if owned.base == base:
                owned.part = part
                note.owned = owned
            elif owned.everything:
                note.before.append(owned)
        for *device, components in kept.get("gone", ()):
            note.gone[DeviceName(*device)] = dict(components)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        log.warning("the journal's note of published topics is unreadable", error=repr(error))
        return Note(Owned(base, part=part))
    return note
