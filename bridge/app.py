"""The daemon, put together: what there is, in which order it starts and stops.

::

    broker layer   the broker link
      server layer   one link per server
        room layer     one worker per room, the dispatcher, the bridge's word of itself

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

from . import __version__
from .api.build import build_api
from .bound import Bound
from .clock import Clock
from .config import Configuration
from .config_bindings import make_bindings
from .dispatch import Dispatcher
from .hmp.client import ServerLink
from .hmp.link import LinkState
from .journal import Journal, stamp
from .logs import tell_repeats
from .metrics.look import Look
from .mqtt.api_topics import request_filters
from .mqtt.image import Image
from .mqtt.link import BrokerLink, BrokerState
from .mqtt.retained import read_retained
from .mqtt.session import Session
from .mqtt.settings import Subscription
from .mqtt.topics import Topics, render_ack, render_result, render_room, timestamp
from .observe import Observer
from .report import Identity, render_health, render_info
from .rivals import ForeignBridge, Rivals
from .room.memory import recall
from .room.stages import Stages
from .room.state import Result, RoomState
from .room.vocabulary import State
from .room.worker import Room, ServerFacts
from .room_log import RoomLog
from .signals import stop_on_signal
from .systemd import notify

__all__ = ["Bridge", "ForeignBridge", "run_bridge"]

log = structlog.get_logger("bridge")

_CONTACT_EVERY = 10.0
"""Seconds between two journalled contacts with the broker: how well a backlog's age is known."""


_BINDINGS = "bindings"
"""The journal's note of what bindings remember."""

_LOOK_AGAIN = 0.2
"""Seconds between two looks whether the backlog is done."""

_MOST_ANSWERS = 8192
"""Results and acks that may wait for the broker: two for each message of the largest backlog that
mosquitto was seen to deliver before an acknowledgement, 16 times Receive Maximum."""


class Bridge:
    """Everything that one process runs, wired but not yet running."""

    def __init__(self, configuration: Configuration, instance_id: str, journal: Journal) -> None:
        self.configuration = configuration
        self.instance_id = instance_id
        self.journal = journal
        self.topics = Topics(configuration.mqtt.base_topic)
        self.image = Image(outbox_limit=_MOST_ANSWERS)
        self.started_at = time.time()
        self.clock = Clock(trusted=configuration.bridge.clock == "trusted")
        self.observer = Observer(self.clock)
        self._stopping = trio.Event()
        self._online = trio.Event()
        self.rivals = Rivals(
            Identity(timestamp(self.started_at), instance_id),
            self.topics,
            configuration.broker(instance_id).address,
        )
        self.bound = Bound(
            make_bindings(configuration.bindings),
            configuration.room_names,
            clock=self.clock,
            kept=journal.note(_BINDINGS),
        )
        self.broker = BrokerLink(
            configuration.broker(f"hmp-bridge-{instance_id}"),
            self.image,
            [
                *map(Subscription, (*self.topics.inputs, *request_filters(self.topics))),
                # What others keep for themselves may be published retained while it is live (R16).
                *(Subscription(each, retain_as_published=False) for each in self.bound.filters),
            ],
            availability_topic=self.topics.bridge_state,
            greet=self._greet,
            changed=self._broker_changed,
        )
        self.links = {
            name: ServerLink(
                table.link(name),
                changed=partial(self._server_changed, name),
                exchanged=partial(self.observer.command_done, name),
            )
            for name, table in configuration.servers.items()
        }
        for name, link in self.links.items():
            self.image.set(self.topics.server_state(name), link.state)
        self.rooms = self._rooms()
        self.api = build_api(
            configuration,
            self.topics,
            self.broker,
            links=self.links,
            rooms=self.rooms,
            journal=journal,
            clock=self.clock,
        )
        self.dispatcher = Dispatcher(
            self.broker,
            self.topics,
            self.rooms,
            api=self.api,
            refuse=self._refuse,
            clock=self.clock,
            taken=journal.inputs(),
            bound=self.bound,
        )
        if all(room.known for room in self.rooms.values()):
            self.dispatcher.begin()
        contact, now = journal.contact(), stamp()
        away = math.inf if contact is None else now.monotonic - contact.monotonic
        if contact is not None:
            away -= contact.shift_to(now, trusted=self.clock().synchronised)
        self.dispatcher.away(since=trio.current_time() - away)
        journal.on_change(self._journal_changed)
        journal.on_commit(self.observer.committed)

    def _rooms(self) -> dict[str, Room]:
        entries, at, now = self.journal.rooms(), stamp(), self.clock()
        for name in entries.keys() - self.configuration.rooms.keys():
            if "/" in name:
                continue  # not a room's: `Journal.save`
            log.warning("the journal has a room that is not configured", room=name)
        facts = {name: ServerFacts() for name in self.links}
        rooms = {}
        for name, table in self.configuration.rooms.items():
            policy = table.policy(self.configuration.servers[table.server], name)
            state, memory = recall(
                name, entries.get(name), policy, self.journal.save, at=at, now=now
            )
            facts[table.server].proves |= state.server_proves
            rooms[name] = Room(
                name,
                state,
                self.links[table.server],
                memory=memory,
                facts=facts[table.server],
                publish=partial(self._publish_room, name, table.tally_words(), RoomLog(name)),
                give=partial(self._give, name),
                clock=self.clock,
            )
        return rooms

    async def run(self) -> None:
        """Run until `stop`, then leave in order (R24)."""
        async with trio.open_nursery() as broker_layer:
            broker_layer.start_soon(self.broker.run)
            if (listen := self.configuration.metrics.listen) is not None:
                from .metrics.serve import serve_metrics

                broker_layer.start_soon(serve_metrics, listen, self._look, self.observer)
            async with trio.open_nursery() as server_layer:
                for link in self.links.values():
                    server_layer.start_soon(link.run)
                async with trio.open_nursery() as room_layer:
                    for room in self.rooms.values():
                        room_layer.start_soon(room.run)
                    room_layer.start_soon(self.api.run)
                    room_layer.start_soon(self.dispatcher.run)
                    room_layer.start_soon(self._publish_health)
                    room_layer.start_soon(self._keep_contact)
                    room_layer.start_soon(
                        self.bound.keep, partial(self.journal.save_note, _BINDINGS)
                    )
                    room_layer.start_soon(self.rivals.leave_to_an_earlier_one)
                    room_layer.start_soon(tell_repeats)
                    notify("READY=1", f"STATUS=serving {len(self.rooms)} rooms")
                    await self._stopping.wait()
                    notify("STOPPING=1")
                    room_layer.cancel_scope.cancel()
                server_layer.cancel_scope.cancel()
            broker_layer.cancel_scope.cancel()

    def stop(self) -> None:
        """Let `run` leave: finish what is under way, leave recordings running, say `offline`."""
        self._stopping.set()

    # The broker.

    async def _greet(self, session: Session) -> None:
        """On every connection, before anything is published: who else is here, what was here?"""
        if not session.session_present:
            self.dispatcher.afresh()
            await self.journal.forget_inputs()
        info, state = self.topics.bridge_info, self.topics.bridge_state
        unknown = {
            self.topics.room(name, "status"): room
            for name, room in self.rooms.items()
            if not room.known
        }
        retained = await read_retained(session, [info, state, *unknown], self.topics.bridge_marker)
        # The marker came back behind everything that was kept for us (R16).
        self.dispatcher.live()
        self.rivals.check(retained)
        session.interceptors.append(self.rivals.hear)
        await session.subscribe([Subscription(info, retain_as_published=False)])
        for topic, room in unknown.items():
            await room.adopt(retained.get(topic, b""))
        self.dispatcher.begin()
        self.image.set(
            info,
            render_info(
                version=__version__,
                instance_id=self.instance_id,
                protocol=session.protocol,
                started_at=self.started_at,
                servers=self.links,
                rooms=self.rooms,
                digest=self.configuration.digest,
            ),
        )

    def _broker_changed(self, state: BrokerState) -> None:
        self.observer.broker(online=state is BrokerState.ONLINE)
        if state is BrokerState.ONLINE:
            self._health_now()
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
            if not self.dispatcher.backlog_done:
                await trio.sleep(_LOOK_AGAIN)
                continue
            if await self.broker.touch(self.topics.bridge_marker):
                self.dispatcher.in_contact()
                await self.journal.save_contact()
            await trio.sleep(_CONTACT_EVERY)

    # What the links and the rooms say.

    def _server_changed(self, name: str, state: LinkState) -> None:
        self.image.set(self.topics.server_state(name), state)
        for room, table in self.configuration.rooms.items():
            if table.server == name:
                self.rooms[room].link_changed(ready=state is LinkState.READY)
        self.api.commands.link_changed(name, state)
        self._health_now()

    def _journal_changed(self, failing: bool) -> None:
        for room in self.rooms.values():
            room.journal_changed(failing=failing)
        self._health_now()

    def _publish_room(
        self, name: str, tally: dict[State, str], room_log: RoomLog, state: RoomState
    ) -> None:
        room_log.note(state)
        for topic, payload in render_room(self.topics, name, state, tally).items():
            self.image.set(topic, payload)

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

    def _look(self) -> Look:
        return Look(
            {name: link.health() for name, link in self.links.items()},
            self.broker.health(),
            self.journal.health(),
            [room.state for room in self.rooms.values()],
            self.dispatcher.retained_dropped,
        )

    async def _publish_health(self) -> None:
        while True:
            self._health_now()
            await trio.sleep(self.configuration.bridge.health_every)

    def _health_now(self) -> None:
        health = render_health(
            {name: link.health() for name, link in self.links.items()},
            self.broker.health(),
            self.journal.health(),
            retained_dropped=self.dispatcher.retained_dropped,
            monotonic=trio.current_time(),
            wall=time.time(),
        )
        self.image.set(self.topics.bridge_health, health)


async def run_bridge(configuration: Configuration, instance_id: str, journal: Journal) -> None:
    """Run the daemon until SIGTERM or SIGINT; a second one ends the process at once.

    Raises `ForeignBridge`, in an exception group.
    """
    bridge = Bridge(configuration, instance_id, journal)
    log.info(
        "bridge starting",
        version=__version__,
        instance=instance_id,
        servers=len(bridge.links),
        rooms=len(bridge.rooms),
    )
    async with trio.open_nursery() as nursery:
        nursery.start_soon(stop_on_signal, bridge.stop)
        await bridge.run()
        nursery.cancel_scope.cancel()
    log.info("bridge stopped")
