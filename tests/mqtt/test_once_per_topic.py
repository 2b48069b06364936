"""One line for each topic, and a bound for those that are remembered."""

import tracemalloc

from bridge.mqtt.once_per_topic import OncePerTopic


def test_a_topic_comes_first_once() -> None:
    once = OncePerTopic()
    assert [once.is_first(topic) for topic in ("a", "b", "a")] == [True, True, False]


def test_no_more_topics_are_remembered_than_there_is_room_for() -> None:
    once = OncePerTopic()
    assert sum(once.is_first(f"sensor/{number}") for number in range(1500)) == 1000


def test_long_topics_take_no_more_room_than_short_ones() -> None:
    once = OncePerTopic()
    tracemalloc.start()
    try:
        assert all(once.is_first(f"{number}/{'x' * 60_000}") for number in range(1000))
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 1_000_000
