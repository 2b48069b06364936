"""Somebody who only listens: a connection that is made again, and never publishes.

Without a will, with a session that ends with the connection, so that it leaves nothing on the
broker and keeps nothing waiting there.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import trio

from ..process.backoff import Backoff
from .failures import BrokerFailure, flatten
from .message import Message
from .negotiate import accepting, in_either_version
from .session import open_session
from .settings import BrokerSettings, Protocol, Subscription

__all__ = ["listen"]


async def listen(
    settings: BrokerSettings,
    filters: Sequence[str],
    deliver: Callable[[Message], None],
    changed: Callable[[BrokerFailure | None], None],
    backoff: Backoff | None = None,
) -> None:
    """Deliver what matches `filters`, what is retained first, at every connection; for ever.

    All of it comes at QoS 0: brokers drop what exceeds the queue of a subscriber at QoS 1, which
    every room's retained topics at once may do. `changed` hears of every connection that stands
    (None) and of every failure. `settings.client_id` must be nobody else's.
    """
    own = replace(settings, session_expiry=0)
    subscriptions = [Subscription(each, 0, retain_as_published=False, qos=0) for each in filters]
    waits = backoff or Backoff()

    async def converse(protocol: Protocol) -> None:
        async with open_session(
            own, protocol, deliver=deliver, accepting=accepting(own, protocol)
        ) as session:
            try:
                await session.subscribe(subscriptions)
                changed(None)
                await session.ended()
            finally:
                waits.connection_ended(trio.current_time() - session.accepted_at)
                with trio.move_on_after(own.farewell_timeout, shield=True):
                    await session.disconnect()

    while True:
        try:
            await in_either_version(own, converse)
        except* BrokerFailure as group:
            changed(flatten(group))
        await trio.sleep(waits.next())
