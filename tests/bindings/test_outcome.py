"""What a binding that acts asks for: parameters, rooms, and what cannot be made."""

import json

from bridge.bindings.outcome import Failed
from bridge.hmp.arguments import TITLE_LIMIT
from bridge.mqtt.payload import LONGEST_ID
from bridge.mqtt.topics import Input

from .rig import Rig


def test_an_action_with_its_parameters() -> None:
    rig = Rig(
        {"do": "mark", "fields": {"title": "{{ json.t }} in {{ room.name }}", "id": "{{ json.i }}"}}
    )
    asked = rig.input({"t": "One\r\ntwo\x07", "i": "7"})
    assert asked == Input("r0", "mark", parameters={"title": "One\ntwo in Room 0"}, id="7")
    assert rig.input({"t": "x"}).id is None


def test_an_event_keeps_its_id_and_leaves_out_what_is_empty() -> None:
    fields = {"id": "{{ json.id }}", "title": "{{ json.none }}", "number": 7, "yes": True}
    asked = Rig({"event": "Meeting-Start", "fields": fields}).input({"id": "b"})
    assert asked == Input("r0", "meeting_start", True, {"id": "b", "number": 7, "yes": True}, "b")


def test_a_title_of_ten_thousand_emoji_however_they_are_written() -> None:
    rig = Rig({"event": "meeting_start", "fields": {"title": "{{ json.t }}"}})
    for escaped in (True, False):
        payload = json.dumps({"t": "😀" * 10_000}, ensure_ascii=escaped).encode()
        title = rig.input(b"\xef\xbb\xbf" + payload).parameters["title"]
        assert title == "😀" * (TITLE_LIMIT - 1) + "…"


def test_what_programs_in_c_send_is_understood() -> None:
    """A NUL at the end, a line broken within a text: JSON put together by hand."""
    for payload in (b"1\0", b"1\r\n\0", b"\xef\xbb\xbfON\0\0"):
        assert Rig({"payload": True}).acts(payload)
    assert not Rig({"payload": True}).acts(b"0\0")
    assert Rig({"payload": "push"}).acts(b"PUSH\r\0")
    assert not Rig({}).acts(b"\0")
    rig = Rig(
        {"match": {"c.*": {"n": "rec", "v": 1}}, "fields": {"title": "{{ json.t }}"}, "do": "mark"}
    )
    asked = rig.input(b'{"c":[{"n":"rec","v":1.0}],"t":"a\r\nb\tc"}\0')
    assert asked.parameters == {"title": "a\nb\tc"}


def test_titles_are_cut_between_characters_and_halves_of_pairs_are_no_text() -> None:
    rig = Rig({"do": "record", "fields": {"title": "{{ json.t }}"}})
    title = rig.input({"t": "👩‍👩‍👧" * 100}).parameters["title"]
    assert title == "👩‍👩‍👧" * 50 + "…"
    assert rig.input(b'{"t":"a\\ud800b"}').parameters == {"title": "ab"}


def test_what_templates_see() -> None:
    source = (
        "{{ topic }}|{{ topic.levels[0] }}|{{ topic.captures | join('+') }}|{{ payload }}{{ json }}"
    )
    rig = Rig({"topic": "a/+/#", "do": "mark", "fields": {"title": source}})
    asked = rig.input("text", topic="a/b/c/d")
    assert asked.parameters["title"] == "a/b/c/d|a|b+c/d|text"
    year = Rig({"do": "mark", "fields": {"title": "{{ now.strftime('%Y') }}"}})
    assert year.input("x").parameters["title"] == "2023"


def test_the_room_can_come_from_the_message() -> None:
    rig = Rig({"topic": "z/+", "room": " {{ topic.captures[0] | lower }} "})
    assert rig.input("x", topic="z/R1").room == "r1"
    failed = rig.failure("x", topic="z/kitchen")
    assert failed.reason == "room: 'kitchen' is no room; configured are: r0, r1"
    assert "'' is no room" in Rig({"room": "{{ json.nothing }}"}).failure("{}").reason


def test_a_binding_that_fails_harms_no_other() -> None:
    rig = Rig(
        {"do": "extend", "fields": {"minutes": "{{ 1 / json.n }}"}},
        {"do": "record"},
        {"event": "meeting_start", "fields": {"id": "{{ json.id }}"}},
    )
    broken, fine, long_id = rig.hear({"n": 0, "id": "x" * 2000})
    assert isinstance(broken.outcome, Failed)
    assert broken.outcome.reason.startswith("fields.minutes: '{{ 1 / json.n }}': division by zero")
    assert broken.outcome.room == "r0"
    assert isinstance(fine.outcome, Input)
    assert isinstance(long_id.outcome, Input)
    assert long_id.outcome.parameters["id"] == long_id.outcome.id == "x" * LONGEST_ID


def test_what_cannot_be_made_keeps_nothing_from_being_recorded() -> None:
    """Recording comes first (R14); but a meeting without its id could never be ended by it."""
    end = "{{ json.start | as_datetime + json.minutes | minutes }}"
    rig = Rig(
        {"event": "meeting_start", "fields": {"id": "{{ json.id }}", "title": "A", "end": end}},
        {"do": "record", "fields": {"title": "{{ 1 / json.n }}"}},
        {"event": "meeting_start", "fields": {"id": "{{ 1 / json.n }}"}},
        {"event": "meeting_extend", "fields": {"end": end}},
    )
    started, recorded, nameless, extended = rig.hear({"id": "m", "n": 0})
    assert isinstance(started.outcome, Input)
    assert started.outcome.parameters == {"id": "m", "title": "A"}
    (reason,) = started.outcome.left_out
    assert reason.startswith("fields.end: '{{ json.start | as_datetime + ")
    assert isinstance(recorded.outcome, Input)
    assert "division by zero" in recorded.outcome.left_out[0]
    assert isinstance(nameless.outcome, Failed)
    assert isinstance(extended.outcome, Failed)
