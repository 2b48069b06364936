"""The broker link: connect, say what is, carry what changes, for ever (R23, R24, R27).

At every connection, in this order: subscribe and wait for SUBACK; `greet`; publish the whole
image; say `online`; from then on publish each change at QoS 1. The will says `offline`, and so does
a shutdown, before DISCONNECT.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import structlog
import trio

from ..process.backoff import Backoff
from .failures import BrokerFailure, FailureKind, flatten
from .image import Image
from .inbox import Inbox
from .message import Message
from .negotiate import accepting, in_either_version
from .session import Session, open_session
from .settings import BrokerSettings, Protocol, Subscription

__all__ = ["OFFLINE", "ONLINE", "BrokerHealth", "BrokerLink", "BrokerState"]

log = structlog.get_logger("mqtt")

ONLINE = b"online"
OFFLINE = b"offline"


class BrokerState(StrEnum):
    """How the link stands."""

    #: Trying, or waiting to try again.
    CONNECTING = "connecting"
    #: `online` has been published and confirmed.
    ONLINE = "online"
    #: The last attempt or connection failed; another one follows.
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class BrokerHealth:
    """The link in figures. `round_trip`: the last PUBLISH to PUBACK, in seconds."""

    state: BrokerState
    protocol: Protocol | None
    session_present: bool
    round_trip: float | None
    reconnects: int
    received_unacknowledged: int
    received_dropped: int
    unconfirmed: int
    outbox_dropped: int
    refused: int
    error: str | None


async def _no_greeting(_session: Session) -> None:
    pass


def _unheard(_state: BrokerState) -> None:
    pass


class BrokerLink:
    """One broker, over however many connections.

    `greet` runs at each connection once the subscriptions stand and before anything is published;
    what it raises ends `run`, in an exception group, with nothing said on `availability_topic`.
    `changed` hears of every change of state, and must not block.
    """

    def __init__(
        self,
        settings: BrokerSettings,
        image: Image,
        subscriptions: Sequence[Subscription],
        *,
        availability_topic: str,
        greet: Callable[[Session], Awaitable[None]] = _no_greeting,
        changed: Callable[[BrokerState], None] = _unheard,
        backoff: Backoff | None = None,
    ) -> None:
        self.settings = settings
        self.image = image
        self.subscriptions = tuple(subscriptions)
        self.availability_topic = availability_topic
        self.state = BrokerState.CONNECTING
        self._greet = greet
        self._changed = changed
        self._backoff = backoff or Backoff()
        self._inbox = Inbox(settings.receive_maximum)
        self._session: Session | None = None
        #: Filters that a session which the broker has kept may still be subscribed to.
        self._unwanted: set[str] = set()
        self._subscribing = trio.Lock()
        self._connections = 0
        #: What went wrong last; None while online.
        self.failure: BrokerFailure | None = None
        #: Messages of former connections that nobody could use.
        self._refused_messages = 0

    async def receive(self) -> Message:
        """The next inbound message, over all connections, in arrival order, each once."""
        return await self._inbox.get()

    @property
    def waiting(self) -> int:
        """Messages that nobody has received yet."""
        return len(self._inbox)

    async def subscribe(self, subscriptions: Sequence[Subscription]) -> None:
        """Subscribe to more, on this connection and on all that follow.

        Raises `BrokerFailure` where the broker refuses; then everything is as it was.
        """
        filters = [each.topic_filter for each in subscriptions]
        self.subscriptions += tuple(subscriptions)
        self._unwanted.difference_update(filters)
        async with self._subscribing:
            session = self._session
            if session is None or not subscriptions:
                return
            try:
                await session.subscribe(subscriptions)
            except BrokerFailure as failure:
                if failure.kind is FailureKind.SUBSCRIPTION:
                    self._drop(filters)
                    await self._unsubscribe(session)
                    raise
                # The connection is lost; the next one subscribes.

    async def unsubscribe(self, filters: Sequence[str]) -> None:
        """Hear no more of these, on this connection and on all that follow."""
        self._drop(filters)
        async with self._subscribing:
            if self._session is not None:
                await self._unsubscribe(self._session)

    def _drop(self, filters: Sequence[str]) -> None:
        kept = (each for each in self.subscriptions if each.topic_filter not in filters)
        self.subscriptions = tuple(kept)
        self._unwanted.update(filters)

    async def _unsubscribe(self, session: Session) -> None:
        """Unsubscribe from what is wanted no more, or leave that to the next connection."""
        unwanted = set(self._unwanted)
        try:
            await session.unsubscribe(sorted(unwanted))
        except BrokerFailure:
            return
        self._unwanted -= unwanted

    async def touch(self, topic: str) -> bool:
        """Whether the broker is in contact: it acknowledges a publication to `topic`."""
        session = self._session
        if session is None or self.state is not BrokerState.ONLINE:
            return False
        try:
            await session.publish(topic, b"")
        except BrokerFailure:
            return False
        return True

    async def repeat(self) -> int | None:
        """Publish every retained topic again; how many, None where the broker was lost."""
        session = self._session
        if session is None or self.state is not BrokerState.ONLINE:
            return None
        try:
            count = await self.image.repeat(session)
            await session.publish(self.availability_topic, ONLINE, retain=True)
        except BrokerFailure:
            return None
        return count + 1

    def health(self) -> BrokerHealth:
        """A look at the link as it is now."""
        session = self._session
        return BrokerHealth(
            state=self.state,
            protocol=session.protocol if session else None,
            session_present=session.session_present if session else False,
            round_trip=session.round_trip if session else None,
            reconnects=max(0, self._connections - 1),
            received_unacknowledged=self._inbox.unacknowledged,
            received_dropped=self._inbox.dropped
            + self._refused_messages
            + (session.refused_messages if session else 0),
            unconfirmed=self.image.unconfirmed,
            outbox_dropped=self.image.dropped,
            refused=self.image.refused,
            error=str(self.failure) if self.failure else None,
        )

    async def run(self) -> None:
        """Keep a connection, for ever, whether or not there is a broker at first.

        Cancelled, it publishes what is left and `offline`, waits for both to be confirmed, and
        disconnects, all within `settings.farewell_timeout`.
        """
        while True:
            self._become(BrokerState.CONNECTING)
            try:
                await self._attempt()
            finally:
                self._become(BrokerState.DOWN)
            await trio.sleep(self._backoff.next())

    async def _attempt(self) -> None:
        try:
            await in_either_version(self.settings, self._converse)
        except* BrokerFailure as group:
            self._note(flatten(group))

    async def _converse(self, protocol: Protocol) -> None:
        settings = self.settings
        async with open_session(
            settings,
            protocol,
            deliver=self._inbox.put,
            accepted=self._accepted,
            will=(self.availability_topic, OFFLINE),
            accepting=accepting(settings, protocol),
        ) as session:
            self._session = session
            watch = _AvailabilityWatch(session, self.availability_topic)
            try:
                async with self._subscribing:
                    await session.subscribe(self.subscriptions)
                    await self._unsubscribe(session)
                await self._greet(session)
                await watch.subscribe()
                await self.image.announce(session)
                watch.start()
                await session.publish(self.availability_topic, ONLINE, retain=True)
                self.image.announced()
                self._online(session)
                await self.image.flush(session)
            finally:
                with trio.move_on_after(settings.farewell_timeout, shield=True):
                    await self._leave(session, watch)
                self._refused_messages += session.refused_messages
                self._session = None

    def _accepted(self, session: Session) -> None:
        self._connections += 1
        self._inbox.connected(session_present=session.session_present)

    def _online(self, session: Session) -> None:
        self._backoff.reset()
        self.failure = None
        log.info(
            "mqtt connected",
            broker=self.settings.address,
            protocol=session.protocol,
            session_present=session.session_present,
        )
        self._become(BrokerState.ONLINE)

    async def _leave(self, session: Session, watch: "_AvailabilityWatch") -> None:
        if not session.alive:
            return
        if watch.started:
            # What was said is taken back; a connection that said nothing leaves without a word,
            # for the topic may be another bridge's (R26).
            watch.stop()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_cancel_at_end, session, nursery.cancel_scope)
                nursery.start_soon(self.image.flush, session)
                await self.image.settled()
                await session.publish(self.availability_topic, OFFLINE, retain=True)
                nursery.cancel_scope.cancel()
        await session.disconnect()

    def _become(self, state: BrokerState) -> None:
        if state is not self.state:
            self.state = state
            self._changed(state)

    def _note(self, failure: BrokerFailure) -> None:
        """Log a way of failing when it begins, not at each attempt that fails the same way."""
        known = self.failure
        self.failure = failure
        report = log.debug if known and known.kind is failure.kind else log.warning
        report(
            "mqtt connection failed",
            broker=self.settings.address,
            error=str(failure),
            what_to_do=failure.advice,
        )


async def _cancel_at_end(session: Session, scope: trio.CancelScope) -> None:
    await session.ended()
    scope.cancel()


class _AvailabilityWatch:
    """Says `online` again when a late will, or anything else, has said `offline` for us."""

    def __init__(self, session: Session, topic: str) -> None:
        self.started = False
        self._session = session
        self._topic = topic
        session.interceptors.append(self._intercept)

    async def subscribe(self) -> None:
        """Hear our own availability; not what is retained, which is of the past."""
        await self._session.subscribe([Subscription(self._topic, retain_as_published=False)])

    def start(self) -> None:
        """We are online from here on."""
        self.started = True

    def stop(self) -> None:
        """We mean it when we say `offline` now."""
        self.started = False

    def _intercept(self, message: Message) -> bool:
        if message.topic != self._topic:
            return False
        if self.started and message.payload == OFFLINE and not message.retain:
            log.warning("mqtt availability said offline while online; saying online again")
            self._session.post(self._topic, ONLINE, qos=1, retain=True)
        return True
