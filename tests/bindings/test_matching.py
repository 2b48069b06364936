"""What matches, what does not, and why, in words."""

import re
from typing import Any

import pytest

from bridge.bindings.conditions import condition
from bridge.bindings.matching import Answer, answer_to, parse_json

from .rig import Rig

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
        ({"p.a": "x"}, '{"p":"{\\"a\\": \\"x\\"}"}', Answer.YES, ""),
        ({"p.*": {"Value": 1}}, '{"p":" [{\\"Value\\":2},{\\"Value\\":1}]"}', Answer.YES, ""),
        ({"a": "x"}, '"{\\"a\\": \\"x\\"}"', Answer.YES, ""),
        ({"p.b": 1}, '{"p":"{\\"a\\":1}"}', Answer.SILENT, "is not there; the keys of p are: a"),
        ({"p.b": 1}, '{"p":"{ a }"}', Answer.SILENT, "p.b: is not there; p is '{ a }'"),
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
        (
            {"a": "x"},
            '{"\\ud800": 1, "\\u001b[31m": 2, "": 3, "é b": 4}',
            Answer.SILENT,
            r"the keys of the payload are: '\ud800', '\x1b[31m', '', é b",
        ),
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
        ({"a": {"regex": "START,.*"}}, '{"a":"START,7,Weekly\\r\\n"}', Answer.YES, ""),
        ({"a": {"regex": "START,.*,60"}}, '{"a":"START,7,Week\nly,60\r\n"}', Answer.YES, ""),
        ({"a": {"regex": "START\r\n"}}, '{"a":"START\\r\\n"}', Answer.YES, ""),
        ({"a": {"regex": "START,.*"}}, '{"a":"START,' + "😀" * 10_000 + '"}', Answer.YES, ""),
        ({"a": {"regex": ".*,.*"}}, '{"a":"' + "x" * 9_999 + ',"}', Answer.YES, ""),
        ({"a": {"regex": "[^,]+,.*"}}, '{"a":"\\ud83d, b"}', Answer.YES, ""),
        (
            {"a": {"regex": "x*"}},
            '{"a":"' + "x" * 20_001 + '"}',
            Answer.NO,
            "...; a regular expression is tried on 20,000 characters at most",
        ),
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
        ("a", {"regex": "a)|(b"}, "is no regular expression: unopened group"),
        ("a", {"regex": "(?!ping).*"}, "look-around, including look-ahead and look-behind, is not"),
        ("a", {"regex": "(a)\\1"}, "backreferences are not supported"),
        ("a", {"regex": "((a{1000}){1000}){1000}"}, "size limit"),
        ("a", {"regex": 7}, "text in quotes"),
        ("a.*", {"b": {"regex": "("}}, "is no regular expression"),
    ],
)
def test_conditions_that_mean_nothing(path: str, wanted: object, why: str) -> None:
    with pytest.raises(ValueError, match=re.escape(why)):
        condition(path, wanted)


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
    rig = Rig({"payload": wanted})
    for payload in yes:
        assert rig.acts(payload), payload
    for payload in no:
        assert not rig.acts(payload), payload
        assert rig.one(payload).reason


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
    assert Rig({}).one(payload).reason == why


def test_empty_can_be_asked_for() -> None:
    assert Rig({"ignore_empty": False}).acts("")
    rig = Rig({"ignore_empty": False, "match": {"action": ""}})
    assert rig.acts({"action": ""})
    assert not rig.acts({"action": "x"})
