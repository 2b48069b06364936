"""Bindings at work: messages in, what they ask for out, and a look at the clock in between."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from math import inf

import structlog
import trio

from ..mqtt.filters import fewest, matches
from ..mqtt.message import Message
from ..mqtt.once_per_topic import OncePerTopic
from ..process.progress import Progress
from ..room.facts.values import Now
from .binding import Binding, Verdict, due, take, tick
from .durable import carried_over, from_document, to_document
from .outcome import Arrival

__all__ = ["Translator", "filters_of"]

log = structlog.get_logger("bridge")


def filters_of(bindings: Iterable[Binding]) -> list[str]:
    """The filters to subscribe to for these bindings."""
    return fewest(binding.topic_filter for binding in bindings)


class Translator:
    """The bindings, and what they remember; `rooms` are display names by key.

    `kept` is what was saved before a restart; `boot` says which start of the machine the clock
    counts from.
    """

    def __init__(
        self,
        bindings: Iterable[Binding],
        rooms: Mapping[str, str],
        *,
        clock: Callable[[], Now],
        boot: str,
        kept: str = "",
    ) -> None:
        self._boot = boot
        self._clock = clock
        self._bindings: Sequence[Binding] = tuple(bindings)
        self._rooms = rooms
        self._memory = from_document(self._bindings, kept, boot)
        #: What to subscribe to, so that every message is delivered once.
        self.filters = filters_of(self._bindings)
        #: Of whoever waits for what is held.
        self.progress = Progress()
        self._no_text_said = OncePerTopic()

    def replace(self, bindings: Iterable[Binding], rooms: Mapping[str, str]) -> None:
        """Go by these bindings and rooms; what those that stay remember is kept."""
        before = self._bindings
        self._bindings = tuple(bindings)
        self._rooms = rooms
        self.filters = filters_of(self._bindings)
        self._memory = carried_over(before, self._bindings, self._memory)
        self.progress.wanted()

    def is_bound(self, topic: str) -> bool:
        """A message on this topic was subscribed to for a binding."""
        return any(matches(each, topic) for each in self.filters)

    def leads(self, topic: str) -> tuple[str | None, str] | None:
        """The one room to which all bindings of a topic lead, and the filter that it came by.

        The room is None where there are several, or where each message names its own. None for a
        topic that is not bound.
        """
        topic_filter = next((each for each in self.filters if matches(each, topic)), None)
        if topic_filter is None:
            return None
        rooms = {each.wish.room for each in self._bindings if matches(each.topic_filter, topic)}
        room = rooms.pop() if len(rooms) == 1 else None
        return (room if isinstance(room, str) else None), topic_filter

    @property
    def remembered(self) -> Callable[[], str]:
        """The memory that survives a restart, as it is now; a document once somebody wants it."""
        return partial(to_document, self._bindings, self._memory, self._boot)

    def take(self, message: Message) -> tuple[list[Verdict], bool]:
        """The verdicts on a message, now, that have an outcome.

        And whether anything is remembered otherwise than before.
        """
        now, age = self._clock(), trio.current_time() - message.received_at
        at = now._replace(monotonic=now.monotonic - age)
        arrival = Arrival(message.topic, message.payload, message.retain)
        memory, verdicts = take(self._bindings, self._memory, arrival, at, self._rooms)
        changed = memory is not self._memory
        if changed:
            self._memory = memory
            self.progress.wanted()
        if arrival.text is None and not arrival.retained and verdicts:
            self._say_once(verdicts[0])
        for verdict in verdicts:
            if verdict.outcome is None:
                log.debug(
                    "binding does not act",
                    binding=verdict.binding.label,
                    topic=verdict.topic,
                    reason=verdict.reason,
                )
        return [verdict for verdict in verdicts if verdict.outcome is not None], changed

    def _say_once(self, verdict: Verdict) -> None:
        """A message that no binding can look at may have been a meeting."""
        topic = verdict.topic
        if not self._no_text_said.is_first(topic):
            return
        log.warning(
            "message for bindings ignored",
            topic=topic,
            reason=verdict.reason,
            what_to_do="have the sender publish UTF-8 text, and no more of it than is needed; said "
            "once per topic",
        )

    async def held(self) -> list[Verdict]:
        """The verdicts on what has been held for long enough; waits until something has."""
        while True:
            moment = due(self._bindings, self._memory)
            wait = inf if moment is None else max(0.0, moment - self._clock().monotonic)
            await self.progress.rest(trio.current_time() + wait)
            self._memory, verdicts = tick(self._bindings, self._memory, self._clock(), self._rooms)
            if verdicts:
                return verdicts
