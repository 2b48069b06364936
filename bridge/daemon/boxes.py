"""A box's own word at the broker, and what it hears of the others (R36).

Over a connection of the box's own, with a client identifier of its own: that of the bridge, with
its session, is the leader's. The will says `offline`.
"""

import math
from collections.abc import Callable
from functools import partial

import structlog
import trio

from ..cluster.lease import boot_time
from ..mqtt.failures import BrokerFailure, flatten
from ..mqtt.link import ONLINE
from ..mqtt.message import Message
from ..mqtt.negotiate import LONGEST_ATTEMPT, accepting, in_either_version
from ..mqtt.nodes import Nodes
from ..mqtt.session import Session, open_session
from ..mqtt.settings import BrokerSettings, Protocol, Subscription
from ..mqtt.topics import Topics
from ..process.backoff import Backoff
from ..process.progress import Progress
from .box_hearing import Hearing, given_way_for
from .box_words import BoxState, BoxWord, read_word, render_word
from .rivals import ForeignBridge
from .standing import Others

__all__ = ["Boxes"]

log = structlog.get_logger("bridge")

_REPEATED_AFTER = 1.0
"""Seconds until what somebody else has written to our topic is put right, lest two quarrel, and
between two answers to others who ask."""

_PROVES, _ECHO_WITHIN, _PROVED = 1 / 3, 1.0, 0.9
"""Of the lease's time: how often a word is said again while what others say decides, and how long
the broker has to bring it back; and of the time that they give way: how long what they say counts.
"""


class Boxes:
    """The words of all boxes; `box` is ours, `process` tells this run of it from any other.

    `settings` have a client identifier of the box's own. `changed` hears whenever another box says
    something, or can be heard no more. `ttl`: seconds of the lease. `clock` goes on while the
    process is stopped.
    """

    def __init__(
        self,
        settings: BrokerSettings,
        topics: Topics,
        box: str,
        process: str,
        *,
        changed: Callable[[], None],
        ttl: float,
        clock: Callable[[], float] = boot_time,
    ) -> None:
        self._settings = settings
        self._topics = topics
        self._box = box
        self._process = process
        self._changed = changed
        self._ttl = ttl
        self._clock = clock
        self._nodes = Nodes(settings)
        self._backoff = Backoff(longest=5.0)
        self._word = BoxWord(BoxState.STANDBY, process)
        self._said: BoxWord | None = None
        #: Of whoever speaks; `_hurry`: what has come for that is said at once.
        self._progress, self._saying = Progress(), Progress()
        self._hurry = trio.Event()
        self._session: Session | None = None
        #: What the broker has from us, or is to bring back.
        self._under_way = b""
        self._confirmation = trio.lowlevel.ParkingLot()
        self._echo = trio.Event()
        self._namesake: ForeignBridge | None = None
        self._failing: str | None = None
        self.hearing = Hearing()

    @property
    def words(self) -> dict[str, BoxWord]:
        """By box, the words of the others."""
        return self.hearing.words

    @property
    def heard(self) -> bool:
        """True while whatever another box says is heard."""
        return self.hearing.is_heard

    @property
    def others(self) -> Others:
        """What the words of the others come to at this moment."""
        return self.hearing.others(self._clock())

    @property
    def nobody_for(self) -> float:
        """Seconds for which nobody has been online at the broker."""
        return self.hearing.nobody_for(self._clock())

    @property
    def due_at(self) -> dict[str, float]:
        """By when the connection goes on by itself, and whoever speaks on it (`Progress`)."""
        session = self._session
        loop = self._progress if session is None else session.progress
        return {"words of the boxes": min(loop.due_at, self._saying.due_at)}

    def say(self, word: BoxWord) -> None:
        """Have the broker retain this as our word."""
        if word != self._word:
            self._word = word
            self._say_at_once()

    def ask(self, asks: bool) -> None:
        """Have the others say again what they do, for as long as that decides what we do."""
        if self.hearing.ask(asks, self._clock()):
            self._say_at_once()

    def _say_at_once(self) -> None:
        self._hurry.set()
        self._saying.wanted()

    async def said(self) -> None:
        """Wait until the broker has acknowledged our newest word, and others can be heard."""
        await trio.lowlevel.checkpoint()
        while self._said != self._word or not self.heard:
            await self._confirmation.park()

    async def run(self) -> None:
        """Keep a connection until cancelled, then say `offline`.

        Raises `ForeignBridge`, in an exception group, where another box has our name.
        """
        while True:
            self._progress.within(LONGEST_ATTEMPT * self._settings.connect_timeout)
            try:
                settings = await self._nodes.choose()
                await in_either_version(settings, partial(self._converse, settings))
            except* BrokerFailure as group:
                self._note(flatten(group))
            if not await self._nodes.another(lived=False):
                await self._progress.rest(trio.current_time() + self._backoff.next())

    async def _converse(self, settings: BrokerSettings, protocol: Protocol) -> None:
        topic = self._topics.standby(self._box)
        offline = render_word(BoxWord(BoxState.OFFLINE, self._process)).encode()
        async with open_session(
            settings,
            protocol,
            deliver=Message.acknowledge,
            will=(topic, offline),
            accepting=accepting(settings, protocol),
            reached=self._nodes.reached,
        ) as session:
            self._progress.waits()  # for the session
            self._session = session
            self.hearing.begin()
            session.interceptors.append(self._hear)
            topics = self._topics
            filters = (topics.standby("+"), topics.bridge_state, topics.bridge_marker)
            try:
                await session.subscribe(
                    [Subscription(each, 0, retain_as_published=False) for each in filters]
                )
                await self._keep_said(session, topic)
            finally:
                self.hearing.begin()
                self._said = self._session = None
                self._changed()
                with trio.move_on_after(settings.farewell_timeout, shield=True):
                    await self._leave(session, topic, offline)

    async def _keep_said(self, session: Session, topic: str) -> None:
        sent: float | None = None
        while True:
            self._saying.waits()  # for the broker
            self._hurry, self._echo = trio.Event(), trio.Event()
            if self._namesake is not None:
                raise self._namesake
            word = self._word
            self._under_way = render_word(word).encode()
            sent = self._clock() if sent is None else sent  # since when one is under way
            await session.publish(topic, self._under_way, retain=True)
            # What the broker retains of the others came before this.
            with trio.move_on_after(self._ttl * _ECHO_WITHIN) as waiting:
                await self._echo.wait()
            if waiting.cancelled_caught:  # QoS 0: it may have been dropped
                continue
            self._confirmed(word, sent)
            sent = None
            asks = self.hearing.asks
            until = trio.current_time() + self._ttl * _PROVES if asks else math.inf
            if await self._saying.until_wanted(until):
                with trio.move_on_after(_REPEATED_AFTER):
                    await self._hurry.wait()

    def _confirmed(self, word: BoxWord, sent: float) -> None:
        """The broker has this from us, since it `sent` us what we sent then."""
        was_heard = self.heard
        self.hearing.proved(sent + given_way_for(self._ttl) * _PROVED, self._clock())
        if not was_heard:
            log.info("boxes are heard", box=self._box, others=sorted(self.words))
            self._backoff = Backoff(longest=5.0)
        self._said, self._failing = word, None
        self._changed()
        self._confirmation.unpark_all()

    async def _leave(self, session: Session, topic: str, offline: bytes) -> None:
        if session.alive and self._namesake is None:
            await session.publish(topic, offline, retain=True)
            await session.disconnect()

    def _hear(self, message: Message) -> bool:
        topic, now = message.topic, self._clock()
        if topic == self._topics.bridge_marker:
            self.hearing.sign(now)
            return True
        if topic == self._topics.bridge_state:
            tell = self.hearing.sign if message.payload == ONLINE else self.hearing.offline
            tell(now)
            return True
        box = topic.rpartition("/")[2]
        if topic != self._topics.standby(box):
            return False
        word, is_live = read_word(message.payload), not message.retain
        if box == self._box:
            if is_live and message.payload == self._under_way:
                self._echo.set()
            elif is_live:
                self._hear_of_ourselves(word)
            return True
        self.hearing.hear(box, word, now)
        if is_live and self._word.store and word is not None and word.asks:
            self._saying.wanted()
        if self.heard:
            self._changed()
        return True

    def _hear_of_ourselves(self, word: BoxWord | None) -> None:
        is_there = word is not None and word.state is not BoxState.OFFLINE
        if word is not None and is_there and word.process != self._process:
            self._namesake = ForeignBridge(
                f"another box has the name {self._box!r} on {self._settings.addresses}; give "
                "each its own: bridge.box"
            )
        self._saying.wanted()

    def _note(self, failure: BrokerFailure) -> None:
        if str(failure) != self._failing:
            self._failing = str(failure)
            log.warning(
                "boxes cannot be heard",
                broker=self._nodes.current.address,
                error=str(failure),
                what_to_do=failure.advice,
            )
