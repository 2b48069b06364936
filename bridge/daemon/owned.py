"""What this installation has published and the broker may hold, as the journal's note has it.

Pure. A note is a JSON object: what is below the base topic of today, what is left below those of
before, and what Home Assistant may remember though it is gone.
"""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
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

    Of several bridges one has a `part` of the servers. `servers` says which one each room has.
    Where `itself` is set it is the bridge's word of itself alone, and which servers it had: it goes
    by another name today (R38), and rooms and servers are today's.
    """

    base: str
    names: set[Name] = field(default_factory=set)
    topics: Published = field(default_factory=dict)
    part: str = ""
    servers: dict[str, str] = field(default_factory=dict)
    itself: bool = False

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
        for kind, key in sorted(self.names) if not self.itself else ():
            found += retained_topics(self.base, kind, key)
        if found or self.itself:
            if self.part:
                found += [topics.owner(key) for kind, key in sorted(self.names) if kind == "server"]
            found += [topics.bridge_info, topics.bridge_health, topics.bridge_state]
        return found

    def document(self) -> dict[str, Any]:
        """For the journal, as JSON's values."""
        document: dict[str, Any] = {"base": self.base, "names": sorted(self.names)}
        if self.part:
            document["part"] = self.part
        if self.servers:
            document["servers"] = self.servers
        if self.itself:
            document["itself"] = True
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

    So is what the bridge said of itself when it had another `part` of the servers, or was alone.
    """
    note = Note(Owned(base, part=part))
    if not document:
        return note
    try:
        kept = read_value(document)
        for each in (kept, *kept.get("before", ())):
            owned = _read_owned(each)
            if owned.base == base and not owned.itself:
                note.owned = replace(owned, part=part)
                owned = _of_itself(owned, part)
            if owned.everything and (owned.base, owned.part) != (base, part):
                note.before.append(owned)
        for *device, components in kept.get("gone", ()):
            note.gone[DeviceName(*device)] = dict(components)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        log.warning("the journal's note of published topics is unreadable", error=repr(error))
        return Note(Owned(base, part=part))
    return note


def _read_owned(each: Mapping[str, Any]) -> Owned:
    return Owned(
        each["base"],
        {Name(*pair) for pair in each["names"]},
        {topic: dict(found) for topic, found in each.get("topics", {}).items()},
        each.get("part", ""),
        dict(each.get("servers", {})),
        bool(each.get("itself", False)),
    )


def _of_itself(owned: Owned, part: str) -> Owned:
    """What is left of the name of before; a bridge alone says of no server that it has it."""
    servers = {name for name in owned.names if name.kind == "server"}
    return Owned(owned.base, set() if part else servers, part=owned.part, itself=bool(owned.names))
