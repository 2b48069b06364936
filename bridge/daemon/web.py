"""The web door of this bridge: what it shows and takes, and where it listens.

Made where a page or metrics are wanted; `app` runs it in the outermost layer, so that whoever waits
for a result has it while the rooms settle. It hears of rooms from the outlet, as `Onlookers`.
"""

import json
import secrets
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache, partial

import structlog
import trio
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import ASGIApp

from .. import __version__
from ..config.configuration import Configuration
from ..config.room import RoomTable
from ..config.web import WebTable
from ..intake.callers import Callers
from ..interface.openapi import openapi_document
from ..metrics.health import Verdict, ready, stands_by
from ..metrics.meters import Meters
from ..metrics.observe import Observer
from ..metrics.pages import health_pages, measures
from ..metrics.snapshot import Snapshot
from ..mqtt.topics import timestamp
from ..process.descriptors import MOST_CONNECTIONS, spare_descriptors
from ..room.facts.state import elapsed
from ..room.facts.values import Now, Result
from ..room.rules.possible import possible
from ..room.worker import Room
from ..web.access import KEY_BYTES, Access, Grant, Role
from ..web.door import Door
from ..web.feed import Feed
from ..web.gate import LOCAL_HOSTS, Gate
from ..web.listening import Listener
from ..web.views import Standing
from .outlet import Outlet

__all__ = ["NOTE", "StandingByPages", "Web"]

log = structlog.get_logger("web")

NOTE = "web key"
"""The journal's note of the key by which cookies are told."""


class Web:
    """The door, the feed behind it, and the listeners before it.

    `online` says whether the broker is reached. `key` is the journal's note, empty at the first
    time; `save_key` writes it.
    """

    def __init__(
        self,
        configuration: Configuration,
        *,
        rooms: Mapping[str, Room],
        outlet: Outlet,
        callers: Callers,
        online: Callable[[], bool],
        clock: Callable[[], Now],
        snapshot: Callable[[], Snapshot],
        observer: Observer,
        key: str,
        save_key: Callable[[str], Awaitable[None]],
    ) -> None:
        self._configuration = configuration
        self._rooms = rooms
        self._outlet = outlet
        self._callers = callers
        self._online = online
        self._clock = clock
        self._snapshot = snapshot
        self._key = key or secrets.token_hex(KEY_BYTES)
        self._save_key = None if key else save_key
        #: When each room's HMP was lost; empty while it is there, no entry where it never was.
        self._stale_since: dict[str, str] = {}
        self.feed = Feed(self._standing, rooms.keys())
        meters = Meters(version=__version__, servers=snapshot().servers, snapshot=snapshot)
        observer.meters = meters
        self._metrics = measures(meters.registry)
        self.door = Door(
            self._access(),
            self.feed,
            callers,
            hosts=self._hosts(),
            openapi=self._openapi,
            health=health_pages(self._ready),
            metrics=self._metrics,
        )
        self._served = self._measures()
        self._listeners = dict(self._make_listeners())
        outlet.onlookers = self

    async def run(self) -> None:
        """Serve until cancelled."""
        if self._save_key is not None:
            await self._save_key(self._key)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.feed.run)
            for listener, (host, port) in self._listeners.items():
                nursery.start_soon(listener.serve, host, port)

    @property
    def certificates(self) -> Mapping[str, float]:
        """The certificate in use, with the seconds since the epoch at which it ends."""
        ends = [("web.cert", listener.ends_at) for listener in self._listeners]
        return {key: end for key, end in ends if end is not None}

    @property
    def due_at(self) -> dict[str, float]:
        """By when who asks is taken, answered and told (`Progress`)."""
        turns = min(self.door.due_at, self._served.due_at)
        return {"web feed": self.feed.progress.due_at} | _due_at(turns, self._listeners)

    def changed(self, room: str) -> None:
        """The topics of a room say something else."""
        if not self._rooms[room].state.stale:
            self._stale_since[room] = ""
        elif self._stale_since.get(room) == "":
            self._stale_since[room] = timestamp(self._clock().wall)
        self.feed.room_changed(room)

    def result(self, room: str, result: Result, document: str) -> bool:
        """A request has its result; True if whoever asked hears it here, or can ask for it."""
        self.feed.result(room, document)
        return self._callers.heard(room, result)

    def broker_changed(self) -> None:
        """The broker is reached, or no more: every page says so."""
        self.feed.all_changed()

    def reconfigured(self, configuration: Configuration) -> None:
        """Another configuration is in force; the certificate may have been renewed as well."""
        self._configuration = configuration
        for room in self._stale_since.keys() - self._rooms.keys():
            del self._stale_since[room]
        for listener in self._listeners:
            listener.renew()
        self.door.reconfigured(self._access(), self._hosts())

    # What is shown.

    def _standing(self, name: str) -> Standing | None:
        room = self._rooms.get(name)
        status = None if room is None else self._outlet.said(room)
        if room is None or status is None:
            return None
        fault = partial(self._outlet.fault, room)
        now = self._clock()
        return Standing(
            # As of now: what was said may be as old as `elapsed_every`, and pages count on from it.
            {**status, "elapsed": elapsed(room.state.recording, now)},
            self._configuration.rooms[name].name or name,
            possible(room.state, now, fault) if room.known else (),
            self._online(),
            self._stale_since.get(name) or None,
        )

    def _openapi(self, rooms: Sequence[str]) -> str:
        return _described(tuple(rooms))

    # Who may.

    def _access(self) -> Access:
        return Access(_secrets_of(self._configuration), bytes.fromhex(self._key))

    def _hosts(self) -> frozenset[str]:
        """The names that may be used: of this box alone where no secret keeps others out."""
        hosts = frozenset(host.lower().strip("[]") for host in self._configuration.web.hosts)
        is_open = not any(True for _ in _secrets_of(self._configuration))
        return hosts | LOCAL_HOSTS if is_open else hosts

    # Where it listens.

    def _make_listeners(self) -> Iterator[tuple[Listener, tuple[str, int]]]:
        web, metrics = self._configuration.web, self._configuration.metrics.listen
        if web.listen is not None:
            pages = Listener(
                self.door.app,
                what="web pages are",
                key="web.listen",
                pair=_pair_of(web),
                leaving=self.feed.end,
                spare=self._spare,
            )
            yield pages, web.listen
        if metrics is not None:
            log.info(
                "metrics.listen has a successor",
                what_to_do="set web.listen, which serves /metrics and /health too, and leave "
                "metrics.listen out; until then both go on",
            )
            served = Listener(
                self._served, what="metrics are", key="metrics.listen", spare=self._spare
            )
            yield served, metrics

    def _spare(self) -> int:
        """Connections that a listener may have: the broker and HMP do without none of theirs."""
        spare = spare_descriptors(len(self._configuration.servers)) // len(self._listeners)
        return min(MOST_CONNECTIONS, spare)

    def _ready(self) -> Verdict:
        now = self._snapshot()
        return ready(now.broker, now.servers)

    def _measures(self) -> Gate:
        async def app(_: object) -> ASGIApp:
            return self._metrics

        routes = [Route("/metrics", app), *health_pages(self._ready)]
        return Gate(Starlette(routes=routes), ())


@lru_cache(maxsize=16)
def _described(rooms: tuple[str, ...]) -> str:
    """The description for whoever may know of these rooms: made once, as strangers may ask."""
    return json.dumps(openapi_document(__version__, rooms), ensure_ascii=False)


def _due_at(turns: float, listeners: Iterable[Listener]) -> dict[str, float]:
    """By when who asks has his answer, and is taken."""
    taken = min(listener.due_at for listener in listeners)
    return {"web answers": turns, "web listeners": taken}


def _pair_of(web: WebTable) -> tuple[str, str | None] | None:
    return None if web.cert is None else (web.cert, web.key)


class StandingByPages:
    """A supervisor's pages of a box that stands by, where one that leads serves them.

    The process lives, and is not ready: `status` says who leads. Nobody is waited for at the end:
    the lease may be ours already, and runs.
    """

    def __init__(self, configuration: Configuration, status: Callable[[], str]) -> None:
        web, metrics = configuration.web, configuration.metrics.listen
        self._gate = Gate(Starlette(routes=health_pages(lambda: stands_by(status()))), ())
        listener = partial(Listener, self._gate, what="health is", farewell=0.0)
        self._listeners: dict[Listener, tuple[str, int]] = {}
        if web.listen is not None:
            self._listeners[listener(key="web.listen", pair=_pair_of(web))] = web.listen
        if metrics is not None:
            self._listeners[listener(key="metrics.listen")] = metrics

    async def run(self) -> None:
        """Serve until cancelled."""
        async with trio.open_nursery() as nursery:
            for listener, (host, port) in self._listeners.items():
                nursery.start_soon(listener.serve, host, port)

    @property
    def due_at(self) -> dict[str, float]:
        """By when who asks is taken and answered (`Progress`)."""
        return _due_at(self._gate.due_at, self._listeners)


def _secrets_of(configuration: Configuration) -> Iterator[tuple[str, Grant]]:
    tables: dict[str | None, WebTable | RoomTable] = {None: configuration.web}
    tables.update(configuration.rooms)
    for room, table in tables.items():
        secrets_of = {Role.OPERATE: table.operate_secret, Role.LOOK: table.look_secret}
        for role, secret in secrets_of.items():
            if secret is not None:
                yield secret.get_secret_value(), Grant(room, role)
