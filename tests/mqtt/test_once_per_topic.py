"""One line for each topic, and a bound for those that are remembered."""

from bridge.mqtt.once_per_topic import OncePerTopic


def test_a_topic_comes_first_once() -> None:
    once = OncePerTopic()
    assert [once.is_first(topic) for topic in ("a", "b", "a")] == [True, True, False]


def test_no_more_topics_are_remembered_than_there_is_room_for() -> None:
    once = OncePerTopic()
    assert sum(once.is_first(f"sensor/{number}") for number in range(1500)) == 1000
