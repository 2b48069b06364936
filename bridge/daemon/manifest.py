"""The manifest of what the broker may hold of ours, so that nothing leaves a ghost.

Rooms and servers are named; topics elsewhere, by which Home Assistant knows them, are listed, with
the components that it may have made of them. Either is written down before anything is published
for it, and struck out once the broker has confirmed that its topics are empty. So whatever happens
in between, a kill or a configuration that was changed while the bridge was down, the next start
finds it and empties what is left. Nothing else on the broker is ever touched.

`app` has it swept first, and runs it beside the rooms; a reload tells it what comes and goes.
"""

import json
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from typing import NamedTuple

import structlog
import trio

from ..mqtt.catalogue import retained_topics
from ..mqtt.image import Image
from ..mqtt.topics import Topics
from ..text.json_text import read_value

__all__ = ["NOTE", "Manifest", "Name", "Published", "read_note"]

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


class Manifest:
    """The names below one base topic, and the topics elsewhere.

    `kept` is what `save` was given last, in any process. Under another base topic than before it
    begins anew: what is there may be another bridge's.
    """

    def __init__(
        self, topics: Topics, image: Image, *, kept: str, save: Callable[[str], Awaitable[None]]
    ) -> None:
        self._topics = topics
        self._image = image
        self._save = save
        self._saved = kept
        self._names, self.topics = read_note(kept, topics.base)
        self._leaving: set[Name] = set()
        self._wake = trio.Event()

    def sweep(self, there: Collection[Name]) -> None:
        """Empty the topics of every name that is not `there` any more."""
        strays = self._names - set(there)
        for name in sorted(strays):
            log.info("topics of what was taken out are emptied", kind=name.kind, name=name.key)
            for topic in retained_topics(self._topics.base, name.kind, name.key):
                self._image.forget(topic)
        self.left(strays)

    async def expect(self, names: Iterable[Name]) -> None:
        """Return once it is written down that something may be published for `names`."""
        self._names.update(names)
        self._leaving.difference_update(names)
        await self._write()

    def left(self, names: Iterable[Name]) -> None:
        """The topics of `names` have been emptied, as far as this process goes."""
        self._leaving.update(names)
        self._wake.set()

    async def expect_topics(self, topics: Published) -> None:
        """Return once it is written down that these may be published, with these components."""
        for topic, components in topics.items():
            self.topics[topic] = {**self.topics.get(topic, {}), **components}
        await self._write()

    async def only_topics(self, topics: Published) -> None:
        """Return once it is written down that the broker holds these and no others."""
        self.topics = dict(topics)
        await self._write()

    async def run(self) -> None:
        """Strike out what has left whenever the broker has confirmed it, until cancelled."""
        while True:
            await self._wake.wait()
            self._wake = trio.Event()
            leaving = set(self._leaving)
            await self._image.settled()
            self._names -= leaving & self._leaving  # some may have come back meanwhile
            self._leaving -= leaving
            await self._write()

    async def _write(self) -> None:
        note: dict[str, object] = {"base": self._topics.base, "names": sorted(self._names)}
        if self.topics:
            note["topics"] = self.topics
        document = json.dumps(note)
        if document != self._saved:
            self._saved = document
            await self._save(document)


def read_note(document: str, base: str) -> tuple[set[Name], Published]:
    """The names and topics in what a manifest has saved; nothing of another base topic's."""
    if not document:
        return set(), {}
    try:
        kept = read_value(document)
        if kept.get("base") != base:
            return set(), {}
        names = {Name(*pair) for pair in kept["names"]}
        return names, {topic: dict(each) for topic, each in kept.get("topics", {}).items()}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        log.warning("the journal's note of published topics is unreadable", error=repr(error))
        return set(), {}
