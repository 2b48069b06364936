"""Our own topics where somebody else has written: put right, without a quarrel (R32).

The broker delivers what others publish there, and over MQTT 3.1.1, which has no No Local, what we
publish ourselves as well. So no single message is judged: a topic is put right when what was heard
last on it is not what it is to say, and has not been for as long as an echo of ours may take. Who
goes on writing is answered ever more rarely, and people are told which topics that is about.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

import structlog
import trio

from ..process.progress import Progress
from ..text.shortened import shortened
from .filters import matches
from .image import Image
from .message import Message
from .session import Session
from .settings import Subscription

__all__ = ["OwnTopics"]

log = structlog.get_logger("mqtt")

# Seconds, besides two round trips, in which the echo of our newest value follows an older one.
_ECHO_WITHIN = 1.0
# Seconds until the same topic is put right once more, doubled each time.
_FIRST_WAIT = 2.0
_LAST_WAIT = 600.0
# From this wait on it is no mishap: five times within half a minute.
_CONTESTED = 32.0
# Seconds beyond the wait after which a topic that nobody wrote to is as any other.
_PEACE_AFTER = 60.0
# Between two looks: what comes in one burst is told in few lines.
_LOOK_EVERY = 0.5
# Topics that health names.
_MOST_NAMED = 20

_WHAT_TO_DO = (
    "MQTT does not tell who wrote there: look into the broker's log, and let its ACL allow nobody "
    "else to write to what the bridge publishes"
)


@dataclass(slots=True)
class _Heard:
    """`said` was heard last, and something else than `wanted` has been `since` then."""

    said: bytes
    wanted: bytes
    since: float


@dataclass(slots=True)
class _Answered:
    """Put right, and not again before `again_at`; then the next `wait` follows."""

    again_at: float
    wait: float = _FIRST_WAIT


class OwnTopics:
    """The values that `image` holds, and the availability, over all connections.

    `filters` match what is watched, each with its last level in words; the availability, and what
    else the connection is subscribed to, is heard without them.
    """

    def __init__(self, image: Image, availability_topic: str, filters: Sequence[str]) -> None:
        self._image = image
        self._availability_topic = availability_topic
        self._filters = filters
        #: What the availability is to say; None while it may say anything.
        self.availability: bytes | None = None
        self._session: Session | None = None
        self._heard: dict[str, _Heard] = {}
        self._answered: dict[str, _Answered] = {}
        self._contested: set[str] = set()
        #: Before a message is compared with each filter, which a press would pay for.
        self._last_levels = {each.rpartition("/")[2] for each in filters}
        self._sleeps_until = inf
        #: Of `keep`.
        self.progress = Progress()

    @property
    def subscriptions(self) -> list[Subscription]:
        """How to hear what others publish there."""
        return [
            Subscription(each, retain_as_published=False, qos=0, essential=False, no_local=True)
            for each in self._filters
        ]

    @property
    def contested(self) -> list[str]:
        """The first of the topics to which somebody else goes on writing."""
        return sorted(self._contested)[:_MOST_NAMED]

    async def attend(self, session: Session) -> None:
        """A connection is about to publish everything: what was heard before that is of no use."""
        availability = Subscription(self._availability_topic, retain_as_published=False)
        await session.subscribe([availability])
        self._heard.clear()

    def begin(self, session: Session) -> None:
        """A connection begins, on which nothing is subscribed to yet."""
        self._session = session
        session.interceptors.append(self._hear)

    def _hear(self, message: Message) -> bool:
        """True where the message is of one of our topics, and nobody else's business."""
        topic, said = message.topic, message.payload
        wanted = self._wanted(topic)
        if topic == self._availability_topic and message.retain:
            return True  # of the past
        if wanted is not None and said != wanted:
            self._note(topic, said, wanted)
        else:
            self._heard.pop(topic, None)
        return topic == self._availability_topic or (
            topic.rpartition("/")[2] in self._last_levels
            and any(matches(each, topic) for each in self._filters)
        )

    def _note(self, topic: str, said: bytes, wanted: bytes) -> None:
        if topic in self._heard:  # who writes without a pause is not waited for
            self._heard[topic].said = said
            return
        self._heard[topic] = _Heard(said, wanted, trio.current_time())
        if self._due(topic) < self._sleeps_until:
            self.progress.wanted()

    async def keep(self) -> None:
        """Put right what is due, until cancelled."""
        while True:
            self._sleeps_until = self._next()
            await self.progress.rest(self._sleeps_until)
            if self._look():
                self.progress.waits()
                await trio.sleep(_LOOK_EVERY)

    def _next(self) -> float:
        over = (self._answered[each].again_at + _PEACE_AFTER for each in self._contested)
        return min([*map(self._due, self._heard), *over], default=inf)

    def _due(self, topic: str) -> float:
        """When a topic is to be put right, should nothing be heard on it until then."""
        heard, answered = self._heard[topic], self._answered.get(topic)
        round_trip = (self._session and self._session.round_trip) or 0.0
        # Of the availability we say one word only: nothing else is an echo.
        patience = 0.0 if topic == self._availability_topic else _ECHO_WITHIN + 2 * round_trip
        return max(heard.since + patience, answered.again_at if answered else -inf)

    def _look(self) -> bool:
        """Put right what is due; whether anything was."""
        now, withheld = trio.current_time(), set(self._image.withheld)
        self._make_peace(now)
        righted: dict[str, bytes] = {}
        for topic in [each for each in self._heard if self._due(each) <= now]:
            heard, wanted = self._heard[topic], self._wanted(topic)
            if wanted is not None and wanted not in (heard.wanted, heard.said):
                self._heard[topic] = _Heard(heard.said, wanted, now)  # its echo is on its way
                continue
            del self._heard[topic]
            if wanted not in (None, heard.said) and topic not in withheld:
                righted[topic] = heard.said
                self._put_right(topic)
        self._tell(righted, now)
        return bool(righted)

    def _wanted(self, topic: str) -> bytes | None:
        return self.availability if topic == self._availability_topic else self._image.get(topic)

    def _put_right(self, topic: str) -> None:
        if topic != self._availability_topic:
            self._image.publish_again(topic)
        elif self._session is not None and self.availability is not None:
            self._session.post(topic, self.availability, qos=1, retain=True)

    def _tell(self, righted: dict[str, bytes], now: float) -> None:
        """One line for all that came at once, and one for what goes on."""
        first, contested = [], []
        for topic in righted:
            if topic not in self._answered:
                first.append(topic)
            answered = self._answered.setdefault(topic, _Answered(now))
            if answered.wait >= _CONTESTED and topic not in self._contested:
                contested.append(topic)
            answered.again_at = now + answered.wait
            answered.wait = min(_LAST_WAIT, 2 * answered.wait)
        self._contested.update(contested)
        for topics, event in (
            (first, "mqtt topic of ours said something else; saying it again"),
            (contested, "mqtt topic of ours is contested; saying it again ever more rarely"),
        ):
            if topics:
                said = shortened(righted[topics[0]].decode(errors="replace"), 60)
                log.warning(
                    event,
                    topic=topics[0],
                    said=said,
                    others=len(topics) - 1,
                    what_to_do=_WHAT_TO_DO,
                )

    def _make_peace(self, now: float) -> None:
        quiet = [
            topic
            for topic, answered in self._answered.items()
            if answered.again_at + _PEACE_AFTER <= now and topic not in self._heard
        ]
        for topic in quiet:
            del self._answered[topic]
        if over := self._contested.intersection(quiet):
            self._contested -= over
            others = len(over) - 1
            log.info("mqtt topic of ours is left alone again", topic=min(over), others=others)
