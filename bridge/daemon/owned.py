"""What this installation has published and the broker may hold, as the journal's note has it.

Pure. A note is a JSON object: what is below the base topic of today, what is left below those of
before, and what Home Assistant may remember though it is gone.
"""

import json
from collections.abc import Iterable, Mapping
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
    """What is below one base topic: rooms and servers, and Home Assistant's devices of these."""

    base: str
    names: set[Name] = field(default_factory=set)
    topics: Published = field(default_factory=dict)

    @property
    def everything(self) -> list[str]:
        """Every topic that the broker may retain; empty where nothing was ever published.

        In the order of leaving: Home Assistant's devices, from the last one on, before the topics
        that they show, and the bridge's word of itself at the end.
        """
        topics = Topics(self.base)
        found = [*reversed(self.topics)]
        for kind, key in sorted(self.names):
            found += retained_topics(self.base, kind, key)
        if found:
            found += [topics.bridge_info, topics.bridge_health, topics.bridge_state]
        return found

    def document(self) -> dict[str, Any]:
        """For the journal, as JSON's values."""
        document: dict[str, Any] = {"base": self.base, "names": sorted(self.names)}
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


def read_note(document: str, base: str) -> Note:
    """What was written down, seen from this base topic: all below another one is of before."""
    note = Note(Owned(base))
    if not document:
        return note
    try:
        kept = read_value(document)
        for each in (kept, *kept.get("before", ())):
            topics: Published = {
                topic: dict(found) for topic, found in each.get("topics", {}).items()
            }
            owned = Owned(each["base"], {Name(*pair) for pair in each["names"]}, topics)
            if owned.base == base:
                note.owned = owned
            elif owned.everything:
                note.before.append(owned)
        for *device, components in kept.get("gone", ()):
            note.gone[DeviceName(*device)] = dict(components)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        log.warning("the journal's note of published topics is unreadable", error=repr(error))
        return Note(Owned(base))
    return note
