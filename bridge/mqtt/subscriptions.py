"""The subscriptions that the link wants, and those that the broker refuses (R24).

The bridge's own inputs are essential: without one of them there is no connection. Others, which
bindings listen to, fail alone: said, shown in `refused`, and asked for again. Some brokers close
the connection instead of refusing. What was being asked for then is left until everything else
works, and then asked for one by one: what ends the connection once more is left alone for long.
"""

import math
from collections.abc import Iterable, Sequence
from contextlib import suppress

import structlog
import trio

from ..process.progress import Progress
from .failures import BrokerFailure, FailureKind, advice_on
from .session import Session
from .settings import Subscription

__all__ = ["Subscriptions"]

log = structlog.get_logger("mqtt")

# Seconds until the broker is asked again for what it refused, and for what ended a connection.
_ASKED_AGAIN = 60.0
_DARED_AGAIN = 3600.0

_CLOSES = "the broker closes the connection over it"


class Subscriptions:
    """Over all connections. `refused` has the broker's reason for each filter that it refuses."""

    def __init__(self, wanted: Iterable[Subscription]) -> None:
        self.wanted = tuple(wanted)
        self.refused: dict[str, str] = {}
        #: Filters that a session which the broker has kept may still be subscribed to.
        self._unwanted: set[str] = set()
        #: Not essential, and unanswered: what is in here when a connection has ended is doubted.
        self._unanswered: list[str] = []
        #: When to ask for it, alone.
        self._doubted: dict[str, float] = {}
        #: Those of them over which a connection may have ended already.
        self._suspects: set[str] = set()
        self._turn = trio.Lock()
        #: Of `keep`.
        self.progress = Progress()

    async def establish(self, session: Session) -> None:
        """On a fresh connection, before anything else.

        Raises `BrokerFailure` where it is lost, an essential filter is refused, or the broker is
        silent for `connect_timeout`.
        """
        async with self._turn:
            self._look_back()
            essential = [each for each in self.wanted if each.essential]
            # A cluster of MQTT 3.1.1 (NATS) may fail and take seconds for each: each has its time,
            # and one that has failed is asked for alone.
            steps = [[each] for each in essential] if session.protocol == "3.1.1" else [essential]
            for step in steps:
                await session.subscribe(step)
            others = [each for each in self.wanted if not each.essential]
            if session.protocol == "3.1.1":
                # With these comes all that we have ever published: once we are online, in turn.
                now = trio.current_time()
                for each in others:
                    if each.no_local:
                        self._doubted.setdefault(each.topic_filter, now)
            undoubted = [each for each in others if each.topic_filter not in self._doubted]
            await self._ask(session, undoubted, within=session.settings.connect_timeout)
            await self._unsubscribe(session)

    async def keep(self, session: Session) -> None:
        """While the connection is of use: ask again for what is refused, until cancelled."""
        while True:
            async with self._turn:
                for each in self.wanted:
                    if self._doubted.get(each.topic_filter, math.inf) <= trio.current_time():
                        await self._ask(session, [each])
            await self.progress.rest(trio.current_time() + _ASKED_AGAIN)
            self.progress.waits()  # for the broker
            async with self._turn:
                again = self.refused.keys() - self._doubted.keys()
                await self._ask(session, [e for e in self.wanted if e.topic_filter in again])

    async def add(self, session: Session | None, subscriptions: Sequence[Subscription]) -> None:
        """Subscribe to more, none of it essential, on this connection and on all that follow."""
        self.wanted += tuple(subscriptions)
        self._unwanted.difference_update(each.topic_filter for each in subscriptions)
        async with self._turn:
            if session is not None:
                with suppress(BrokerFailure):  # it is lost; the next one subscribes
                    await self._ask(session, subscriptions)

    async def remove(self, session: Session | None, filters: Sequence[str]) -> None:
        """Hear no more of these, on this connection and on all that follow."""
        self.wanted = tuple(each for each in self.wanted if each.topic_filter not in filters)
        self._unwanted.update(filters)
        for each in filters:
            self.refused.pop(each, None)
            self._doubted.pop(each, None)
            self._suspects.discard(each)
        async with self._turn:
            if session is not None:
                with suppress(BrokerFailure):
                    await self._unsubscribe(session)

    async def _unsubscribe(self, session: Session) -> None:
        unwanted = set(self._unwanted)
        await session.unsubscribe(sorted(unwanted))
        self._unwanted -= unwanted

    async def _ask(
        self, session: Session, subscriptions: Sequence[Subscription], *, within: float = math.inf
    ) -> None:
        self._unanswered = [each.topic_filter for each in subscriptions]
        try:
            refused = await session.ask_for(subscriptions, within=within)
        except BrokerFailure as failure:
            if failure.kind is FailureKind.KEEPALIVE:  # it was silent, and has ended nothing
                self._doubted.update(dict.fromkeys(self._unanswered, trio.current_time()))
                self._unanswered = []
            raise
        for topic_filter in self._unanswered:
            self._doubted.pop(topic_filter, None)
            self._suspects.discard(topic_filter)
            self._note(topic_filter, refused.get(topic_filter))
        self._unanswered = []

    def _look_back(self) -> None:
        """See what the last connection ended over."""
        now, unanswered = trio.current_time(), self._unanswered
        self._unanswered = []
        if len(unanswered) == 1 and unanswered[0] in self._suspects:
            self._doubted[unanswered[0]] = now + _DARED_AGAIN
            self._note(unanswered[0], _CLOSES)
        else:
            self._doubted.update(dict.fromkeys(unanswered, now))
            self._suspects.update(unanswered)

    def _note(self, topic_filter: str, reason: str | None) -> None:
        """Say what has changed, in health by `refused`."""
        before = self.refused.pop(topic_filter, None)
        if reason is not None:
            self.refused[topic_filter] = reason
            if before is None:
                log.warning(
                    "mqtt subscription refused",
                    filter=topic_filter,
                    reason=reason,
                    what_to_do=FailureKind.SUBSCRIPTION.value
                    if reason == _CLOSES
                    else advice_on(FailureKind.SUBSCRIPTION, reason),
                )
        elif before is not None:
            log.info("mqtt subscription accepted after all", filter=topic_filter)
