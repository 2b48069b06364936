"""The image against a carrier that records what is posted, with PUBACKs at the test's command."""

import pytest
import trio
import trio.testing
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode
from structlog.testing import capture_logs

from bridge.mqtt.image import ANNOUNCED_AT_ONCE, REPEATED_AT_QOS_1, Image

from .recorder import Recorder, flushed

NOT_AUTHORIZED = ReasonCode(PacketTypes.PUBACK, "Not authorized")


def is_settled(image: Image) -> bool:
    return image.unconfirmed == 0


async def test_a_change_is_published_retained_at_qos_1_and_confirmed() -> None:
    image, carrier = Image(), Recorder()
    image.set("room/state", "recording")
    await flushed(image, carrier)
    assert carrier.posted == [("room/state", b"recording", 1, True)]
    assert not is_settled(image)
    carrier.acknowledge()
    assert is_settled(image)
    assert image.get("room/state") == b"recording"


async def test_an_equal_value_is_not_published_again() -> None:
    image, carrier = Image(), Recorder()
    image.set("a", "1")
    await flushed(image, carrier)
    image.set("a", b"1")
    await flushed(image, carrier)
    assert len(carrier.posted) == 1


async def test_only_the_newest_value_of_a_topic_waits() -> None:
    image, carrier = Image(), Recorder()
    for value in range(1000):
        image.set("a", str(value))
    assert image.unconfirmed == 1
    await flushed(image, carrier)
    assert carrier.topics(1) == [("a", b"999")]


async def test_order_of_first_touch_is_kept_between_topics_and_outbox() -> None:
    image, carrier = Image(), Recorder()
    image.set("state", "starting")
    image.send("ack", "record ok")
    image.set("recording", "true")
    image.set("state", "recording")
    await flushed(image, carrier)
    assert carrier.posted == [
        ("state", b"recording", 1, True),
        ("ack", b"record ok", 1, False),
        ("recording", b"true", 1, True),
    ]


async def test_the_window_is_respected() -> None:
    image, carrier = Image(), Recorder(window=2)
    for topic in "abc":
        image.set(topic, "1")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(image.flush, carrier)
        await trio.testing.wait_all_tasks_blocked()
        assert len(carrier.posted) == 2
        carrier.acknowledge(1)
        await trio.testing.wait_all_tasks_blocked()
        assert len(carrier.posted) == 3
        nursery.cancel_scope.cancel()


async def test_settled_waits_for_what_was_given_before_and_for_no_more() -> None:
    image, carrier = Image(), Recorder()
    image.set("a", "1")
    done = trio.Event()

    async def settle() -> None:
        await image.settled()
        done.set()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(settle)
        nursery.start_soon(image.flush, carrier)
        await trio.testing.wait_all_tasks_blocked()
        image.set("b", "1")
        await trio.testing.wait_all_tasks_blocked()
        assert not done.is_set()
        carrier.acknowledge(1)
        await trio.testing.wait_all_tasks_blocked()
        assert done.is_set()
        assert not is_settled(image)
        nursery.cancel_scope.cancel()


async def test_an_announcement_is_at_qos_0_and_confirmed_by_what_follows_it() -> None:
    image, carrier = Image(), Recorder()
    image.set("a", "1")
    image.set("b", "2")
    await image.announce(carrier)
    assert carrier.posted == [("a", b"1", 0, True), ("b", b"2", 0, True)]
    assert not is_settled(image)
    image.announced()
    assert is_settled(image)
    await flushed(image, carrier)
    assert len(carrier.posted) == 2


async def test_a_change_during_the_announcement_is_published_after_it() -> None:
    image, carrier = Image(), Recorder()
    image.set("a", "1")
    await image.announce(carrier)
    image.set("a", "2")
    image.announced()
    await flushed(image, carrier)
    assert carrier.topics(1) == [("a", b"2")]


async def test_what_changed_while_away_is_also_repeated_at_qos_1() -> None:
    image, first, second = Image(), Recorder(), Recorder()
    image.set("a", "1")
    image.set("b", "1")
    await image.announce(first)
    image.announced()
    image.set("a", "2")
    await image.announce(second)
    image.announced()
    await flushed(image, second)
    assert second.topics(0) == [("a", b"2"), ("b", b"1")]
    assert second.topics(1) == [("a", b"2")]


async def test_too_many_changes_for_a_subscribers_queue_are_not_repeated() -> None:
    image, first, second = Image(), Recorder(), Recorder()
    for value in ("1", "2"):
        for number in range(REPEATED_AT_QOS_1 + 1):
            image.set(f"t/{number}", value)
        if value == "1":
            await image.announce(first)
            image.announced()
    await image.announce(second)
    image.announced()
    assert is_settled(image)
    assert len(second.topics(0)) == REPEATED_AT_QOS_1 + 1
    assert second.topics(1) == []
    assert second.drains >= REPEATED_AT_QOS_1 // ANNOUNCED_AT_ONCE


async def test_what_a_lost_connection_left_open_goes_out_again_in_order() -> None:
    image, first, second = Image(), Recorder(), Recorder()
    image.set("a", "1")
    image.send("ack", "one")
    image.send("ack", "two", correlation_data=b"id")
    await flushed(image, first)
    first.acknowledge(1)
    await image.announce(second)
    image.announced()
    await flushed(image, second)
    assert second.posted == [
        ("a", b"1", 0, True),
        ("ack", b"one", 1, False),
        ("ack", b"two", 1, False),
    ]
    assert second.correlation == [None, None, b"id"]
    second.acknowledge()
    assert is_settled(image)


async def test_two_values_of_one_topic_lost_in_flight_become_one() -> None:
    image, first, second = Image(), Recorder(), Recorder()
    for value in ("1", "2"):
        image.set("a", value)
        await flushed(image, first)
    image.set("a", "3")
    assert image.unconfirmed == 3
    await image.announce(second)
    image.announced()
    await flushed(image, second)
    assert second.topics(1) == [("a", b"3")]
    second.acknowledge()
    assert is_settled(image)
    first.acknowledge()
    assert is_settled(image)


async def test_the_outbox_drops_its_oldest_counts_them_and_says_so_once() -> None:
    image, carrier = Image(outbox_limit=3), Recorder()
    with capture_logs() as logs:
        for number in range(10):
            image.send("ack", str(number))
    assert image.dropped == 7
    assert len(logs) == 1
    await flushed(image, carrier)
    assert carrier.topics(1) == [("ack", b"7"), ("ack", b"8"), ("ack", b"9")]
    carrier.acknowledge()
    assert is_settled(image)


async def test_the_outbox_stays_bounded_when_a_lost_connection_gives_back_what_it_had() -> None:
    image, first, second = Image(outbox_limit=3), Recorder(), Recorder()
    for number in range(3):
        image.send("ack", str(number))
    await flushed(image, first)
    for number in range(3, 5):
        image.send("ack", str(number))
    assert image.dropped == 0
    image.connection_ended(lived=True)
    assert (image.dropped, image.unconfirmed) == (2, 3)
    await flushed(image, second)
    assert second.topics(1) == [("ack", b"2"), ("ack", b"3"), ("ack", b"4")]


@pytest.mark.parametrize("topic", ["", "a/#", "+", "a\0b", "x" * 65_536])
async def test_a_topic_that_would_end_the_connection_is_refused(topic: str) -> None:
    image = Image()
    with pytest.raises(ValueError, match="not a topic"):
        image.send(topic, "x")
    assert is_settled(image)


async def test_a_forgotten_topic_is_emptied_once_and_leaves_no_trace() -> None:
    image, first, second = Image(), Recorder(), Recorder()
    image.set("a", "1")
    await flushed(image, first)
    image.forget("a")
    await flushed(image, first)
    assert first.topics(1) == [("a", b"1"), ("a", b"")]
    assert image.get("a") is None
    first.acknowledge()
    await image.announce(second)
    assert second.posted == []


async def test_forgetting_on_announcement_leaves_no_trace_either() -> None:
    image, first, second = Image(), Recorder(), Recorder()
    image.forget("stray")
    await image.announce(first)
    image.announced()
    assert first.posted == [("stray", b"", 0, True)]
    await image.announce(second)
    assert second.posted == []


async def test_a_refused_publication_is_said_once_and_not_repeated() -> None:
    image, carrier = Image(), Recorder()
    image.set("a", "1")
    image.set("b", "1")
    await flushed(image, carrier)
    with capture_logs() as logs:
        carrier.acknowledge(reason=NOT_AUTHORIZED)
    assert [line["topic"] for line in logs] == ["a"]
    assert image.refused == 2
    assert is_settled(image)


async def test_what_the_broker_would_close_the_connection_for_is_kept_back() -> None:
    image, carrier = Image(), Recorder(largest=10)
    image.set("a", "x" * 100)
    image.set("b", "1")
    await image.announce(carrier)
    image.announced()
    image.send("ack", "y" * 100)
    await flushed(image, carrier)
    # Of the result nothing is left; the topic is emptied, so that no older value stands there.
    assert carrier.posted == [("a", b"", 0, True), ("b", b"1", 0, True)]
    assert image.refused == 2
    assert image.withheld == ["a"]
    assert is_settled(image)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("set"), st.sampled_from("abc"), st.sampled_from("123")),
        st.tuples(st.just("forget"), st.sampled_from("abc"), st.just("")),
        st.tuples(st.just("flush"), st.just(""), st.just("")),
        st.tuples(st.just("acknowledge"), st.integers(0, 3).map(str), st.just("")),
        st.tuples(st.just("reconnect"), st.just(""), st.just("")),
    ),
    max_size=40,
)


@given(STEPS)
def test_the_broker_ends_with_the_newest_values_whatever_happens(
    steps: list[tuple[str, str, str]],
) -> None:
    async def play() -> None:
        image, carrier = Image(), Recorder()
        retained: dict[str, bytes] = {}
        given_values: dict[str, bytes] = {}

        def take(connection: Recorder) -> None:
            retained.update((topic, payload) for topic, payload, _, _ in connection.posted)

        for step, first, second in [*steps, ("reconnect", "", ""), ("flush", "", "")]:
            match step:
                case "set":
                    image.set(first, second)
                    given_values[first] = second.encode()
                case "forget":
                    image.forget(first)
                    given_values[first] = b""
                case "flush":
                    await flushed(image, carrier)
                case "acknowledge":
                    carrier.acknowledge(int(first))
                case _:
                    take(carrier)
                    carrier = Recorder()
                    await image.announce(carrier)
                    image.announced()
        take(carrier)
        carrier.acknowledge()
        assert retained == given_values
        assert is_settled(image)
        await image.settled()

    trio.run(play)


async def test_everything_once_more_at_qos_0_and_paced() -> None:
    image, carrier = Image(), Recorder()
    values = 2 * ANNOUNCED_AT_ONCE + 20
    for number in range(values):
        image.set(f"t{number}", str(number))
    await flushed(image, carrier)
    carrier.acknowledge()
    image.forget("t0")
    image.set("t1", "changed")
    before = len(carrier.posted)
    assert await image.repeat(carrier, list(image.values)) == values - 1
    again = carrier.posted[before:]
    assert {qos for _, _, qos, _ in again} == {0}
    assert all(retain for *_, retain in again)
    assert dict(carrier.topics(0)) == {"t1": b"changed"} | {
        f"t{number}": str(number).encode() for number in range(2, values)
    }
    assert carrier.drains == 3
    # What changed meanwhile still goes out at QoS 1, behind it.
    await flushed(image, carrier)
    assert carrier.topics(1)[-2:] == [("t0", b""), ("t1", b"changed")]


async def test_what_is_too_large_is_left_out_of_a_repetition() -> None:
    image, carrier = Image(), Recorder(largest=20)
    image.set("a", "x" * 30)
    image.set("b", "1")
    assert await image.repeat(carrier, list(image.values)) == 1
