"""Home Assistant's side of the bridge: devices announced, again when it starts, taken back (R33).

::

    configuration ─▶ announcements ─┬─▶ Image          retained, so that it finds them at any time
                                    └─▶ Manifest       written down before: none becomes a ghost
    its birth ─▶ a short wait ─▶ BrokerLink.repeat     devices, availability, states
                  ─▶ farewells                         what it could not hear of while it was away

`parts` makes the one that there is, the contact has it hear what the broker delivers, a reload
tells it what is to be shown from then on, and `app` runs it beside the rooms.
"""

import random
from collections.abc import Awaitable, Callable, Iterable, Mapping

import structlog
import trio

from ..config.configuration import Configuration
from ..homeassistant.discovery import (
    FAREWELL_STEPS,
    Announcement,
    RoomToShow,
    announcements,
    farewell,
)
from ..homeassistant.names import DeviceName, room_announced
from ..mqtt.image import Image
from ..mqtt.message import Message
from ..mqtt.topics import Topics
from ..process.progress import Progress
from .happenings import Happenings
from .manifest import Manifest
from .owned import Gone, Published

__all__ = ["HomeAssistant", "share_of"]

log = structlog.get_logger("bridge")

_BIRTH = b"online"

_SHORTEST_WAIT, _LONGEST_WAIT = 0.5, 2.0
"""Seconds after its birth: it is still subscribing, and a house full of devices answers it."""

_TAKEN_IN = 10.0
"""Seconds after which it has made entities of a device: of two that come at once it takes one."""


def _some_time() -> float:
    return random.uniform(_SHORTEST_WAIT, _LONGEST_WAIT)


def share_of(topics: Topics) -> Callable[[str], str]:
    """Says whose turn a publication takes (R28): a room's device has that of the room's topics.

    So it leaves before what it needs, and is gone before that is (R33).
    """
    room_of = room_announced(topics.base)
    return lambda topic: topics.share(topic) or room_of(topic)


class HomeAssistant:
    """Shows it the rooms and servers of a configuration.

    `repeat` publishes all that is retained once more, what it is given first: `BrokerLink.repeat`.
    `wait` gives the seconds after a birth.
    """

    def __init__(
        self,
        topics: Topics,
        image: Image,
        *,
        repeat: Callable[[Iterable[str]], Awaitable[int | None]],
        manifest: Manifest,
        happenings: Happenings,
        wait: Callable[[], float] = _some_time,
    ) -> None:
        self._topics = topics
        self._image = image
        self._repeat = repeat
        self._manifest = manifest
        self._happenings = happenings
        self._wait = wait
        self._status_topic: str | None = None
        self._prefix = ""
        self._shown: Mapping[str, Announcement] = {}
        self._published: Published = {}
        self._born = False
        self._answering, self._taking_back = Progress(), Progress()

    @property
    def due_at(self) -> float:
        """By when `run` goes on by itself (`Progress`)."""
        return min(self._answering.due_at, self._taking_back.due_at)

    def wanted(self, configuration: Configuration) -> dict[str, Announcement]:
        """Every device that a configuration shows, by its topic."""
        table = configuration.homeassistant
        if not table.enabled:
            return {}
        names = configuration.room_names
        rooms = [
            RoomToShow(key, names[key], restream=room.restream is not None)
            for key, room in configuration.rooms.items()
        ]
        return announcements(self._topics, rooms, configuration.servers, table.presentation)

    def heard(self, configuration: Configuration) -> list[str]:
        """Topics that the bridge is to hear: of the birth, where that is of use.

        It is also where nothing is shown any more and Home Assistant may yet remember something.
        """
        table = configuration.homeassistant
        to_be_forgotten = self._manifest.gone or self._manifest.topics or self._manifest.before
        return [table.status_topic] if table.enabled or to_be_forgotten else []

    async def expect(self, configuration: Configuration) -> None:
        """Return once it is written down what a configuration will have retained."""
        await self._manifest.expect_topics(self._all_of(configuration))

    def show(self, configuration: Configuration) -> None:
        """Have the broker retain what this configuration shows, and nothing else of ours.

        What is gone goes first and in reverse, for it may be reached through what comes before it.
        A component that is gone is taken back by name before it is left out: Home Assistant keeps
        what is only left out.
        """
        table = configuration.homeassistant
        self._status_topic = next(iter(self.heard(configuration)), None)
        self._prefix = table.discovery_prefix
        self._shown = self.wanted(configuration)
        self._published = self._all_of(configuration)
        kept = self._manifest.topics
        there = {self._device(topic): each.platforms for topic, each in self._shown.items()}
        for topic, components in reversed(kept.items()):
            device = self._device(topic)
            if (device.kind, device.key) in self._manifest.handed_over:
                continue
            self._manifest.take_back(device, _missing(components, there.get(device, {})))
            if topic not in self._published:
                self._image.forget(topic)
        for device, platforms in there.items():
            self._manifest.came_back(device, platforms)
        for topic, announcement in self._shown.items():
            missing = _missing(kept.get(topic, {}), announcement.platforms)
            self._image.set(topic, announcement.payload(missing))
        self._happenings.telling = table.enabled
        self._happenings.count(counting=self._counts(configuration))
        self._taking_back.wanted()

    def _device(self, topic: str) -> DeviceName:
        return DeviceName.announced(self._topics.base, topic)

    def _all_of(self, configuration: Configuration) -> Published:
        shown = self.wanted(configuration)
        counts = self._happenings.counts if self._counts(configuration) else ()
        devices: Published = {topic: each.platforms for topic, each in shown.items()}
        return devices | {topic: {} for topic in counts}

    def _counts(self, configuration: Configuration) -> bool:
        table = configuration.homeassistant
        return table.enabled and table.all_rooms

    def hear(self, message: Message) -> bool:
        """Notice Home Assistant's birth; never True, for bindings may hear the same message."""
        born = message.topic == self._status_topic and message.payload.strip() == _BIRTH
        # A retained one is of the past, as over MQTT 3.1.1; of one that is heard already, no more.
        if born and not message.retain and not self._born:
            self._born = True
            self._answering.wanted()
        return False

    async def run(self) -> None:
        """Answer births, and leave out what has been taken back, until cancelled."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._answer_births)
            await self._finish_taking_back()

    async def _answer_births(self) -> None:
        while True:
            while not self._born:
                await self._answering.rest()
            await trio.sleep_until(self._answering.within(self._wait()))
            self._born = False
            self._answering.waits()  # for the broker, and for Home Assistant to take it in
            count = await self._repeat(self._order())
            if count is not None:
                log.info("home assistant has started, everything is published again", topics=count)
                await self._say_farewells()

    async def _say_farewells(self) -> None:
        """Have it forget what went while it was away, which its registry keeps for ever.

        Nothing of this is retained. What has come back meanwhile is left out of the next step. If
        the process ends in between, the next birth has it all said again.
        """
        told: Gone = {device: dict(each) for device, each in self._manifest.gone.items()}
        for step in range(FAREWELL_STEPS if told else 0):
            await trio.sleep(_TAKEN_IN)
            for device in told:
                left = self._manifest.gone.get(device, {})
                gone = {leaf: each for leaf, each in told[device].items() if leaf in left}
                topic = device.topic(self._prefix)
                payload = farewell(step, device, gone, self._shown.get(topic))
                if gone and payload is not None:
                    self._image.send(topic, payload)
            await self._image.settled()
        if told:
            await self._manifest.forget_gone(told)

    def _order(self) -> list[str]:
        """The devices, and then what says whether they can be used, before all else."""
        return [
            *self._shown,
            *(topic for announcement in self._shown.values() for topic in announcement.available),
        ]

    async def _finish_taking_back(self) -> None:
        """Once the broker has what takes back, what is left; then nothing more is ours to undo."""
        while True:
            await self._taking_back.until_wanted()  # then for the broker, and for the journal
            shown, published = self._shown, self._published
            await self._image.settled()
            if self._shown is shown:
                for topic, announcement in shown.items():
                    self._image.set(topic, announcement.payload())
                await self._image.settled()
            if self._shown is shown:
                await self._manifest.only_topics(published)


def _missing(before: Mapping[str, str], there: Mapping[str, str]) -> dict[str, str]:
    """The components of before that are not there any more, or are of another platform."""
    return {leaf: each for leaf, each in before.items() if there.get(leaf) != each}
