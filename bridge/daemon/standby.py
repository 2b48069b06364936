"""A box that stands in for another: it stands by, leads while the lease is its own, and so on.

::

    stand by ──▶ the lease is ours ──▶ lead: all that `app` runs, on the journal of the store
        ▲                                │
        └── it is another's, or yielded ─┘

Beside both the box says at the broker what it does, and hears what the others say (R36, R37).
"""

import secrets
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import structlog
import trio

from .. import __version__
from ..cluster.etcd import Etcd
from ..cluster.lease import Leadership
from ..cluster.settings import EtcdSettings
from ..cluster.store import EtcdStore, shared_instance
from ..config.configuration import Configuration
from ..config.errors import ConfigurationError
from ..journal.instance import client_id
from ..journal.journal import Journal
from ..journal.store import Fenced, StoreFailure
from ..mqtt.topics import timestamp
from ..process.name_service import name_service
from ..process.progress import Progress
from ..process.signals import reload_on_signal, stop_on_signal
from ..process.systemd import keep_status, notify
from .app import Bridge
from .box_words import BoxState, BoxWord
from .boxes import Boxes
from .campaign import Campaign
from .parts import Parts
from .reach import look_at_servers
from .reload import Load, read_again, say_reloading
from .shared_helm import SharedHelm, TermStore, see_written, write_again
from .tenure import Tenure
from .wanted import ask_for_the_lease, leave_when_asked
from .watchdog import Watchdog

__all__ = ["run_beside_others"]

log = structlog.get_logger("bridge")

_HOLDS_FOR = 10.0
"""Seconds for which a process that is to end waits for word of who leads."""


class _Box:
    """One process: what it does, and what it says of itself."""

    def __init__(
        self, configuration: Configuration, load: Load, settings: EtcdSettings, instance: str
    ) -> None:
        self._configuration = configuration
        self._load = load
        self._settings = settings
        self._instance = instance
        topics = configuration.topics
        broker = configuration.broker(client_id(instance, topics.base))
        name = f"{broker.client_id}-standby-{settings.box}"
        own = replace(broker, client_id=name, session_expiry=0)
        self._word = BoxWord(BoxState.STANDBY, secrets.token_hex(4))
        process = self._word.process
        self.boxes = Boxes(
            own, topics, settings.box, process, changed=self._heard, ttl=settings.ttl
        )
        self._reachable = False
        self._leader = ""
        self._helm: SharedHelm | None = None
        self._bridge: Bridge | None = None
        self._stopping = trio.Event()
        self._has_yielded = False
        self._reload_asked = False
        self._campaigning, self._looking, self._asking = Progress(), Progress(), Progress()
        self._reloading, self._saying = Progress(), Progress()
        self._serving: Callable[[], dict[str, float]] = dict

    def _heard(self) -> None:
        if self._helm is not None:
            self._helm.changed()

    def _say(self, state: BoxState | None = None, servers: dict[str, bool] | None = None) -> None:
        state = state or self._word.state
        is_other = state is not self._word.state or self._word.since is None
        self._word = replace(
            self._word,
            state=state,
            since=timestamp(time.time()) if is_other else self._word.since,
            version=__version__,
            configuration=self._configuration.shared_digest,
            store=self._reachable,
            servers=self._word.servers if servers is None else servers,
        )
        self.boxes.say(self._word)

    def _told(self, term: Leadership) -> None:
        """The store has said something, or does not answer."""
        self._leader = "" if term.leader is None else term.leader.box
        self._reaches(term.failure is None)
        self._heard()

    def _reaches(self, reachable: bool) -> None:
        self._reachable = reachable
        self._say()

    def stop(self) -> None:
        """End: a leader leaves in order, and lets another have the lease at once."""
        self._stopping.set()
        if self._bridge is not None:
            self._bridge.stop()
        else:
            notify("STOPPING=1")

    def reload(self) -> None:
        """Read the configuration again; one that stands by only looks whether it could go by it."""
        if self._bridge is not None:
            self._bridge.reload()
            return
        self._reload_asked = True
        self._reloading.wanted()

    async def run(self) -> None:
        """Stand by and lead in turns, until `stop`."""
        async with Etcd(self._settings) as etcd:
            while not self._stopping.is_set():
                term = Leadership(etcd)
                if await self._stand_by(etcd, term):
                    await self._lead(etcd, term)

    async def _stand_by(self, etcd: Etcd, term: Leadership) -> bool:
        """True once the lease is ours, False where the process is to end."""
        self._say(BoxState.STANDBY)
        log.info("standing by", box=self._settings.box)
        notify("READY=1")
        watchdog = Watchdog(partial(self._due_at, term))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._campaign, etcd, term, nursery.cancel_scope)
            nursery.start_soon(
                look_at_servers,
                lambda: self._configuration.servers,
                lambda reached: self._say(servers=reached),
                self._looking,
            )
            nursery.start_soon(ask_for_the_lease, etcd, self.boxes, self._asking)
            nursery.start_soon(keep_status, lambda: self._status(*watchdog.stuck), self._saying)
            nursery.start_soon(self._reload_when_asked)
            nursery.start_soon(watchdog.run)
            nursery.start_soon(self._serve_health)
            await self._stopping.wait()
            nursery.cancel_scope.cancel()
        if not term.is_ours():
            await term.resign()
        return term.is_ours()

    def _due_at(self, term: Leadership) -> dict[str, float]:
        """By when each loop of a box that stands by goes on by itself (`Progress`)."""
        return {
            "campaign": min(self._campaigning.due_at, term.progress.due_at),
            "look at servers": self._looking.due_at,
            "question for the lease": self._asking.due_at,
            "reload": self._reloading.due_at,
            "status line": self._saying.due_at,
            **self.boxes.due_at,
            **self._serving(),
        }

    async def _serve_health(self) -> None:
        if self._configuration.web.listen or self._configuration.metrics.listen:
            from .web import StandingByPages  # an extra that need not be there

            pages = StandingByPages(self._configuration, self._status)
            self._serving = lambda: pages.due_at
            await pages.run()

    async def _reload_when_asked(self) -> None:
        while True:
            while not self._reload_asked:
                await self._reloading.rest()
            self._reload_asked = False
            self._reloading.waits()  # for the disk
            say_reloading()
            try:
                with trio.CancelScope(shield=True):  # the lease may be won just now
                    self._configuration = await read_again(self._load)
            except ConfigurationError as error:
                for line in str(error).splitlines():
                    log.error("configuration refused", error=line)  # noqa: TRY400 - as a reload
            else:
                log.info("configuration reloaded")
                self._say()
            notify("READY=1")

    async def _campaign(self, etcd: Etcd, term: Leadership, won: trio.CancelScope) -> None:
        gives_way, self._has_yielded = self._has_yielded, False
        campaign = Campaign(
            etcd,
            term,
            self.boxes,
            progress=self._campaigning,
            told=lambda: self._told(term),
            reaches=self._reaches,
        )
        await campaign.win(gives_way=gives_way)
        won.cancel()

    def _status(self, *stuck: str) -> str:
        named = f"stuck: {', '.join(stuck)}; " if stuck else ""
        store = "" if self._reachable else "; the store cannot be reached"
        return f"{named}standby; {self._leader or 'nobody'} leads{store}"

    # Leading.

    async def _lead(self, etcd: Etcd, term: Leadership) -> None:
        self._say(BoxState.LEADER)
        log.info("leading", box=self._settings.box, fence=term.fence)
        try:
            instance = await shared_instance(etcd, self._instance)
            store = await EtcdStore.open(etcd, term)
            patience = self._configuration.mqtt.connect_timeout
            self._helm = helm = SharedHelm(term, self.boxes, patience)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(Tenure(etcd, helm, store, self._told).keep)
                nursery.start_soon(leave_when_asked, etcd, helm)
                await self._act(helm, store, instance)
                nursery.cancel_scope.cancel()
        except StoreFailure as failure:
            log.warning("the journal cannot be read", error=str(failure))
        finally:
            term = term if self._helm is None else self._helm.term
            self._helm = self._bridge = None
            self.boxes.ask(False)
            self._say(BoxState.LEAVING)
            await term.resign()

    async def _act(self, helm: SharedHelm, store: EtcdStore, instance: str) -> None:
        journal = Journal(TermStore(store, helm))
        parts = Parts(self._configuration, instance, journal, self._load, helm)
        helm.hang_up = parts.broker.hang_up
        helm.is_accepted = lambda: parts.broker.health().protocol is not None
        self._bridge = bridge = Bridge(parts)
        if self._stopping.is_set():
            bridge.stop()
        if self._reload_asked:  # while nothing was there that could
            self._reload_asked = False
            bridge.reload()
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._end_term, helm, bridge, nursery.cancel_scope)
                nursery.start_soon(write_again, helm, journal)
                nursery.start_soon(self._hold_no_longer, helm)
                await bridge.run()
                await see_written(helm, journal)
                nursery.cancel_scope.cancel()
        except* Fenced:
            log.warning("the journal is another box's; this one stands by")
        self._configuration = parts.self_report.configuration

    async def _end_term(self, helm: SharedHelm, bridge: Bridge, scope: trio.CancelScope) -> None:
        await helm.over()
        if helm.handed_over:
            log.info("leaving to another box", ready=list(helm.handed_over))
            self._has_yielded = True
            bridge.leave()
            await helm.ended()
        self._say(BoxState.LEAVING)
        scope.cancel()

    async def _hold_no_longer(self, helm: SharedHelm) -> None:
        """A process that is to end does so, though nobody says who leads: as if it were killed."""
        await self._stopping.wait()
        await trio.sleep(_HOLDS_FOR)
        await helm.until(lambda: helm.holds)
        log.warning("leaving without word of who leads; what is not written is the next one's")
        helm.end()


async def run_beside_others(
    configuration: Configuration, load: Load, settings: EtcdSettings, instance: str
) -> None:
    """Run until SIGTERM or SIGINT, beside other boxes of the same bridge.

    `instance` is this box's own id. Raises `ForeignBridge`, in an exception group.
    """
    box = _Box(configuration, load, settings, instance)
    async with name_service(), trio.open_nursery() as nursery:
        nursery.start_soon(stop_on_signal, box.stop)
        nursery.start_soon(reload_on_signal, box.reload)
        nursery.start_soon(box.boxes.run)
        await box.run()
        nursery.cancel_scope.cancel()
    log.info("bridge stopped")
