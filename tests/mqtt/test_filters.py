"""Topic filters, against paho's own idea of what matches."""

from functools import cache
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.client import topic_matches_sub

from bridge.mqtt.filters import captures, covers, fault_of_filter, fewest, matches, overlap

LEVELS = st.sampled_from(["a", "b", "", "$a"])
TOPICS = st.lists(LEVELS, min_size=1, max_size=4).map("/".join).filter(bool)
FILTERS = (
    st.tuples(
        st.lists(st.sampled_from(["a", "b", "", "+", "$a"]), max_size=3),
        st.sampled_from([[], ["#"], ["a"]]),
    )
    .map(lambda parts: "/".join([*parts[0], *parts[1]]))
    .filter(bool)
)

ALL_FILTERS = [
    "/".join([*levels, last])
    for depth in (0, 1, 2)
    for levels in product(["a", "b", "", "+"], repeat=depth)
    for last in ["a", "b", "", "+", "#"]
    if levels or last
] + ["$a", "$a/#", "$a/+", "+/$a"]
"""Every one of up to three levels, and some with a dollar."""
ALL_TOPICS = [
    "/".join(levels)
    for depth in (1, 2, 3, 4)
    for levels in product(["a", "b", "", "z", "$a"], repeat=depth)
    if levels != ("",)
]
"""With a word that is in no filter, and a level more than any has."""


@cache
def matched(topic_filter: str) -> frozenset[str]:
    """The topics that paho takes to match."""
    return frozenset(topic for topic in ALL_TOPICS if topic_matches_sub(topic_filter, topic))


@pytest.mark.parametrize(
    ("topic_filter", "topic", "found"),
    [
        ("zigbee2mqtt/rec", "zigbee2mqtt/rec", ()),
        ("zigbee2mqtt/rec", "zigbee2mqtt/rec/action", None),
        ("shellies/+/input_event/+", "shellies/s1/input_event/0", ("s1", "0")),
        ("shellies/+/#", "shellies/s1/input_event/0", ("s1", "input_event/0")),
        ("shellies/#", "shellies", ("",)),
        ("+/+", "a/", ("a", "")),
        ("#", "$SYS/broker", None),
        ("+/broker", "$SYS/broker", None),
        ("$SYS/+", "$SYS/broker", ("broker",)),
    ],
)
def test_captures(topic_filter: str, topic: str, found: tuple[str, ...] | None) -> None:
    assert captures(topic_filter, topic) == found


@given(FILTERS, TOPICS)
def test_matching_is_what_paho_calls_matching(topic_filter: str, topic: str) -> None:
    assert matches(topic_filter, topic) == topic_matches_sub(topic_filter, topic)


@given(FILTERS, FILTERS, st.lists(TOPICS, max_size=30))
def test_what_covers_and_overlaps_does_so_for_every_topic(
    one: str, other: str, topics: list[str]
) -> None:
    for topic in topics:
        here, there = topic_matches_sub(one, topic), topic_matches_sub(other, topic)
        assert not (here and there and not overlap(one, other))
        assert not (covers(one, other) and there and not here)


@pytest.mark.parametrize("one", ALL_FILTERS)
def test_two_filters_against_every_topic(one: str) -> None:
    for other in ALL_FILTERS:
        ones, others = matched(one), matched(other)
        # That +/# is no less than # need not be seen: # covers it.
        assert covers(one, other) == (ones >= others) or one.endswith("+/#")
        assert ones >= others or not covers(one, other)
        # The only topic that these two have in common has no byte, and is none.
        assert overlap(one, other) == bool(ones & others) or {one, other} == {"+", "/#"}
        few = [matched(each) for each in fewest([one, other])]
        assert frozenset.union(*few) >= ones | others
        assert sum(map(len, few)) == len(frozenset.union(*few))


@given(st.lists(FILTERS, max_size=5), st.lists(TOPICS, max_size=30))
def test_the_fewest_deliver_once_what_any_would(filters: list[str], topics: list[str]) -> None:
    few = fewest(filters)
    for topic in topics:
        matched = sum(topic_matches_sub(each, topic) for each in few)
        assert matched <= 1
        if any(topic_matches_sub(each, topic) for each in filters):
            assert matched == 1


@pytest.mark.parametrize(
    ("filters", "few"),
    [
        (["a/b", "a/b"], ["a/b"]),
        (["a/b", "a/+", "c"], ["a/+", "c"]),
        (["a/#", "a/b/c"], ["a/#"]),
        (["z/+/action", "z/rec/#"], ["z/+/#"]),
        (["a/+/c", "a/b/+"], ["a/+/+"]),
    ],
)
def test_fewest(filters: list[str], few: list[str]) -> None:
    assert fewest(filters) == few


@pytest.mark.parametrize("good", ["#", "+", "a/+/#", "+/+", "a//b", "/", "$SYS/#", "é"])
def test_good_filters(good: str) -> None:
    assert fault_of_filter(good) is None


@pytest.mark.parametrize(
    "bad", ["", "a/#/b", "a#", "a/b#", "##", "a+/b", "a/+b", "a\0", "$share/g/a"]
)
def test_filters_that_are_none(bad: str) -> None:
    assert fault_of_filter(bad)
