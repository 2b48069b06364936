"""The manifest of what the broker may hold of ours, so that nothing leaves a ghost.

Rooms and servers are named; topics elsewhere, by which Home Assistant knows them, are listed, with
the components that it may have made of them. Either is written down before anything is published
for it, and struck out once the broker has confirmed that its topics are empty. So whatever happens
in between, a kill or a configuration that was changed while the bridge was down, the next start
finds it and empties what is left. Nothing else on the broker is ever touched.

`app` has it swept first, and runs it beside the rooms; a reload tells it what comes and goes.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping

import structlog

from ..homeassistant.discovery import remembered
from ..homeassistant.names import DeviceName
from ..mqtt.catalogue import retained_topics
from ..mqtt.image import Image
from ..mqtt.link import ONLINE
from ..mqtt.retained import read_retained
from ..mqtt.session import Session
from ..mqtt.topics import Topics
from ..process.progress import Progress
from .info_and_health import identity_in
from .owned import Gone, Name, Owned, Published, read_note

__all__ = ["Manifest"]

log = structlog.get_logger("bridge")


class Manifest:
    """The names below one base topic, the topics elsewhere, and what is left of before.

    `kept` is what `save` was given last, in any process, and `instance` who we are; `server_of`
    says which server a room has, None of one that is not there. What is below
    base topics of before, or what the bridge said under another name on this one, is emptied where
    the `info` there is still ours, and where it is not it is let be: another bridge has come since.
    """

    def __init__(
        self,
        topics: Topics,
        image: Image,
        *,
        instance: str,
        kept: str,
        save: Callable[[str], Awaitable[None]],
        server_of: Callable[[str], str | None] = lambda _: None,
    ) -> None:
        self._topics = topics
        self._image = image
        self._save = save
        self._saved = kept
        self._instance = instance
        self._server_of = server_of
        #: Names that were ours, and may be another bridge's by now.
        self.handed_over: set[Name] = set()
        self._note = read_note(kept, topics.base, topics.part)
        self._names = self._note.owned.names
        self._leaving: set[Name] = set()
        self._emptied: list[Owned] = []
        #: Of `run`.
        self.progress = Progress()

    @property
    def topics(self) -> Published:
        """The topics elsewhere, in the order in which they were published first."""
        return self._note.owned.topics

    @property
    def gone(self) -> Gone:
        """What Home Assistant may remember; written down with the next change of topics."""
        return self._note.gone

    @property
    def before(self) -> list[Owned]:
        """What is left of other base topics and names, until the broker has said that it is not."""
        return self._note.before

    def sweep(self, there: Collection[Name]) -> None:
        """Empty the topics of every name that is not `there` any more."""
        strays = self._names - set(there)
        for name in sorted(strays):
            log.info("topics of what was taken out are emptied", kind=name.kind, name=name.key)
            for topic in retained_topics(self._topics.base, name.kind, name.key):
                self._image.forget(topic)
        self.left(strays)

    def hand_over(self, there: Collection[Name]) -> None:
        """Let go of what has left with its server: one of several bridges may have that (R38)."""
        self.handed_over = self._note.owned.gone_with_their_servers(there)
        for name in sorted(self.handed_over):
            log.info("topics are left to another bridge", kind=name.kind, name=name.key)
        self._names -= self.handed_over

    async def expect(self, names: Iterable[Name]) -> None:
        """Return once it is written down that something may be published for `names`."""
        self._names.update(names)
        self._leaving.difference_update(names)
        await self._write()

    def left(self, names: Iterable[Name]) -> None:
        """The topics of `names` have been emptied, as far as this process goes."""
        self._leaving.update(names)
        self.progress.wanted()

    async def expect_topics(self, topics: Published) -> None:
        """Return once it is written down that these may be published, with these components."""
        for topic, components in topics.items():
            self.topics[topic] = {**self.topics.get(topic, {}), **components}
        await self._write()

    async def only_topics(self, topics: Published) -> None:
        """Return once it is written down that the broker holds these and no others."""
        self._note.owned.topics = dict(topics)
        await self._write()

    async def forget_gone(self, told: Gone) -> None:
        """Return once it is written down that Home Assistant remembers none of these any more."""
        for device, components in told.items():
            self.came_back(device, components)
        await self._write()

    def take_back(self, device: DeviceName, components: Mapping[str, str]) -> None:
        """Home Assistant may remember these, if it is not there to hear that they go."""
        if entities := remembered(components):
            self.gone.setdefault(device, {}).update(entities)

    def came_back(self, device: DeviceName, components: Iterable[str]) -> None:
        """These are shown again, and so not to be forgotten."""
        left = self.gone.get(device, {})
        for leaf in components:
            left.pop(leaf, None)
        if not left:
            self.gone.pop(device, None)

    async def leave_bases_of_before(self, session: Session) -> None:
        """Empty what is below them, on a fresh connection, where that is still ours.

        While somebody is online there it waits for another connection: a bridge that was killed
        may seem so for a while. Raises `BrokerFailure`.
        """
        for owned in [each for each in self.before if each not in self._emptied]:
            topics = owned.own
            asked = [topics.bridge_info, topics.bridge_state]
            found = await read_retained(session, [], self._topics.bridge_marker, optional=asked)
            who = identity_in(found.get(topics.bridge_info, b""))
            if who is None or who.instance != self._instance:
                log.warning(
                    "the base topic of before is another's by now, or cannot be read; it is let be",
                    base=owned.base,
                    bridge=topics.own_path,
                    what_to_do="nothing, if another bridge is there; else empty what it retains",
                )
                self.before.remove(owned)
            elif found.get(topics.bridge_state) != ONLINE:
                log.info(
                    "the base topic of before is emptied", base=owned.base, bridge=topics.own_path
                )
                for topic, components in owned.topics.items():
                    self.take_back(DeviceName.announced(owned.base, topic), components)
                for topic in owned.everything:
                    self._image.forget(topic)
                self._emptied.append(owned)
        self.progress.wanted()

    async def run(self) -> None:
        """Strike out what has left whenever the broker has confirmed it, until cancelled."""
        while True:
            await self.progress.until_wanted()  # then for the broker, and for the journal
            leaving, emptied = set(self._leaving), list(self._emptied)
            await self._image.settled()
            # Some may have come back meanwhile.
            self._names.difference_update(leaving & self._leaving)
            self._leaving -= leaving
            for owned in emptied:
                self._emptied.remove(owned)
                self.before.remove(owned)
            await self._write()

    async def _write(self) -> None:
        known = self._note.owned.servers
        rooms = {name.key: self._server_of(name.key) for name in self._names if name.kind == "room"}
        now = {room: server or known.get(room, "") for room, server in sorted(rooms.items())}
        self._note.owned.servers = {room: server for room, server in now.items() if server}
        document = self._note.document()
        if document != self._saved:
            self._saved = document
            await self._save(document)
