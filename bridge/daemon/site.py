"""The rooms and server links of a bridge; each can come, change and go while the others run.

Links run in one nursery, rooms in the one within it (`app`), whenever they come. Each has a
`Lifetime` of its own there, so that it can end in order while its neighbours notice nothing.
Wired by `app`: every room speaks to the one outlet, a link's change goes to its rooms from here.
"""

from collections.abc import Awaitable, Callable
from functools import partial

import structlog
import trio

from ..config.configuration import Configuration
from ..config.room import RoomTable
from ..config.server import ServerTable
from ..hmp.client import ServerLink
from ..hmp.link import LinkState
from ..hmp.permission import ALWAYS, Permission
from ..journal.instant import this_instant
from ..journal.journal import Journal
from ..journal.store import Entry
from ..metrics.observe import Observer
from ..mqtt.catalogue import retained_topics
from ..mqtt.image import Image
from ..mqtt.topics import Topics
from ..process.lifetime import Lifetime
from ..room.facts.values import Now
from ..room.memory.memory import recall
from ..room.worker import Room, ServerFacts
from .outlet import Outlet

__all__ = ["Site"]

log = structlog.get_logger("bridge")


class Site:
    """The `links` and `rooms` that there are, by name.

    `outlet` hears all that rooms say, `server_changed` hears of every change of a link.
    """

    def __init__(
        self,
        configuration: Configuration,
        *,
        topics: Topics,
        image: Image,
        journal: Journal,
        observer: Observer,
        clock: Callable[[], Now],
        outlet: Outlet,
        server_changed: Callable[[str, LinkState], None],
        permission: Permission = ALWAYS,
    ) -> None:
        self.links: dict[str, ServerLink] = {}
        self.rooms: dict[str, Room] = {}
        self._topics = topics
        self._image = image
        self._journal = journal
        self._observer = observer
        self._clock = clock
        self._outlet = outlet
        self._changed = server_changed
        self._permission = permission
        self._facts: dict[str, ServerFacts] = {}
        self._lifetimes: dict[ServerLink | Room, Lifetime] = {}
        self._retired_links: set[ServerLink] = set()
        self._server_layer: trio.Nursery | None = None
        self._room_layer: trio.Nursery | None = None
        for name, server in configuration.servers.items():
            self.add_server(name, server)
        entries = journal.rooms()
        for name in entries.keys() - configuration.rooms.keys():
            if "/" in name:
                continue  # not a room's: `Journal.save`
            log.warning(
                "the journal has a room that is not configured",
                room=name,
                what_to_do="give the room its name back, and what it was recording is known again",
            )
        for name, room in configuration.rooms.items():
            self.add_room(name, room, configuration.servers[room.server], entries.get(name))

    def server_of(self, room: str) -> str | None:
        """The server of a room, None where there is no such room."""
        return self.rooms[room].server if room in self.rooms else None

    def run_servers(self, layer: trio.Nursery) -> None:
        """Start the links, and have those run in the same nursery that come later."""
        self._server_layer = layer
        for link in self.links.values():
            layer.start_soon(self._lifetimes[link].of, partial(self._stay_with, link))

    def run_rooms(self, layer: trio.Nursery) -> None:
        """The same for the rooms."""
        self._room_layer = layer
        for room in self.rooms.values():
            layer.start_soon(self._lifetimes[room].of, partial(self._stay_in, room))

    # Servers.

    def add_server(self, name: str, table: ServerTable) -> None:
        """A link to one more HMP."""
        link = self.links[name] = ServerLink(
            table.link(name),
            changed=partial(self._server_changed, name),
            exchanged=partial(self._observer.command_done, name),
            permission=self._permission,
        )
        self._facts[name] = ServerFacts()
        self._lifetimes[link] = Lifetime()
        self._image.set(self._topics.server_state(name), link.state)
        self._observer.server_added(name)
        self._run_link(link)

    def change_server(self, name: str, table: ServerTable) -> None:
        """Other settings for a link; where the address is another, it connects anew.

        The command in flight at the old address is answered first.
        """
        link, settings = self.links[name], table.link(name)
        moved = settings.address != link.settings.address
        link.reconfigure(settings)
        if moved:
            self._facts[name].proves = False
            before, self._lifetimes[link] = self._lifetimes[link], Lifetime()
            before.end()
            self._run_link(link, before)

    def retire_server(self, name: str) -> Lifetime:
        """Take out a link that no room will use; its lifetime is to be ended when none uses it.

        What the broker keeps of it goes when its lifetime has ended.
        """
        link = self.links.pop(name)
        del self._facts[name]
        self._retired_links.add(link)
        return self._lifetimes.pop(link)

    def _run_link(self, link: ServerLink, after: Lifetime | None = None) -> None:
        if self._server_layer is not None:
            run = partial(self._stay_with, link)
            self._server_layer.start_soon(_succeed, after, self._lifetimes[link], run)

    async def _stay_with(self, link: ServerLink) -> None:
        try:
            await link.run()
        finally:
            if link in self._retired_links:
                self._retired_links.remove(link)
                self._observer.server_removed(link.settings.name)
                self._forget("server", link.settings.name)

    def _server_changed(self, name: str, state: LinkState) -> None:
        self._image.set(self._topics.server_state(name), state)
        for room in self.rooms.values():
            if room.server == name:
                room.link_changed(ready=state is LinkState.READY)
        self._changed(name, state)

    # Rooms.

    def add_room(
        self,
        name: str,
        table: RoomTable,
        server: ServerTable,
        entry: Entry | None,
        *,
        known: bool = False,
    ) -> None:
        """One more room, as its journal entry says; `known`: without one it has done nothing.

        Where a room of this name is leaving, it runs once that has left.
        """
        link, facts = self.links[table.server], self._facts[table.server]
        now = self._clock()
        state, memory = recall(
            name, entry, table.policy(server, name), self._journal.save, at=this_instant(), now=now
        )
        memory.known |= known
        facts.proves |= state.server_proves
        room = self.rooms[name] = Room(
            name,
            state,
            link,
            memory=memory,
            facts=facts,
            audience=self._outlet,
            clock=self._clock,
        )
        self._outlet.room_added(room, table.tally_words())
        self._lifetimes[room] = Lifetime()
        if link.state is LinkState.READY:
            room.link_changed(ready=True)

    def start_room(self, name: str, after: Lifetime | None = None) -> None:
        """Have a room run that was added; one that takes over from another does so `after` that."""
        room = self.rooms[name]
        if self._room_layer is not None:
            run = partial(self._stay_in, room)
            self._room_layer.start_soon(_succeed, after, self._lifetimes[room], run)

    def change_room(self, name: str, table: RoomTable, server: ServerTable) -> None:
        """Other settings for a room on the same server; what it records goes on."""
        self._outlet.room_changed(name, table.tally_words())
        self.rooms[name].reconfigure(table.policy(server, name))

    def retire_room(self, name: str) -> Lifetime:
        """Have a room end in order: what it waits for is answered, what it records runs on at HMP.

        It can no longer be asked from here on. What is kept of it goes when its lifetime has ended.
        """
        room = self.rooms.pop(name)
        room.retired = True
        lifetime = self._lifetimes.pop(room)
        lifetime.end()
        return lifetime

    async def _stay_in(self, room: Room) -> None:
        try:
            await room.run()
        finally:
            if room.retired:
                await self._clear_away(room)

    async def _clear_away(self, room: Room) -> None:
        """Also when the bridge is being stopped meanwhile: no ghost of the room remains."""
        recording = room.state.recording
        if recording is not None or room.state.lost_start is not None:
            log.warning(
                "a room that was removed leaves a recording running",
                room=room.name,
                server=room.server,
                recording=None if recording is None else recording.id,
                session=room.state.session,
                what_to_do="stop it in HMP's web pages, or adopt it in another room",
            )
        replaced = room.name in self.rooms
        self._outlet.room_removed(room, replaced=replaced)
        if not replaced:
            self._forget("room", room.name)
        with trio.CancelScope(shield=True):
            await self._journal.forget(room.name)

    def _forget(self, kind: str, name: str) -> None:
        for topic in retained_topics(self._topics.base, kind, name):
            self._image.forget(topic)


async def _succeed(
    before: Lifetime | None, lifetime: Lifetime, run: Callable[[], Awaitable[None]]
) -> None:
    if before is not None:
        await before.ended()
    await lifetime.of(run)
