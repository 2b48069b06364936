"""The bridge's report of itself: `bridge/info`, `bridge/health`, and how it stands for metrics.

Made by `app` and run beside the rooms. The contact with the broker, the links, the journal and a
reload have it speak when something is different.
"""

import time
from collections.abc import Callable, Mapping

import trio

from .. import __version__
from ..config.configuration import Configuration
from ..hmp.link import LinkState
from ..intake.dispatch import Dispatcher
from ..journal.journal import Journal
from ..metrics.snapshot import Snapshot
from ..mqtt.broker_health import BrokerState
from ..mqtt.image import Image
from ..mqtt.link import BrokerLink
from ..mqtt.topics import Topics, timestamp
from ..process.progress import Progress
from ..process.systemd import keep_status
from .info_and_health import Identity, render_health, render_info, render_owner, render_status
from .site import Site
from .watchdog import Watchdog

__all__ = ["SelfReport"]


class SelfReport:
    """Publishes it; `configuration` is the one in force.

    `web_certificate` says when the certificate of the web pages ends, by its key.
    """

    def __init__(
        self,
        configuration: Configuration,
        *,
        topics: Topics,
        image: Image,
        site: Site,
        broker: BrokerLink,
        journal: Journal,
        dispatcher: Dispatcher,
        identity: Identity,
        watchdog: Watchdog,
        web_certificate: Callable[[], Mapping[str, float]],
    ) -> None:
        self.configuration = configuration
        self._topics = topics
        self._image = image
        self._site = site
        self._broker = broker
        self._journal = journal
        self._identity = identity
        self._watchdog = watchdog
        self._web_certificate = web_certificate
        self._dispatcher = dispatcher
        self._publishing, self._saying = Progress(), Progress()

    @property
    def due_at(self) -> dict[str, float]:
        """By when each loop goes on by itself (`Progress`)."""
        return {"health report": self._publishing.due_at, "status line": self._saying.due_at}

    def reconfigured(self, configuration: Configuration) -> None:
        """Another configuration is in force, with other rooms and servers perhaps."""
        self.configuration = configuration
        protocol = self._broker.health().protocol
        if protocol is not None:  # else it is published at the next connection
            self.publish_info(protocol)
        self._publishing.wanted()
        self.publish_health()

    def publish_info(self, protocol: str) -> None:
        """Say what this bridge is and has; `protocol` is the version of MQTT in use."""
        self._image.set(self._topics.bridge_info, self._info(protocol))
        if self._topics.part:
            for server in self._site.links:
                owner = render_owner(self._topics.part, self._identity)
                self._image.set(self._topics.owner(server), owner)

    def object_to_one_alone(self) -> None:
        """Tell a bridge that takes the base topic for its own that a server is ours (R38).

        In the words of one that was there before it, whichever started in the same second.
        """
        protocol = self._broker.health().protocol
        if protocol is not None:
            before_all = self._identity._replace(started_at=timestamp(0.0))
            alone = self._topics.of_part("").bridge_info
            self._image.send(alone, self._info(protocol, before_all))

    def _info(self, protocol: str, identity: Identity | None = None) -> str:
        return render_info(
            version=__version__,
            identity=identity or self._identity,
            protocol=protocol,
            servers=self._site.links,
            rooms=self._site.rooms,
            digest=self.configuration.digest,
        )

    def publish_health(self) -> None:
        """Say how the links do now."""
        snapshot = self.snapshot()
        health = render_health(
            snapshot.servers,
            snapshot.broker,
            snapshot.journal,
            retained_dropped=snapshot.retained_ignored,
            certificates=snapshot.certificates,
            monotonic=trio.current_time(),
            wall=time.time(),
        )
        self._image.set(self._topics.bridge_health, health)

    async def run(self) -> None:
        """Say it again and again, until cancelled; to systemd as soon as it changes."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(keep_status, self._status, self._saying)
            await self._publish_health_every()

    def _status(self) -> str:
        return render_status(self.snapshot(), self._watchdog.stuck)

    async def _publish_health_every(self) -> None:
        while True:
            self.publish_health()
            every = self.configuration.bridge.health_every
            await self._publishing.rest(trio.current_time() + every)

    def ready(self) -> bool:
        """True while the broker and every HMP can be spoken to."""
        links = [link.health().state is LinkState.READY for link in self._site.links.values()]
        return all(links) and self._broker.health().state is BrokerState.ONLINE

    def snapshot(self) -> Snapshot:
        """Everything as it stands at this moment."""
        broker = self._broker.health()
        return Snapshot(
            {name: link.health() for name, link in self._site.links.items()},
            broker,
            self._journal.health(),
            [room.state for room in self._site.rooms.values()],
            self._dispatcher.retained_dropped,
            {**broker.certificates, **self._web_certificate()},
        )
