"""The broker link over the life of a real broker: start, stop, kill, freeze, flood, refusal."""

from typing import Any

import pytest
import trio
from structlog.testing import capture_logs

from bridge.mqtt.broker_health import BrokerState
from bridge.mqtt.session import Session
from bridge.mqtt.settings import Protocol, Subscription
from tests.broker_fixtures import Launch
from tests.brokers import Broker, BrokerOptions, free_port
from tests.process.watched import PATIENCE

from .connections import BOTH, peer
from .running_link import AVAILABILITY, Running, running


@BOTH
async def test_states_come_before_online_and_offline_comes_last(
    launch: Launch, protocol: Protocol
) -> None:
    broker = launch()
    async with peer(broker, ["hmp/#"]) as panel:
        async with running(broker, protocol=protocol) as run:
            run.image.set("hmp/room/a/state", "idle")
            run.image.set("hmp/room/b/state", "idle")
            await run.image.settled()
            await run.until(BrokerState.ONLINE)
            run.image.set("hmp/room/a/state", "recording")
            run.image.send("hmp/room/a/ack", "record ok")
        heard = []
        while (AVAILABILITY, b"offline") not in heard:
            message = await panel.next()
            heard.append((message.topic, message.payload))
    assert heard == [
        ("hmp/room/a/state", b"idle"),
        ("hmp/room/b/state", b"idle"),
        (AVAILABILITY, b"online"),
        ("hmp/room/a/state", b"recording"),
        ("hmp/room/a/ack", b"record ok"),
        (AVAILABILITY, b"offline"),
    ]
    assert run.states[-1] is BrokerState.DOWN


@BOTH
async def test_a_restarted_broker_gets_everything_again(launch: Launch, protocol: Protocol) -> None:
    broker = launch()
    async with running(broker, protocol=protocol, filters=("in/#",)) as run:
        for number in range(100):
            run.image.set(f"hmp/{number}", "before")
        await run.image.settled()
        await trio.to_thread.run_sync(broker.stop)
        await run.until(BrokerState.DOWN)
        run.image.set("hmp/7", "changed while away")
        run.image.send("hmp/result", "kept")
        await trio.to_thread.run_sync(broker.start)
        await run.image.settled()
        async with peer(broker, ["hmp/#"]) as panel:
            held = dict([await _pair(panel) for _ in range(101)])
            assert held["hmp/7"] == b"changed while away"
            assert held["hmp/8"] == b"before"
            assert held[AVAILABILITY] == b"online"
            await panel.publish("in/press", b"true")
            assert (await run.link.receive()).topic == "in/press"
        assert run.link.health().reconnects >= 1


async def _pair(panel: Any) -> tuple[str, bytes]:
    message = await panel.next()
    return message.topic, message.payload


@BOTH
async def test_a_killed_broker_is_the_same_to_us(launch: Launch, protocol: Protocol) -> None:
    broker = launch()
    async with running(broker, protocol=protocol) as run:
        run.image.set("a", "1")
        await run.image.settled()
        for value in ("2", "3"):
            await trio.to_thread.run_sync(broker.kill)
            await run.until(BrokerState.DOWN)
            run.image.set("a", value)
            await trio.to_thread.run_sync(broker.start)
            await run.image.settled()
        async with peer(broker, ["a"]) as panel:
            # Not simply the next message: the embedded broker adds some that nobody asked for.
            await panel.until("a", b"3")


async def test_a_frozen_broker_is_noticed_by_what_it_leaves_unanswered(launch: Launch) -> None:
    broker = launch()
    async with running(broker, keepalive=2) as run:
        await run.until(BrokerState.ONLINE)
        broker.freeze()
        with capture_logs() as logs, trio.fail_after(PATIENCE):
            run.image.set("a", "1")
            await run.until(BrokerState.DOWN)
        assert "unanswered" in str(run.link.health().error) or "PINGREQ" in logs[0]["error"]
        broker.thaw()
        await run.image.settled()


async def test_a_frozen_broker_is_noticed_by_its_silence(launch: Launch) -> None:
    broker = launch()
    async with running(broker, keepalive=3) as run:
        await run.until(BrokerState.ONLINE)
        broker.freeze()
        with trio.fail_after(PATIENCE):
            await run.until(BrokerState.DOWN)
        assert "PINGREQ" in str(run.link.health().error)
        broker.thaw()


@BOTH
async def test_a_late_will_is_answered_with_online(launch: Launch, protocol: Protocol) -> None:
    broker = launch()
    async with (
        running(broker, protocol=protocol) as run,
        peer(broker, [AVAILABILITY], retain_handling=2) as other,
    ):
        await run.until(BrokerState.ONLINE)
        with capture_logs() as logs:
            await other.publish(AVAILABILITY, b"offline", retain=True)
            await other.until(AVAILABILITY, b"offline")
            await other.until(AVAILABILITY, b"online")
        assert "saying it again" in logs[0]["event"]
        await other.publish("probe", b"")


@BOTH
async def test_greet_runs_before_anything_is_said_and_may_end_everything(
    launch: Launch, protocol: Protocol
) -> None:
    broker = launch()

    class ForeignBridgeError(Exception):
        pass

    async def greet(session: Session) -> None:
        await session.publish("greeted", b"")
        raise ForeignBridgeError

    async with peer(broker, ["#"]) as other:
        await other.publish(AVAILABILITY, b"online", retain=True)
        await other.until(AVAILABILITY, b"online")
        run = Running(broker, greet=greet, protocol=protocol)
        run.image.set("room", "idle")
        with pytest.RaisesGroup(ForeignBridgeError, flatten_subgroups=True):
            await run.link.run()
        assert (await other.next()).topic == "greeted"
        await other.publish("end", b"")
        assert (await other.next()).topic == "end"


@pytest.mark.mqtt5  # sessions are resumed in MQTT 5 only
async def test_a_press_is_received_once_though_its_acknowledgement_was_lost(
    launch: Launch,
) -> None:
    """The link's connection breaks with messages waiting, taken and acknowledged."""
    broker = launch()
    async with (
        running(broker, filters=("press",), client_id="victim") as run,
        peer(broker) as panel,
    ):
        await run.until(BrokerState.ONLINE)
        for number in range(3):
            await panel.publish("press", str(number).encode())
        first = await run.link.receive()
        second = await run.link.receive()
        # Another client with our identifier takes the session; it takes nothing from it.
        before = len(run.states)
        async with peer(broker, name="victim", session_expiry=60):
            pass
        await run.until(BrokerState.DOWN, since=before)
        first.acknowledge()
        await run.until(BrokerState.ONLINE)
        assert run.link.health().session_present
        third = await run.link.receive()
        second.acknowledge()
        third.acknowledge()
        await panel.publish("press", b"3")
        last = await run.link.receive()
        last.acknowledge()
        assert [m.payload for m in (first, second, third, last)] == [b"0", b"1", b"2", b"3"]
        assert run.link.health().received_unacknowledged == 0


@pytest.mark.mqtt5  # the embedded broker makes QoS 1 of everything for a QoS 1 subscriber
async def test_a_flood_at_qos_0_is_dropped_beyond_the_capacity(launch: Launch) -> None:
    broker = launch()
    async with (
        running(broker, filters=("flood",), receive_maximum=50) as run,
        peer(broker) as other,
    ):
        await run.until(BrokerState.ONLINE)
        with capture_logs() as logs:
            for _ in range(2000):
                other.session.post("flood", b"x", qos=0, retain=False)
            await other.publish("flood", b"last")
            # Our next PUBACK comes behind everything that the broker had for us.
            run.image.set("a", "1")
            await run.image.settled()
        health = run.link.health()
        assert run.link.waiting == 51
        assert health.received_dropped == 1950
        assert len(logs) == 1


async def test_what_former_connections_could_not_use_is_counted_with_the_rest(
    launch: Launch,
) -> None:
    broker = launch()
    # A broker of 3.1.1 cannot be told how much we take.
    how: dict[str, Any] = {"protocol": "3.1.1", "maximum_packet_size": 1000}
    async with running(broker, filters=("in",), **how) as run:
        for dropped in (1, 2, 3):
            await run.until(BrokerState.ONLINE)
            async with peer(broker) as panel:
                await panel.publish("in", b"x" * 2000)
                await panel.publish("in", b"short")
                (await run.link.receive()).acknowledge()
            assert run.link.health().received_dropped == dropped
            since = len(run.states)
            await trio.to_thread.run_sync(broker.kill)
            await run.until(BrokerState.DOWN, since=since)
            assert run.link.health().received_dropped == dropped
            await trio.to_thread.run_sync(broker.start)


@pytest.mark.mqtt5
async def test_a_slow_subscriber_ends_with_every_topic_right(launch: Launch) -> None:
    """More topics than mosquitto queues for a QoS 1 subscriber that takes 1 ms a message."""
    broker = launch()
    topics = 5000
    state: dict[str, bytes] = {}

    async with peer(broker, ["slow/#"], receive_maximum=20) as panel:

        async def read() -> None:
            while len(state) < topics or set(state.values()) != {b"y" * 100}:
                message = await panel.next()
                state[message.topic] = message.payload
                await trio.sleep(0.001)

        async with running(broker, client_id="announcer") as run:
            for number in range(topics):
                run.image.set(f"slow/{number}", b"y" * 100)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(read)
                await run.image.settled()
    assert len(state) == topics


@pytest.mark.mqtt5
async def test_a_broker_that_is_too_small_for_a_message_keeps_the_connection(
    launch: Launch,
) -> None:
    broker = launch(BrokerOptions(extra=("max_packet_size 1000",)))
    async with running(broker) as run:
        run.image.set("big", "x" * 5000)
        run.image.set("small", "x")
        await run.image.settled()
        assert run.link.health().reconnects == 0
        assert run.link.health().refused == 1


async def test_cancelled_without_a_broker_it_leaves_at_once(broker: Broker) -> None:
    with trio.fail_after(PATIENCE):
        async with running(broker, port=free_port(), farewell_timeout=3600) as run:
            run.image.set("a", "1")
            await run.until(BrokerState.DOWN)


async def test_cancelled_with_a_frozen_broker_it_leaves_in_time(launch: Launch) -> None:
    broker = launch()
    with trio.fail_after(PATIENCE):
        async with running(broker, farewell_timeout=0.5) as run:
            await run.until(BrokerState.ONLINE)
            broker.freeze()
            run.image.set("a", "1")
    broker.thaw()


@BOTH
async def test_subscriptions_come_and_go_on_the_live_session(
    launch: Launch, protocol: Protocol
) -> None:
    """And what was given up while there was no broker is not heard after it came back."""
    broker = launch(BrokerOptions(persistence=True))
    async with running(broker, filters=("a",), protocol=protocol) as run:
        await run.until(BrokerState.ONLINE)
        await run.link.subscribe([Subscription("b"), Subscription("c")])
        await run.link.unsubscribe(["a"])
        async with peer(broker) as device:
            for topic in "abc":
                await device.publish(topic, b"1")
        assert [(await heard(run)).topic for _ in "bc"] == ["b", "c"]
        broker.stop()
        await run.until(BrokerState.DOWN)
        await run.link.unsubscribe(["b"])
        await run.link.subscribe([Subscription("d")])
        broker.start()
        await run.until(BrokerState.ONLINE)
        async with peer(broker) as device:
            for topic in "abcd":
                await device.publish(topic, b"2")
        assert [(await heard(run)).topic for _ in "cd"] == ["c", "d"]
        assert run.link.waiting == 0


async def heard(run: Running) -> Any:
    """The next message, acknowledged; but our own word, which a resumed session may bring."""
    while True:
        message = await run.link.receive()
        message.acknowledge()
        if message.topic != AVAILABILITY:
            return message
