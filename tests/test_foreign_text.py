"""Every reader of what strangers write is total: it tells what it read, or why it could not."""

import json
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from math import inf

import hypothesis.strategies as st
import pytest
from hypothesis import given

from bridge.bindings.binding import take
from bridge.bindings.durable import from_document, to_document
from bridge.bindings.outcome import Arrival
from bridge.config.bindings import BindingTable, make_bindings
from bridge.daemon.info_and_health import identity_in
from bridge.hmp.protocol import Closed, Protocol, Reply, Unsolicited
from bridge.hmp.recording_commands import GetRecordingStatus
from bridge.mqtt.api_topics import MalformedRequest, parse_command_payload, parse_verb_payload
from bridge.mqtt.inputs import Malformed, parse
from bridge.mqtt.topics import Input, Topics, render_result, render_room
from bridge.room.facts.requests import NotUnderstood, malformed, request
from bridge.room.facts.state import RoomState
from bridge.room.facts.values import Now, Problem, Result
from bridge.room.facts.vocabulary import Outcome, State
from bridge.room.memory.durable import DocumentError, remember
from bridge.room.memory.durable import from_document as room_from_document
from bridge.room.memory.durable import to_document as room_to_document
from bridge.room.memory.retained import adopt_retained
from bridge.room.rules.model import decide, tick
from bridge.text.durations import NoDuration, read_duration
from bridge.text.json_text import NotJson, read_value, told_in_words
from bridge.text.times import NoTime, is_date, read_time
from bridge.text.truth import read_truth
from bridge.text.zones import NoZone, read_zone
from bridge.watch.view import View

from .foreign import json_texts, payloads, scalars, values
from .room.driven import POLICY, RECORDING_ID, SESSION

TOPICS = Topics()
NOW = Now(1000.0, 1_772_359_200.0)
FRESH = RoomState(POLICY)
TALLY = dict.fromkeys(State, "x")
TIMES = dict.fromkeys(("start", "end", "duration", "minutes", "zone"), values)
EVENTS = json_texts(
    {
        "event": st.sampled_from(["meeting_start", "meeting_end", "meeting_extend", "button"]),
        "id": values,
        "title": values,
        "organizer": values,
        "isAllDay": values,
        **TIMES,
    }
)


@given(scalars)
def test_a_duration(value: object) -> None:
    for unit in (None, 60.0):
        with suppress(NoDuration):
            assert 0 <= read_duration(value, unit=unit) < inf


@given(scalars, values)
def test_a_time(value: object, zone: object) -> None:
    with suppress(NoTime):
        assert 946_684_800 <= read_time(value, zone) < 7_258_118_400
    assert is_date(value) in (True, False)


@given(values | st.sampled_from(["Europe", "../../etc/passwd", "/etc/localtime", "posixrules"]))
def test_a_zone(value: object) -> None:
    with suppress(NoZone):
        assert datetime.now(read_zone(value)).tzinfo is not None


@given(values)
def test_a_truth(value: object) -> None:
    assert read_truth(value) in (True, False, None)
    assert len(told_in_words(value)) <= 60


@given(payloads | EVENTS.map(str.encode))
def test_json(payload: bytes) -> None:
    with suppress(NotJson):
        repr(read_value(payload))
        json.dumps(read_value(payload))


@pytest.mark.parametrize("leaf", ["press/record", "set", "mark", "metadata/title", "event"])
@given(payload=payloads | EVENTS.map(str.encode))
def test_an_input_and_what_a_room_makes_of_it(leaf: str, payload: bytes) -> None:
    try:
        asked = parse(TOPICS, TOPICS.room("r", leaf), payload)
    except Malformed as error:
        assert_answerable(malformed(error.reason))
        return
    if not isinstance(asked, Input):
        return
    try:
        made = request(
            asked.word,
            asked.parameters,
            event=asked.event,
            request_id=asked.id,
            origin="o",
            received_at=0.0,
            left_out=asked.left_out,
        )
    except NotUnderstood as error:
        assert_answerable(error.problem)
        return
    assert_answerable(made.doubt)
    change = decide(FRESH, made, NOW)
    assert_publishable(tick(change.state, NOW).state)
    document = room_to_document(replace(remember(change.state), results=change.results))
    assert room_from_document(document).target is change.state.target


def assert_answerable(problem: Problem | None) -> None:
    assert render_result(Result("7", "x", "o", Outcome.FAILED, State.IDLE, problem)).encode()


def assert_publishable(room: RoomState) -> None:
    assert all(text.encode() for text in render_room(TOPICS, "r", room, TALLY).values())


STATUS = json_texts(
    {
        "recording_id": st.just(RECORDING_ID) | values,
        "last_recording_id": values,
        "session_id": st.just(SESSION) | values,
        "state": values,
        "alarms": values,
        "meetings": st.lists(st.dictionaries(st.sampled_from(["id", "end", *TIMES]), values)),
    }
    | dict.fromkeys(["started_at", "verified_at", "title", "elapsed", "paused", "owner"], values)
)


@given(payloads | STATUS.map(str.encode))
def test_a_retained_status(status: bytes) -> None:
    room = adopt_retained(FRESH, status, NOW).state
    assert_publishable(room)
    assert room_to_document(remember(room))
    assert_publishable(tick(room, NOW).state)


@pytest.mark.parametrize(
    "wrong",
    [
        {"started_at": "0001-01-01T00:00:00+23:59"},
        {"verified_at": "9999-12-31T23:59:59-23:59"},
        {"title": "\ud800"},
    ],
)
def test_a_retained_status_that_nobody_could_publish_again(wrong: dict[str, str]) -> None:
    told = {"recording_id": RECORDING_ID, "session_id": SESSION, "state": "recording"} | wrong
    room = adopt_retained(FRESH, json.dumps(told).encode(), NOW).state
    assert room.recording is not None
    assert_publishable(room)


@given(payloads | STATUS.map(str.encode))
def test_a_retained_info(info: bytes) -> None:
    identity_in(info)


@given(payloads, st.booleans())
def test_a_request_by_name(payload: bytes, takes_force: bool) -> None:
    with suppress(MalformedRequest):
        parse_command_payload(payload, takes_force=takes_force)
    with suppress(MalformedRequest):
        parse_verb_payload(payload, word="level", takes_force=takes_force)


BINDINGS = make_bindings(
    BindingTable(topic="t", room="r0", **table)
    for table in (
        {"do": "toggle", "payload": True},
        {"do": "record", "match": {"*.title": {"regex": "a.*"}}, "unique": "id"},
        {
            "event": "meeting_start",
            "fields": {name: "{{ json." + name + " }}" for name in ("id", "title", *TIMES)},
            "age": "start",
            "max_age": "10m",
        },
    )
)


@given(payloads | EVENTS.map(str.encode))
def test_a_message_for_bindings(payload: bytes) -> None:
    memory, verdicts = take(BINDINGS, {}, Arrival("t", payload), NOW, {"r0": "Room"})
    assert len(verdicts) == len(BINDINGS)
    assert from_document(BINDINGS, to_document(BINDINGS, memory, "b"), "b") == memory


@given(payloads)
def test_a_journalled_document(payload: bytes) -> None:
    text = payload.decode(errors="replace")
    assert isinstance(from_document(BINDINGS, text, "b"), dict)
    with suppress(DocumentError):
        room_from_document(text)


@given(st.lists(payloads | st.just(b"\n") | st.sampled_from([b"OK|", b"ERROR|040001|", b"OK "])))
def test_what_hmp_answers(chunks: list[bytes]) -> None:
    protocol = Protocol()
    protocol.send(GetRecordingStatus(RECORDING_ID))
    for chunk in chunks:
        for event in protocol.receive_data(chunk or b"\n"):
            assert isinstance(event, Reply | Unsolicited | Closed)


@given(payloads | STATUS.map(str.encode))
def test_what_the_watcher_is_told(payload: bytes) -> None:
    view = View("hmp", ["main"], ["r"])
    for topic in ("hmp/bridge/info", "hmp/bridge/health", "hmp/room/r/status", "hmp/room/r/result"):
        view.take(topic, payload, monotonic=1.0, wall=1.0)
