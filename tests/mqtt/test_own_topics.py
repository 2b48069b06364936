"""Our own topics where somebody else writes: put right within seconds, without a storm (R32)."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs
from trio.testing import MockClock

from bridge.mqtt.api_topics import request_filters
from bridge.mqtt.broker_health import BrokerState
from bridge.mqtt.catalogue import watched_filters
from bridge.mqtt.filters import overlap
from bridge.mqtt.image import Image
from bridge.mqtt.message import Message
from bridge.mqtt.own_topics import OwnTopics
from bridge.mqtt.session import Session
from bridge.mqtt.settings import Protocol
from bridge.mqtt.topics import Topics
from tests.broker_fixtures import Launch
from tests.brokers import Broker, BrokerOptions
from tests.process.watched import PATIENCE

from .connections import BOTH, peer
from .dynamic_security import may_only
from .recorder import Recorder
from .running_link import AVAILABILITY, running

OWN = ("hmp/room/+/recording", "hmp/room/+/status")
LIGHT = "hmp/room/r0/recording"

# A broker that is a dictionary, in seconds that pass at once.


class Wire(Recorder):
    """The far end of an image: what is retained, and what of it we hear, in order, `late` seconds.

    With `no_local` what we publish does not come back.
    """

    def __init__(self, *, no_local: bool, late: float = 0.0) -> None:
        super().__init__(window=100_000)
        self.image = Image()
        self.own = OwnTopics(self.image, AVAILABILITY, OWN)
        self.retained: dict[str, bytes] = {}
        self.round_trip = 0.0
        self.interceptors: list[Callable[[Message], bool]] = []
        #: Somebody else's answer to what we publish.
        self.answer: Callable[[str], None] = lambda _: None
        self._no_local, self._late = no_local, late
        self._send, self._under_way = trio.open_memory_channel[tuple[float, Message]](10_000)

    def post(self, topic: str, payload: bytes, **how: Any) -> None:
        """From us."""
        super().post(topic, payload, **how)
        self._take(topic, payload, comes_back=not self._no_local)
        self.answer(topic)

    def write(self, topic: str, payload: bytes) -> None:
        """From somebody else."""
        self._take(topic, payload, comes_back=True)

    def _take(self, topic: str, payload: bytes, *, comes_back: bool) -> None:
        self.retained[topic] = payload
        if comes_back:
            message = Message(topic, payload, 0, False, False, 0.0)
            self._send.send_nowait((trio.current_time() + self._late, message))

    async def _deliver(self) -> None:
        async for at, message in self._under_way:
            await trio.sleep_until(at)
            assert any(each(message) for each in reversed(self.interceptors))

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """The image is published, and its topics are kept right."""
        async with trio.open_nursery() as nursery:
            self.own.begin(cast("Session", self))
            nursery.start_soon(self._deliver)
            nursery.start_soon(self.image.flush, self)
            nursery.start_soon(self.own.keep)
            yield
            nursery.cancel_scope.cancel()


MODES = pytest.mark.parametrize("no_local", [True, False], ids=["5", "3.1.1"])


@MODES
async def test_a_foreign_value_is_overwritten_within_seconds(
    autojump_clock: object, no_local: bool
) -> None:
    wire = Wire(no_local=no_local, late=0.2)
    async with wire.at_work():
        wire.image.set(LIGHT, "false")
        await trio.sleep(10)
        for said in (b"true", b"", b"false!"):
            wire.write(LIGHT, said)
            await trio.sleep(100)
            assert wire.retained[LIGHT] == b"false"
        assert len(wire.posted) == 4
        assert wire.own.contested == []


@MODES
async def test_a_writer_that_answers_is_answered_ever_more_rarely_and_named(
    autojump_clock: object, no_local: bool
) -> None:
    wire = Wire(no_local=no_local)
    with capture_logs() as logs:
        async with wire.at_work():
            wire.image.set(LIGHT, "false")
            await trio.sleep(1)
            wire.answer = lambda topic: wire.write(topic, b"true")
            wire.write(LIGHT, b"true")
            await trio.sleep(60)
            assert wire.own.contested == [LIGHT]
            assert len(wire.posted) < 8
            await trio.sleep(3600)
            assert len(wire.posted) < 20
            wire.answer = lambda _: None
            await trio.sleep(601)
            assert wire.retained[LIGHT] == b"false"
            await trio.sleep(1300)
            assert wire.own.contested == []
    assert [each["event"].partition(";")[0] for each in logs] == [
        "mqtt topic of ours said something else",
        "mqtt topic of ours is contested",
        "mqtt topic of ours is left alone again",
    ]
    assert logs[1]["said"] == "true"


@MODES
async def test_a_writer_that_makes_no_pause_is_answered_too(
    autojump_clock: object, no_local: bool
) -> None:
    wire = Wire(no_local=no_local, late=0.2)
    async with wire.at_work():
        wire.image.set(LIGHT, "false")
        await trio.sleep(1)
        for _ in range(200):
            wire.write(LIGHT, b"true")
            await trio.sleep(0.3)
        assert 5 <= len(wire.posted) < 8
        assert wire.own.contested == [LIGHT]


@MODES
async def test_a_thousand_foreign_values_are_one_publication_each_and_one_line(
    autojump_clock: object, no_local: bool
) -> None:
    wire = Wire(no_local=no_local)
    topics = [f"hmp/room/r{number}/status" for number in range(1000)]
    with capture_logs() as logs:
        async with wire.at_work():
            for topic in topics:
                wire.image.set(topic, "{}")
            await trio.sleep(1)
            before = len(wire.posted)
            for topic in topics:
                wire.write(topic, b"old")
            await trio.sleep(5)
            assert sorted(topic for topic, *_ in wire.posted[before:]) == sorted(topics)
            assert {wire.retained[topic] for topic in topics} == {b"{}"}
    assert [each["others"] for each in logs] == [999]


async def test_echoes_of_older_values_are_nobody_else_s(autojump_clock: object) -> None:
    """A value that changes faster than it comes back, for a while."""
    wire = Wire(no_local=False, late=0.9)
    async with wire.at_work():
        for number in range(50):
            wire.image.set(LIGHT, str(number))
            await trio.sleep(0.3)
        await trio.sleep(10)
        assert len(wire.posted) == 50


async def test_a_slow_broker_s_echoes_are_waited_for(autojump_clock: object) -> None:
    wire = Wire(no_local=False, late=4.0)
    wire.round_trip = 4.0
    async with wire.at_work():
        for number in range(5):
            wire.image.set(LIGHT, str(number))
            await trio.sleep(1)
        await trio.sleep(60)
        assert len(wire.posted) == 5


async def test_what_is_not_ours_any_more_is_left(autojump_clock: object) -> None:
    """A room that was taken out, and one that never was: heard, and no business of anybody."""
    wire = Wire(no_local=True)
    async with wire.at_work():
        wire.image.set(LIGHT, "false")
        await trio.sleep(1)
        wire.write(LIGHT, b"true")
        wire.image.forget(LIGHT)
        wire.write("hmp/room/never/recording", b"true")
        await trio.sleep(100)
        assert wire.retained[LIGHT] == b""
        assert len(wire.posted) == 2


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["ours", "theirs"]),
        st.sampled_from([LIGHT, "hmp/room/r1/recording", "hmp/room/r0/status"]),
        st.sampled_from(["", "0", "1"]),
        st.sampled_from([0.0, 0.1, 0.7, 3.0, 40.0]),
    ),
    max_size=25,
)


@given(STEPS, st.booleans(), st.sampled_from([0.0, 0.5]))
@settings(max_examples=60, deadline=None)
def test_whoever_writes_what_our_value_stands_at_the_end(
    steps: list[tuple[str, str, str, float]], no_local: bool, late: float
) -> None:
    async def play() -> None:
        wire = Wire(no_local=no_local, late=late)
        async with wire.at_work():
            theirs = 0
            for who, topic, value, pause in steps:
                if who == "ours":
                    wire.image.set(topic, value or "none")
                else:
                    theirs += 1
                    wire.write(topic, value.encode())
                await trio.sleep(pause)
            await trio.sleep(1300)
            for topic in wire.retained:
                if (wanted := wire.image.get(topic)) is not None:
                    assert wire.retained[topic] == wanted
            assert len(wire.posted) <= len(steps) + theirs

    trio.run(play, clock=MockClock(autojump_threshold=0))


def test_no_filter_of_ours_matches_what_people_send() -> None:
    """Two subscriptions that match one press could bring it twice."""
    topics = Topics()
    watched = watched_filters(topics.base)
    assert not [
        (ours, theirs)
        for ours in watched
        for theirs in (*topics.inputs, *request_filters(topics), topics.bridge_marker)
        if overlap(ours, theirs)
    ]


# A real broker.


@BOTH
async def test_the_light_follows_the_device_whoever_writes(
    launch: Launch, protocol: Protocol
) -> None:
    broker = launch()
    async with running(broker, own=OWN, protocol=protocol) as run, peer(broker, ["#"]) as other:
        run.image.set(LIGHT, "false")
        with trio.fail_after(PATIENCE):
            await run.until(BrokerState.ONLINE)
            for topic, wanted in ((LIGHT, b"false"), (AVAILABILITY, b"online")):
                for said in (b"true", b""):
                    await other.publish(topic, said, retain=True)
                    await other.until(topic, said)
                    await other.until(topic, wanted)
        assert run.link.health().contested == []
        async with peer(broker, [LIGHT, AVAILABILITY], name="late") as late:
            assert {(await late.next()).payload for _ in range(2)} == {b"false", b"online"}


@BOTH
async def test_a_broker_that_was_down_brings_nothing_old(
    launch: Launch, protocol: Protocol
) -> None:
    """Two brokers, bridged both ways: the other one has kept what was true before."""
    broker = launch()
    broker.stop()
    bridged = (
        "connection back",
        f"address 127.0.0.1:{broker.port}",
        "topic hmp/# both 1",
        "restart_timeout 1 1",
    )
    second = launch(BrokerOptions(extra=bridged))
    async with peer(second) as before:
        await before.publish(LIGHT, b"true", retain=True)
    broker.start()
    async with running(broker, own=OWN, protocol=protocol) as run:
        run.image.set(LIGHT, "false")
        with trio.fail_after(PATIENCE):
            for each in (broker, second):
                async with peer(each, [LIGHT]) as reader:
                    await reader.until(LIGHT, b"false")
            async with peer(broker, [LIGHT]) as reader:
                await second_change(second)
                await reader.until(LIGHT, b"true")
                await reader.until(LIGHT, b"false")
            async with peer(second, [LIGHT]) as reader:
                await reader.until(LIGHT, b"false")
        assert run.link.health().contested == []


async def second_change(second: Broker) -> None:
    """Somebody writes to the other broker."""
    async with peer(second, name="writer") as writer:
        await writer.publish(LIGHT, b"true", retain=True)


@pytest.mark.mqtt5
async def test_a_broker_that_lets_us_hear_none_of_it_is_served(
    launch: Launch, tmp_path: Path
) -> None:
    broker = launch(BrokerOptions(extra=may_only(tmp_path, AVAILABILITY).lines))
    async with running(broker, own=OWN) as run:
        await run.until(BrokerState.ONLINE)
        assert sorted(run.link.health().refused_filters) == sorted(OWN)
        run.image.set(LIGHT, "true")
        await run.image.settled()
