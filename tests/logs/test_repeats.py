"""Repeated lines: the first at once, the rest as a count, in the end or every minute."""

import math

from hypothesis import given
from hypothesis import strategies as st

from bridge.logs.repeats import ALLOWED, AT_LATEST, MOST, MOST_CHANGES, QUIET, Repeats, same


def test_same_but_for_times() -> None:
    one = {"event": "x", "ms": 1, "sent_ms": 2, "rooms": ["a"]}
    assert same(one) == same({"event": "x", "ms": 7, "rooms": ["a"]})
    assert same(one) != same({"event": "x", "rooms": ["b"]})
    assert same(one) != same({"event": "x"})
    assert same({"event": "x", "id": "1"}) == same({"event": "x", "id": "2"})
    assert same({"event": "x", "exc_info": True}) is None


def test_told_when_it_has_ended() -> None:
    repeats, line = Repeats(), {"event": "x"}
    assert repeats.is_new("x", line, 0.0)
    assert [repeats.is_new("x", line, at) for at in (1.0, 2.0, 3.0)] == [False] * 3
    assert list(repeats.due(3.0 + QUIET - 0.1)) == []
    assert list(repeats.due(3.0 + QUIET)) == [(line, 3)]
    assert list(repeats.due(math.inf)) == []
    assert repeats.is_new("x", line, 99.0)


def test_told_every_minute_while_it_goes_on() -> None:
    repeats, told = Repeats(), []
    for second in range(150):
        repeats.is_new("x", {}, float(second))
        told += [(second, count) for _, count in repeats.due(float(second))]
    assert told == [(60, 60), (120, 60)]
    assert [count for _, count in repeats.due(math.inf)] == [29]


def test_bounded_and_beyond_that_nothing_is_lost() -> None:
    repeats = Repeats()
    assert all(repeats.is_new(number, {}, 0.0) for number in range(MOST))
    assert repeats.is_new("more", {}, 0.0)
    assert repeats.is_new("more", {}, 0.0)
    list(repeats.due(QUIET))
    assert repeats.is_new("more", {}, QUIET)
    assert not repeats.is_new("more", {}, QUIET)


def test_lines_with_an_id_are_one_line_each_until_they_are_a_flood() -> None:
    repeats = Repeats()
    written = sum(repeats.is_new("x", {"id": number}, number / 1000) for number in range(10_000))
    assert written == ALLOWED
    assert [count for _, count in repeats.due(10.0)] == []
    assert repeats.is_new("x", {"id": 10_000}, QUIET)
    assert [count for _, count in repeats.due(math.inf)] == [10_000 - ALLOWED]


def test_a_flood_of_different_lines_is_counted_by_their_event() -> None:
    repeats = Repeats()
    line = {"event": "e", "level": "warning", "part": "mqtt"}
    written = sum(repeats.is_new(number, line | {"n": number}, 0.0) for number in range(10_000))
    assert written == MOST + ALLOWED
    assert list(repeats.due(math.inf)) == [(line, 10_000 - MOST - ALLOWED)]


READY = {"part": "hmp", "server": "main", "event": "HMP is ready"}
DOWN = {"part": "hmp", "server": "main", "event": "HMP cannot be used"}


def test_a_change_back_is_news() -> None:
    """The log's last word about a link is what it is."""
    repeats = Repeats()
    assert repeats.is_new("ready", READY, 0.0)
    assert repeats.is_new("down", DOWN, 1.0)
    assert not repeats.is_new("down", DOWN, 2.0)
    assert repeats.is_new("other", READY | {"server": "spare"}, 3.0)
    assert repeats.is_new("ready", READY, 3.0)
    assert not repeats.is_new("ready", READY, 4.0)
    assert list(repeats.due(math.inf)) == [(READY, 1), (DOWN, 1)]


def test_what_flaps_fills_no_disk() -> None:
    repeats = Repeats()
    written = sum(
        repeats.is_new(line["event"], line, at / 10) for at in range(100) for line in (READY, DOWN)
    )
    assert written == 2 * (1 + MOST_CHANGES)
    assert [count for _, count in repeats.due(math.inf)] == [100 - 1 - MOST_CHANGES] * 2


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 30), st.booleans()), max_size=60))
def test_every_line_is_written_or_counted(lines: list[tuple[str, float, bool]]) -> None:
    repeats, now, written, counted = Repeats(), 0.0, 0, 0
    for key, later, look in lines:
        now += later
        written += repeats.is_new(key, {"key": key}, now)
        if look:
            counted += sum(count for _, count in repeats.due(now))
    counted += sum(count for _, count in repeats.due(math.inf))
    assert written + counted == len(lines)
    assert AT_LATEST > QUIET
