"""Requests and answers as text."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.config.mqtt import RESPONSE_TOPICS
from bridge.mqtt.api_topics import (
    Answer,
    Asked,
    Caller,
    CommandTopic,
    MalformedRequest,
    VerbTopic,
    answer_topic,
    may_answer_on,
    parse_command_payload,
    parse_topic,
    parse_verb_payload,
    render_answer,
    reply_of,
    request_filters,
)
from bridge.mqtt.message import Message
from bridge.mqtt.topics import Topics
from bridge.room.facts.values import Problem, Reply
from bridge.room.facts.vocabulary import Outcome

TOPICS = Topics("site/hmp")
CALLER = Caller("a", "site/hmp/server/main/request/x", "site/hmp/server/main/response/x")


@pytest.mark.parametrize(
    ("topic", "asked_on"),
    [
        ("server/main/request/createSession", CommandTopic("main", "createSession")),
        ("server/main/request/", CommandTopic("main", "")),
        ("bridge/request/info", VerbTopic("info")),
        ("bridge/response/info", None),
        ("server/main/state", None),
        ("server/main/response/createSession", None),
        ("server/main/request/a/b", None),
        ("room/boardroom/set", None),
    ],
)
def test_topics(topic: str, asked_on: object) -> None:
    assert parse_topic(TOPICS, f"site/hmp/{topic}") == asked_on


@pytest.mark.parametrize("below", ["hmp/", "", "site/", "/site/hmp/"])
def test_another_base_topic_is_not_ours(below: str) -> None:
    """A binding may well listen to such a topic."""
    assert parse_topic(TOPICS, f"{below}server/main/request/createSession") is None
    assert parse_topic(TOPICS, f"{below}bridge/request/info") is None


def test_what_is_subscribed_to() -> None:
    assert request_filters(TOPICS) == (
        "site/hmp/server/+/request/+",
        "site/hmp/bridge/request/+",
    )


@pytest.mark.parametrize(
    ("asked_on", "topic"),
    [
        (CommandTopic("main", "createSession"), "server/main/response/createSession"),
        (CommandTopic("main", "createsession"), "server/main/response/createsession"),
        (CommandTopic("main", "x" * 40), f"server/main/response/{'x' * 40}"),
        (CommandTopic("main", "x" * 41), "bridge/response/error"),
        (CommandTopic("main", ""), "bridge/response/error"),
        (CommandTopic("nosuch", "createSession"), "bridge/response/error"),
        (VerbTopic("info"), "bridge/response/info"),
        (VerbTopic("nosuch"), "bridge/response/nosuch"),
        (VerbTopic(""), "bridge/response/error"),
        (VerbTopic("y" * 41), "bridge/response/error"),
    ],
)
def test_where_the_sender_listens(asked_on: CommandTopic | VerbTopic, topic: str) -> None:
    assert answer_topic(TOPICS, asked_on, {"main": 1}) == f"site/hmp/{topic}"


def test_a_base_topic_may_have_any_word() -> None:
    topics = replace(TOPICS, base="a/request/b")
    assert answer_topic(topics, VerbTopic("info"), ()) == "a/request/b/bridge/response/info"


@pytest.mark.parametrize(
    ("payload", "asked"),
    [
        (b"", Asked()),
        (b" \n", Asked()),
        (b"{}", Asked()),
        (b"[]", Asked(parameters=[])),
        (b'["a", 1]', Asked(parameters=["a", 1])),
        (b'{"a": 1}', Asked(parameters={"a": 1})),
        (b'{"id": "x", "a": 1}', Asked("x", {"a": 1})),
        (b'{"id": 5, "parameters": ["a"]}', Asked(5, ["a"])),
        (b'{"id": null, "parameters": {"a": 1}}', Asked(None, {"a": 1})),
        (b'{"parameters": "a"}', Asked(parameters={"parameters": "a"})),
        (b'{"force": true, "a": 1}', Asked(parameters={"force": True, "a": 1})),
    ],
)
def test_payloads_of_commands(payload: bytes, asked: Asked) -> None:
    assert parse_command_payload(payload) == asked


def test_force_is_taken_where_it_means_something() -> None:
    assert parse_command_payload(b'{"force": true}', takes_force=True) == Asked(None, {}, True)
    forced = parse_command_payload(b'{"parameters": ["s"], "force": true}', takes_force=True)
    assert forced == Asked(None, ["s"], True)
    with pytest.raises(MalformedRequest, match='"force" is true or false') as caught:
        parse_command_payload(b'{"id": "x", "force": "yes"}', takes_force=True)
    assert caught.value.id == "x"


@pytest.mark.parametrize(
    ("payload", "says"),
    [
        (b"\xff", "UTF-8"),
        (b"{", "not valid JSON"),
        (b"nonsense", "not valid JSON"),
        (b'"text"', "neither a JSON object nor an array"),
        (b"5", "neither a JSON object nor an array"),
        (b"null", "neither a JSON object nor an array"),
        (b"x" * 200_001, "200001 bytes, at most 200000"),
        (b"[" * 60_000, "not valid JSON"),
        (b'{"a": 1, "a": 2}', '"a" is given twice'),
        (b'{"a": {"b": 1, "b": 2}}', '"b" is given twice'),
        (b'{"a": NaN}', "NaN is no number"),
        (b'{"a": -Infinity}', "-Infinity is no number"),
        (b'{"a": "\\ud800"}', "not valid JSON"),
        (b'{"\\ud800": 1, "\\ud800": 1}', "given twice"),
        (b'{"a": ' + b"9" * 5000 + b"}", "not valid JSON"),
        (b'{"id": {}}', '"id" is'),
        (b'{"id": true}', '"id" is'),
        (b'{"id": 1.5}', '"id" is'),
        (b'{"id": 99999999999999999999}', '"id" is'),
        (b'{"parameters": [], "sessionId": 1}', "'sessionId' cannot stand beside"),
    ],
)
def test_what_cannot_be_read(payload: bytes, says: str) -> None:
    with pytest.raises(MalformedRequest) as caught:
        parse_command_payload(payload)
    assert says in caught.value.reason
    caught.value.reason.encode()


def test_payloads_of_verbs() -> None:
    assert parse_verb_payload(b"", takes_force=False) == Asked()
    assert parse_verb_payload(b'{"id": 1}', takes_force=False) == Asked(1)
    assert parse_verb_payload(b'{"force": true}', takes_force=True) == Asked(force=True)
    assert parse_verb_payload(b" debug ", word="level", takes_force=False) == Asked(
        None, {"level": "debug"}
    )
    assert parse_verb_payload(b'{"level": "info"}', word="level", takes_force=False) == Asked(
        None, {"level": "info"}
    )
    for payload in (b"[]", b"5", b"debug", b"\xff"):
        with pytest.raises(MalformedRequest):
            parse_verb_payload(payload, takes_force=False)
    for payload in (b"[1]", b"\xff", b'{"level"'):
        with pytest.raises(MalformedRequest):
            parse_verb_payload(payload, word="level", takes_force=False)


@pytest.mark.parametrize(
    ("topic", "clear"),
    [
        ("client/7/answers", True),
        ("site/hmp/reply/7", True),
        ("site", True),
        ("hmp/room/boardroom/state", True),
        ("site/hmp/room/boardroom/state", False),
        ("site/hmp/room/boardroom/press/record", False),
        ("site/hmp/server/main/request/createSession", False),
        ("site/hmp/server/main/response/createSession", False),
        ("site/hmp/bridge/state", False),
        ("site/hmp/bridge/request/reload", False),
        ("$SYS/broker", False),
        ("$share/panels/answers", False),
    ],
)
def test_response_topics_clear_of_our_own(topic: str, clear: bool) -> None:
    assert may_answer_on(TOPICS, topic, ["#"]) is clear


@pytest.mark.parametrize(
    ("topic", "allowed"),
    [
        ("response/7", True),
        ("response", True),
        ("client/7/answers", True),
        ("hmp/answers/me", True),
        ("site/hmp/reply/7", False),
        ("a/b/response", False),
        ("zigbee2mqtt/lock/set", False),
        ("homeassistant/switch/door/config", False),
        ("homeassistant/response/config", False),
        ("homeassistant", False),
    ],
)
def test_response_topics_that_the_default_allows(topic: str, allowed: bool) -> None:
    assert may_answer_on(TOPICS, topic, RESPONSE_TOPICS) is allowed


def test_what_answers_may_reach_is_said_by_name() -> None:
    topic = "homeassistant/response/7"
    assert not may_answer_on(TOPICS, topic, ["#", "+/response/#"])
    assert may_answer_on(TOPICS, topic, ["homeassistant/response/+"])
    assert not may_answer_on(TOPICS, "response/7", [])


def test_the_sender_s_own_topic_and_data() -> None:
    def message(topic: str | None, data: bytes | None) -> Message:
        return Message("t", b"", 1, False, False, 0.0, response_topic=topic, correlation_data=data)

    assert reply_of(message(None, b"x")) is None
    assert reply_of(message("mine", None)) == Reply("mine")
    assert reply_of(message("mine", b"\0\xff")) == Reply("mine", "00ff")


def test_answers() -> None:
    ok = Answer(Outcome.OK, "v", raw="OK|v")
    assert json.loads(render_answer(ok, CALLER, with_raw=True)) == {
        "id": "a",
        "outcome": "ok",
        "value": "v",
        "error": None,
        "raw": "OK|v",
    }
    failed = Answer(Outcome.FAILED, problem=Problem("c", "m é 🎥", "e"))
    assert json.loads(render_answer(failed, CALLER, with_raw=False, origin=True)) == {
        "id": "a",
        "outcome": "failed",
        "value": None,
        "error": {"code": "c", "message": "m é 🎥", "explanation": "e"},
        "origin": CALLER.origin,
    }


@given(st.binary(max_size=200))
def test_any_bytes_are_understood_or_refused(payload: bytes) -> None:
    try:
        asked = parse_command_payload(payload, takes_force=True)
    except MalformedRequest as error:
        error.reason.encode()
    else:
        assert isinstance(asked.parameters, (dict, list))
        json.dumps([asked.id, asked.parameters], ensure_ascii=False).encode()
