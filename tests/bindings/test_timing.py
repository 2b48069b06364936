"""When a binding acts: levels, edges, holds, taps, counters and ages."""

import pytest

from bridge.bindings.binding import due
from bridge.mqtt.topics import Input

from .rig import WALL, Rig


def test_retained_messages_never_act_and_are_not_remembered() -> None:
    rig = Rig({"payload": True, "edge": "rising"})
    assert "retained" in rig.one("true", retained=True).reason
    assert rig.acts("true")


def test_edges() -> None:
    rig = Rig(*({"payload": True, "edge": edge} for edge in ("rising", "falling", "both")))
    seen = [
        [verdict.outcome is not None for verdict in rig.hear(payload)]
        for payload in ("0", "1", "1", "0", "0", "1")
    ]
    up, down, still = [True, False, True], [False, True, True], [False, False, False]
    assert seen == [still, up, still, down, still, up]


def test_topics_have_levels_of_their_own() -> None:
    rig = Rig({"topic": "p/+", "payload": True, "edge": "rising"})
    assert rig.acts("1", topic="p/1")
    assert rig.acts("1", topic="p/2")
    assert not rig.acts("1", topic="p/1")


def test_debounce_counts_from_what_acted() -> None:
    rig = Rig({"debounce": "300ms"})
    acted = [rig.acts("x", after=after) for after in (0, 0.2, 0.2, 0.2, 0.09, 0.02)]
    assert acted == [True, False, True, False, False, True]
    assert "debounce is 0.3 s" in rig.one("x").reason


def test_press_and_hold() -> None:
    rig = Rig({"payload": True, "hold": "2s"})
    pressed = rig.one("1")
    assert (pressed.outcome, pressed.later) == (None, 2.0)
    assert due(rig.bindings, rig.memory) == 102.0
    assert rig.tick(1.9) == []
    assert "acts once per press" in rig.one("1").reason
    (held,) = rig.tick(0.1)
    assert isinstance(held.outcome, Input)
    assert due(rig.bindings, rig.memory) is None
    assert rig.tick(10) == []
    assert not rig.acts("0")
    assert rig.one("1").later == 2.0
    assert rig.one("0", after=1.5).reason == "released after 1.5 s, and hold is 2 s"
    assert due(rig.bindings, rig.memory) is None


def test_held_is_the_message_that_began_it() -> None:
    table = {"match": {"v": True}, "hold": "1s", "do": "mark", "fields": {"title": "{{ json.t }}"}}
    rig = Rig(table)
    rig.hear({"v": 1, "t": "first"})
    rig.hear({"v": 1, "t": "second"})
    (held,) = rig.tick(1)
    assert isinstance(held.outcome, Input)
    assert held.outcome.parameters == {"title": "first"}


def test_tap() -> None:
    rig = Rig({"payload": True, "tap": "800ms"})
    assert not rig.acts("0")
    assert rig.one("1").later == 0.8
    assert rig.acts("0", after=0.5)
    assert not rig.acts("0")
    assert not rig.acts("1")
    assert rig.one("0", after=0.9).reason == "released after 0.9 s, and tap is less than 0.8 s"


def test_counters_and_ids() -> None:
    rig = Rig({"match": {"e": "S"}, "unique": "n"})
    acted = [
        rig.acts({"e": event, "n": number})
        for event, number in (("S", 1), ("S", 1), ("S", 2), ("L", 3), ("S", 3), ("S", 1))
    ]
    assert acted == [True, False, True, False, True, True]
    assert rig.one({"e": "S", "n": 1}).reason == "n: is 1 once more"
    assert rig.acts({"e": "S"})
    by_id = Rig({"unique": "id"})
    assert [by_id.acts({"id": each}) for each in "abab"] == [True, True, False, False]


@pytest.mark.parametrize("age", ["ts", "{{ json.ts }}"])
def test_greatest_age(age: str) -> None:
    rig = Rig({"age": age, "max_age": "30s"})
    now = WALL + 100
    for fresh in (
        now,
        now - 29,
        (now - 29) * 1000,
        str(now - 1),
        now + 3600,
        "2023-11-14T22:15:00Z",
    ):
        assert rig.acts({"ts": fresh}), fresh
    assert "31 s old, and max_age is 30 s" in rig.one({"ts": now - 31}).reason
    assert "old" in rig.one({"ts": "2023-11-14T22:14:00Z"}).reason
    timeless: tuple[object, ...] = ("soon", None, [], True, -1, 1e300)
    for value in timeless:
        assert "is no time" in rig.one({"ts": value}).reason
    assert "is no time" in rig.one({}).reason


def test_an_age_without_a_zone_is_by_the_boxes_time(box_two_hours_ahead: None) -> None:
    rig = Rig({"age": "ts", "max_age": "30s"})
    assert rig.acts({"ts": "2023-11-15T00:15:00"})
    assert "7,200 s old" in rig.one({"ts": "2023-11-14T22:15:00"}).reason


def test_what_is_remembered_is_bounded() -> None:
    rig = Rig({"topic": "p/#", "payload": True, "edge": "rising"})
    for number in range(1500):
        rig.hear("1", topic=f"p/{number}")
    assert len(rig.memory) == 1000
    assert rig.acts("1", topic="p/0")
    assert not rig.acts("1", topic="p/1499")
