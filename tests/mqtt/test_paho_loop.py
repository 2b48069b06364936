"""paho's loop where it is easily got wrong: failing writes, full sockets, abandoned connects."""

import socket
from typing import Any

import pytest
import trio

from bridge.mqtt.dial import dial
from bridge.mqtt.failures import BrokerFailure, FailureKind
from bridge.mqtt.paho_loop import PahoLoop
from bridge.mqtt.settings import BrokerSettings
from tests.brokers import Broker

from .connections import settings_for


def shut(sock: socket.socket | None) -> None:
    """Have every later write fail."""
    assert sock is not None
    sock.shutdown(socket.SHUT_WR)


async def test_a_write_from_a_callback_that_would_fail_ends_the_connection(broker: Broker) -> None:
    client = await dial(settings_for(broker, "callback"), "3.1.1", None)
    loop = PahoLoop(client)

    def on_connect(*_: Any) -> None:
        shut(client.transport_socket)
        client.subscribe("a")
        loop.write()

    client.on_connect = on_connect
    with pytest.raises(BrokerFailure) as caught:
        await loop.run()
    assert caught.value.kind is FailureKind.LOST
    assert not loop.alive


async def test_a_write_that_fails_wakes_nobody_to_wait_for_a_closed_socket(broker: Broker) -> None:
    client = await dial(settings_for(broker, "failing"), "3.1.1", None)
    loop = PahoLoop(client)
    connected = trio.Event()
    client.on_connect = lambda *_: connected.set()

    async def write() -> None:
        await connected.wait()
        shut(client.transport_socket)
        client.publish("a", b"x")
        loop.write()
        await loop.drained()

    with pytest.RaisesGroup(BrokerFailure, flatten_subgroups=True):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(write)
            await loop.run()


async def test_small_packets_are_not_held_back(broker: Broker) -> None:
    client = await dial(settings_for(broker, "nodelay"), "3.1.1", None)
    sock = client.transport_socket
    assert sock is not None
    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    PahoLoop(client).release()
    assert client.socket() is None


async def test_an_abandoned_connect_closes_the_socket_it_opens() -> None:
    """A peer that accepts TCP and says nothing of the WebSocket handshake until we have gone."""
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listeners[0].socket.getsockname()[1]
    accepted = trio.Event()
    ended = trio.Event()

    async def serve(stream: trio.SocketStream) -> None:
        async with stream:
            await stream.receive_some()
            accepted.set()
            while await stream.receive_some():
                pass
            ended.set()

    settings = BrokerSettings(
        host="127.0.0.1", port=port, client_id="x", transport="websockets", connect_timeout=5.0
    )
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.serve_listeners, serve, listeners)
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as inner:
                inner.start_soon(dial, settings, "5", None)
                await accepted.wait()
                scope.cancel()
        assert scope.cancelled_caught
        await ended.wait()
        nursery.cancel_scope.cancel()
