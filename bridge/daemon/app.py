"""The daemon, put together: what there is, in which order it starts and stops.

::

    broker layer   the broker link
      server layer   one link per server
        room layer     one worker per room, the dispatcher, the bridge's report of itself

Each layer's nursery holds its links beside the next layer, so that a lost link ends nothing but its
own tasks. A signal cancels the innermost layer first: rooms settle while both links still work,
then the server links close, then `offline` is published and the broker link closes (R24).
"""

import math
import time
from collections.abc import Callable
from functools import partial

import structlog
import trio

from .. import __version__
from ..api.bridge_requests import ReloadReport
from ..bindings.translator import Translator
from ..config.bindings import make_bindings
from ..config.configuration import Configuration
from ..hmp.link import LinkState
from ..intake.dispatch import Dispatcher
from ..journal.instant import this_instant
from ..journal.journal import Journal
from ..logs.log import tell_repeats
from ..metrics.observe import Observer
from ..mqtt.api_topics import request_filters
from ..mqtt.image import Image
from ..mqtt.link import BrokerLink, BrokerState
from ..mqtt.retained import read_retained
from ..mqtt.session import Session
from ..mqtt.settings import Subscription
from ..mqtt.topics import Topics, render_ack, render_result, timestamp
from ..process.signals import reload_on_signal, stop_on_signal
from ..process.systemd import keep_watchdog, notify
from ..room.facts.values import Result
from ..room.stages import Stages
from .api import build_api
from .clock import Clock
from .info_and_health import Identity
from .manifest import Manifest, Name
from .reload import Load, Reloader, bound_subscriptions
from .rivals import ForeignBridge, Rivals
from .self_report import SelfReport
from .site import Site

__all__ = ["Bridge", "ForeignBridge", "run_bridge"]

log = structlog.get_logger("bridge")

_CONTACT_EVERY = 10.0
"""Seconds between two journalled contacts with the broker: how well a backlog's age is known."""

_BINDINGS = "bindings"
"""The journal's note of what bindings remember."""

_TOPICS = "topics"
"""The journal's note of whose topics the broker may hold."""

_MOST_ANSWERS = 8192
"""Results and acks that may wait for the broker: two for each message of the largest backlog that
mosquitto was seen to deliver before an acknowledgement, 16 times Receive Maximum."""


class Bridge:
    """Everything that one process runs, wired but not yet running.

    `load` reads the configuration again; without it there is no reload.
    """

    def __init__(
        self,
        configuration: Configuration,
        instance_id: str,
        journal: Journal,
        load: Load | None = None,
    ) -> None:
        self.configuration = configuration
        self.journal = journal
        self.topics = Topics(configuration.mqtt.base_topic)
        self.image = Image(outbox_limit=_MOST_ANSWERS)
        started_at = time.time()
        self.clock = Clock(trusted=configuration.bridge.clock == "trusted")
        self.observer = Observer(self.clock)
        self._stopping = trio.Event()
        self._online = trio.Event()
        self.rivals = Rivals(
            Identity(timestamp(started_at), instance_id),
            self.topics,
            configuration.broker(instance_id).address,
        )
        self.translator = Translator(
            make_bindings(configuration.bindings),
            configuration.room_names,
            clock=self.clock,
            boot=this_instant().boot,
            kept=journal.note(_BINDINGS),
        )
        self.broker = BrokerLink(
            configuration.broker(f"hmp-bridge-{instance_id}"),
            self.image,
            [
                *map(Subscription, (*self.topics.inputs, *request_filters(self.topics))),
                *bound_subscriptions(self.translator.filters),
            ],
            availability_topic=self.topics.bridge_state,
            greet=self._greet,
            changed=self._broker_changed,
        )
        self.site = Site(
            configuration,
            topics=self.topics,
            image=self.image,
            journal=journal,
            observer=self.observer,
            clock=self.clock,
            give=self._give,
            server_changed=self._server_changed,
        )
        self.links, self.rooms = self.site.links, self.site.rooms
        self.manifest = Manifest(
            self.topics,
            self.image,
            kept=journal.note(_TOPICS),
            save=partial(journal.save_note, _TOPICS),
        )
        self.self_report = SelfReport(
            configuration,
            topics=self.topics,
            image=self.image,
            site=self.site,
            broker=self.broker,
            journal=journal,
            instance_id=instance_id,
            started_at=started_at,
            retained_dropped=lambda: self.dispatcher.retained_dropped,
        )
        self.api = build_api(
            configuration,
            self.topics,
            self.broker,
            links=self.links,
            rooms=self.rooms,
            journal=journal,
            clock=self.clock,
            reload=None if load is None else self._reload,
        )
        self.reloader = (
            None
            if load is None
            else Reloader(
                load,
                configuration,
                site=self.site,
                commands=self.api.commands,
                broker=self.broker,
                translator=self.translator,
                journal=journal,
                manifest=self.manifest,
                applied=self.self_report.reconfigured,
            )
        )
        self.dispatcher = Dispatcher(
            self.broker,
            self.topics,
            self.rooms,
            api=self.api,
            refuse=self._refuse,
            clock=self.clock,
            taken=journal.inputs(),
            translator=self.translator,
            save=partial(journal.save_note, _BINDINGS),
        )
        if all(room.known for room in self.rooms.values()):
            self.dispatcher.begin()
        self.dispatcher.away(since=trio.current_time() - self._out_of_contact())
        journal.on_change(self._journal_changed)
        journal.on_commit(self.observer.committed)

    async def run(self) -> None:
        """Run until `stop`, then leave in order (R24)."""
        there = Name.all_of(rooms=self.rooms, servers=self.links)
        self.manifest.sweep(there)
        await self.manifest.expect(there)
        async with trio.open_nursery() as broker_layer:
            broker_layer.start_soon(self.broker.run)
            broker_layer.start_soon(keep_watchdog)  # leaving in order takes its time too
            if (listen := self.configuration.metrics.listen) is not None:
                from ..metrics.serve import serve_metrics

                broker_layer.start_soon(
                    serve_metrics, listen, self.self_report.snapshot, self.observer
                )
            async with trio.open_nursery() as server_layer:
                self.site.run_servers(server_layer)
                async with trio.open_nursery() as room_layer:
                    self.site.run_rooms(room_layer)
                    room_layer.start_soon(self.api.run)
                    room_layer.start_soon(self.dispatcher.run)
                    room_layer.start_soon(self.self_report.run)
                    room_layer.start_soon(self._keep_contact)
                    room_layer.start_soon(self.manifest.run)
                    room_layer.start_soon(self.rivals.leave_to_an_earlier_one)
                    room_layer.start_soon(tell_repeats)
                    if self.reloader is not None:
                        room_layer.start_soon(self.reloader.run)
                    notify("READY=1", f"STATUS=serving {len(self.rooms)} rooms")
                    await self._stopping.wait()
                    notify("STOPPING=1")
                    room_layer.cancel_scope.cancel()
                server_layer.cancel_scope.cancel()
            broker_layer.cancel_scope.cancel()
        # The broker has answered for the last results: the next start must not give them again.
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.api.commands.tidy)
            for room in self.rooms.values():
                nursery.start_soon(room.tidy)

    def stop(self) -> None:
        """Let `run` leave: finish what is under way, leave recordings running, say `offline`."""
        self._stopping.set()

    def reload(self) -> None:
        """Have the configuration read again, where that is possible."""
        if self.reloader is not None:
            self.reloader.ask()

    async def _reload(self, force: bool) -> ReloadReport:
        assert self.reloader is not None  # noqa: S101 - else nobody is given this
        return await self.reloader.reload(force)

    # The broker.

    def _out_of_contact(self) -> float:
        """Seconds since a process before this one was in contact; infinite if none ever was."""
        contact, now = self.journal.contact(), this_instant()
        if contact is None:
            return math.inf
        shift = contact.shift_to(now, trusted=self.clock().synchronised)
        return now.monotonic - (contact.monotonic + shift)

    async def _greet(self, session: Session) -> None:
        """On every connection, before anything is published: who else is here, what was here?"""
        kept = session.session_present
        if not kept:
            # Nothing can have waited: whatever comes was published while we were connected (R16).
            self.dispatcher.afresh()
            self.dispatcher.fresh(session.accepted_at)
            await self.journal.forget_inputs()
        info, state = self.topics.bridge_info, self.topics.bridge_state
        unknown = {
            self.topics.room(name, "status"): room
            for name, room in self.rooms.items()
            if not room.known
        }
        retained = await read_retained(
            session,
            [info, state, *unknown],
            self.topics.bridge_marker,
            # The marker comes back behind everything that was kept for us (R16).
            caught_up=self.dispatcher.fresh if kept else _nothing,
        )
        self.rivals.check(retained)
        session.interceptors.append(self.rivals.hear)
        await session.subscribe([Subscription(info, retain_as_published=False)])
        for topic, room in unknown.items():
            if self.rooms.get(room.name) is room:  # it may have been taken out meanwhile
                await room.adopt(retained.get(topic, b""))
        self.dispatcher.begin()
        self.self_report.publish_info(session.protocol)

    def _broker_changed(self, state: BrokerState) -> None:
        self.observer.broker(online=state is BrokerState.ONLINE)
        if state is BrokerState.ONLINE:
            self.self_report.publish_health()
            self._online.set()
        else:
            self._online = trio.Event()
            self.dispatcher.away()

    async def _keep_contact(self) -> None:
        """Journal again and again that the broker is in contact: the age of a backlog (R16).

        Not before the backlog is done: what is delivered again after a kill is as old as it was.
        """
        while True:
            await self._online.wait()
            await self.dispatcher.caught_up()
            if await self.broker.touch(self.topics.bridge_marker):
                self.dispatcher.in_contact()
                await self.journal.save_contact()
            await trio.sleep(_CONTACT_EVERY)

    # What the links and the rooms say.

    def _server_changed(self, name: str, state: LinkState) -> None:
        self.api.commands.link_changed(name, state)
        self.self_report.publish_health()

    def _journal_changed(self, failing: bool) -> None:
        for room in self.rooms.values():
            room.journal_changed(failing=failing)
        self.self_report.publish_health()

    def _give(self, name: str, result: Result, stages: Stages, arrived: Callable[[], None]) -> None:
        published = self.observer.request_done(name, result, stages, arrived)
        if self.api.room_answered(result, published):
            return
        self.image.send(self.topics.room(name, "ack"), render_ack(result))
        self.image.send(self.topics.room(name, "result"), render_result(result), arrived=published)

    def _refuse(self, result: Result, arrived: Callable[[], None]) -> None:
        error = "" if result.problem is None else result.problem.message
        self.observer.request_refused(result)
        log.warning("request refused", topic=result.origin, id=result.id, error=error)
        self.image.send(self.topics.error, render_result(result), arrived=arrived)


def _nothing() -> None:
    pass


async def run_bridge(
    configuration: Configuration, instance_id: str, journal: Journal, load: Load
) -> None:
    """Run the daemon until SIGTERM or SIGINT; a second one ends the process at once.

    SIGHUP has it reload what `load` reads. Raises `ForeignBridge`, in an exception group.
    """
    bridge = Bridge(configuration, instance_id, journal, load)
    log.info(
        "bridge starting",
        version=__version__,
        instance=instance_id,
        servers=len(bridge.links),
        rooms=len(bridge.rooms),
    )
    async with trio.open_nursery() as nursery:
        nursery.start_soon(stop_on_signal, bridge.stop)
        nursery.start_soon(reload_on_signal, bridge.reload)
        await bridge.run()
        nursery.cancel_scope.cancel()
    log.info("bridge stopped")
