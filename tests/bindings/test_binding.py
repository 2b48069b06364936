"""Bindings with any message whatever, and with any memory."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bridge.bindings.durable import from_document, to_document

from .rig import Rig

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
    rig = Rig(*TABLES)
    for payload, retained, after in messages:
        verdicts = rig.hear(payload, after=after, retained=retained)
        assert len(verdicts) == len(TABLES)
        for verdict in verdicts:
            assert (verdict.outcome is None) == bool(verdict.reason)
            assert not (retained and verdict.outcome)
        for verdict in rig.tick(after):
            assert verdict.outcome is not None or verdict.reason


@given(JSON, st.sampled_from([t for t in TABLES if "match" in t]))
def test_matching_is_only_about_the_message(value: object, table: dict[str, Any]) -> None:
    """The same message to a fresh memory comes to the same."""
    first, second = Rig(table).one(json.dumps(value)), Rig(table).one(json.dumps(value))
    assert (first.outcome, first.reason, first.later) == (
        second.outcome,
        second.reason,
        second.later,
    )


@given(st.lists(st.tuples(PAYLOADS, st.floats(0, 3)), max_size=6), st.text() | JSON.map(json.dumps))
def test_what_is_kept_is_what_comes_back(messages: list[tuple[bytes, float]], junk: str) -> None:
    rig = Rig(*TABLES)
    for payload, after in messages:
        rig.hear(payload, after=after)
    document = rig.document
    memory = from_document(rig.bindings, document, "boot")
    assert to_document(rig.bindings, memory, "boot") == document
    assert from_document(list(reversed(rig.bindings)), document, "boot").keys() == {
        (len(TABLES) - 1 - number, topic) for number, topic in memory
    }
    assert to_document(rig.bindings, from_document(rig.bindings, junk, "boot"), "boot") == "{}"
