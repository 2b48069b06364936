"""Asking for a change of hands where there are several brokers: at which of them, and how often."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from bridge.config.configuration import Configuration
from bridge.daemon.box_words import BoxState, BoxWord, render_word
from bridge.daemon.yielding import NobodyYields, ask_to_yield
from bridge.mqtt.topics import Topics
from tests.broker_fixtures import Launch
from tests.brokers import Broker, free_port
from tests.mqtt.connections import Peer, peer

TOPICS = Topics()
REQUEST, ANSWER = TOPICS.request("yield"), TOPICS.response("yield")
LEADS = render_word(BoxWord(BoxState.LEADER, "bbbbbbbb")).encode()


@pytest.fixture
def stopped() -> MockClock:
    """A clock that a test moves: no patience ends because the machine is slow."""
    return MockClock()


async def ask(leads: list[str], *ports: int) -> None:
    """Ask at the brokers with these ports; `leads` is told who does then."""
    session = "71edd346-2cf0-4c62-b3d3-9d457b287394"
    configuration = Configuration.model_validate(
        {
            "mqtt": {"host": [f"127.0.0.1:{port}" for port in ports]},
            "servers": {"main": {"host": "hmp"}},
            "rooms": {"r0": {"server": "main", "session": session}},
        }
    )
    leads.append(await ask_to_yield(configuration))


async def hand_over(there: Peer, to: str) -> None:
    """As the box that leads does; one of those that were ready leads then."""
    request = await there.next()
    answer = {"id": json.loads(request.payload)["id"], "outcome": "ok", "value": {"to": ["b", "c"]}}
    await there.publish(ANSWER, json.dumps(answer).encode())
    await there.publish(TOPICS.standby(to), LEADS)


async def pass_until(event: trio.Event, clock: MockClock) -> None:
    """Have time pass until then."""
    while not event.is_set():
        clock.jump(1)
        await wait_all_tasks_blocked()


@asynccontextmanager
async def line_to(broker: Broker, called: trio.Event) -> AsyncIterator[int]:
    """A port by which the broker is reached; `called` is set when somebody comes."""

    async def pass_on(near: trio.SocketStream, far: trio.SocketStream) -> None:
        async for data in near:
            await far.send_all(data)
        await far.send_eof()

    async def serve(near: trio.SocketStream) -> None:
        called.set()
        async with (
            near,
            await trio.open_tcp_stream(broker.host, broker.port) as far,
            trio.open_nursery() as nursery,
        ):
            nursery.start_soon(pass_on, near, far)
            await pass_on(far, near)
            nursery.cancel_scope.cancel()

    async with trio.open_nursery() as nursery:
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        nursery.start_soon(trio.serve_listeners, serve, [listener])
        yield listener.socket.getsockname()[1]
        nursery.cancel_scope.cancel()


async def test_a_broker_that_takes_no_connection_is_passed_over(
    stopped: MockClock, broker: Broker
) -> None:
    leads: list[str] = []
    async with peer(broker, [REQUEST]) as there, trio.open_nursery() as nursery:
        nursery.start_soon(ask, leads, free_port(), broker.port)
        await hand_over(there, "b")
    assert leads == ["b"]


async def test_a_broker_where_nobody_answers_is_passed_over(
    stopped: MockClock, launch: Launch
) -> None:
    """A word that an earlier leader has left there says nothing of who leads at the next one."""
    first, second = launch(), launch()
    called = trio.Event()
    leads: list[str] = []
    async with (
        peer(first, [REQUEST]) as nobody,
        peer(second, [REQUEST]) as there,
        line_to(second, called) as port,
        trio.open_nursery() as nursery,
    ):
        await nobody.publish(TOPICS.standby("b"), LEADS, retain=True)
        nursery.start_soon(ask, leads, first.port, port)
        await nobody.next()
        await pass_until(called, stopped)
        await hand_over(there, "c")
    assert leads == ["c"]


async def test_where_no_broker_has_anybody_it_is_said(stopped: MockClock, launch: Launch) -> None:
    """Of each of them, and why."""
    said, closed = trio.Event(), free_port()

    async def ask_in_vain(port: int) -> None:
        try:
            with pytest.RaisesGroup(
                pytest.RaisesExc(NobodyYields, match=f"^127.0.0.1:{closed} refuses connections"),
                pytest.RaisesExc(NobodyYields, match=f"^127.0.0.1:{port}: no bridge has answered"),
                flatten_subgroups=True,
            ):
                await ask([], closed, port)
        finally:
            said.set()

    async with trio.open_nursery() as nursery:
        nobody = launch()
        async with peer(nobody, [REQUEST]) as there:
            nursery.start_soon(ask_in_vain, nobody.port)
            await there.next()
            await pass_until(said, stopped)


async def test_who_may_have_heard_it_is_not_asked_at_another_broker(
    stopped: MockClock, launch: Launch, broker: Broker
) -> None:
    """Whoever leads by then would give the lease back."""
    first = launch()
    async with peer(broker, [REQUEST]) as there:
        with pytest.RaisesGroup(
            pytest.RaisesExc(NobodyYields, match=f"127.0.0.1:{first.port}"),
            flatten_subgroups=True,
        ):
            async with trio.open_nursery() as nursery:
                async with peer(first, [REQUEST]) as nobody:
                    nursery.start_soon(ask, [], first.port, broker.port)
                    await nobody.next()
                first.kill()
        await there.publish(REQUEST, b"the first that is heard")
        assert (await there.next()).payload == b"the first that is heard"
