"""A door before a room that works, with a client that needs no socket, on a virtual clock."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import trio

from bridge.api.replies import Replies
from bridge.config.configuration import Configuration
from bridge.config.web import WebTable
from bridge.daemon.happenings import Happenings
from bridge.daemon.outlet import Outlet
from bridge.daemon.web import Web
from bridge.intake.callers import Callers
from bridge.intake.sources import Sources
from bridge.journal.inputs import InputKey
from bridge.journal.journal import JournalHealth
from bridge.metrics.observe import Observer
from bridge.metrics.snapshot import Snapshot
from bridge.mqtt.image import Image
from bridge.mqtt.topics import Topics
from bridge.room.facts.vocabulary import State
from bridge.room.worker import Room
from tests.metrics.healthy import broker_health, link_health
from tests.room.house import House, clock

__all__ = ["KEY", "House", "Site", "configuration"]

KEY = "ab" * 32
SESSION = "71edd346-2cf0-4c62-b3d3-9d457b287394"


def configuration(*, web: dict[str, Any] | None = None, **room: Any) -> Configuration:
    """One room, and what is said of the page."""
    rooms = {"boardroom": {"server": "main", "session": SESSION, "name": "Board Room", **room}}
    tables: dict[str, Any] = {"servers": {"main": {"host": "hmp"}}, "rooms": rooms}
    return Configuration(**tables, web=WebTable(**web or {}))


class Site:
    """A house with its door; `taken` is what the journal has of before a restart."""

    def __init__(
        self,
        *,
        taken: Iterable[InputKey] = (),
        house: House | None = None,
        web: dict[str, Any] | None = None,
        **room: Any,
    ) -> None:
        self.topics, self.image = Topics(), Image()
        self.observer = Observer(clock)
        self.outlet = Outlet(
            self.topics,
            self.image,
            self.observer,
            Replies(self.topics, self.image, lambda _: True, []),
            servers=(),
            happenings=Happenings(self.topics, self.image),
        )
        self.house = House(audience=self.outlet) if house is None else house
        self.rooms: dict[str, Room] = {"boardroom": self.house.room}
        self.callers = Callers(
            self.topics,
            self.rooms,
            clock=clock,
            sources=Sources(self.topics, self.rooms, lambda _: None),
            taken=taken,
        )
        self.online = True
        self.notes: list[str] = []
        self.outlet.room_added(self.house.room, dict.fromkeys(State, "off"))
        self.web = Web(
            configuration(web=web, **room),
            rooms=self.rooms,
            outlet=self.outlet,
            callers=self.callers,
            online=lambda: self.online,
            clock=clock,
            snapshot=self._snapshot,
            observer=self.observer,
            key=KEY,
            save_key=self._save_key,
        )

    def _snapshot(self) -> Snapshot:
        states = [room.state for room in self.rooms.values()]
        return Snapshot(
            {"main": link_health()}, broker_health(), JournalHealth(None, 0.001), states, 0
        )

    async def _save_key(self, key: str) -> None:
        self.notes.append(key)

    @asynccontextmanager
    async def running(self, *, known: bool = True) -> AsyncIterator[httpx.AsyncClient]:
        """The room at work, and somebody who asks."""
        async with self.house.running(), self.client() as client, trio.open_nursery() as nursery:
            nursery.start_soon(self.web.feed.run)
            if known:
                await self.house.room.adopt(b"").wait()
            yield client
            nursery.cancel_scope.cancel()

    async def _app(self, scope: Any, receive: Any, send: Any) -> None:
        """The door's; what it leaves of a body is read, or httpx leaves it to the collector."""
        more = True

        async def noted() -> Any:
            nonlocal more
            message = await receive()
            more = message.get("more_body", False)
            return message

        await self.web.door.app(scope, noted, send)
        while more:
            await noted()

    def client(self, address: str = "192.0.2.7", host: str = "localhost") -> httpx.AsyncClient:
        """Somebody at this address who calls the bridge by this name."""
        transport = httpx.ASGITransport(app=self._app, client=(address, 5000))
        return httpx.AsyncClient(transport=transport, base_url=f"http://{host}:8080")
