"""A daemon in the process of a test, between its HMP and a hostile broker."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from bridge.config.configuration import Configuration
from bridge.daemon.app import Bridge
from bridge.daemon.parts import Parts
from bridge.journal.file import FileStore
from bridge.journal.journal import Journal
from tests.cluster.fixtures import in_memory
from tests.mqtt.hostile_broker import HostileBroker, Wrapped, as_it_is, hostile_broker
from tests.process.daemon import configuration
from tests.process.hmp import Hmp

from .freezing import STILL
from .hostile_words import BASE

__all__ = ["USABLE", "House", "house"]

PATIENCE = 300.0
"""Seconds of the daemon's own time: who waits for longer waits in vain."""

USABLE = 6.0
"""Seconds after which the next loss of a connection is the first one (R21)."""


class House:
    """A daemon in the process of the test, between its HMP and a hostile broker."""

    def __init__(self, broker: HostileBroker, capsys: pytest.CaptureFixture[str]) -> None:
        self.broker = broker
        self._capsys = capsys
        self._wants = "recording"

    def heard(self) -> str:
        """The log, since this was asked last."""
        return self._capsys.readouterr().out

    async def until(self, is_so: Callable[[], bool]) -> None:
        with trio.fail_after(PATIENCE):
            await self.broker.until(is_so)

    async def more_than(self, connections: int) -> None:
        """The bridge has connected once more."""
        await self.until(lambda: len(self.broker.connections) > connections)

    async def works(self) -> None:
        """A press is carried out."""
        broker, wanted = self.broker, self._wants
        action = "record" if wanted == "recording" else "stop"
        await self.until(lambda: broker.is_online)
        for payload in (b"true", b"false"):
            await broker.say(broker.publish(f"{BASE}/room/r0/press/{action}", payload))
        state = f"{BASE}/room/r0/state"
        await self.until(lambda: broker.retained.get(state) == wanted.encode())
        self._wants = "idle" if wanted == "recording" else "recording"


@asynccontextmanager
async def house(
    mqtt5: bool,
    hmp: Hmp,
    clock: MockClock,
    capsys: pytest.CaptureFixture[str],
    *,
    over: Wrapped = as_it_is,
    **mqtt: Any,
) -> AsyncIterator[House]:
    """Such a daemon, for the time of the body; `mqtt` is more of its configuration.

    Time goes on by itself once nothing happens any more, where MQTT is spoken `over` TCP alone. The
    handshakes of the others are in a thread, which no clock of a test knows of: time is real there.
    """
    clock.rate = 1.0
    availability = f"{BASE}/bridge/state"
    async with hostile_broker(mqtt5=mqtt5, availability=availability, over=over) as broker:
        tables = configuration(
            broker_port=broker.port,
            hmp_port=hmp.port,
            base_topic=BASE,
            rooms=1,
            mqtt={"protocol": "5" if mqtt5 else "3.1.1"} | mqtt,
            server={"poll_interval": "1m", "probe_interval": "1m"},
        )
        tables["bridge"] = {"health_every": "1m"}
        with in_memory(0) as folder, closing(Journal(FileStore(folder))) as journal:
            bridge = Bridge(Parts(Configuration.model_validate(tables), "x", journal))
            made = House(broker, capsys)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(bridge.run)
                await made.until(lambda: broker.is_online)
                if over is as_it_is:
                    clock.rate, clock.autojump_threshold = 0.0, STILL
                await made.works()
                yield made
                bridge.stop()
