"""Somebody who only listens: a connection that is made again, and never publishes.

Without a will, with a session that ends with the connection, so that it leaves nothing on the
broker and keeps nothing waiting there.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import trio

from ..process.backoff import Backoff
from .failures import BrokerFailure, flatten
from .message import Message
from .negotiate import accepting, in_either_version
from .nodes import Nodes
from .session import Session, open_session
from .settings import BrokerSettings, Protocol, Subscription

__all__ = ["listen"]


async def listen(
    settings: BrokerSettings,
    filters: Sequence[str],
    deliver: Callable[[Message], None],
    changed: Callable[[BrokerFailure | None], None],
    backoff: Backoff | None = None,
    *,
    by_name: Sequence[str] = (),
) -> None:
    """Deliver what matches `filters`, what is retained first, at every connection; for ever.

    All of it comes at QoS 0: brokers drop what exceeds the queue of a subscriber at QoS 1, which
    every room's retained topics at once may do. `changed` hears of every connection that stands
    (None) and of every failure. `settings.client_id` must be nobody else's. `by_name` are topics to
    ask for one by one where the broker gives nothing retained for `filters` (RabbitMQ).
    """
    nodes = Nodes(replace(settings, session_expiry=0))
    subscriptions = _retained_first(filters)
    names = [each for each in by_name if each not in filters]
    exact = {*filters, *names[:1]}
    by_wildcard = False

    def hear(message: Message) -> None:
        nonlocal by_wildcard
        by_wildcard |= message.topic not in exact
        deliver(message)

    waits, lived = backoff or Backoff(), False

    async def ask_by_name(session: Session) -> None:
        # The answer for the first comes behind all that the broker gives for a wildcard.
        await session.subscribe(_retained_first(names[:1]))
        if by_wildcard:
            await session.unsubscribe(names[:1])
        else:
            await session.subscribe(_retained_first(names[1:]))

    async def converse(own: BrokerSettings, protocol: Protocol) -> None:
        nonlocal by_wildcard, lived
        by_wildcard = False
        async with open_session(
            own,
            protocol,
            deliver=hear,
            accepting=accepting(own, protocol),
            reached=nodes.reached,
        ) as session:
            try:
                await session.subscribe(subscriptions)
                await ask_by_name(session)
                changed(None)
                await session.ended()
            finally:
                lived = waits.connection_ended(trio.current_time() - session.accepted_at)
                with trio.move_on_after(own.farewell_timeout, shield=True):
                    await session.disconnect()

    while True:
        lived = False
        try:
            own = await nodes.choose()
            await in_either_version(own, partial(converse, own))
        except* BrokerFailure as group:
            changed(flatten(group))
        if not await nodes.another(lived=lived):
            await trio.sleep(waits.next())


def _retained_first(filters: Sequence[str]) -> list[Subscription]:
    return [Subscription(each, 0, retain_as_published=False, qos=0) for each in filters]
