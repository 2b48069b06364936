"""Bindings: what matches, what does not and why, and when it acts."""

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.bindings.binding import Memory, Verdict, due, instant, take, tick
from bridge.bindings.conditions import condition
from bridge.bindings.matching import Answer, answer_to, parse_json
from bridge.bindings.memory import carried_over, from_document, to_document
from bridge.bindings.outcome import Arrival, Failed
from bridge.config.bindings import BindingTable, make_bindings
from bridge.hmp.arguments import TITLE_LIMIT
from bridge.mqtt.payload import LONGEST_ID
from bridge.mqtt.topics import Input
from bridge.room.state import Now

ROOMS = {"r0": "Room 0", "r1": "Room 1"}
WALL = 1_700_000_000.0


class Bound:
    """Bindings on topic `t`, a memory and a clock."""

    def __init__(self, *tables: dict[str, Any]) -> None:
        base: dict[str, Any] = {"topic": "t", "room": "r0"}
        whole = [base | ({} if "event" in table else {"do": "toggle"}) | table for table in tables]
        self.bindings = make_bindings(BindingTable(**table) for table in whole)
        self.memory: Memory = {}
        self.clock = 100.0

    @property
    def now(self) -> Now:
        return Now(self.clock, WALL + self.clock)

    def hear(
        self, payload: object, *, topic: str = "t", after: float = 0.0, retained: bool = False
    ) -> list[Verdict]:
        self.clock += after
        raw = payload if isinstance(payload, bytes) else str(payload).encode()
        raw = json.dumps(payload).encode() if isinstance(payload, dict | list) else raw
        arrival = Arrival(topic, raw, retained)
        self.memory, verdicts = take(self.bindings, self.memory, arrival, self.now, ROOMS)
        return verdicts

    def one(self, payload: object, **how: Any) -> Verdict:
        (verdict,) = self.hear(payload, **how)
        return verdict

    def acts(self, payload: object, **how: Any) -> bool:
        return isinstance(self.one(payload, **how).outcome, Input)

    def input(self, payload: object, **how: Any) -> Input:
        outcome = self.one(payload, **how).outcome
        assert isinstance(outcome, Input), outcome
        return outcome

    def failure(self, payload: object, **how: Any) -> Failed:
        outcome = self.one(payload, **how).outcome
        assert isinstance(outcome, Failed), outcome
        return outcome

    @property
    def document(self) -> str:
        return to_document(self.bindings, self.memory, "boot")

    def acts_any(self, payload: object, **how: Any) -> bool:
        return any(verdict.outcome for verdict in self.hear(payload, **how))

    def tick(self, after: float) -> list[Verdict]:
        self.clock += after
        self.memory, verdicts = tick(self.bindings, self.memory, self.now, ROOMS)
        return verdicts


ITEMS = {"e.*": {"c": "input:0", "e": "double"}}


@pytest.mark.parametrize(
    ("match", "payload", "answer", "why"),
    [
        ({"a": "x"}, '{"a":"X "}', Answer.YES, ""),
        ({"a": "x"}, '{"a":"y"}', Answer.NO, "a: is 'y', not 'x'"),
        (
            {"a": "x"},
            '{"b":1,"c":2}',
            Answer.SILENT,
            "a: is not there; the keys of the payload are: b, c",
        ),
        ({"a.b.c": 1}, '{"a":{"b":3}}', Answer.SILENT, "a.b.c: is not there; a.b is 3"),
        (
            {"a.b": 1},
            '{"a":[{"b":1}]}',
            Answer.SILENT,
            "a.b: is not there; a is a list of 1; write a.* for any item",
        ),
        ({"a.0.b": 1}, '{"a":[{"b":1}]}', Answer.YES, ""),
        ({"a.*.b": 1}, '{"a":[{"b":2},{"b":1}]}', Answer.YES, ""),
        ({"a.*.b": 1}, '{"a":[{"b":2},{"b":3}]}', Answer.NO, "a.*.b: is 2, 3, not 1"),
        ({"a.*": 1}, '{"a":[]}', Answer.SILENT, "a.*: is not there; a is a list of 0"),
        ({"*": 1}, "[3, 1]", Answer.YES, ""),
        (
            {"a": 1},
            '[{"a":1}]',
            Answer.SILENT,
            "a: is not there; the payload is a list of 1; write *.a for any item",
        ),
        ({"a.exsts": True}, '{"a":{"exsts":true}}', Answer.YES, ""),
        ({"a.exists": False}, '{"a":{"exists":false}}', Answer.YES, ""),
        ({"a.*": {"in": 1, "b": 2}}, '{"a":[{"b":2},{"in":1,"b":2}]}', Answer.YES, ""),
        ({"a.*": {"exists": True, "b": 2}}, '{"a":[{"exists":true,"b":2}]}', Answer.YES, ""),
        ({"a": "x"}, "", Answer.SILENT, "a: the payload is not JSON"),
        ({"a": "x"}, "null", Answer.SILENT, "a: is not there; the payload is null"),
        ({"a": ["x", 7, True]}, '{"a":"7"}', Answer.YES, ""),
        ({"a": ["x", "z"]}, '{"a":"y"}', Answer.NO, "a: is 'y', not 'x' or 'z'"),
        ({"a": 12}, '{"a":"12"}', Answer.YES, ""),
        ({"a": 12}, '{"a":12.0}', Answer.YES, ""),
        ({"a": 1.5}, '{"a":"1.50"}', Answer.YES, ""),
        ({"a": "12"}, '{"a":12}', Answer.YES, ""),
        ({"a": True}, '{"a":"True"}', Answer.YES, ""),
        ({"a": True}, '{"a":1}', Answer.YES, ""),
        ({"a": True}, '{"a":"on"}', Answer.YES, ""),
        ({"a": False}, '{"a":"release"}', Answer.YES, ""),
        ({"a": False}, '{"a":0.0}', Answer.YES, ""),
        ({"a": True}, '{"a":"1.000"}', Answer.YES, ""),
        ({"a": False}, '{"a":"0.00"}', Answer.YES, ""),
        ({"a": True}, '{"a":"10.0"}', Answer.SILENT, "a: is '10.0', neither true nor false"),
        ({"a": True}, '{"a":"false"}', Answer.NO, "a: is 'false', not true"),
        (
            {"a": True},
            '{"a":"unavailable"}',
            Answer.SILENT,
            "a: is 'unavailable', neither true nor false",
        ),
        ({"a": "true"}, '{"a":true}', Answer.YES, ""),
        ({"a": "on"}, '{"a":true}', Answer.NO, "a: is true, not 'on'"),
        ({"a": "press"}, '{"a":"on"}', Answer.NO, "a: is 'on', not 'press'"),
        ({"a": "x"}, '{"a":null}', Answer.SILENT, "a: is null"),
        ({"a": "x"}, '{"a":""}', Answer.SILENT, "a: is empty, which is ignored"),
        ({"a": "x"}, '{"a":{"b":1}}', Answer.NO, "a: is a table, not 'x'"),
        ({"a": {"regex": "[0-9]_(hold|long)"}}, '{"a":"1_hold"}', Answer.YES, ""),
        (
            {"a": {"regex": "[0-9]_hold"}},
            '{"a":"11_hold"}',
            Answer.NO,
            "a: is '11_hold', not what matches '[0-9]_hold'",
        ),
        ({"a": {"regex": ".*"}}, '{"a":"' + "x" * 201 + '"}', Answer.NO, "a: is"),
        ({"a": {"exists": True}}, '{"a":null}', Answer.YES, ""),
        ({"a": {"exists": True}}, "{}", Answer.NO, "a: is not there"),
        ({"a": {"exists": False}}, '{"b":1}', Answer.YES, ""),
        ({"a": {"exists": False}}, '{"a":1}', Answer.NO, "a: is there"),
        ({"a": {"b": {"c": 1}}}, '{"a":{"b":{"c":1}}}', Answer.YES, ""),
        ({"a": {"b": 1}}, '{"a":{"b":2}}', Answer.NO, "a.b: is 2, not 1"),
        ({"a.b": 1}, '{"a.b":1}', Answer.YES, ""),
        ({"a.b": 1}, '{"a":{"Value":{"b":{"Value":1}}}}', Answer.YES, ""),
        ({"a.Value": 1}, '{"a":{"Value":1}}', Answer.YES, ""),
        ({"a.Value": 1}, '{"a":1}', Answer.YES, ""),
        ({"Value": "on", "W": "x"}, '{"Value":"on","W":"x"}', Answer.YES, ""),
        (ITEMS, '{"e":[{"c":"input:0","e":"double"}]}', Answer.YES, ""),
        (
            ITEMS,
            '{"e":[{"c":"input:0","e":"down"},{"c":"input:1","e":"double"}]}',
            Answer.NO,
            "no item has c = 'input:0' and e = 'double'; seen: c = 'input:0', e = 'down'; c = 'in",
        ),
        (ITEMS, '{"e":[{"c":"input:1","e":"double"}]}', Answer.SILENT, "e.*: no item has"),
        (ITEMS, '{"e":[1, "x", null]}', Answer.SILENT, "seen: 1; 'x'; null"),
        ({"id": 12, "v": True}, '{"id":12,"v":"true"}', Answer.YES, ""),
        ({"v": True, "id": 12}, '{"id":12,"v":"0"}', Answer.NO, "v: is '0', not true"),
        ({"v": True, "id": 12}, '{"id":13,"v":"0"}', Answer.SILENT, "id: is 13, not 12"),
    ],
)
def test_what_a_message_says(match: dict[str, Any], payload: str, answer: Answer, why: str) -> None:
    conditions = [condition(path, wanted) for path, wanted in match.items()]
    found, reason = answer_to(conditions, parse_json(payload))
    assert found is answer, reason
    assert why in reason
    assert bool(reason) == (answer is not Answer.YES)


@pytest.mark.parametrize(
    ("path", "wanted", "why"),
    [
        ("a", [], "an empty list can never match"),
        ("a", {}, "an empty table says nothing"),
        ("a", "", "can never match"),
        ("a", ["x", ""], "can never match"),
        ("a", float("nan"), "can never match"),
        ("a", None, "put it in quotes"),
        ("a..b", 1, "is no path"),
        (".a", 1, "is no path"),
        ("a", {"regex": "("}, "is no regular expression"),
        ("a", {"regex": 7}, "text in quotes"),
        ("a", {"regex": "(a+)+$"}, "can take for ever"),
        ("a", {"regex": "(a|aa)*"}, "can take for ever"),
        ("a", {"regex": "(?:a?)+"}, "can take for ever"),
        ("a", {"regex": "((ab)*c)*"}, "can take for ever"),
        ("a", {"regex": "(a{1,9}){1,9}"}, "can take for ever"),
        ("a", {"regex": ".*.*.*.*.*"}, "can take for ever"),
        ("a.*", {"b": {"regex": "("}}, "is no regular expression"),
    ],
)
def test_conditions_that_mean_nothing(path: str, wanted: object, why: str) -> None:
    with pytest.raises(ValueError, match=re.escape(why)):
        condition(path, wanted)


@pytest.mark.parametrize(
    "pattern", ["[(a+)+]", r"\(a+\)+", "[]*+]x", "[^]*]+", "(ab)+", "(?:ab){2}"]
)
def test_patterns_that_only_look_dangerous(pattern: str) -> None:
    condition("a", {"regex": pattern})


# What is asked for.


def test_an_action_with_its_parameters() -> None:
    bound = Bound(
        {"do": "mark", "fields": {"title": "{{ json.t }} in {{ room.name }}", "id": "{{ json.i }}"}}
    )
    asked = bound.input({"t": "One\r\ntwo\x07", "i": "7"})
    assert asked == Input("r0", "mark", parameters={"title": "One\ntwo in Room 0"}, id="7")
    assert bound.input({"t": "x"}).id is None


def test_an_event_keeps_its_id_and_leaves_out_what_is_empty() -> None:
    fields = {"id": "{{ json.id }}", "title": "{{ json.none }}", "number": 7, "yes": True}
    asked = Bound({"event": "Meeting-Start", "fields": fields}).input({"id": "b"})
    assert asked == Input("r0", "meeting_start", True, {"id": "b", "number": 7, "yes": True}, "b")


def test_a_title_of_ten_thousand_emoji_however_they_are_written() -> None:
    bound = Bound({"event": "meeting_start", "fields": {"title": "{{ json.t }}"}})
    for escaped in (True, False):
        payload = json.dumps({"t": "😀" * 10_000}, ensure_ascii=escaped).encode()
        title = bound.input(b"\xef\xbb\xbf" + payload).parameters["title"]
        assert title == "😀" * (TITLE_LIMIT - 1) + "…"


def test_titles_are_cut_between_characters_and_halves_of_pairs_are_no_text() -> None:
    bound = Bound({"do": "record", "fields": {"title": "{{ json.t }}"}})
    title = bound.input({"t": "👩‍👩‍👧" * 100}).parameters["title"]
    assert title == "👩‍👩‍👧" * 50 + "…"
    assert bound.input(b'{"t":"a\\ud800b"}').parameters == {"title": "ab"}


def test_what_templates_see() -> None:
    source = (
        "{{ topic }}|{{ topic.levels[0] }}|{{ topic.captures | join('+') }}|{{ payload }}{{ json }}"
    )
    bound = Bound({"topic": "a/+/#", "do": "mark", "fields": {"title": source}})
    asked = bound.input("text", topic="a/b/c/d")
    assert asked.parameters["title"] == "a/b/c/d|a|b+c/d|text"
    year = Bound({"do": "mark", "fields": {"title": "{{ now.strftime('%Y') }}"}})
    assert year.input("x").parameters["title"] == "2023"


def test_the_room_can_come_from_the_message() -> None:
    bound = Bound({"topic": "z/+", "room": " {{ topic.captures[0] | lower }} "})
    assert bound.input("x", topic="z/R1").room == "r1"
    failed = bound.failure("x", topic="z/kitchen")
    assert failed.reason == "room: 'kitchen' is no room; configured are: r0, r1"
    assert "'' is no room" in Bound({"room": "{{ json.nothing }}"}).failure("{}").reason


def test_a_binding_that_fails_harms_no_other() -> None:
    bound = Bound(
        {"do": "extend", "fields": {"minutes": "{{ 1 / json.n }}"}},
        {"do": "record"},
        {"event": "meeting_start", "fields": {"id": "{{ json.id }}"}},
    )
    broken, fine, long_id = bound.hear({"n": 0, "id": "x" * 2000})
    assert isinstance(broken.outcome, Failed)
    assert broken.outcome.reason.startswith("fields.minutes: '{{ 1 / json.n }}': division by zero")
    assert broken.outcome.room == "r0"
    assert isinstance(fine.outcome, Input)
    assert isinstance(long_id.outcome, Input)
    assert long_id.outcome.parameters["id"] == long_id.outcome.id == "x" * LONGEST_ID


def test_what_cannot_be_made_keeps_nothing_from_being_recorded() -> None:
    """Recording comes first (R14); but a meeting without its id could never be ended by it."""
    end = "{{ json.start | as_datetime + json.minutes | minutes }}"
    bound = Bound(
        {"event": "meeting_start", "fields": {"id": "{{ json.id }}", "title": "A", "end": end}},
        {"do": "record", "fields": {"title": "{{ 1 / json.n }}"}},
        {"event": "meeting_start", "fields": {"id": "{{ 1 / json.n }}"}},
        {"event": "meeting_extend", "fields": {"end": end}},
    )
    started, recorded, nameless, extended = bound.hear({"id": "m", "n": 0})
    assert isinstance(started.outcome, Input)
    assert started.outcome.parameters == {"id": "m", "title": "A"}
    (reason,) = started.outcome.left_out
    assert reason.startswith("fields.end: '{{ json.start | as_datetime + ")
    assert isinstance(recorded.outcome, Input)
    assert "division by zero" in recorded.outcome.left_out[0]
    assert isinstance(nameless.outcome, Failed)
    assert isinstance(extended.outcome, Failed)


# Text.


@pytest.mark.parametrize(
    ("wanted", "yes", "no"),
    [
        ("ON", ["ON", "on", " on\n", '"on"'], ["OFF", "true", "{}", ""]),
        (True, ["true", "1", "ON", "press", "True", '"true"'], ["false", "2", "", "{}"]),
        (["a", "b"], ["A", "b"], ["ab", "[]"]),
        ({"regex": "[0-9]_hold"}, ["1_hold"], ["1_HOLD", "1_hold_"]),
        (12, ["12", "12.0"], ["1", "twelve"]),
    ],
)
def test_text(wanted: object, yes: list[str], no: list[str]) -> None:
    bound = Bound({"payload": wanted})
    for payload in yes:
        assert bound.acts(payload), payload
    for payload in no:
        assert not bound.acts(payload), payload
        assert bound.one(payload).reason


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        (b"", "the payload is empty, which is ignored"),
        (b"  \n", "the payload is empty, which is ignored"),
        (b"\xff\xfe", "the payload is not UTF-8 text"),
        (b"x" * 200_001, "the payload has 200,001 bytes; at most 200,000 are looked at"),
    ],
)
def test_payloads_that_nothing_can_be_made_of(payload: bytes, why: str) -> None:
    assert Bound({}).one(payload).reason == why


def test_empty_can_be_asked_for() -> None:
    assert Bound({"ignore_empty": False}).acts("")
    bound = Bound({"ignore_empty": False, "match": {"action": ""}})
    assert bound.acts({"action": ""})
    assert not bound.acts({"action": "x"})


def test_retained_messages_never_act_and_are_not_remembered() -> None:
    bound = Bound({"payload": True, "edge": "rising"})
    assert "retained" in bound.one("true", retained=True).reason
    assert bound.acts("true")


# Time.


def test_edges() -> None:
    bound = Bound(*({"payload": True, "edge": edge} for edge in ("rising", "falling", "both")))
    seen = [
        [verdict.outcome is not None for verdict in bound.hear(payload)]
        for payload in ("0", "1", "1", "0", "0", "1")
    ]
    up, down, still = [True, False, True], [False, True, True], [False, False, False]
    assert seen == [still, up, still, down, still, up]


def test_topics_have_levels_of_their_own() -> None:
    bound = Bound({"topic": "p/+", "payload": True, "edge": "rising"})
    assert bound.acts("1", topic="p/1")
    assert bound.acts("1", topic="p/2")
    assert not bound.acts("1", topic="p/1")


def test_debounce_counts_from_what_acted() -> None:
    bound = Bound({"debounce": "300ms"})
    acted = [bound.acts("x", after=after) for after in (0, 0.2, 0.2, 0.2, 0.09, 0.02)]
    assert acted == [True, False, True, False, False, True]
    assert "debounce is 0.3 s" in bound.one("x").reason


def test_press_and_hold() -> None:
    bound = Bound({"payload": True, "hold": "2s"})
    pressed = bound.one("1")
    assert (pressed.outcome, pressed.later) == (None, 2.0)
    assert due(bound.bindings, bound.memory) == 102.0
    assert bound.tick(1.9) == []
    assert "acts once per press" in bound.one("1").reason
    (held,) = bound.tick(0.1)
    assert isinstance(held.outcome, Input)
    assert due(bound.bindings, bound.memory) is None
    assert bound.tick(10) == []
    assert not bound.acts("0")
    assert bound.one("1").later == 2.0
    assert bound.one("0", after=1.5).reason == "released after 1.5 s, and hold is 2 s"
    assert due(bound.bindings, bound.memory) is None


def test_held_is_the_message_that_began_it() -> None:
    table = {"match": {"v": True}, "hold": "1s", "do": "mark", "fields": {"title": "{{ json.t }}"}}
    bound = Bound(table)
    bound.hear({"v": 1, "t": "first"})
    bound.hear({"v": 1, "t": "second"})
    (held,) = bound.tick(1)
    assert isinstance(held.outcome, Input)
    assert held.outcome.parameters == {"title": "first"}


def test_tap() -> None:
    bound = Bound({"payload": True, "tap": "800ms"})
    assert not bound.acts("0")
    assert bound.one("1").later == 0.8
    assert bound.acts("0", after=0.5)
    assert not bound.acts("0")
    assert not bound.acts("1")
    assert bound.one("0", after=0.9).reason == "released after 0.9 s, and tap is less than 0.8 s"


def test_counters_and_ids() -> None:
    bound = Bound({"match": {"e": "S"}, "unique": "n"})
    acted = [
        bound.acts({"e": event, "n": number})
        for event, number in (("S", 1), ("S", 1), ("S", 2), ("L", 3), ("S", 3), ("S", 1))
    ]
    assert acted == [True, False, True, False, True, True]
    assert bound.one({"e": "S", "n": 1}).reason == "n: is 1 once more"
    assert bound.acts({"e": "S"})
    by_id = Bound({"unique": "id"})
    assert [by_id.acts({"id": each}) for each in "abab"] == [True, True, False, False]


@pytest.mark.parametrize("age", ["ts", "{{ json.ts }}"])
def test_greatest_age(age: str) -> None:
    bound = Bound({"age": age, "max_age": "30s"})
    now = WALL + 100
    for fresh in (
        now,
        now - 29,
        (now - 29) * 1000,
        str(now - 1),
        now + 3600,
        "2023-11-14T22:15:00Z",
    ):
        assert bound.acts({"ts": fresh}), fresh
    assert "31 s old, and max_age is 30 s" in bound.one({"ts": now - 31}).reason
    assert "old" in bound.one({"ts": "2023-11-14T22:14:00Z"}).reason
    timeless: tuple[object, ...] = ("soon", None, [], True, -1, 1e300)
    for value in timeless:
        assert "is no time" in bound.one({"ts": value}).reason
    assert "is no time" in bound.one({}).reason


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (1_705_312_800, 1_705_312_800.0),
        (1_705_312_800_000, 1_705_312_800.0),
        ("2024-01-15T11:00:00+01:00", 1_705_312_800.0),
        ("2024-01-15T10:00:00", 1_705_312_800.0),
        ("nan", None),
        ("inf", None),
        (None, None),
    ],
)
def test_instants(value: object, seconds: float | None) -> None:
    assert instant(value) == seconds


def test_what_is_remembered_is_bounded() -> None:
    bound = Bound({"topic": "p/#", "payload": True, "edge": "rising"})
    for number in range(1500):
        bound.hear("1", topic=f"p/{number}")
    assert len(bound.memory) == 1000
    assert bound.acts("1", topic="p/0")
    assert not bound.acts("1", topic="p/1499")


# Anything.

TABLES: list[dict[str, Any]] = [
    {},
    {"payload": True, "edge": "both"},
    {"payload": {"regex": "[a-z]+"}},
    {"match": {"a": True}, "hold": "1s"},
    {"match": {"a.*.b": "x"}, "tap": "1s"},
    {"match": {"*.*": {"a": {"b": 1}}}, "debounce": "1s"},
    {"match": {"a": {"exists": False}}, "unique": "b.*"},
    {"match": {"a.Value.0": [1, "x"]}, "unique": "a"},
    {"age": "a.b", "max_age": "1s"},
    {"age": "{{ json.a + payload }}", "max_age": "1s"},
    {"do": "mark", "fields": {"title": "{{ json.a.b | upper }}{{ json | length }}{{ payload }}"}},
    {"room": "{{ payload }}{{ json.a }}", "event": "meeting_start", "fields": {"id": "{{ json }}"}},
]
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["x", "on"]),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.sampled_from(["a", "b", "Value", "*", ""]), inner)
    ),
    max_leaves=8,
)
PAYLOADS = st.binary() | JSON.map(lambda value: json.dumps(value).encode())


@given(st.lists(st.tuples(PAYLOADS, st.booleans(), st.floats(0, 3)), max_size=6))
def test_no_message_whatever_raises(messages: list[tuple[bytes, bool, float]]) -> None:
    bound = Bound(*TABLES)
    for payload, retained, after in messages:
        verdicts = bound.hear(payload, after=after, retained=retained)
        assert len(verdicts) == len(TABLES)
        for verdict in verdicts:
            assert (verdict.outcome is None) == bool(verdict.reason)
            assert not (retained and verdict.outcome)
        for verdict in bound.tick(after):
            assert verdict.outcome is not None or verdict.reason


@given(JSON, st.sampled_from([t for t in TABLES if "match" in t]))
def test_matching_is_only_about_the_message(value: object, table: dict[str, Any]) -> None:
    """The same message to a fresh memory comes to the same."""
    first, second = Bound(table).one(json.dumps(value)), Bound(table).one(json.dumps(value))
    assert (first.outcome, first.reason, first.later) == (
        second.outcome,
        second.reason,
        second.later,
    )


@given(st.lists(st.tuples(PAYLOADS, st.floats(0, 3)), max_size=6), st.text() | JSON.map(json.dumps))
@settings(deadline=None)
def test_what_is_kept_is_what_comes_back(messages: list[tuple[bytes, float]], junk: str) -> None:
    bound = Bound(*TABLES)
    for payload, after in messages:
        bound.hear(payload, after=after)
    document = bound.document
    memory = from_document(bound.bindings, document, "boot")
    assert to_document(bound.bindings, memory, "boot") == document
    assert from_document(list(reversed(bound.bindings)), document, "boot").keys() == {
        (len(TABLES) - 1 - number, topic) for number, topic in memory
    }
    assert to_document(bound.bindings, from_document(bound.bindings, junk, "boot"), "boot") == "{}"


def test_a_restart_forgets_no_counter_and_no_level() -> None:
    bound = Bound({"unique": "n"}, {"match": {"v": True}, "edge": "rising"})
    assert [verdict.reason for verdict in bound.hear({"n": 7, "v": 1})] == ["", ""]
    bound.memory = from_document(bound.bindings, bound.document, "boot")
    assert all(verdict.reason for verdict in bound.hear({"n": 7, "v": 1}))


def restarted(bound: Bound, boot: str = "boot") -> None:
    bound.memory = from_document(bound.bindings, bound.document, boot)


def test_a_restart_loses_no_press_that_is_still_to_act() -> None:
    bound = Bound(
        {"payload": True, "hold": "2s", "fields": {"id": "{{ payload }}"}, "do": "stop"},
        {"payload": True, "tap": "5s"},
    )
    assert not [each for each in bound.hear("ON") if each.outcome]
    restarted(bound)
    assert due(bound.bindings, bound.memory) == 102.0
    assert not bound.acts_any("ON", after=1.0)  # the device says so again: the same press
    (verdict,) = bound.tick(1.5)
    assert (verdict.held_at, verdict.outcome) == (102.0, Input("r0", "stop", id="ON"))
    restarted(bound)
    assert due(bound.bindings, bound.memory) is None
    assert bound.acts_any("OFF", after=1.0)  # the tap
    restarted(bound)
    assert bound.memory == {}


def test_a_press_of_before_the_machine_was_started_is_not_timed() -> None:
    bound = Bound({"payload": True, "hold": "2s"}, {"payload": True, "tap": "5s"})
    bound.hear("ON")
    restarted(bound, boot="another")
    assert due(bound.bindings, bound.memory) is None
    assert not bound.acts_any("OFF", after=1.0)


def test_a_press_that_was_released_is_not_kept() -> None:
    bound = Bound({"payload": True, "hold": "2s"})
    bound.hear("ON")
    restarted(bound)
    assert "released after 1.0 s" in bound.one("OFF", after=1.0).reason
    assert bound.document == "{}"


def test_a_reload_keeps_what_the_same_bindings_remember() -> None:
    """Also what is of the moment, such as a press that is held; of equal ones, each keeps its."""
    held, edge = {"match": {"v": True}, "hold": "2s"}, {"match": {"v": True}, "edge": "rising"}
    bound = Bound(held, edge, {"unique": "n"}, held)
    bound.hear({"n": 7, "v": True})
    after = [bound.bindings[place] for place in (2, 3, 0, 0)]
    memory = carried_over(bound.bindings, after, bound.memory)
    topic = next(iter(bound.memory))[1]
    assert memory == {
        (0, topic): bound.memory[2, topic],
        (1, topic): bound.memory[0, topic],
        (2, topic): bound.memory[3, topic],
    }
    assert memory[1, topic].held is not None
