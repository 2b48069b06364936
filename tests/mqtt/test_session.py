"""Sessions against a real broker on loopback, in both protocol versions.

The broker is mosquitto where it is installed; what only MQTT 5 has is marked. Real sockets, so no
autojump clock: a test waits for what it waits for, within pytest's own bound.
"""

from collections.abc import Callable

import pytest
import trio

from bridge.mqtt.failures import BrokerFailure, FailureKind
from bridge.mqtt.message import Message
from bridge.mqtt.retained import read_retained
from bridge.mqtt.session import Session, open_session
from bridge.mqtt.settings import Protocol, Subscription
from tests.broker_fixtures import Launch
from tests.brokers import Broker, BrokerOptions

from .connections import BOTH, peer, settings_for


@BOTH
async def test_a_message_travels_with_everything_it_carries(
    broker: Broker, protocol: Protocol
) -> None:
    async with peer(broker, ["travel/#"], protocol=protocol) as one:
        await one.publish("travel/a", "grüße \0".encode())
        message = await one.next()
    assert (message.topic, message.payload) == ("travel/a", "grüße \0".encode())
    assert (message.qos, message.retain, message.duplicate) == (1, False, False)


@BOTH
@pytest.mark.parametrize("payload", [b"", b"\xff\xfe", b"{" * 200_000, bytes(range(256))])
async def test_odd_payloads_arrive_as_they_are(
    broker: Broker, protocol: Protocol, payload: bytes
) -> None:
    async with peer(broker, ["odd"], protocol=protocol) as one:
        await one.publish("odd", payload)
        assert (await one.next()).payload == payload


@pytest.mark.mqtt5
async def test_correlation_data_travels_in_mqtt_5(broker: Broker) -> None:
    async with peer(broker, ["correlated"]) as one:
        one.session.post("correlated", b"x", qos=1, retain=False, correlation_data=b"\0\1")
        assert (await one.next()).correlation_data == b"\0\1"


@BOTH
async def test_a_publication_longer_than_our_limit_never_reaches_us(
    broker: Broker, protocol: Protocol
) -> None:
    async with (
        peer(broker, ["long"], protocol=protocol, name="small", maximum_packet_size=1000) as small,
        peer(broker, protocol=protocol, name="big") as big,
    ):
        for qos in (0, 1):
            big.session.post("long", b"x" * 2000, qos=qos, retain=False)
        await big.publish("long", b"short")
        assert (await small.next()).payload == b"short"
        # MQTT 5 tells the broker; 3.1.1 cannot, and we drop it ourselves.
        assert small.session.refused_messages == (0 if protocol == "5" else 2)
        # The broker ends a connection on which something is acknowledged that it does not wait for.
        await small.publish("long", b"short")


@BOTH
async def test_the_broker_grants_every_filter_of_a_long_list(
    broker: Broker, protocol: Protocol
) -> None:
    filters = [f"many/{number}" for number in range(250)]
    async with peer(broker, filters, protocol=protocol) as one:
        await one.publish("many/249", b"x")
        assert (await one.next()).topic == "many/249"
        await one.session.unsubscribe(filters)
        await one.session.subscribe([Subscription("many/0")])
        await one.publish("many/249", b"x")
        await one.publish("many/0", b"y")
        assert (await one.next()).topic == "many/0"


@pytest.mark.mqtt5
async def test_live_retained_messages_are_flagged_where_asked(broker: Broker) -> None:
    async with peer(broker) as one, peer(broker, name="other") as other:
        await one.session.subscribe([Subscription("flag/yes")])
        await one.session.subscribe([Subscription("flag/no", retain_as_published=False)])
        for topic in ("flag/yes", "flag/no"):
            await other.publish(topic, b"x", retain=True)
        assert [(await one.next()).retain for _ in range(2)] == [True, False]


@pytest.mark.mqtt5
async def test_no_more_than_receive_maximum_arrives_unasked(broker: Broker) -> None:
    received: list[Message] = []
    settings = settings_for(broker, "hungry", receive_maximum=5, session_expiry=0)
    async with (
        peer(broker, ["done"]) as sender,
        open_session(settings, "5", deliver=received.append) as session,
    ):
        await session.subscribe([Subscription("work/#")])
        for number in range(12):
            await sender.publish(f"work/{number}")
        # The broker handles each connection's packets in order: by the time it has answered
        # this, it has written everything that it was going to write to us before.
        await session.publish("done", b"")
        assert len(received) == 5
        # mosquitto 2.0 then releases more than one per PUBACK; nothing is lost by that.
        received[0].acknowledge()
        await session.publish("done", b"")
        for message in received:
            message.acknowledge()
        await session.publish("done", b"")
        assert [message.topic for message in received] == [f"work/{n}" for n in range(12)]
        await session.disconnect()


@pytest.mark.mqtt5
async def test_a_refused_publication_is_named(launch: Launch) -> None:
    broker = launch(BrokerOptions(acl=("topic readwrite ok/#",)))
    async with peer(broker) as one:
        await one.publish("ok/a", b"x")
        with pytest.raises(BrokerFailure, match="forbidden/a: Not authorized") as caught:
            await one.publish("forbidden/a", b"x")
    assert caught.value.kind is FailureKind.PUBLICATION


@BOTH
async def test_retained_messages_are_read_and_nothing_else_is_touched(
    broker: Broker, protocol: Protocol
) -> None:
    topics = {f"kept/{number}": str(number).encode() for number in range(30)}
    async with peer(broker, ["live/#", "kept/1"], protocol=protocol) as one:
        for topic, payload in topics.items():
            await one.publish(topic, payload, retain=True)
        await one.until("kept/1", b"1")
        found = await read_retained(one.session, ["kept/+", "kept/1", "nothing/#"], "live/marker")
        assert found == topics
        await one.publish("kept/2", b"unsubscribed")
        await one.publish("kept/1", b"still subscribed")
        await one.until("kept/1", b"still subscribed")
        for topic in topics:
            await one.publish(topic, b"", retain=True)


@pytest.mark.mqtt5
async def test_what_may_not_be_read_is_left_where_it_is_optional(launch: Launch) -> None:
    broker = launch(
        BrokerOptions(acl=("topic readwrite kept/1", "topic readwrite m", "topic write kept/2"))
    )
    async with peer(broker) as one:
        for topic in ("kept/1", "kept/2"):
            await one.publish(topic, b"x", retain=True)
        found = await read_retained(one.session, ["kept/1"], "m", optional=["kept/2", "kept/3"])
        assert found == {"kept/1": b"x"}


@BOTH
async def test_live_messages_still_arrive_while_retained_ones_are_read(
    broker: Broker, protocol: Protocol
) -> None:
    async with (
        peer(broker, ["press/#"], protocol=protocol) as one,
        peer(broker, protocol=protocol, name="panel") as panel,
    ):
        read: dict[str, bytes] = {}

        async def read_often() -> None:
            for _ in range(20):
                found = await read_retained(one.session, ["press/#", "kept/#"], "marker")
                read.update(found)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(read_often)
            for number in range(20):
                await panel.publish(f"press/{number}")
        presses = [(await one.next()).topic for _ in range(20)]
    assert presses == [f"press/{number}" for number in range(20)]
    assert read == {}


@pytest.mark.mqtt5
async def test_more_retained_topics_than_a_broker_queues_are_all_read(broker: Broker) -> None:
    topics = [f"crowd/{number}/status" for number in range(1500)]
    async with peer(broker) as one:
        for topic in topics:
            one.session.post(topic, b"x" * 300, qos=0, retain=True)
        await one.session.drained()
        found = await read_retained(one.session, topics, "crowd-marker")
        assert sorted(found) == sorted(topics)
        for topic in topics:
            one.session.post(topic, b"", qos=0, retain=True)
        await one.session.drained()


@BOTH
async def test_a_flood_of_qos_1_publications_stays_within_the_window(
    broker: Broker, protocol: Protocol
) -> None:
    async with peer(broker, ["flood"], protocol=protocol, max_inflight=15) as one:
        sent = 0
        async with trio.open_nursery() as nursery:
            for _ in range(100):
                nursery.start_soon(one.publish, "flood", b"x")
            while sent < 100:
                await one.next()
                sent += 1
    assert sent == 100


@BOTH
async def test_a_socket_that_is_full_is_waited_for(broker: Broker, protocol: Protocol) -> None:
    payload = b"x" * 200_000
    async with peer(broker, protocol=protocol) as one:
        for _ in range(200):
            one.session.post("heavy", payload, qos=0, retain=False)
        await one.session.drained()
        await one.publish("heavy", b"end")


async def test_a_lost_connection_ends_the_body_and_whoever_waits(launch: Launch) -> None:
    broker = launch()
    with pytest.RaisesGroup(
        pytest.RaisesExc(BrokerFailure, match="lost|closed"), flatten_subgroups=True
    ):
        async with peer(broker) as one:
            session = one.session
            await trio.to_thread.run_sync(broker.kill)
            await trio.sleep_forever()
    with pytest.raises(BrokerFailure):
        await session.publish("a", b"x")
    with pytest.raises(BrokerFailure):
        await session.subscribe([Subscription("a")])
    with pytest.raises(BrokerFailure):
        await session.drained()
    assert session.post("a", b"x", qos=1, retain=False) is None
    await session.disconnect()
    await session.ended()


@BOTH
async def test_leaving_without_disconnect_publishes_the_will(
    broker: Broker, protocol: Protocol
) -> None:
    def ignore(_message: Message) -> None:
        pass

    settings = settings_for(broker, "mortal")
    async with peer(broker, ["will"], protocol=protocol) as one:
        async with open_session(settings, protocol, deliver=ignore, will=("will", b"offline")):
            pass
        await one.until("will", b"offline")
        async with open_session(
            settings, protocol, deliver=ignore, will=("will", b"gone again")
        ) as session:
            await session.disconnect()
        await one.publish("will", b"after", retain=True)
        assert (await one.next()).payload == b"after"
        await one.publish("will", b"", retain=True)


@pytest.mark.mqtt5
async def test_a_session_is_resumed_with_what_came_meanwhile(broker: Broker) -> None:
    received: list[Message] = []
    arrived = trio.Event()
    settings = settings_for(broker, "sleeper", session_expiry=60)

    def deliver(message: Message) -> None:
        received.append(message)
        arrived.set()

    async def connect(*, subscribe: bool) -> Session:
        async with open_session(settings, "5", deliver=deliver) as session:
            if subscribe:
                await session.subscribe([Subscription("night")])
            else:
                await arrived.wait()
            await session.disconnect()
        return session

    first = await connect(subscribe=True)
    async with peer(broker) as one:
        await one.publish("night", b"press")
    second = await connect(subscribe=False)
    assert (first.session_present, second.session_present) == (False, True)
    assert [message.payload for message in received] == [b"press"]
    received[0].acknowledge()  # too late, and harmless


@BOTH
async def test_the_newest_of_those_who_take_a_message_gets_it(
    broker: Broker, protocol: Protocol
) -> None:
    taken: list[str] = []

    def takes(name: str) -> Callable[[Message], bool]:
        def take(message: Message) -> bool:
            if message.topic != "taken/a":
                return False
            taken.append(name)
            return True

        return take

    async with peer(broker, ["taken/#"], protocol=protocol) as one:
        one.session.interceptors += [takes("older"), takes("newer")]
        await one.publish("taken/a", b"x")
        await one.publish("taken/b", b"y")
        assert (await one.next()).topic == "taken/b"
    assert taken == ["newer"]


@pytest.mark.mqtt5
async def test_no_more_is_under_way_than_the_broker_allows(launch: Launch) -> None:
    """Its Receive Maximum, where that is less than ours."""
    few = launch(BrokerOptions(extra=("max_inflight_messages 3",)))
    async with peer(few, max_inflight=20) as one:
        sent = 0
        while one.session.has_room:
            one.session.post("few", b"x", qos=1, retain=False)
            sent += 1
        assert sent == 3
        await one.session.room()
