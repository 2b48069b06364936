"""One publication, or one filter, that a broker will not have: everything else goes on (R23, R24).

The brokers that hang up are written down; those that answer are mosquitto.
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
from structlog.testing import capture_logs

from bridge.mqtt.broker_health import BrokerState
from bridge.mqtt.image import Image
from bridge.mqtt.link import BrokerLink
from bridge.mqtt.settings import BrokerSettings, Subscription
from bridge.process.backoff import Backoff
from tests.broker_fixtures import Launch
from tests.brokers import BrokerOptions

from .connections import Peer, peer
from .dynamic_security import may_only
from .picky_broker import PickyBroker, picky_broker
from .running_link import AVAILABILITY, running

LONG = json.dumps({"state": "recording", "id": "1" * 36, "title": "t" * 1500}).encode()


@asynccontextmanager
async def linked(
    broker: PickyBroker, *subscriptions: Subscription, keepalive: int = 30
) -> AsyncIterator[BrokerLink]:
    """A link to it that waits 20 ms at first, and 0.1 s at most, between two attempts."""
    settings = BrokerSettings(
        host="127.0.0.1",
        port=broker.port,
        client_id="b",
        protocol="3.1.1",
        farewell_timeout=0.1,
        keepalive=keepalive,
    )
    link = BrokerLink(
        settings,
        Image(),
        subscriptions or [Subscription("in")],
        availability_topic=AVAILABILITY,
        backoff=Backoff(shortest=0.02, longest=0.1),
    )
    async with trio.open_nursery() as nursery:
        nursery.start_soon(link.run)
        yield link
        nursery.cancel_scope.cancel()


async def test_a_topic_that_a_broker_hangs_up_over_is_set_aside_and_named() -> None:
    async with (
        picky_broker(publish=lambda topic: topic == "room/7/status") as broker,
        linked(broker) as link,
    ):
        for number in range(50):
            link.image.set(f"room/{number}/status", "idle")
        with capture_logs() as logs:
            await link.image.settled()
        assert link.state is BrokerState.ONLINE
        assert link.image.withheld == ["room/7/status"]
        assert len([each for each in broker.retained if each.startswith("room/")]) == 49
        # Two to suspect it, one for it alone, one for its emptying.
        assert broker.connections <= 5
        link.image.set("room/8/status", "recording")
        link.image.set("room/7/status", "recording")
        await link.image.settled()
        assert broker.retained["room/8/status"] == b"recording"
        assert broker.connections <= 5
    named = [each for each in logs if each["event"] == "mqtt publication refused"]
    assert [each["topic"] for each in named] == ["room/7/status"]


async def test_a_result_that_a_broker_hangs_up_over_is_given_up() -> None:
    arrived = []
    async with picky_broker(publish=lambda topic: topic == "result") as broker:
        async with linked(broker) as link:
            link.image.set("state", "idle")
            await link.image.settled()
            link.image.send("result", "{}", arrived=lambda: arrived.append(True))
            link.image.send("ack", "ok")
            await link.image.settled()
        assert arrived == [True]
        assert ("ack", b"ok") in broker.published
        assert broker.connections <= 5


async def test_a_binding_that_a_broker_hangs_up_over_is_left_alone() -> None:
    bound = [Subscription(each, essential=False) for each in ("a", "evil", "b")]
    async with (
        picky_broker(subscribe=lambda each: each == "evil") as broker,
        linked(broker, Subscription("in"), *bound) as link,
    ):
        with capture_logs() as logs:
            await broker.until(lambda broker: ["b"] in broker.filters)
            link.image.set("state", "idle")
            await link.image.settled()
        assert link.state is BrokerState.ONLINE
        assert list(link.health().refused_filters) == ["evil"]
        assert broker.connections == 3
    assert [each["filter"] for each in logs if "filter" in each] == ["evil"]


async def test_one_connection_that_ends_over_a_filter_proves_nothing_against_it() -> None:
    """A node that dies just then is the same to look at, and each is asked for alone over 3.1.1."""
    ended: list[str] = []

    def once(each: str) -> bool:
        ended.extend([each] if each == "own" else [])
        return ended == [each]

    own = Subscription("own", essential=False, no_local=True)
    async with (
        picky_broker(subscribe=once) as broker,
        linked(broker, Subscription("in"), own) as link,
    ):
        with trio.fail_after(30):
            await broker.until(lambda broker: broker.filters.count(["own"]) >= 2)
        link.image.set("state", "idle")
        await link.image.settled()
        assert link.health().refused_filters == {}


async def test_silence_is_not_held_against_a_filter() -> None:
    """A cluster that has lost a node answers for none, and closes the connection over none."""
    asked: list[str] = []

    def at_first(each: str) -> bool:
        asked.extend([each] if each == "slow" else [])
        return each == "slow" and len(asked) <= 3

    bound = Subscription("slow", essential=False)
    async with (
        picky_broker(silent=at_first) as broker,
        linked(broker, Subscription("in"), bound, keepalive=1) as link,
    ):
        with trio.fail_after(60):
            await broker.until(lambda broker: broker.filters.count(["slow"]) >= 4)
        link.image.set("state", "idle")
        await link.image.settled()
        assert link.health().refused_filters == {}


async def test_a_subscribe_has_at_most_eight_filters() -> None:
    """The bridge's own inputs go one by one over MQTT 3.1.1."""
    own = [Subscription("own/a"), Subscription("own/b")]
    bound = [Subscription(f"in/{number}", essential=False) for number in range(50)]
    async with picky_broker() as broker, linked(broker, *own, *bound) as link:
        link.image.set("state", "idle")
        await link.image.settled()
    assert broker.filters[:2] == [["own/a"], ["own/b"]]
    assert max(len(each) for each in broker.filters) == 8
    assert {each for packet in broker.filters for each in packet} >= {f"in/{n}" for n in range(50)}


@pytest.mark.mqtt5
async def test_a_refused_binding_fails_alone_and_is_asked_for_at_the_next_connection(
    launch: Launch, tmp_path: Path
) -> None:
    rights = may_only(tmp_path, "hmp/#", "in/#")
    broker = launch(BrokerOptions(extra=rights.lines))
    async with running(broker, filters=("in/#",), bound=("shelly/#", "hmp/x")) as run:
        await run.until(BrokerState.ONLINE)
        assert run.link.health().refused_filters == {"shelly/#": "Not authorized"}
        await run.link.subscribe([Subscription("zigbee/#", essential=False)])
        assert sorted(run.link.health().refused_filters) == ["shelly/#", "zigbee/#"]
        async with peer(broker) as other:
            await other.publish("hmp/x", b"1")
        assert (await run.link.receive()).topic == "hmp/x"
        await trio.to_thread.run_sync(broker.stop)
        await run.until(BrokerState.DOWN)
        may_only(tmp_path, "#")
        await trio.to_thread.run_sync(broker.start)
        await run.until(BrokerState.ONLINE)
        assert run.link.health().refused_filters == {}


@pytest.mark.mqtt5
async def test_a_refused_input_names_each_right_that_is_missing(
    launch: Launch, tmp_path: Path
) -> None:
    broker = launch(BrokerOptions(extra=may_only(tmp_path, "hmp/#").lines))
    filters = tuple(f"in/{number}" for number in range(20))
    async with running(broker, filters=filters) as run:
        await run.until(BrokerState.DOWN)
        error = str(run.link.health().error)
    assert all(f"{each} (Not authorized)" in error for each in filters)


@pytest.mark.mqtt5
async def test_what_is_too_long_for_mosquitto_is_published_shorter(launch: Launch) -> None:
    """Over MQTT 5 it answers with a reason code that the standard does not list for PUBACK."""
    broker = launch(BrokerOptions(extra=("message_size_limit 1000",)))
    async with running(broker) as run:
        run.image.set("room/status", "idle")
        await run.image.settled()
        for topic in ("room/status", "room/other", "room/text"):
            run.image.set(topic, LONG)
        run.image.set("room/blob", b"\xff" * 2000)
        run.image.send("room/result", LONG)
        await run.image.settled()
        assert run.link.health().reconnects == 0
        assert len(run.link.health().withheld) == 4
        async with peer(broker, ["room/#"]) as other:
            held = dict([await _pair(other) for _ in range(3)])
        status = json.loads(held["room/status"])
        assert status == json.loads(LONG) | {"title": "t" * 253 + "..."}


@pytest.mark.mqtt5
async def test_what_is_too_long_is_found_out_when_it_is_announced(launch: Launch) -> None:
    """At QoS 0 mosquitto drops it without a word, and the value of before would stand."""
    broker = launch(BrokerOptions(extra=("message_size_limit 1000",)))
    async with peer(broker) as other:
        for topic in ("a/status", "b/status"):
            await other.publish(topic, b"stale", retain=True)
    async with running(broker) as run:
        run.image.set("a/status", LONG)
        run.image.set("b/status", LONG + b" ")
        run.image.set("c/status", "idle")
        async with peer(broker, ["a/status", "b/status"]) as other:
            held: dict[str, bytes] = {}
            while len(held) < 2 or b"stale" in held.values():
                held |= dict([await _pair(other)])
    assert all(json.loads(each)["state"] == "recording" for each in held.values())


async def _pair(other: Peer) -> tuple[str, bytes]:
    message = await other.next()
    return message.topic, message.payload
