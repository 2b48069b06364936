"""Reading what the broker retains, before anything is published (R9, R26)."""

import secrets
from collections.abc import Sequence

import trio

from .failures import BrokerFailure, FailureKind
from .filters import matches
from .message import Message
from .session import Session
from .settings import Subscription

__all__ = ["read_retained"]

# mosquitto drops what exceeds 1,000 queued messages of one client, so no round asks for more
# than a hundred filters' worth.
FILTERS_PER_ROUND = 100

# An MQTT 3.1.1 broker swallows a publication that its ACL forbids.
ECHO_PATIENCE = 10.0


async def read_retained(
    session: Session, filters: Sequence[str], marker_topic: str
) -> dict[str, bytes]:
    """Payload by topic of every retained message that matches.

    The broker sends what it retains as it handles SUBSCRIBE; a marker published after SUBACK
    comes back behind all of that, so nothing is guessed from silence. All of it is delivered at
    QoS 0, past whatever waits to be acknowledged by somebody else, and does not reach
    `BrokerLink.receive`; live messages for the session's other subscriptions still do. The
    filters are unsubscribed again, or restored where the session had subscribed to them.

    Many topics are better named one by one than by one wildcard: a broker's queue is finite.
    Raises `BrokerFailure`.
    """
    found: dict[str, bytes] = {}
    for start in range(0, len(filters), FILTERS_PER_ROUND):
        found.update(
            await _read_round(session, filters[start : start + FILTERS_PER_ROUND], marker_topic)
        )
    return found


async def _read_round(
    session: Session, filters: Sequence[str], marker_topic: str
) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    marker = secrets.token_hex(16).encode()
    echoed = trio.Event()
    before = dict(session.subscriptions)

    def collect(message: Message) -> bool:
        if message.topic == marker_topic:
            if message.payload == marker:
                echoed.set()
            return True
        if message.retain and any(matches(each, message.topic) for each in filters):
            found[message.topic] = message.payload
            return True
        return not any(matches(each, message.topic) for each in before)

    session.interceptors.append(collect)
    try:
        await session.subscribe([Subscription(marker_topic, qos=0)])
        await session.subscribe(
            [Subscription(each, 0, retain_as_published=False, qos=0) for each in filters]
        )
        await session.publish(marker_topic, marker)
        with trio.move_on_after(ECHO_PATIENCE):
            await echoed.wait()
        if not echoed.is_set():
            raise BrokerFailure(
                FailureKind.PUBLICATION,
                f"what was published to {marker_topic} did not come back within "
                f"{ECHO_PATIENCE:g} s",
            )
        read = [marker_topic, *filters]
        await session.unsubscribe([each for each in read if each not in before])
        await session.subscribe([before[each] for each in read if each in before])
    finally:
        session.interceptors.remove(collect)
    return found
