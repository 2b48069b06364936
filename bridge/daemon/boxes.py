"""A box's own word at the broker, and what it hears of the others (R36).

Over a connection of the box's own, with a client identifier of its own: that of the bridge, with
its session, is the leader's. The will says `offline`.
"""

from collections.abc import Callable
from functools import partial

import structlog
import trio

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
from .box_words import BoxState, BoxWord, read_word, render_word
from .rivals import ForeignBridge

__all__ = ["Boxes"]

log = structlog.get_logger("bridge")

_REPEATED_AFTER = 1.0
"""Seconds until what somebody else has written to our topic is put right, lest two quarrel."""


class Boxes:
    """The words of all boxes; `box` is ours, `process` tells this run of it from any other.

    `settings` have a client identifier of the box's own. `changed` hears whenever another box says
    something else, or can be heard no more.
    """

    def __init__(
        self,
        settings: BrokerSettings,
        topics: Topics,
        box: str,
        process: str,
        changed: Callable[[], None],
    ) -> None:
        self._settings = settings
        self._topics = topics
        self._box = box
        self._process = process
        self._changed = changed
        self._nodes = Nodes(settings)
        self._backoff = Backoff(longest=5.0)
        self._word = BoxWord(BoxState.STANDBY, process)
        self._said: BoxWord | None = None
        self._progress, self._saying = Progress(), Progress()
        self._session: Session | None = None
        self._confirmation = trio.lowlevel.ParkingLot()
        self._echo = trio.Event()
        self._namesake: ForeignBridge | None = None
        self._failing: str | None = None
        #: By box, the words of the others.
        self.others: dict[str, BoxWord] = {}
        #: True while whatever another box says is heard.
        self.heard = False
        #: `trio.current_time` since when no box has been online at the broker; None while one is.
        self.nobody_since: float | None = None

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
            self._echo = trio.Event()
            self.others.clear()
            session.interceptors.append(self._hear)
            filters = (self._topics.standby("+"), self._topics.bridge_state)
            try:
                await session.subscribe(
                    [Subscription(each, 0, retain_as_published=False) for each in filters]
                )
                await self._keep_said(session, topic)
            finally:
                self.heard, self._said, self.nobody_since = False, None, None
                self._session = None
                self._changed()
                with trio.move_on_after(settings.farewell_timeout, shield=True):
                    await self._leave(session, topic, offline)

    async def _keep_said(self, session: Session, topic: str) -> None:
        while True:
            self._saying.waits()  # for the broker
            word = self._word
            await session.publish(topic, render_word(word).encode(), retain=True)
            # What the broker retains of the others came before this.
            await self._echo.wait()
            if not self.heard:
                log.info("boxes are heard", box=self._box, others=sorted(self.others))
                self._backoff = Backoff(longest=5.0)
            self.heard, self._said, self._failing = True, word, None
            self._changed()
            self._confirmation.unpark_all()
            await self._saying.until_wanted()
            if self._namesake is not None:
                raise self._namesake
            if self._word == word:  # it is somebody else who has said something
                await trio.sleep(_REPEATED_AFTER)

    async def _leave(self, session: Session, topic: str, offline: bytes) -> None:
        if session.alive and self._namesake is None:
            await session.publish(topic, offline, retain=True)
            await session.disconnect()

    def _hear(self, message: Message) -> bool:
        if message.topic == self._topics.bridge_state:
            is_online = message.payload == ONLINE
            self.nobody_since = None if is_online else trio.current_time()
            return True
        box = message.topic.rpartition("/")[2]
        if message.topic != self._topics.standby(box):
            return False
        word = read_word(message.payload)
        if box == self._box:
            self._hear_of_ourselves(word, is_live=not message.retain)
        elif word is not None:
            self.others[box] = word
        else:
            self.others.pop(box, None)
        if self.heard:
            self._changed()
        return True

    def _hear_of_ourselves(self, word: BoxWord | None, *, is_live: bool) -> None:
        if word is not None and word.process == self._process and word.state is self._word.state:
            self._echo.set()
        elif word is not None and is_live and word.process != self._process:
            if word.state is not BoxState.OFFLINE:
                self._namesake = ForeignBridge(
                    f"another box has the name {self._box!r} on {self._settings.addresses}; give "
                    "each its own: bridge.box"
                )
            self._saying.wanted()
        elif is_live:
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
