"""Bindings at work: messages in, what they ask for out, and a look at the clock in between."""

from collections.abc import Iterable, Mapping, Sequence
from math import inf

import structlog
import trio

from .binding_outcome import Arrival
from .bindings import Binding, Memory, Verdict, due, take, tick
from .mqtt.filters import captures, fewest
from .mqtt.message import Message
from .room.state import Now
from .room.worker import clock

__all__ = ["Bound"]

log = structlog.get_logger()


class Bound:
    """The bindings, and what they remember; `rooms` are display names by key."""

    def __init__(
        self, bindings: Iterable[Binding] = (), rooms: Mapping[str, str] | None = None
    ) -> None:
        self._bindings: Sequence[Binding] = tuple(bindings)
        self._rooms = rooms or {}
        self._memory: Memory = {}
        #: What to subscribe to, so that every message is delivered once.
        self.filters = fewest(binding.topic_filter for binding in self._bindings)
        self._changed = trio.Event()

    def is_bound(self, topic: str) -> bool:
        """Whether a message on this topic was subscribed to for a binding."""
        return any(captures(each, topic) is not None for each in self.filters)

    def take(self, message: Message) -> list[Verdict]:
        """What comes of a message now: the verdicts that have an outcome."""
        now, age = clock(), trio.current_time() - message.received_at
        at = Now(now.monotonic - age, now.wall)
        arrival = Arrival(message.topic, message.payload, message.retain)
        self._memory, verdicts = take(self._bindings, self._memory, arrival, at, self._rooms)
        self._changed.set()
        for verdict in verdicts:
            if verdict.outcome is None:
                log.debug(
                    "binding does not act",
                    binding=verdict.binding.label,
                    topic=verdict.topic,
                    reason=verdict.reason,
                )
        return [verdict for verdict in verdicts if verdict.outcome is not None]

    async def held(self) -> list[Verdict]:
        """What has been held for long enough; waits until something has."""
        while True:
            self._changed = trio.Event()
            moment = due(self._bindings, self._memory)
            with trio.move_on_after(inf if moment is None else moment - clock().monotonic):
                await self._changed.wait()
                continue
            self._memory, verdicts = tick(self._bindings, self._memory, clock(), self._rooms)
            if verdicts:
                return verdicts
