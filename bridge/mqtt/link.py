"""The broker link: connect, say what is, carry what changes, for ever (R23, R24, R27).

At every connection, in this order: subscribe and wait for SUBACK; `greet`; publish the whole
image; say `online`; from then on publish each change at QoS 1. The will says `offline`, and so does
a shutdown, before DISCONNECT.
"""

import math
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import structlog
import trio

from ..process.backoff import Backoff
from ..process.progress import Progress
from ..tls.files import TlsFiles
from .broker_health import BrokerHealth, BrokerState
from .failures import BrokerFailure, FailureKind, flatten
from .image import Image
from .inbox import Inbox, none_held, one_share
from .message import Message
from .negotiate import LONGEST_ATTEMPT, accepting, in_either_version
from .nodes import Nodes
from .own_topics import OwnTopics
from .renewal import keep_renewed, of_an_ended_certificate
from .retained import comes_back
from .session import Session, open_session
from .settings import BrokerSettings, Protocol, Subscription
from .shares import Source
from .subscriptions import Subscriptions

__all__ = ["OFFLINE", "ONLINE", "BrokerLink"]

log = structlog.get_logger("mqtt")

ONLINE = b"online"
OFFLINE = b"offline"


async def _no_greeting(_session: Session) -> None:
    pass


async def _at_once() -> None:
    pass


def _the_only_one(_session: Session) -> int:
    return 0


def _unheard(_state: BrokerState) -> None:
    pass


class BrokerLink:
    """One broker, or one of several, over however many connections.

    `greet` runs at each connection once the subscriptions stand and before anything is published;
    what it raises ends `run`, in an exception group, with nothing said on `availability_topic`.
    `own` are filters that match topics of the image: what others write there is put right (R32).
    `numbered` tells which of the broker's sessions a connection has, before its first message.
    `changed` hears of every change of state, and must not block. `source_of` says whose share of
    the work a topic is, and `held` which share waits until the broker has confirmed more (`Inbox`).
    `admitted` returns when the session may be asked for: of several boxes one has it (R36).
    """

    def __init__(
        self,
        settings: BrokerSettings,
        image: Image,
        subscriptions: Sequence[Subscription],
        *,
        availability_topic: str,
        own: Sequence[str] = (),
        greet: Callable[[Session], Awaitable[None]] = _no_greeting,
        changed: Callable[[BrokerState], None] = _unheard,
        source_of: Callable[[str], Source] = one_share,
        held: Callable[[str], bool] = none_held,
        numbered: Callable[[Session], int] = _the_only_one,
        admitted: Callable[[], Awaitable[None]] = _at_once,
        backoff: Backoff | None = None,
        nodes: Nodes | None = None,
    ) -> None:
        self.settings = settings
        self._files = None if settings.tls is None else TlsFiles(settings.tls, "mqtt.tls")
        if self._files is not None:
            self.settings = replace(settings, tls_context=self._files.context)
        self.nodes = nodes or Nodes(self.settings)
        self.image = image
        self._own = OwnTopics(image, availability_topic, own)
        self._subscriptions = Subscriptions([*subscriptions, *self._own.subscriptions])
        self.availability_topic = availability_topic
        self.state = BrokerState.CONNECTING
        self._greet = greet
        self._numbered = numbered
        self._admitted = admitted
        self._changed = changed
        self._backoff = backoff or Backoff()
        self._inbox = Inbox(settings.receive_maximum, source_of, held)
        image.confirmed = self._inbox.look_again
        self._session: Session | None = None
        self._connections = 0
        self._progress = Progress()
        #: What went wrong last; None while online.
        self.failure: BrokerFailure | None = None
        #: The same of each broker, as it was logged.
        self._said: dict[str, FailureKind] = {}
        self._lived = False
        #: The end of the broker's certificate, where the last connection has one.
        self._peer_ends: Mapping[str, float] = {}
        #: Messages of former connections that nobody could use.
        self._refused_messages = 0

    async def receive(self) -> Message:
        """The next inbound message, over all connections, in fair turns, each once."""
        return await self._inbox.get()

    @property
    def due_at(self) -> dict[str, float]:
        """By when each loop of the link goes on, and whoever receives from it (`Progress`)."""
        session = self._session
        return {
            "broker link": self._progress.due_at if session is None else session.progress.due_at,
            "subscriptions": self._subscriptions.progress.due_at,
            "own topics": self._own.progress.due_at,
            "publications": self.image.progress.due_at,
            "dispatcher": self._inbox.progress.due_at,
        }

    def received(self) -> None:
        """Until it calls `receive` again, whoever did waits for others."""
        self._inbox.progress.waits()

    @property
    def waiting(self) -> int:
        """Messages that nobody has received yet."""
        return len(self._inbox)

    def none_waits_from_before(self, moment: float) -> bool:
        """True where all that the broker delivered before a moment has been received."""
        return self._inbox.none_before(moment)

    @property
    def subscriptions(self) -> tuple[Subscription, ...]:
        """Everything that the link wants to hear."""
        return self._subscriptions.wanted

    async def subscribe(self, subscriptions: Sequence[Subscription]) -> None:
        """Subscribe to more, none of it essential, on this connection and on all that follow.

        What the broker refuses is said, is in `health`, and is asked for again.
        """
        await self._subscriptions.add(self._session, subscriptions)

    async def unsubscribe(self, filters: Sequence[str]) -> None:
        """Hear no more of these, on this connection and on all that follow."""
        await self._subscriptions.remove(self._session, filters)

    async def touch(self, topic: str) -> bool:
        """True while the broker is in contact: it delivers to us what we publish to `topic`.

        One that acknowledges it, has nothing else for us and keeps nothing back until we have
        acknowledged something, routes no more: the connection is given up.
        """
        session = self._session
        if session is None or self.state is not BrokerState.ONLINE:
            return False
        delivered, patience = session.delivered, self.settings.keepalive
        try:
            if await comes_back(session, topic, within=patience):
                return True
        except BrokerFailure:
            return False
        if session.delivered == delivered and not self._inbox.unacknowledged:
            detail = f"the broker acknowledges what we publish, and delivered none for {patience} s"
            session.give_up(BrokerFailure(FailureKind.DEAF, detail))
        return False

    async def repeat(self, order: Iterable[str] = ()) -> int | None:
        """Publish every retained topic again; how many, None where the broker was lost.

        Those of `order` go first, the availability topic last unless it is among them.
        """
        session = self._session
        if session is None or self.state is not BrokerState.ONLINE:
            return None
        topics = list(dict.fromkeys([*order, *self.image.values, self.availability_topic]))
        place = topics.index(self.availability_topic)
        try:
            count = await self.image.repeat(session, topics[:place])
            await session.publish(self.availability_topic, ONLINE, retain=True)
            count += await self.image.repeat(session, topics[place + 1 :])
        except BrokerFailure:
            return None
        return count + 1

    def health(self) -> BrokerHealth:
        """A look at the link as it is now."""
        session = self._session
        return BrokerHealth(
            state=self.state,
            address=self.nodes.current.address,
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
            refused_filters=dict(self._subscriptions.refused),
            withheld=self.image.withheld,
            contested=self._own.contested,
            error=str(self.failure) if self.failure else None,
            certificates={**(self._files.ends if self._files else {}), **self._peer_ends},
        )

    async def run(self) -> None:
        """Keep a connection, for ever, whether or not there is a broker at first.

        Cancelled, it publishes what is left and `offline`, waits for both to be confirmed, and
        disconnects, all within `settings.farewell_timeout`.
        """
        while True:
            self._become(BrokerState.CONNECTING)
            self._progress.waits()
            await self._admitted()
            self._progress.within(LONGEST_ATTEMPT * self.settings.connect_timeout)
            try:
                await self._attempt()
            finally:
                self._become(BrokerState.DOWN)
            again = self.failure is not None and self.failure.kind is FailureKind.RENEWED
            if again or not await self.nodes.another(lived=self._lived):
                await self._progress.rest(trio.current_time() + self._backoff.next())

    def hang_up(self) -> None:
        """End the connection at once, without a word: the session is another box's, or will be."""
        if self._session is not None:
            self._session.hang_up(BrokerFailure(FailureKind.YIELDED, "another box leads"))

    async def _attempt(self) -> None:
        self._lived = False
        accepted = self._connections
        try:
            settings = await self.nodes.choose()
            await in_either_version(settings, partial(self._converse, settings))
        except* BrokerFailure as group:
            failure = flatten(group)
            if self._files is not None and accepted == self._connections:
                failure = of_an_ended_certificate(failure, self._files.ends)
            self._note(failure)

    async def _converse(self, settings: BrokerSettings, protocol: Protocol) -> None:
        async with open_session(
            settings,
            protocol,
            deliver=self._inbox.put,
            accepted=self._accepted,
            will=(self.availability_topic, OFFLINE),
            accepting=accepting(settings, protocol),
            reached=self.nodes.reached,
        ) as session:
            self._session = session
            self._own.begin(session)
            online_at = math.inf
            try:
                await self._subscriptions.establish(session)
                await self._greet(session)
                await self._own.attend(session)
                await self.image.announce(session)
                self._own.availability = ONLINE
                await session.publish(self.availability_topic, ONLINE, retain=True)
                self.image.announced()
                self._online(session)
                online_at = trio.current_time()
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._subscriptions.keep, session)
                    nursery.start_soon(self._own.keep)
                    nursery.start_soon(keep_renewed, session, settings, self._files, self._is_quiet)
                    await self.image.flush(session)
            finally:
                lived = self._backoff.connection_ended(trio.current_time() - online_at)
                self._lived = lived
                with trio.move_on_after(settings.farewell_timeout, shield=True):
                    await self._leave(session)
                self.image.connection_ended(lived=lived)
                self._refused_messages += session.refused_messages
                self._session = None

    def _is_quiet(self) -> bool:
        return not (self.image.unconfirmed or self._inbox.unacknowledged or self._inbox)

    def _accepted(self, session: Session) -> None:
        self._connections += 1
        self._progress.waits()  # for the session
        number = self._numbered(session)
        self._inbox.connected(session_present=session.session_present, session=number)

    def _online(self, session: Session) -> None:
        self.failure = None
        self._peer_ends = session.tls.peer_ends() if session.tls else {}
        self._said.clear()
        log.info(
            "mqtt connected",
            broker=session.settings.address,
            protocol=session.protocol,
            session_present=session.session_present,
        )
        self._become(BrokerState.ONLINE)

    async def _leave(self, session: Session) -> None:
        said, self._own.availability = self._own.availability, None
        if not session.alive:
            return
        if said is not None:
            # What was said is taken back; a connection that said nothing leaves without a word,
            # for the topic may be another bridge's (R26).
            async with trio.open_nursery() as nursery:
                nursery.start_soon(session.cancel_at_end, nursery.cancel_scope)
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
        """Log a broker's way of failing when it begins, not at each attempt that fails so again."""
        self.failure = failure
        address = self.nodes.current.address
        if failure.kind is FailureKind.RENEWED:
            log.info("mqtt connects again", broker=address, reason=str(failure))
            return
        report = log.debug if self._said.get(address) is failure.kind else log.warning
        self._said[address] = failure.kind
        said = {"error": str(failure), "what_to_do": failure.advice}
        report("mqtt connection failed", broker=address, **said)
