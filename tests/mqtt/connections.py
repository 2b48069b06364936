"""A second party on the broker, and short ways to open what is tested."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio

from bridge.mqtt.message import Message
from bridge.mqtt.session import Session, open_session
from bridge.mqtt.settings import BrokerSettings, Protocol, Subscription
from tests.brokers import Broker

__all__ = ["BOTH", "Peer", "peer", "settings_for"]

BOTH = pytest.mark.parametrize("protocol", [pytest.param("5", marks=pytest.mark.mqtt5), "3.1.1"])
"""Each test in both versions."""


def settings_for(broker: Broker, client_id: str, **changes: Any) -> BrokerSettings:
    """Settings that reach this broker."""
    values: dict[str, Any] = {"host": broker.host, "port": broker.port, "client_id": client_id}
    return BrokerSettings(**values | changes)


class Peer:
    """Another MQTT client: publishes, and keeps what it is sent."""

    def __init__(self, session: Session, inbox: trio.MemoryReceiveChannel[Message]) -> None:
        self.session = session
        self._inbox = inbox

    async def next(self) -> Message:
        """The next message, acknowledged."""
        message = await self._inbox.receive()
        message.acknowledge()
        return message

    async def until(self, topic: str, payload: bytes) -> None:
        """Read until this arrives."""
        while True:
            message = await self.next()
            if (message.topic, message.payload) == (topic, payload):
                return

    async def publish(self, topic: str, payload: bytes = b"", *, retain: bool = False) -> None:
        """Publish at QoS 1 until PUBACK."""
        await self.session.publish(topic, payload, retain=retain)


@asynccontextmanager
async def peer(
    broker: Broker,
    filters: Sequence[str] = (),
    *,
    name: str = "peer",
    retain_handling: Any = 0,
    protocol: Protocol | None = None,
    **changes: Any,
) -> AsyncIterator[Peer]:
    """A peer for the time of the body, with a session that ends with it."""
    send, receive = trio.open_memory_channel[Message](100_000)
    spoken: Protocol = protocol or ("5" if broker.speaks_mqtt5 else "3.1.1")
    settings = settings_for(broker, name, **{"session_expiry": 0} | changes)
    async with open_session(settings, spoken, deliver=send.send_nowait) as session:
        await session.subscribe(
            [Subscription(each, retain_handling, retain_as_published=False) for each in filters]
        )
        yield Peer(session, receive)
        await session.disconnect()
