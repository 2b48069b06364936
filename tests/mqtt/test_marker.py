"""The marker, at the start and as a sign of life: what waits for it, and what it tells."""

import pytest
import trio

from bridge.mqtt.broker_health import BrokerState
from bridge.mqtt.failures import FailureKind
from bridge.mqtt.image import Image
from bridge.mqtt.link import BrokerLink
from bridge.mqtt.retained import read_retained
from bridge.mqtt.session import Session
from bridge.mqtt.settings import BrokerSettings, Subscription
from tests.broker_fixtures import Launch
from tests.process.watched import PATIENCE

from .connections import peer
from .orderly_broker import orderly_broker
from .picky_broker import picky_broker
from .running_link import AVAILABILITY, running
from .test_link_setbacks import linked

RECEIVE_MAXIMUM = 16


async def test_a_marker_that_waits_for_acknowledgements_keeps_nothing_from_starting() -> None:
    """Each of the messages that were kept is acknowledged only once we are online."""
    found: dict[str, bytes] = {}
    caught_up, online = trio.Event(), trio.Event()

    async def greet(session: Session) -> None:
        assert session.session_present
        found.update(
            await read_retained(
                session, ["room/a/status"], "bridge/marker", caught_up=caught_up.set
            )
        )

    async with (
        orderly_broker(RECEIVE_MAXIMUM, {"room/a/status": b"recording"}) as broker,
        trio.open_nursery() as nursery,
    ):
        link = BrokerLink(
            BrokerSettings(
                host="127.0.0.1",
                port=broker.port,
                client_id="bridge",
                protocol="5",
                receive_maximum=RECEIVE_MAXIMUM,
                farewell_timeout=0.1,
            ),
            Image(),
            [Subscription("in/a")],
            availability_topic=AVAILABILITY,
            greet=greet,
            changed=lambda state: online.set() if state is BrokerState.ONLINE else None,
        )
        nursery.start_soon(link.run)
        with trio.fail_after(PATIENCE):
            await online.wait()
            assert found == {"room/a/status": b"recording"}
            assert not caught_up.is_set()
            for _ in range(RECEIVE_MAXIMUM):
                (await link.receive()).acknowledge()
            await caught_up.wait()
        assert broker.clients == ["bridge", "bridge-read"]
        assert link.waiting == 0
        nursery.cancel_scope.cancel()


async def test_a_broker_that_routes_no_more_is_left() -> None:
    """It acknowledges, and answers pings, and delivers nothing."""
    async with picky_broker() as broker, linked(broker, keepalive=1) as link:
        link.image.set("state", "idle")
        await link.image.settled()
        assert not await link.touch("bridge/marker")
        await broker.until(lambda broker: broker.connections >= 2)
        # Nothing was wrong with it before, so the second connection is the end of the first.
        assert link.failure is None or link.failure.kind is FailureKind.DEAF


async def test_a_broker_that_delivers_is_in_contact(launch: Launch) -> None:
    broker = launch()
    async with running(broker) as run:
        await run.until(BrokerState.ONLINE)
        assert await run.link.touch("bridge/marker")
        assert await run.link.touch("bridge/marker")
        assert run.link.health().reconnects == 0


async def test_a_taken_over_session_of_a_broker_that_keeps_the_connection_is_found_out(
    launch: Launch,
) -> None:
    pytest.importorskip("amqtt")
    broker = launch(kind="embedded")
    async with running(broker, client_id="twin", keepalive=2, protocol="3.1.1") as run:
        await run.until(BrokerState.ONLINE)
        async with peer(broker, name="twin"):
            pass
        with trio.fail_after(PATIENCE):
            assert not await run.link.touch("bridge/marker")
            await run.until(BrokerState.DOWN)
            await run.until(BrokerState.ONLINE)
            assert await run.link.touch("bridge/marker")
