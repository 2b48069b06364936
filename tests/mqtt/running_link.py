"""A broker link at work, and the states that it goes through."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import trio

from bridge.mqtt.broker_health import BrokerState
from bridge.mqtt.image import Image
from bridge.mqtt.link import BrokerLink
from bridge.mqtt.session import Session
from bridge.mqtt.settings import Subscription
from bridge.process.backoff import Backoff
from tests.brokers import Broker

from .connections import settings_for

__all__ = ["AVAILABILITY", "Running", "running"]

AVAILABILITY = "hmp/bridge/state"


class Running:
    """A link in a nursery, and the states that it went through."""

    def __init__(
        self,
        broker: Broker,
        *,
        filters: tuple[str, ...] = (),
        bound: tuple[str, ...] = (),
        own: tuple[str, ...] = (),
        greet: Callable[[Session], Awaitable[None]] | None = None,
        backoff: Backoff | None = None,
        **settings: Any,
    ) -> None:
        self.states: list[BrokerState] = []
        self.image = Image()
        self._news = trio.lowlevel.ParkingLot()
        more: dict[str, Any] = {} if greet is None else {"greet": greet}
        self.link = BrokerLink(
            settings_for(broker, settings.pop("client_id", "bridge"), **settings),
            self.image,
            [
                *(Subscription(each) for each in filters),
                *(Subscription(each, essential=False) for each in bound),
            ],
            availability_topic=AVAILABILITY,
            own=own,
            changed=self._note,
            backoff=backoff or Backoff(shortest=0.02, longest=0.1),
            **more,
        )

    def _note(self, state: BrokerState) -> None:
        self.states.append(state)
        self._news.unpark_all()

    async def until(self, state: BrokerState, *, since: int | None = None) -> None:
        """Return when the link is in this state, or has been since now.

        Or since it had gone through `since` states: it may be back before anybody looks.
        """
        since = len(self.states) if since is None else since
        while self.link.state is not state and state not in self.states[since:]:
            await self._news.park()


@asynccontextmanager
async def running(broker: Broker, **how: Any) -> AsyncIterator[Running]:
    """A link for the time of the body; it leaves in good order."""
    run = Running(broker, **how)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(run.link.run)
        yield run
        nursery.cancel_scope.cancel()
