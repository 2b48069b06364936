"""Reading what the broker retains, before anything is published (R9, R26).

A broker may send in order: then a marker waits behind every QoS 1 message that was kept for us, and
those wait for our acknowledgements. Some of these wait in their turn for the reading to be done:
rooms must know what they record before they act, and a refusal is published once we are online.
So where the marker is held back, the reading is done on another connection, for which nothing was
kept; the marker comes when it may. Nothing that the reading waits for waits for the reading.
"""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace

import trio

from .failures import BrokerFailure, FailureKind, flatten
from .filters import matches
from .message import Message
from .session import Session, open_session
from .settings import Subscription

__all__ = ["comes_back", "read_retained"]

# mosquitto drops what exceeds 1,000 queued messages of one client, so no round asks for more
# than a hundred filters' worth.
FILTERS_PER_ROUND = 100

# Markers in a row that bring nothing more, where something has not come: brokers exist (aedes)
# whose other messages overtake what they retain.
STRAGGLERS = 5

# Seconds after which a marker counts as held back. A slow broker is only asked twice.
HELD_BACK = 2.0


async def read_retained(
    session: Session,
    filters: Sequence[str],
    marker_topic: str,
    *,
    optional: Sequence[str] = (),
    caught_up: Callable[[], None] = lambda: None,
) -> dict[str, bytes]:
    """Payload by topic of every retained message that matches, also of the `optional` filters.

    The broker sends what it retains as it handles SUBSCRIBE; a marker published after SUBACK
    comes back behind all of that, so nothing is guessed from silence. Where a topic has not come
    by the end, some more markers are sent: not every broker keeps that order. All of it is
    delivered at QoS 0, past whatever waits to be acknowledged by somebody else, and does not reach
    `BrokerLink.receive`; live messages for the session's other subscriptions still do. The
    filters are unsubscribed again, or restored where the session had subscribed to them.

    `caught_up` is called once, when a marker has come back on this session, and so everything that
    was kept for it; where the marker is held back that is later than this returns.

    Many topics are better named one by one than by one wildcard: a broker's queue is finite.
    Nothing comes of an optional filter that the broker refuses. Raises `BrokerFailure`.
    """
    wanted = _retained_once(filters, essential=True) + _retained_once(optional, essential=False)
    reading = _Reading(session, wanted, marker_topic, caught_up)
    if await reading.done(HELD_BACK):
        return reading.found
    return reading.found | await _read_elsewhere(session, reading.missing, marker_topic)


async def comes_back(session: Session, topic: str, *, within: float) -> bool:
    """True if the broker delivers to us, within so many seconds, what we publish to `topic`.

    Leaves the session subscribed to it. Raises `BrokerFailure` where that, or the publication, is
    refused, or the connection is lost.
    """
    reading = _Reading(session, [], topic, lambda: None)
    return await reading.done(within)


def _retained_once(filters: Sequence[str], *, essential: bool) -> list[Subscription]:
    return [
        Subscription(each, 0, retain_as_published=False, qos=0, essential=essential)
        for each in filters
    ]


async def _read_elsewhere(
    session: Session, wanted: Sequence[Subscription], marker_topic: str
) -> dict[str, bytes]:
    """The same on a connection of its own."""
    name = f"{session.settings.client_id}-read"
    settings = replace(session.settings, client_id=name, session_expiry=0)
    try:
        async with open_session(settings, session.protocol, deliver=Message.acknowledge) as other:
            found = await _read_patiently(other, wanted, marker_topic)
            await other.disconnect()
    except* BrokerFailure as group:
        raise flatten(group) from None
    return found


async def _read_patiently(
    session: Session, wanted: Sequence[Subscription], marker_topic: str
) -> dict[str, bytes]:
    reading = _Reading(session, wanted, marker_topic, lambda: None)
    # An MQTT 3.1.1 broker swallows a publication that its ACL forbids.
    patience = session.settings.connect_timeout
    if await reading.done(patience):
        return reading.found
    raise BrokerFailure(
        FailureKind.ECHO,
        f"what was published to {marker_topic} did not come back within {patience:g} s",
    )


class _Reading:
    """All that matches what is `wanted`, until the marker; where that is nothing the marker alone.

    Its interceptor stays until the marker has come back, or the connection ends.
    """

    def __init__(
        self,
        session: Session,
        wanted: Sequence[Subscription],
        marker_topic: str,
        caught_up: Callable[[], None],
    ) -> None:
        self.found: dict[str, bytes] = {}
        self._session = session
        self._wanted = wanted
        #: Those that the broker was asked for, and has not refused.
        self._filters: set[str] = set()
        self._refused: set[str] = set()
        self._marker_topic = marker_topic
        self._marker = b""
        self._caught_up = caught_up
        self._echoed = trio.Event()
        self._before = dict(session.subscriptions)
        self._is_over = False

    @property
    def missing(self) -> Sequence[Subscription]:
        """What may be there and has not come."""
        wanted = [each for each in self._wanted if each.topic_filter not in self._refused]
        return [each for each in wanted if self._may_be_missing(each.topic_filter)]

    async def done(self, within: float) -> bool:
        """Read; False where a marker did not come back `within` so many seconds.

        Raises `BrokerFailure`.
        """
        session, before = self._session, self._before
        session.interceptors.append(self._collect)
        if self._marker_topic not in before:
            await session.subscribe([Subscription(self._marker_topic, qos=0)])
        for start in range(0, max(1, len(self._wanted)), FILTERS_PER_ROUND):
            await self._ask_for(self._wanted[start : start + FILTERS_PER_ROUND])
            with trio.move_on_after(within):
                await self._send_marker()
            if not self._echoed.is_set():
                break
        else:
            with trio.move_on_after(within):
                await self._hear_stragglers()
        await session.unsubscribe([each for each in self._filters if each not in before])
        await session.subscribe([before[each] for each in self._filters if each in before])
        self._is_over = True
        if self._echoed.is_set():
            session.interceptors.remove(self._collect)
        return self._echoed.is_set()

    async def _ask_for(self, wanted: Sequence[Subscription]) -> None:
        self._filters.update(each.topic_filter for each in wanted)
        await self._session.subscribe([each for each in wanted if each.essential])
        refused = await self._session.ask_for([each for each in wanted if not each.essential])
        self._filters -= refused.keys()
        self._refused |= refused.keys()

    async def _send_marker(self) -> None:
        """Publish a marker and wait until it has come back."""
        self._marker, self._echoed = secrets.token_hex(16).encode(), trio.Event()
        await self._session.publish(self._marker_topic, self._marker)
        await self._echoed.wait()

    async def _hear_stragglers(self) -> None:
        """Ask on while a topic may yet come that the broker retains."""
        in_vain = 0
        while in_vain < STRAGGLERS and any(map(self._may_be_missing, self._filters)):
            known = len(self.found)
            await self._send_marker()
            in_vain = 0 if len(self.found) > known else in_vain + 1

    def _may_be_missing(self, wanted: str) -> bool:
        return "+" in wanted or "#" in wanted or wanted not in self.found

    def _is_wanted(self, topic: str) -> bool:
        return topic in self._filters or any(matches(each, topic) for each in self._filters)

    def _collect(self, message: Message) -> bool:
        if message.topic == self._marker_topic:
            if message.payload == self._marker and not self._echoed.is_set():
                self._echoed.set()
                if self._is_over:
                    self._session.interceptors.remove(self._collect)
                self._caught_up()
                self._caught_up = lambda: None
            return True
        if message.retain and self._is_wanted(message.topic):
            self.found[message.topic] = message.payload
            return True
        if self._is_over:
            return False
        return not any(matches(each, message.topic) for each in self._before)
