"""The MQTT interface as text: messages in every form, also hostile ones, and every publication."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import hypothesis.strategies as st
import pytest
from hypothesis import given

from bridge.hmp.commands import RecordingId, RecordingStatus, SessionId
from bridge.mqtt.payload import LONGEST_ID
from bridge.mqtt.topics import (
    Input,
    Malformed,
    Nothing,
    Topics,
    parse,
    render_ack,
    render_result,
    render_room,
    timestamp,
)
from bridge.room.state import LostStart, Policy, Problem, Recording, Result, RoomState
from bridge.room.vocabulary import ALARMS, Action, Alarm, Outcome, State, Stop, Target

TOPICS = Topics()
SESSION = SessionId("71edd346-2cf0-4c62-b3d3-9d457b287394")
RECORDING_ID = RecordingId("f678f415-0665-48cd-b141-1e95283469f1")
TALLY = dict.fromkeys(State, "blink") | {State.IDLE: "off", State.RECORDING: "red"}


def read(leaf: str, payload: bytes | str, topics: Topics = TOPICS) -> Input | Nothing:
    data = payload.encode() if isinstance(payload, str) else payload
    return parse(topics, topics.room("boardroom", leaf), data)


def refusal(leaf: str, payload: bytes | str) -> Malformed:
    with pytest.raises(Malformed) as caught:
        read(leaf, payload)
    assert caught.value.room == "boardroom"
    assert len(caught.value.reason) < 300
    return caught.value


def asked(word: str, id: str | int | None = None, **parameters: object) -> Input:  # noqa: A002
    return Input("boardroom", word, parameters=parameters, id=id)


def happened(word: str, id: str | int | None = None, **parameters: object) -> Input:  # noqa: A002
    return Input("boardroom", word, event=True, parameters=parameters, id=id)


# -- in -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("payload", ["", "true", "1", "on", "press", "TRUE", "On", " press\n"])
@pytest.mark.parametrize("action", Action)
def test_a_button_pressed(payload: str, action: Action) -> None:
    assert read(f"press/{action}", payload) == asked(action)


@pytest.mark.parametrize("payload", ["false", "0", "off", "release", "FALSE", " off "])
def test_a_button_let_go_is_nothing(payload: str) -> None:
    assert read("press/record", payload) == Nothing()


@pytest.mark.parametrize("payload", ["yes", "2", "pressed", "null", "[]", '"true"', "-"])
def test_a_button_takes_edges_only(payload: str) -> None:
    error = refusal("press/record", payload)
    assert error.word == "record"
    assert "true" in error.reason


def test_a_button_takes_json_too() -> None:
    assert read("press/record", '{"id": "a", "title": "x"}') == asked("record", "a", title="x")
    assert read("press/record", '{"action": "RECORD", "id": 3}') == asked("record", 3)
    assert refusal("press/record", '{"action": "stop"}').word == "record"
    assert refusal("press/record", '{"action": 5}').word == "record"


def test_words_are_folded() -> None:
    assert read("set", " Record \n") == asked("record")
    assert read("press/RECORD", "1") == asked("record")
    assert read("set", '{"action": " STOP "}') == asked("stop")


def test_a_word_that_is_no_action_is_for_the_room_to_refuse() -> None:
    assert read("set", "explode") == asked("explode")
    assert read("press/explode", "true") == asked("explode")


def test_an_action_as_an_object() -> None:
    payload = '{"action": "record", "id": "e1", "title": "Weekly", "minutes": 5}'
    assert read("set", payload) == asked("record", "e1", title="Weekly", minutes=5)


@pytest.mark.parametrize("payload", ["", "  ", "\n", "{}", '{"action": ""}', '{"action": 7}'])
def test_a_set_without_an_action_is_refused(payload: str) -> None:
    assert "record" in refusal("set", payload).reason


def test_an_id_that_could_be_read_comes_back() -> None:
    assert refusal("set", '{"id": "e1"}').id == "e1"
    assert refusal("event", '{"id": 12}').id == 12


@pytest.mark.parametrize("value", [True, 1.5, [], {}, "x" * (LONGEST_ID + 1)])
def test_an_id_is_text_or_a_whole_number(value: object) -> None:
    for leaf, word in (("set", "action"), ("press/record", "action"), ("event", "event")):
        if leaf == "event" and isinstance(value, (str, float)):
            said = read(leaf, json.dumps({word: "record", "id": value}))
            assert isinstance(said, Input)
            assert said.id == str(value)[:LONGEST_ID]
            continue
        error = refusal(leaf, json.dumps({word: "record", "id": value}))
        assert '"id"' in error.reason
        assert error.id is None


def test_half_an_emoji_is_no_reason_not_to_record() -> None:
    payload = '{"event": "meeting_start", "title": "Kickoff \\ud83c", "id": "\\udc00"}'
    said = read("event", f"\ufeff{payload}")
    assert isinstance(said, Input)
    assert said.parameters == {"title": "Kickoff ?", "id": "?"}
    assert said.word == "meeting_start"


def test_a_mark_takes_its_title_as_it_is() -> None:
    assert read("mark", "") == asked("mark")
    assert read("mark", " \n") == asked("mark")
    assert read("mark", "Vote é") == asked("mark", title="Vote é")
    assert read("mark", '{"title": 1}') == asked("mark", title='{"title": 1}')


@pytest.mark.parametrize(
    "payload", ["meeting_start", "Meeting-Start", "meeting.start", " MEETING start "]
)
def test_event_words_are_one_however_written(payload: str) -> None:
    assert read("event", payload) == happened("meeting_start")
    assert read("event", json.dumps({"event": payload})) == happened("meeting_start")


def test_an_event_keeps_its_id_among_its_fields() -> None:
    payload = '{"event": "meeting_end", "id": "42", "title": "Board"}'
    fields = {"id": "42", "title": "Board"}
    assert read("event", payload) == replace(happened("meeting_end", "42"), parameters=fields)


@pytest.mark.parametrize("payload", ["", " ", "{}", '{"event": null}', '{"event": " "}'])
def test_an_event_without_a_word_is_refused(payload: str) -> None:
    assert "meeting_start" in refusal("event", payload).reason


HOSTILE = [
    b"\xff\xfe",
    b"rec\xc3",
    b"\xed\xa0\x80",
    b"x" * 200_001,
    b"{",
    b'{"action": "record"',
    b'{"action": "record"} trailing',
    b'{"a": ' + b"[" * 30_000 + b"]" * 30_000 + b"}",
    b'{"a": ' * 10_000,
    b'{"a": 1' + b"0" * 10_000 + b"}",
    b"{'action': 'record'}",
    b'{"action": "record", "event": "button", "id": "\\ud800"}',
    b'{"action": "\\udfff", "event": "\\udfff"}',
]


@pytest.mark.parametrize("payload", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("leaf", ["set", "press/record", "event"])
def test_hostile_payloads_are_refused(leaf: str, payload: bytes) -> None:
    if leaf == "event" and b"\\ud" in payload:
        return  # half a character is no reason not to record
    assert refusal(leaf, payload).reason


def test_the_limit_is_named() -> None:
    assert "200000" in refusal("mark", b"x" * 200_001).reason
    assert read("mark", b"x" * 200_000) == asked("mark", title="x" * 200_000)


def test_of_a_key_given_twice_the_last_counts() -> None:
    assert read("set", '{"action": "record", "action": "stop"}') == asked("stop")


def test_an_escaped_letter_is_a_letter() -> None:
    assert read("set", '{"action": "record", "id": "\\u00e9\\ud83c\\udfa5"}').id == "é🎥"  # type: ignore[union-attr]  # it is an Input


@pytest.mark.parametrize(
    "topic", ["hmp/room/boardroom/state", "hmp/room/boardroom", "hmp/room/boardroom/nonsense/x"]
)
def test_other_topics_are_no_inputs(topic: str) -> None:
    with pytest.raises(Malformed):
        parse(TOPICS, topic, b"record")


def test_another_base_topic() -> None:
    topics = Topics("site/a/hmp")
    assert read("set", "record", topics) == asked("record")
    assert all(topic.startswith("site/a/hmp/room/+/") for topic in topics.inputs)


@given(
    leaf=st.sampled_from(["set", "press/record", "mark", "event", "press/", "x"]),
    payload=st.binary(max_size=200)
    | st.text(max_size=200).map(lambda text: text.encode(errors="surrogatepass"))
    | st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=10),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(["action", "event", "id", "title"]), inner, max_size=4
            )
        ),
    ).map(lambda value: json.dumps(value).encode()),
)
def test_anything_is_understood_or_malformed(leaf: str, payload: bytes) -> None:
    try:
        given_input = read(leaf, payload)
    except Malformed as error:
        assert error.reason  # noqa: PT017  # either way is right, and both say something
    else:
        assert isinstance(given_input, Input | Nothing)
        if isinstance(given_input, Input):  # whatever it is, it can be answered
            result = replace(RESULT, id=given_input.id or "", word=given_input.word)
            assert render_result(result).encode()


# -- out ------------------------------------------------------------------------------------------

FRESH = RoomState(Policy(SESSION), link_ready=True, not_ready_since=None)
RECORDING = Recording(
    id=RECORDING_ID,
    session=SESSION,
    started_at=1_700_000_000.4,
    status=RecordingStatus.RECORDING,
    owner="meeting:7",
    verified_at=1_700_000_002.9,
    title='Weekly "é" 🎥',
)
RUNNING = replace(FRESH, recording=RECORDING, target=Target.RECORDING, elapsed=30)
LEAVES = {
    "availability",
    "state",
    "recording",
    "paused",
    "tally",
    "recording_id",
    "last_recording_id",
    "session_id",
    "stream_id",
    "started_at",
    "ends_at",
    "elapsed",
    "title",
    "alarm",
    "status",
}


def rendered(room: RoomState) -> dict[str, str]:
    publications = render_room(TOPICS, "boardroom", room, TALLY)
    return {topic.removeprefix("hmp/room/boardroom/"): text for topic, text in publications.items()}


def test_an_idle_room() -> None:
    values = rendered(FRESH)
    assert set(values) == LEAVES
    del values["status"]
    assert values == {
        "availability": "online",
        "state": "idle",
        "recording": "false",
        "paused": "false",
        "tally": "off",
        "recording_id": "none",
        "last_recording_id": "none",
        "session_id": SESSION,
        "stream_id": "none",
        "started_at": "none",
        "ends_at": "none",
        "elapsed": "0",
        "title": "none",
        "alarm": "none",
    }


def test_a_recording_room() -> None:
    values = rendered(replace(RUNNING, last_recording_id=RecordingId("x")))
    status = json.loads(values.pop("status"))
    assert values["state"] == "recording"
    assert values["recording"] == "true"
    assert values["tally"] == "red"
    assert values["recording_id"] == RECORDING_ID
    assert values["last_recording_id"] == "x"
    assert values["started_at"] == "2023-11-14T22:13:20Z"
    assert values["elapsed"] == "30"
    assert values["title"] == 'Weekly "é" 🎥'
    assert status["owner"] == "meeting:7"
    assert status["verified_at"] == "2023-11-14T22:13:22Z"
    assert status["target"] == "recording"
    assert status["stale"] is False
    assert status["error"] is None


ROOMS = [
    FRESH,
    RUNNING,
    replace(FRESH, link_ready=False),
    replace(FRESH, target=Target.RECORDING),
    replace(RUNNING, target=Target.PAUSED),
    replace(RUNNING, recording=replace(RECORDING, status=RecordingStatus.PAUSED)),
    replace(
        RUNNING,
        target=Target.PAUSED,
        recording=replace(RECORDING, status=RecordingStatus.PAUSED),
    ),
    replace(RUNNING, recording=replace(RECORDING, stop=Stop.WANTED), target=Target.IDLE),
    replace(RUNNING, recording=replace(RECORDING, status=RecordingStatus.ERROR)),
    replace(RUNNING, recording=replace(RECORDING, id=None), alarms=frozenset(ALARMS)),
    replace(RUNNING, recording=replace(RECORDING, unsettled=True, verified_at=None)),
    replace(FRESH, lost_start=LostStart(SESSION, 0.0, 0.0, 0.0)),
    replace(FRESH, problem=Problem("070027", "Insufficient Disk Space", "Make room.")),
]


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.state)
def test_scalars_and_json_say_the_same(room: RoomState) -> None:
    values = rendered(room)
    status = json.loads(values.pop("status"))
    assert set(values) < set(status)
    for leaf, text in values.items():
        value = status[leaf]
        if value is None:
            assert text == "none"
        elif isinstance(value, bool):
            assert text == ("true" if value else "false")
        else:
            assert text == str(value)
    assert status["state"] in set(State)
    assert status["stale"] == room.stale
    assert values["availability"] == ("online" if room.link_ready else "offline")
    assert set(status) - set(values) == {
        "alarms",
        "target",
        "owner",
        "verified_at",
        "stale",
        "error",
        "restream",
        "meetings",
        "details",
    }


def test_every_state_was_among_them() -> None:
    assert {room.state for room in ROOMS} == set(State)


def test_the_first_alarm_is_published_and_all_are_in_the_status() -> None:
    alarms = [Alarm.DETAILS_FAILED, Alarm.OUTCOME_UNKNOWN, Alarm.NO_SOURCE]
    values = rendered(replace(FRESH, alarms=frozenset(alarms)))
    assert values["alarm"] == "outcome_unknown"
    assert sorted(json.loads(values["status"])["alarms"]) == sorted(alarms)


def test_the_order_of_alarms_is_the_contracts() -> None:
    assert " ".join(ALARMS) == (
        "outcome_unknown disk_full write_error recording_error session_missing no_source "
        "stopped_unexpectedly cut_failed journal_failing paused_too_long ending_soon "
        "details_failed"
    )


def test_a_problem_is_in_the_status_with_hmps_own_words() -> None:
    problem = Problem("070027", "Insufficient Disk Space", "Make room.")
    error = json.loads(rendered(replace(FRESH, problem=problem))["status"])["error"]
    assert error == {
        "code": "070027",
        "message": "Insufficient Disk Space",
        "explanation": "Make room.",
    }


def test_no_topic_is_longer_than_a_panel_takes() -> None:
    room = "b" * 40
    topics = [
        *TOPICS.inputs,
        *render_room(TOPICS, room, FRESH, TALLY),
        TOPICS.bridge_state,
        TOPICS.bridge_info,
        TOPICS.bridge_health,
        TOPICS.bridge_marker,
        TOPICS.error,
        TOPICS.server_state("s" * 40),
        *(TOPICS.room(room, leaf) for leaf in ("ack", "result")),
    ]
    assert all(len(topic) <= 100 for topic in topics)
    assert len(set(topics)) == len(topics)
    assert all(topic.startswith("hmp/") for topic in topics)


def test_no_publication_of_a_room_is_an_input() -> None:
    """What is published must never come back as a press."""
    for topic in [*render_room(TOPICS, "r", FRESH, TALLY), "hmp/room/r/ack", "hmp/room/r/result"]:
        with pytest.raises(Malformed):
            parse(TOPICS, topic, b"record")


RESULT = Result(
    id="e1",
    word="stop",
    origin="hmp/room/boardroom/press/stop",
    outcome=Outcome.FAILED,
    state=State.RECORDING,
    problem=Problem("040001", "Active recording not found", "It has ended."),
    took=0.01234,
)


@pytest.mark.parametrize("outcome", Outcome)
def test_an_ack_is_one_line_for_a_panel(outcome: Outcome) -> None:
    line = f"stop {outcome}" + (" 040001" if outcome is Outcome.FAILED else "")
    assert render_ack(replace(RESULT, outcome=outcome)) == line
    assert render_ack(replace(RESULT, outcome=outcome, problem=None)) == f"stop {outcome}"


def test_a_result() -> None:
    assert json.loads(render_result(RESULT)) == {
        "id": "e1",
        "action": "stop",
        "outcome": "failed",
        "state": "recording",
        "error": {
            "code": "040001",
            "message": "Active recording not found",
            "explanation": "It has ended.",
        },
        "origin": "hmp/room/boardroom/press/stop",
        "took_ms": 12.3,
    }
    bare = json.loads(render_result(replace(RESULT, id=7, problem=None, state=None)))
    assert (bare["id"], bare["error"], bare["state"]) == (7, None, None)


@given(st.floats(0, 4_000_000_000))
def test_timestamps_are_rfc_3339_in_utc(wall: float) -> None:
    read_back = datetime.strptime(timestamp(wall), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert -1e-6 < wall - read_back.timestamp() < 1
