"""Which of a broker's addresses is reached."""

import socket
from collections.abc import Sequence
from typing import Any

import pytest
import trio

from bridge.mqtt.link import BrokerState
from tests.broker_fixtures import Launch

from .running_link import running


class Names(trio.abc.HostnameResolver):
    """A name service of one's own: this name has these addresses, in this order."""

    def __init__(self, name: str, addresses: Sequence[str]) -> None:
        self._name, self._addresses = name, addresses

    async def getaddrinfo(self, host: Any, port: Any, *_rest: Any) -> Any:
        """As the system's."""
        await trio.lowlevel.checkpoint()
        assert host in (self._name, self._name.encode())
        kind = socket.SOCK_STREAM
        return [(socket.AF_INET, kind, 6, "", (each, port)) for each in self._addresses]

    async def getnameinfo(self, *_: Any) -> Any:
        """Asked by nobody."""
        raise NotImplementedError


@pytest.mark.parametrize("dead", ["127.0.0.2", "192.0.2.1"])
async def test_a_dead_address_before_the_good_one_is_passed_by(launch: Launch, dead: str) -> None:
    """One that refuses, and one of a network that there is not: nothing comes back from it."""
    broker = launch()
    trio.socket.set_custom_hostname_resolver(Names("broker.test", [dead, "127.0.0.1"]))
    async with running(broker, host="broker.test", connect_timeout=30.0) as run:
        await run.until(BrokerState.ONLINE)
        assert run.states == [BrokerState.ONLINE]
