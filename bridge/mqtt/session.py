"""One MQTT connection that the broker has accepted.

paho's callbacks only note what happened: an exception in one is a bug, and ends the program. What
must survive a connection lives in `Image` and `Inbox`.
"""

import math
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractContextManager, asynccontextmanager

import trio
from paho.mqtt.client import Client, ConnectFlags, MQTTMessage
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from .dial import Will, dial
from .failures import (
    UNSPECIFIED,
    BrokerFailure,
    FailureKind,
    from_connack,
    from_limits,
    refused_publication,
    refused_subscriptions,
    without_an_answer,
)
from .filters import in_batches
from .inbound import to_message
from .message import Message
from .paho_client import PahoClient
from .paho_loop import PahoLoop
from .settings import BrokerSettings, Protocol, Subscription
from .unanswered import Awaited, Unanswered

__all__ = ["Session", "open_session"]

# PUBLISH: fixed header, length of the topic, packet identifier, lengths and tags of properties.
PUBLISH_OVERHEAD = 32

# While a node is dead NATS fails one time in three to subscribe.
_TRIES = 5


class Session:
    """A connection, for whoever uses it; made by `open_session` only.

    `interceptors` are asked, newest first, whether an inbound message is theirs; what nobody takes
    goes to `deliver`, on the bridge's own connection `Inbox.put`.
    """

    def __init__(
        self,
        client: PahoClient,
        settings: BrokerSettings,
        protocol: Protocol,
        deliver: Callable[[Message], None],
        accepted: Callable[["Session"], None],
    ) -> None:
        self.protocol: Protocol = protocol
        self.session_present = False
        self.subscriptions: dict[str, Subscription] = {}
        self.interceptors: list[Callable[[Message], bool]] = []
        self.refused_messages = 0
        #: Messages that the broker has delivered.
        self.delivered = 0
        #: When the broker accepted us, in `trio.current_time`.
        self.accepted_at = math.inf
        self.settings = settings
        self.tls = client.context  # None without
        self._maximum_packet_size: float = math.inf
        self._deliver = deliver
        self._accepted_callback = accepted
        self._answered = False
        self._accepted = trio.Event()
        self._ended = trio.Event()
        self._unanswered = Unanswered(settings.max_inflight)
        self._client = client
        client.on_connect = self._on_connect
        client.on_publish = self._on_publish
        client.on_subscribe = self._on_answer
        client.on_unsubscribe = self._on_answer
        client.on_message = self._on_message
        self._loop = PahoLoop(client, lambda: self._unanswered.overdue(settings.keepalive))
        self.progress = self._loop.progress

    @property
    def alive(self) -> bool:
        """True while the transport is open."""
        return self._loop.alive

    @property
    def has_room(self) -> bool:
        """True if the window has room for another QoS 1 message."""
        return self._unanswered.has_room

    @property
    def round_trip(self) -> float | None:
        """From the last answered packet to its answer, in seconds."""
        return self._unanswered.round_trip

    def fits(self, topic: str, payload: bytes, correlation_data: bytes | None = None) -> bool:
        """True if the broker takes a message of this size (its Maximum Packet Size)."""
        if self._maximum_packet_size == math.inf:
            return True
        size = len(topic.encode()) + len(payload) + len(correlation_data or b"")
        return size + PUBLISH_OVERHEAD <= self._maximum_packet_size

    def post(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: int,
        retain: bool,
        correlation_data: bytes | None = None,
        acknowledged: Callable[[ReasonCode], None] | None = None,
    ) -> Awaited | None:
        """Queue a PUBLISH for the next turn of the loop; `acknowledged` hears of PUBACK.

        Callers respect `has_room` for QoS 1 and `drained` for QoS 0, which has no answer. On a
        dead connection nothing happens, and `acknowledged` is never called.
        """
        if self._client.socket() is None:
            return None
        properties = None
        if correlation_data is not None and self.protocol == "5":
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            properties.CorrelationData = correlation_data
        mid = self._client.post(topic, payload, qos=qos, retain=retain, properties=properties)
        return self._unanswered.expect(mid, acknowledged) if qos else None

    def together(self) -> AbstractContextManager[None]:
        """Write all that is posted and acknowledged within at once, by one `send`."""
        return self._loop.together()

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish at QoS 1, and wait for PUBACK. Raises `BrokerFailure` when lost or refused."""
        await self.room()
        answer = self.post(topic, payload, qos=1, retain=retain)
        assert answer is not None  # noqa: S101 - `room` has raised on a dead connection
        code = (await self._codes(answer, 1, math.inf))[0]
        if code.is_failure:
            raise refused_publication(topic, code.getName())

    async def room(self) -> None:
        """Wait until `has_room`. Raises `BrokerFailure` when the connection is lost."""
        while not self.has_room and self.alive:
            await self._unanswered.room()
        self._loop.check()

    async def drained(self) -> None:
        """Wait until what was posted is with the socket. Raises `BrokerFailure` when lost."""
        await trio.lowlevel.checkpoint()
        await self._loop.drained()
        self._loop.check()

    async def subscribe(self, subscriptions: Sequence[Subscription]) -> None:
        """Subscribe, and wait for the broker's word on each filter.

        One that fails without a reason (a cluster that has lost a node) is asked again. Raises
        `BrokerFailure` that names the refused filters, or when `connect_timeout` is over.
        """
        wanted, refused = subscriptions, dict[str, str]()
        for _ in range(_TRIES):
            refused = await self.ask_for(wanted, within=self.settings.connect_timeout)
            if set(refused.values()) != {UNSPECIFIED}:
                break
            wanted = [each for each in wanted if each.topic_filter in refused]
        if refused:
            raise refused_subscriptions(refused)

    async def ask_for(
        self, subscriptions: Sequence[Subscription], *, within: float = math.inf
    ) -> dict[str, str]:
        """The same, for who can do without: the broker's reason for each filter it refuses.

        Raises `BrokerFailure` when no answer comes `within` so many seconds of the one before.
        """
        refused: dict[str, str] = {}
        batches, subscribe = in_batches(subscriptions), self._client.subscribe_each
        answers = [self._send(subscribe(batch, self.protocol)) for batch in batches]
        for batch, answer in zip(batches, answers, strict=True):
            codes = await self._codes(answer, len(batch), within)
            for each, code in zip(batch, codes, strict=True):
                if code.is_failure:
                    refused[each.topic_filter] = code.getName()
                else:
                    self.subscriptions[each.topic_filter] = each
        return refused

    async def unsubscribe(self, filters: Sequence[str]) -> None:
        """Unsubscribe and wait for the broker's answer."""
        batches = in_batches(filters)
        answers = [self._send(self._client.unsubscribe(list(batch))) for batch in batches]
        for batch, answer in zip(batches, answers, strict=True):
            await self._codes(answer, 0, math.inf)
            for topic_filter in batch:
                self.subscriptions.pop(topic_filter, None)

    async def disconnect(self) -> None:
        """Leave with a DISCONNECT, so that the broker does not publish the will."""
        await self._loop.disconnect()

    async def run(self) -> None:
        """Drive the connection to its end. Raises `BrokerFailure` unless we ended it."""
        try:
            await self._loop.run()
        except BrokerFailure as failure:
            if failure.kind is FailureKind.LOST and not self._answered:
                raise without_an_answer(failure, self.settings) from None
            raise
        finally:
            self._unanswered.abandon()
            self._ended.set()

    async def ended(self) -> None:
        """Wait until the connection has ended."""
        await self._ended.wait()

    async def cancel_at_end(self, scope: trio.CancelScope) -> None:
        """Cancel what needs the connection, once it has ended."""
        await self.ended()
        scope.cancel()

    async def accepted(self) -> None:
        """Wait for a CONNACK that accepts us."""
        await self._accepted.wait()

    def give_up(self, failure: BrokerFailure) -> None:
        """End the connection, and have `run` raise this."""
        self._loop.give_up(failure)

    def hang_up(self, failure: BrokerFailure) -> None:
        """End the connection at once, without DISCONNECT; nothing that is queued leaves."""
        self._loop.hang_up(failure)

    def stop(self) -> None:
        """Have `run` return, without a DISCONNECT."""
        self._loop.stop()

    def _send(self, sent: tuple[object, int | None]) -> Awaited:
        """Packets that paho has queued go out; the answer is awaited with `_codes`."""
        self._loop.check()
        mid = sent[1]
        assert mid is not None  # noqa: S101 - paho gives none only without a socket
        return self._unanswered.expect(mid)

    async def _codes(self, answer: Awaited, count: int, within: float) -> Sequence[ReasonCode]:
        """At least `count` codes of an answer."""
        await answer.arrived(within)
        if not answer.codes:
            self._loop.check()
        if len(answer.codes) < count:
            raise BrokerFailure(FailureKind.NOT_MQTT, "the broker answered for too few filters")
        return answer.codes[:count]

    def _on_connect(
        self,
        _client: Client,
        _userdata: object,
        flags: ConnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        self._answered = True
        if reason.is_failure:
            self._loop.failure = from_connack(reason, self.settings)
            return
        if (failure := from_limits(properties)) is not None:
            self._loop.give_up(failure)
            return
        self.session_present = flags.session_present
        self.accepted_at = trio.current_time()
        ours = self._unanswered.window
        self._unanswered.window = min(ours, getattr(properties, "ReceiveMaximum", ours))
        self._maximum_packet_size = getattr(properties, "MaximumPacketSize", math.inf)
        # In the same breath: what a resumed session holds may follow in the same segment.
        self._accepted_callback(self)
        self._accepted.set()

    def _on_publish(
        self, _client: Client, _userdata: object, mid: int, reason: ReasonCode, _: Properties
    ) -> None:
        # Also called, with an identifier that nothing expects, when a QoS 0 message is written.
        self._unanswered.arrived(mid, (reason,))

    def _on_answer(
        self, _client: Client, _data: object, mid: int, reasons: Sequence[ReasonCode], *_: object
    ) -> None:
        # SUBACK or UNSUBACK; the latter carries no codes in MQTT 3.1.1.
        self._unanswered.arrived(mid, reasons)

    def _on_message(self, client: Client, _userdata: object, received: MQTTMessage) -> None:
        self.delivered += 1
        message = to_message(
            received,
            limit=self.settings.maximum_packet_size,
            acknowledge=self._acknowledge,
        )
        if message is None:
            self.refused_messages += 1
            client.ack(received.mid, received.qos)
            return
        for interceptor in reversed(self.interceptors):
            if interceptor(message):
                message.acknowledge()
                return
        self._deliver(message)

    def _acknowledge(self, mid: int) -> None:
        self._client.ack(mid, 1)


@asynccontextmanager
async def open_session(
    settings: BrokerSettings,
    protocol: Protocol,
    *,
    deliver: Callable[[Message], None],
    accepted: Callable[[Session], None] = lambda _: None,
    will: Will | None = None,
    bare: bool = False,
    accepting: Callable[[Session], Awaitable[None]] = Session.accepted,
    reached: Callable[[str], None] = lambda _: None,
) -> AsyncIterator[Session]:
    """A connection for the time of the `async with` body.

    `accepted` is called with CONNACK, before the first message is delivered; `accepting` waits
    for it, and may know better than to wait. `reached` is told the broker's address. When the
    connection is lost the body is cancelled; leaving the body closes the socket, without DISCONNECT
    unless the body sent it. Raises `BrokerFailure`, in exception groups.
    """
    client = await dial(settings, protocol, will, bare=bare, reached=reached)
    session = Session(client, settings, protocol, deliver, accepted)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(session.run)
        try:
            try:
                with trio.fail_after(settings.connect_timeout):
                    await accepting(session)
            except trio.TooSlowError:
                raise BrokerFailure(
                    FailureKind.NO_ANSWER, f"{settings.address} accepts but does not answer"
                ) from None
            yield session
        finally:
            session.stop()
