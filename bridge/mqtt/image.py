"""The broker's image: the newest value of each retained topic, and a bounded outbox.

Rooms and links write here whether or not there is a broker (R23); the broker link carries it over.
Memory is bounded by the number of topics and by the outbox.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial

import structlog
from paho.mqtt.reasoncodes import ReasonCode

from ..process.progress import Progress
from .message import is_topic_name
from .outbox import Outbox
from .outgoing import Carrier, Outgoing
from .setbacks import PACKET_TOO_LARGE, Setbacks
from .tickets import Tickets

__all__ = ["Image"]

log = structlog.get_logger("mqtt")

# Half of what mosquitto queues for a slow subscriber before it drops.
REPEATED_AT_QOS_1 = 500
# Written between two looks at the socket: neither memory nor an acknowledgement suffers.
ANNOUNCED_AT_ONCE = 200


class Image:
    """Newest values and messages, published in fair turns of those whose they are (`Outbox`).

    `share_of` says whose a topic is.

    Every change gets a ticket. A ticket is open from the change until the broker has confirmed the
    value or a newer one; `settled` waits for tickets. Values of a topic that change faster than
    they are published are skipped, messages are not, until the outbox holds `outbox_limit`: then
    the oldest is dropped and counted in `dropped`.
    """

    def __init__(
        self, *, outbox_limit: int = 1000, share_of: Callable[[str], str] = lambda _: ""
    ) -> None:
        self.dropped = 0
        #: Told whenever the broker has confirmed something.
        self.confirmed: Callable[[], None] = lambda: None
        self.values: dict[str, bytes] = {}  # as `set` last; empty: to be emptied
        self._published: set[str] = set()
        self._tickets = Tickets()
        self._outbox = Outbox(share_of)
        self._outbox_limit = outbox_limit
        self._in_flight: dict[int, Outgoing] = {}
        self._announced: dict[str, bytes] = {}
        # What was published at QoS 0, until something after it has been confirmed.
        self._unproved: dict[str, bytes] = {}
        self._setbacks = Setbacks()
        self.progress = Progress()  # of `flush`
        self._carrier: Carrier | None = None  # the one that it publishes on
        self._direct: Carrier | None = None  # the same, while what is given need not wait for it
        self._dropping = False

    @property
    def unconfirmed(self) -> int:
        """Changes that the broker has not confirmed."""
        return len(self._tickets)

    @property
    def refused(self) -> int:
        """Publications that the broker would not have."""
        return self._setbacks.count

    @property
    def withheld(self) -> list[str]:
        """Topics of which the broker would not have the newest value: it has less, or nothing."""
        return sorted(key for key in self._setbacks.keys if isinstance(key, str))

    def get(self, topic: str) -> bytes | None:
        """The newest value given to `set`; none for a topic that has none."""
        return self.values.get(topic) or None

    def set(self, topic: str, payload: str | bytes) -> None:
        """Give a retained topic its newest value; an equal one changes nothing."""
        value = payload.encode() if isinstance(payload, str) else payload
        if self.values.get(topic) != value:
            self.values[topic] = value
            self.publish_again(topic)

    def forget(self, topic: str) -> None:
        """Have the broker retain nothing on this topic, whether or not it was ever set."""
        self.set(topic, b"")

    def publish_again(self, topic: str) -> None:
        """Have the broker retain the newest value, once more where it has that already."""
        if topic not in self._outbox.topics:
            self._publish(Outgoing(self._tickets.new(), topic, b"", retain=True))

    def send(
        self,
        topic: str,
        payload: str | bytes,
        *,
        correlation_data: bytes | None = None,
        arrived: Callable[[], None] | None = None,
        share: str = "",
    ) -> None:
        """Publish once, not retained, at QoS 1, when there is a broker.

        `arrived` is called when the broker has answered for it, or when it is given up. `share`:
        whose it is where the topic does not tell; it leaves after what was said there before.
        `correlation_data` travels in MQTT 5 only. Raises `ValueError` for a topic that cannot be
        published to: a broker answers that by closing the connection.
        """
        if not is_topic_name(topic):
            raise ValueError(f"not a topic that can be published to: {topic!r}")
        value = payload.encode() if isinstance(payload, str) else payload
        ticket = self._tickets.new()
        outgoing = Outgoing(ticket, topic, value, correlation_data, arrived=arrived, share=share)
        self._publish(outgoing)
        self._bound_outbox()

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Publish what is given within by its end, with one `send`, where the window has room.

        What has none, or comes behind others, `flush` publishes in its turn. Not for callbacks of
        the connection.
        """
        carrier, before = self._carrier, self._direct
        self._direct = carrier
        try:
            with nullcontext() if carrier is None or before is not None else carrier.together():
                yield
        finally:
            self._direct = before

    async def settled(self) -> None:
        """Wait until the broker has confirmed everything given so far."""
        await self._tickets.settled()

    async def announce(self, carrier: Carrier) -> None:
        """Publish every value on a fresh connection, so that no subscriber's queue overflows.

        At QoS 0, which mosquitto writes through where QoS 1 would wait in a queue of 1,000 per
        subscriber. A value that changed since it was last published is published once more at
        QoS 1, lest an older one, queued at QoS 1 for somebody slow, arrive last. Where more than
        `REPEATED_AT_QOS_1` changed, that would be the overflow again, and it is left out.
        """
        self._take_back()
        self._announced = {}
        repeated = self._published & self._outbox.topics.keys()
        if len(repeated) > REPEATED_AT_QOS_1:
            repeated = set()
        for count, topic in enumerate(list(self.values), 1):
            value = self.values[topic]
            if topic in self._setbacks.suspects:
                self.publish_again(topic)
                continue
            self._post_at_qos_0(carrier, topic, value)
            if topic in self._outbox.topics and topic not in repeated:
                self._announced[topic] = value
            if count % ANNOUNCED_AT_ONCE == 0:
                await carrier.drained()
        self._published.update(self.values)
        await carrier.drained()

    def announced(self) -> None:
        """The broker has confirmed something published after the announcement, and so all of it.

        But for what it dropped as too long: the longest value is published once more at QoS 1.
        """
        self._unproved = {}
        said = [
            topic
            for topic, value in self._announced.items()
            if topic in self._outbox.topics and self.values.get(topic) == value
        ]
        self._close(*map(self._outbox.withdraw, said))
        for topic in [each for each in said if not self.values[each]]:
            self._drop_if_empty(topic)
        self._announced = {}
        self._probe()

    async def repeat(self, carrier: Carrier, topics: Iterable[str]) -> int:
        """Publish these once more on a connection that has been announced on; how many.

        At QoS 0, paced as `announce`, newest values: what is under way at QoS 1 arrives behind.
        """
        count = 0
        for topic in topics:
            if (value := self.values.get(topic)) and topic not in self._setbacks.suspects:
                count += self._post_at_qos_0(carrier, topic, value)
                if count % ANNOUNCED_AT_ONCE == 0:
                    await carrier.drained()
        await carrier.drained()
        return count

    async def flush(self, carrier: Carrier) -> None:
        """Publish changes at QoS 1 as they come, for as long as the connection lasts.

        One at a time while there are suspects, so that it shows which one ends a connection.
        """
        self._carrier = carrier
        try:
            while True:
                self.progress.waits()  # for the broker, where at all
                while self._outbox:
                    if not carrier.has_room:
                        await carrier.room()
                    while self._setbacks.suspects and self._in_flight:
                        await self._tickets.closed()
                    with carrier.together():
                        while self._outbox and self._may_leave(carrier):
                            self._hand_over(carrier, self._outbox.take())
                self._dropping = False
                await self.progress.rest(self._setbacks.next_trial)
                self._try_again()
        finally:
            self._carrier = None

    def connection_ended(self, *, lived: bool) -> None:
        """The connection is lost; `lived`: it had been of use for a while.

        What it left unconfirmed is to be published again, but for what has ended connections.
        """
        unanswered: list[tuple[Hashable, str, bytes]] = [
            *((topic, topic, payload) for topic, payload in self._unproved.items()),
            *((each.key, each.topic, each.sent) for each in self._in_flight.values()),
        ]
        self._unproved = {}
        self.progress.waits()
        self._take_back()
        self._setbacks.connection_ended(unanswered, lived=lived)

    def _post_at_qos_0(self, carrier: Carrier, topic: str, value: bytes) -> bool:
        payload = self._setbacks.form(carrier, topic, topic, value)
        if payload is None:
            return False
        carrier.post(topic, payload, qos=0, retain=True)
        self._unproved[topic] = payload
        return bool(payload)

    def _publish(self, outgoing: Outgoing) -> None:
        """Directly, where nothing is before it; else it waits for `flush`."""
        carrier = self._direct
        if carrier is not None and not self._outbox and self._may_leave(carrier):
            self._hand_over(carrier, outgoing)
        else:
            self._outbox.put(outgoing)
            self.progress.wanted()

    def _may_leave(self, carrier: Carrier) -> bool:
        """True for what the window takes; of what there is while there are suspects for one."""
        return carrier.has_room and not (self._setbacks.suspects and self._in_flight)

    def _hand_over(self, carrier: Carrier, outgoing: Outgoing) -> None:
        topic = outgoing.topic
        if outgoing.retain:
            # Of two emptyings the first may have been confirmed, and the topic be gone.
            outgoing.payload = self.values.get(topic, b"")
        payload = outgoing.payload
        form = self._setbacks.form(carrier, outgoing.key, topic, payload, outgoing.correlation_data)
        if form is None or (payload and not form and not outgoing.retain):
            self._setbacks.give_up(outgoing.key, for_good=not outgoing.retain)
            self._done_with(outgoing)
            return
        outgoing.sent = form
        if outgoing.retain:
            self._published.add(topic)
        self._in_flight[outgoing.ticket] = outgoing
        carrier.post(
            topic,
            form,
            qos=1,
            retain=outgoing.retain,
            correlation_data=outgoing.correlation_data,
            acknowledged=partial(self._acknowledged, outgoing),
        )

    def _acknowledged(self, outgoing: Outgoing, reason: ReasonCode) -> None:
        if self._in_flight.pop(outgoing.ticket, None) is None:
            return
        topic = outgoing.topic
        failed = reason.is_failure
        self._setbacks.answered(outgoing.key, outgoing.sent, accepted=not failed)
        if reason.value == PACKET_TOO_LARGE:
            self._setbacks.too_large(outgoing.key, topic, outgoing.sent)
            self._take_back_one(outgoing)
            self._probe()
            self.progress.wanted()
            self._tickets.close()
            return
        if failed:
            self._setbacks.refused(topic, outgoing.sent, reason.getName())
        if outgoing.retain and not outgoing.payload and topic not in self._outbox.topics:
            self._drop_if_empty(topic)
        self._done_with(outgoing)

    def _take_back(self) -> None:
        """Publish again, in its old order, what the last connection left unconfirmed."""
        for outgoing in reversed(self._in_flight.values()):
            self._take_back_one(outgoing)
        self._in_flight.clear()
        self._bound_outbox()

    def _take_back_one(self, outgoing: Outgoing) -> None:
        if outgoing.retain and outgoing.topic in self._outbox.topics:
            self._close(self._outbox.withdraw(outgoing.topic))
        self._outbox.put_back(outgoing)

    def _try_again(self) -> None:
        """Publish as they are, one by one, what was refused long ago."""
        for key in self._setbacks.trials():
            if isinstance(key, str) and key in self.values:
                self.publish_again(key)
            else:
                self._setbacks.give_up(key, for_good=True)

    def _probe(self) -> None:
        """Publish the longest value at QoS 1, where the broker answers."""
        if (topic := self._setbacks.longest(self.values)) is not None:
            self.publish_again(topic)

    def _bound_outbox(self) -> None:
        while len(self._outbox.messages) > self._outbox_limit:
            oldest = self._outbox.drop_oldest()
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

    def _done_with(self, outgoing: Outgoing) -> None:
        self._close(outgoing.ticket)
        if outgoing.arrived is not None:
            outgoing.arrived()

    def _close(self, *tickets: int) -> None:
        self._tickets.close(*tickets)
        self.confirmed()

    def _drop_if_empty(self, topic: str) -> None:
        if self.values.get(topic) == b"":
            del self.values[topic]
            self._published.discard(topic)
