"""Which of a broker's addresses is reached."""

import socket
from collections.abc import Sequence
from typing import Any

import pytest
import trio

from bridge.mqtt.broker_health import BrokerState
from bridge.mqtt.dial import dial
from bridge.mqtt.paho_loop import PahoLoop
from bridge.mqtt.settings import BrokerSettings, Protocol
from tests.broker_fixtures import Launch

from .running_link import running
from .scripted_broker import read_packet


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


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
@pytest.mark.parametrize("keepalive", [5, 6, 30, 65_535])
async def test_a_silent_broker_is_noticed_after_the_keepalive_and_before_half_as_long_again(
    protocol: Protocol, keepalive: int
) -> None:
    """paho gives up twice what it tells the broker in CONNECT after the last it heard."""
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listeners[0].socket.getsockname()[1]
    settings = BrokerSettings(host="127.0.0.1", port=port, client_id="x", keepalive=keepalive)
    client = await dial(settings, protocol, None)
    async with listeners[0], await listeners[0].accept() as stream:
        client.loop_write()
        connect = await read_packet(stream)
        told = int.from_bytes(connect.partition(b"MQTT")[2][2:4], "big")
        assert keepalive <= 2 * told < 1.5 * keepalive
    PahoLoop(client).release()
