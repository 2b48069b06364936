"""paho's loop where it is easily got wrong: failing writes, full sockets, abandoned connects."""

import socket
from contextlib import suppress
from typing import Any

import pytest
import trio
import trio.testing
from paho.mqtt.enums import MQTTProtocolVersion

from bridge.mqtt.dial import dial
from bridge.mqtt.failures import BrokerFailure, FailureKind
from bridge.mqtt.paho_client import PahoClient
from bridge.mqtt.paho_loop import PahoLoop
from bridge.mqtt.settings import BrokerSettings
from bridge.tls.settings import TlsSettings
from tests.broker_fixtures import Launch
from tests.brokers import Broker, BrokerOptions, Certificates

from .connections import peer, settings_for
from .wire import wire


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
        client.post("a", b"x", qos=1, retain=False)
        await loop.drained()

    with pytest.RaisesGroup(BrokerFailure, flatten_subgroups=True):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(write)
            await loop.run()


async def test_what_one_turn_queues_leaves_together() -> None:
    """Beside one more for what is queued while that is on its way."""
    with wire(PahoClient, MQTTProtocolVersion.MQTTv5) as wired:
        assert isinstance(wired.client, PahoClient)
        loop = PahoLoop(wired.client)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(loop.run)
            for batch in range(1, 4):
                for number in range(10):
                    wired.client.post("a", b"x", qos=1, retain=True)
                    wired.client.ack(number, 1)
                await loop.drained()
                assert wired.near.sends == batch
            loop.stop()


async def test_what_was_queued_last_still_leaves() -> None:
    with wire(PahoClient, MQTTProtocolVersion.MQTTv311) as wired:
        assert isinstance(wired.client, PahoClient)
        loop = PahoLoop(wired.client)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(loop.run)
            await trio.lowlevel.checkpoint()
            wired.client.post("a", b"x", qos=0, retain=False)
            loop.stop()
        assert wired.far.recv(100) == b"\x30\4\0\1ax"


@pytest.mark.mqtt5
async def test_what_is_queued_behind_a_refused_write_follows_it_over_tls(
    launch: Launch, certificates: Certificates
) -> None:
    broker = launch(BrokerOptions(tls=certificates))
    payloads = [bytes([number]) * 100_000 for number in range(100)]
    tls = TlsSettings(ca=str(certificates.ca))
    settings = settings_for(broker, "secret", host="localhost", port=broker.tls_port, tls=tls)
    client = await dial(settings, "5", None)
    loop = PahoLoop(client)
    assert client.transport_socket is not None
    client.transport_socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    refused = 0
    async with peer(broker, ["heavy"]) as listener, trio.open_nursery() as nursery:
        nursery.start_soon(loop.run)
        for number, payload in enumerate(payloads):
            client.post("heavy", payload, qos=0, retain=False)
            if number % 10 == 0:
                await trio.testing.wait_all_tasks_blocked()
                refused += client.want_write()
        received = [(await listener.next()).payload for _ in payloads]
        loop.stop()
    assert received == payloads
    assert refused


async def test_small_packets_are_not_held_back(broker: Broker) -> None:
    client = await dial(settings_for(broker, "nodelay"), "3.1.1", None)
    sock = client.transport_socket
    assert sock is not None
    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    PahoLoop(client).release()
    assert client.socket() is None


@pytest.mark.parametrize(
    ("over", "says"),
    [("TLS", b""), ("TLS", b"\x16"), ("WebSocket", b""), ("WebSocket", b"HTTP/1.1 101")],
)
async def test_an_abandoned_connect_closes_the_socket_it_opens(over: str, says: bytes) -> None:
    """No thread waits on for the rest of a handshake, which may come a byte at a time for ever."""
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listeners[0].socket.getsockname()[1]
    accepted = trio.Event()
    ended = trio.Event()

    async def serve(stream: trio.SocketStream) -> None:
        async with stream:
            await stream.receive_some()
            if says:
                await stream.send_all(says)
            accepted.set()
            with suppress(trio.BrokenResourceError):
                while await stream.receive_some():
                    pass
            ended.set()

    settings = BrokerSettings(
        host="127.0.0.1",
        port=port,
        client_id="x",
        transport="websockets" if over == "WebSocket" else "tcp",
        tls=TlsSettings(insecure=True) if over == "TLS" else None,
        connect_timeout=86_400.0,
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
