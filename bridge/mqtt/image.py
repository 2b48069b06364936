"""What the broker should hold: the newest value of each retained topic, and a bounded outbox.

Rooms and links write here whether or not there is a broker (R23); the broker link carries it over.
Memory is bounded by the number of topics and by the outbox.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import structlog
import trio
from paho.mqtt.reasoncodes import ReasonCode

from .message import is_topic_name

__all__ = ["Carrier", "Image"]

log = structlog.get_logger("mqtt")

# Half of what mosquitto queues for a slow subscriber before it drops.
REPEATED_AT_QOS_1 = 500
# Written between two looks at the socket, so that announcing a thousand rooms neither piles up in
# memory nor delays an acknowledgement.
ANNOUNCED_AT_ONCE = 50


class Carrier(Protocol):
    """What the image asks of a `Session`."""

    @property
    def has_room(self) -> bool:
        """Whether another QoS 1 message may be posted."""

    def fits(self, topic: str, payload: bytes, correlation_data: bytes | None = None) -> bool:
        """Whether the broker takes a message of this size."""

    def post(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: int,
        retain: bool,
        correlation_data: bytes | None = None,
        acknowledged: Callable[[ReasonCode], None] | None = None,
    ) -> object:
        """Hand over a publication."""

    async def room(self) -> None:
        """Wait until `has_room`."""

    async def drained(self) -> None:
        """Wait until what was posted is with the socket."""


@dataclass(frozen=True, slots=True, eq=False)
class _Outgoing:
    """A publication that waits in the outbox, or for its PUBACK."""

    ticket: int
    topic: str
    payload: bytes
    correlation_data: bytes | None = None
    retain: bool = False
    arrived: Callable[[], None] | None = None


class Image:
    """Newest values and the outbox, published in the order in which they were first touched.

    Every change gets a ticket. A ticket is open from the change until the broker has confirmed the
    value or a newer one; `settled` waits for tickets. Values of a topic that change faster than
    they are published are skipped, messages of the outbox are not, until it holds `outbox_limit`:
    then the oldest is dropped and counted in `dropped`.
    """

    def __init__(self, *, outbox_limit: int = 1000) -> None:
        self.dropped = 0
        self.refused = 0
        self._values: dict[str, bytes] = {}
        self._published: set[str] = set()
        self._tickets = 0
        self._open: dict[int, None] = {}
        self._dirty: dict[str, int] = {}
        # Topics in the order in which they became dirty; one that no longer is, is skipped.
        self._order: deque[str] = deque()
        self._outbox: deque[_Outgoing] = deque()
        self._outbox_limit = outbox_limit
        self._in_flight: dict[int, _Outgoing] = {}
        self._announced: dict[str, bytes] = {}
        self._change = trio.lowlevel.ParkingLot()
        self._confirmation = trio.lowlevel.ParkingLot()
        self._dropping = False

    @property
    def unconfirmed(self) -> int:
        """Changes that the broker has not confirmed."""
        return len(self._open)

    def get(self, topic: str) -> bytes | None:
        """The newest value given to `set`; none for a topic that has none."""
        return self._values.get(topic) or None

    def set(self, topic: str, payload: str | bytes) -> None:
        """Give a retained topic its newest value; an equal one changes nothing."""
        value = payload.encode() if isinstance(payload, str) else payload
        if self._values.get(topic) == value:
            return
        self._values[topic] = value
        if topic not in self._dirty:
            self._dirty[topic] = self._new_ticket()
            self._order.append(topic)
        self._change.unpark_all()

    def forget(self, topic: str) -> None:
        """Have the broker retain nothing on this topic, whether or not it was ever set."""
        self.set(topic, b"")

    def send(
        self,
        topic: str,
        payload: str | bytes,
        *,
        correlation_data: bytes | None = None,
        arrived: Callable[[], None] | None = None,
    ) -> None:
        """Publish once, not retained, at QoS 1, when there is a broker.

        `arrived` is called when the broker has answered for it, or when it is given up.
        `correlation_data` travels in MQTT 5 only. Raises `ValueError` for a topic that cannot be
        published to: a broker answers that by closing the connection.
        """
        if not is_topic_name(topic):
            raise ValueError(f"not a topic that can be published to: {topic!r}")
        value = payload.encode() if isinstance(payload, str) else payload
        ticket = self._new_ticket()
        self._outbox.append(_Outgoing(ticket, topic, value, correlation_data, arrived=arrived))
        self._bound_outbox()
        self._change.unpark_all()

    async def settled(self) -> None:
        """Wait until the broker has confirmed everything given so far."""
        await trio.lowlevel.checkpoint()
        last = self._tickets
        while self._open and next(iter(self._open)) <= last:
            await self._confirmation.park()

    # -- for the link --------------------------------------------------------------------------

    async def announce(self, carrier: Carrier) -> None:
        """Publish every value on a fresh connection, so that no subscriber's queue overflows.

        At QoS 0, which mosquitto writes through where QoS 1 would wait in a queue of 1,000 per
        subscriber. A value that changed since it was last published is published once more at
        QoS 1, lest an older one, queued at QoS 1 for somebody slow, arrive last. Where more than
        `REPEATED_AT_QOS_1` changed, that would be the overflow again, and it is left out.
        """
        self._take_back()
        self._announced = {}
        repeated = self._published & self._dirty.keys()
        if len(repeated) > REPEATED_AT_QOS_1:
            repeated = set()
        for count, topic in enumerate(list(self._values), 1):
            value = self._values[topic]
            if self._fits(carrier, topic, value, None):
                carrier.post(topic, value, qos=0, retain=True)
            if topic in self._dirty and topic not in repeated:
                self._announced[topic] = value
            if count % ANNOUNCED_AT_ONCE == 0:
                await carrier.drained()
        self._published.update(self._values)
        await carrier.drained()

    def announced(self) -> None:
        """The broker has confirmed something published after the announcement, and so all of it."""
        for topic, value in self._announced.items():
            if topic in self._dirty and self._values.get(topic) == value:
                self._close(self._dirty.pop(topic))
                self._drop_if_empty(topic)
        self._announced = {}

    async def repeat(self, carrier: Carrier) -> int:
        """Publish every value once more on a connection that has been announced on; how many.

        At QoS 0 and paced as `announce` is. Each is the newest there is at that moment, and one
        that is on its way at QoS 1 still arrives behind it, so that no older one arrives last.
        """
        count = 0
        for topic in list(self._values):
            value = self._values.get(topic)
            if value and self._fits(carrier, topic, value, None):
                carrier.post(topic, value, qos=0, retain=True)
                count += 1
                if count % ANNOUNCED_AT_ONCE == 0:
                    await carrier.drained()
        await carrier.drained()
        return count

    async def flush(self, carrier: Carrier) -> None:
        """Publish changes at QoS 1 as they come, for as long as the connection lasts."""
        while True:
            while self._dirty or self._outbox:
                if not carrier.has_room:
                    await carrier.room()
                self._hand_over_next(carrier)
            self._order.clear()
            self._dropping = False
            await self._change.park()

    def _hand_over_next(self, carrier: Carrier) -> None:
        outgoing = self._next()
        topic, payload = outgoing.topic, outgoing.payload
        if not self._fits(carrier, topic, payload, outgoing.correlation_data):
            self._done_with(outgoing)
            return
        if outgoing.retain:
            self._published.add(topic)
        self._in_flight[outgoing.ticket] = outgoing
        carrier.post(
            topic,
            payload,
            qos=1,
            retain=outgoing.retain,
            correlation_data=outgoing.correlation_data,
            acknowledged=partial(self._acknowledged, outgoing),
        )

    def _next(self) -> _Outgoing:
        """The dirty topic or the message of the outbox that was touched first."""
        while self._order and self._order[0] not in self._dirty:
            self._order.popleft()
        if self._order:
            topic = self._order[0]
            ticket = self._dirty[topic]
            if not self._outbox or ticket < self._outbox[0].ticket:
                self._order.popleft()
                del self._dirty[topic]
                # A topic is gone from the values once its emptying has been confirmed, which an
                # earlier of two emptyings may have been.
                return _Outgoing(ticket, topic, self._values.get(topic, b""), retain=True)
        return self._outbox.popleft()

    def _acknowledged(self, outgoing: _Outgoing, reason: ReasonCode) -> None:
        if self._in_flight.pop(outgoing.ticket, None) is None:
            return
        if reason.is_failure:
            self._refuse(
                outgoing.topic,
                reason.getName(),
                "give the bridge's user write access to this topic on the broker (ACL)",
            )
        if outgoing.retain and not outgoing.payload and outgoing.topic not in self._dirty:
            self._drop_if_empty(outgoing.topic)
        self._done_with(outgoing)

    def _take_back(self) -> None:
        """What the last connection left unconfirmed is to be published again, in its old order."""
        for ticket, outgoing in reversed(self._in_flight.items()):
            if not outgoing.retain:
                self._outbox.appendleft(outgoing)
                continue
            topic = outgoing.topic
            if (newer := self._dirty.get(topic)) is not None:
                self._close(newer)
            self._dirty[topic] = ticket
            self._order.appendleft(topic)
        self._in_flight.clear()
        self._bound_outbox()

    def _bound_outbox(self) -> None:
        while len(self._outbox) > self._outbox_limit:
            oldest = self._outbox.popleft()
            self._done_with(oldest)
            self.dropped += 1
            if not self._dropping:
                self._dropping = True
                log.warning(
                    "mqtt outbox full, dropping the oldest results",
                    topic=oldest.topic,
                    limit=self._outbox_limit,
                    what_to_do="bring the broker back: results pile up meanwhile",
                )

    def _done_with(self, outgoing: _Outgoing) -> None:
        self._close(outgoing.ticket)
        if outgoing.arrived is not None:
            outgoing.arrived()

    def _fits(
        self, carrier: Carrier, topic: str, payload: bytes, correlation_data: bytes | None
    ) -> bool:
        if carrier.fits(topic, payload, correlation_data):
            return True
        self._refuse(topic, "Packet too large", "raise the broker's maximum packet size")
        return False

    def _refuse(self, topic: str, reason: str, what_to_do: str) -> None:
        if not self.refused:
            log.error("mqtt publication refused", topic=topic, reason=reason, what_to_do=what_to_do)
        self.refused += 1

    def _new_ticket(self) -> int:
        self._tickets += 1
        self._open[self._tickets] = None
        return self._tickets

    def _close(self, ticket: int) -> None:
        self._open.pop(ticket, None)
        self._confirmation.unpark_all()

    def _drop_if_empty(self, topic: str) -> None:
        if self._values.get(topic) == b"":
            del self._values[topic]
            self._published.discard(topic)
