"""What is sent to a room, as text: messages in every form, also hostile ones."""

import json
from dataclasses import replace
from math import inf

import hypothesis.strategies as st
import pytest
from hypothesis import given

from bridge.mqtt.inputs import EmptyPress, Malformed, Nothing, parse
from bridge.mqtt.payload import LONGEST_ID
from bridge.mqtt.topics import Input, Topics, render_result
from bridge.room.facts.vocabulary import Action

from .samples import RESULT

TOPICS = Topics()


def read(leaf: str, payload: bytes | str, topics: Topics = TOPICS) -> Input | EmptyPress | Nothing:
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


@pytest.mark.parametrize(
    "payload",
    [
        "true",
        "1",
        "on",
        "press",
        "TRUE",
        "On",
        " press\n",
        "pressed",
        "yes",
        "1.0",
        '"true"',
        '"ON"',
    ],
)
@pytest.mark.parametrize("action", Action)
def test_a_button_pressed(payload: str, action: Action) -> None:
    assert read(f"press/{action}", payload) == asked(action)


@pytest.mark.parametrize(
    "payload", ["false", "0", "off", "release", "FALSE", " off ", "released", "0.0", '"false"']
)
def test_a_button_let_go_is_nothing(payload: str) -> None:
    assert read("press/record", payload) == Nothing()


@pytest.mark.parametrize("payload", ["2", "null", "[]", '"two"', '"', '"\\ud800"', "-"])
def test_a_button_takes_edges_only(payload: str) -> None:
    error = refusal("press/record", payload)
    assert error.word == "record"
    assert "true" in error.reason


@pytest.mark.parametrize("payload", ["", " \n", "\0", '""'])
def test_an_empty_press_is_for_the_room_to_judge(payload: str) -> None:
    assert read("press/record", payload) == EmptyPress(asked("record"))


def test_a_word_in_quotes_is_the_word() -> None:
    assert read("set", '"Record"') == asked("record")
    assert read("event", ' "meeting-start" ') == happened("meeting_start")
    assert read("set", json.dumps('{"action": "stop"}')) == asked("stop")


def test_a_number_of_many_digits_spoils_no_meeting() -> None:
    said = read("event", '{"event": "meeting_start", "title": "x", "seats": 1%s}' % ("0" * 10_000))
    assert isinstance(said, Input)
    assert said.parameters == {"title": "x", "seats": inf}


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


@pytest.mark.parametrize("meeting_id", [[1], {"Value": "42"}, True])
def test_an_id_that_is_none_is_no_reason_not_to_record(meeting_id: object) -> None:
    said = read("event", json.dumps({"event": "Meeting-Start", "id": meeting_id, "title": "x"}))
    assert isinstance(said, Input)
    assert (said.word, said.id, said.parameters) == ("meeting_start", None, {"title": "x"})
    assert '"id"' in said.left_out[0]
    # Which meeting ends is not guessed.
    assert '"id"' in refusal("event", json.dumps({"event": "meeting_end", "id": meeting_id})).reason


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


@pytest.mark.parametrize("leaf", ["set", "press/record"])
def test_nuls_at_the_end_and_broken_lines_are_no_obstacle(leaf: str) -> None:
    payload = '{"action": "record", "title": "one\r\ntwo"}\r\n\0'
    assert read(leaf, payload) == asked("record", title="one\r\ntwo")
    assert read("press/record", "1\0") == asked("record")
    assert read("press/record", "0\0") == Nothing()
    assert read("set", "record\r\0") == asked("record")
    said = read("event", '{"event": "meeting_start", "title": "one\ntwo"}\0')
    assert said == replace(happened("meeting_start"), parameters={"title": "one\ntwo"})


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
        assert isinstance(given_input, Input | EmptyPress | Nothing)
        if isinstance(given_input, Input):  # whatever it is, it can be answered
            result = replace(RESULT, id=given_input.id or "", word=given_input.word)
            assert render_result(result).encode()
