"""What is said of bindings that are wrong: the table, the key, the value, what would be right."""

import time
from pathlib import Path

import pytest

from bridge.config.bindings import make_bindings
from bridge.config.errors import ConfigurationError
from bridge.config.load import load

WITH_BINDING = """
[servers.main]
host = "hmp.example.edu"

[rooms.boardroom]
server = "main"
session = "71edd346-2cf0-4c62-b3d3-9d457b287394"

[[bindings]]
topic = "z/fine"
match = { action = "single" }
room = "boardroom"
do = "toggle"
"""


def complaints(folder: Path, *tables: str, head: str = "") -> list[str]:
    """What is said of further tables, the file's name left out."""
    file = folder / "bridge.toml"
    bindings = "".join(f"\n[[bindings]]\n{table}\n" for table in tables)
    file.write_text(head + WITH_BINDING + bindings, encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        load(file)
    return sorted(line.removeprefix(f"{file}: ") for line in str(caught.value).splitlines())


WHOLE = {"topic": '"z/x"', "room": '"boardroom"', "do": '"record"'}


def table(**keys: str | None) -> str:
    return "\n".join(f"{key} = {value}" for key, value in (WHOLE | keys).items() if value)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"do": '"togle"'}, "do: 'togle' is no action; did you mean toggle?"),
        ({"do": '"dance"'}, "do: 'dance' is no action; there are: record, stop, pause"),
        ({"do": '"button"'}, "do: 'button' is an event; write event = 'button' in place of do"),
        ({"do": None, "event": '"stop"'}, "event: 'stop' is an action; write do = 'stop'"),
        ({"do": None, "event": '"meeting start"', "hold": '"1s"'}, "hold: needs match or payload"),
        ({"do": None, "event": '"meeting_strat"'}, "did you mean meeting_start?"),
        ({"do": None}, 'do: is missing: do = "record", or event = "meeting_start"'),
        ({"event": '"button"'}, "event: cannot stand beside do"),
        ({"room": '"bordroom"'}, "room: 'bordroom' is no room; did you mean boardroom?"),
        ({"room": '"{{ room.name }}"'}, "room: the room cannot be made of itself"),
        ({"room": '"{{ topic.captures[0] "'}, "room: unexpected end of template"),
        ({"topic": None}, "topic: is missing"),
        ({"topic": '"a/#/b"'}, "topic: 'a/#/b' is no topic filter; # stands alone"),
        ({"topic": '"a+/b"'}, "topic: 'a+/b' is no topic filter; + stands alone"),
        ({"topic": '"$share/g/a"'}, "topic: '$share/g/a' is a shared subscription"),
        ({"topic": '"hmp/room/boardroom/state"'}, "matches topics of the bridge itself"),
        ({"topic": '"hmp/room/boardroom/event"'}, "matches topics of the bridge itself"),
        ({"topic": '"hmp/#"'}, "matches topics of the bridge itself"),
        ({"topic": '"#"'}, "matches topics of the bridge itself"),
        ({"topic": '"+/+/+/set"'}, "matches topics of the bridge itself"),
        ({"match": "{}"}, "match: is empty; write what is to be so"),
        ({"match": "{ a = [] }"}, "match: a: an empty list can never match"),
        ({"match": '{ a = "" }'}, "match: a: empty text is ignored, so it can never match"),
        ({"match": "{ a = 1979-05-27 }"}, "match: a: is no text, number or truth value"),
        ({"match": '{ "a..b" = 1 }'}, "match: 'a..b' is no path"),
        ({"match": '{ a = { regex = "(" } }'}, "match: a: '(' is no regular expression"),
        (
            {"match": '{ a = { regex = "(?=b)" } }'},
            "match: a: '(?=b)' is no regular exp",
        ),
        ({"match": "{ a = { exsts = true } }"}, "match: a: 'exsts' is no condition; did you mean"),
        ({"match": "{ a = { exsts = true } }"}, "exists? There are a value, a list of values, {"),
        ({"match": "{ a = { exsts = true } }"}, 'in one piece: "a.exsts" = …'),
        ({"match": '{ a = { regexp = "x" } }'}, "'regexp' is no condition; did you mean regex?"),
        ({"match": '{ a = { Regex = "x" } }'}, "'Regex' is no condition; did you mean regex?"),
        ({"match": '{ a = { any_of = ["x"] } }'}, "match: a: 'any_of' is no condition; There are"),
        ({"match": '{ "a.*" = { b = 1, c = { eq = "x" } } }'}, "match: c: 'eq' is no condition"),
        ({"match": '{ a = { exists = "true" } }'}, "a: exists must be true or false, without quot"),
        ({"match": '{ a = { regex = "x", exists = true } }'}, "a: regex and exists stand alone"),
        ({"match": "{ a = { regex = { b = 1 } } }"}, "match: a: regex must be text in quotes"),
        (
            {"match": '{ regex = "x" }'},
            "match: regex needs the path of what it is about: match = {",
        ),
        ({"match": "{ exists = true }"}, "{ exists = … } }, or leave match out, to take every"),
        ({"match": "[1]"}, "match: must be a table"),
        ({"do": '"adopt"'}, "fields.recording_id: is missing: the id of the recording to adopt"),
        ({"payload": "[]"}, "payload: an empty list can never match"),
        ({"payload": "{ a = 1 }"}, "payload: must be text, a truth value, a list of these"),
        ({"payload": '"x"', "match": "{ a = 1 }"}, "payload: is for text, match is for JSON"),
        ({"payload": '"x"', "unique": '"n"'}, "unique: is a path into JSON"),
        ({"edge": '"up"'}, "edge: must be one of 'rising', 'falling' or 'both'"),
        ({"edge": '"rising"'}, "edge: needs match or payload, or it is never released"),
        ({"payload": "true", "edge": '"both"', "hold": '"1s"'}, "hold: cannot stand beside edge"),
        ({"payload": "true", "hold": '"2s"', "tap": '"1s"'}, "tap: cannot stand beside hold"),
        ({"hold": '"2"'}, "hold: '2' is no duration"),
        ({"debounce": '"0s"'}, "debounce: must be more than 0s"),
        ({"age": '"ts"'}, "max_age: is missing, and age says nothing without it"),
        ({"max_age": '"1m"'}, "age: is missing, and max_age says nothing without it"),
        ({"age": '"{{ json.ts"', "max_age": '"1m"'}, "age: unexpected end of template"),
        ({"fields": "{ minutes = 5 }"}, "fields.minutes: does not belong here"),
        (
            {"do": '"Restream-Start"', "fields": "{ minutes = 5 }"},
            "fields.minutes: does not belong here",
        ),
        (
            {"do": '"Adopt"', "fields": "{ recording_id = 'x', title = 'y' }"},
            "fields.title: does not belong here",
        ),
        (
            {"do": None, "event": '"meeting_start"', "fields": '{ "course-id" = "x" }'},
            "fields.course-id: is no name that templates can use; write letters, digits",
        ),
        ({"fields": '{ title = "{{ jsn.x }}" }'}, "title: there is no jsn here; there are: json"),
        (
            {"fields": '{ title = "{{ room.nmae }}" }'},
            "title: room has no nmae; did you mean",
        ),
        ({"fields": "{ title = \"{{ room['nmae'] }}\" }"}, "room has no nmae; did you mean name?"),
        (
            {"room": '"{{ topic.capture[0] }}"'},
            "topic has no capture; did you mean captures?",
        ),
        ({"fields": '{ title = "{{ now.weekday }}" }'}, "now has no weekday; did you mean day?"),
        ({"fields": '{ title = "{% include 1 %}" }'}, "{% include %} is not available"),
        ({"fields": "{ title = [1] }"}, "title: must be text, a number or a truth value"),
        ({"frob": "1"}, "frob: is no key here"),
        ({"topik": '"x"'}, "topik: is no key here; did you mean topic?"),
    ],
)
def test_what_is_wrong_with_a_binding(
    tmp_path: Path, keys: dict[str, str | None], said: str
) -> None:
    lines = complaints(tmp_path, table(**keys))
    assert any(line.startswith("[bindings.2") and said in line for line in lines), lines


def test_everything_at_once_and_each_table_by_its_number(tmp_path: Path) -> None:
    lines = complaints(tmp_path, table(do='"x"'), table(), table(room='"y"', topic='"hmp/#"'))
    assert [line.split(" ")[:2] for line in lines] == [
        ["[bindings.2]", "do:"],
        ["[bindings.4]", "room:"],
        ["[bindings.4]", "topic:"],
    ]


def test_our_own_topics_are_those_of_the_base_topic(tmp_path: Path) -> None:
    head = '[mqtt]\nbase_topic = "site/av"\n'
    (line,) = complaints(tmp_path, table(topic='"site/+/room/#"'), head=head)
    assert "matches topics of the bridge itself" in line
    file = tmp_path / "good.toml"
    more = f"\n[[bindings]]\n{table(topic=chr(34) + 'hmp/room/x/state' + chr(34))}\n"
    file.write_text(head + WITH_BINDING + more, encoding="utf-8")
    assert len(load(file).bindings) == 2


def test_topics_that_only_a_subscription_to_ours_would_cover(tmp_path: Path) -> None:
    (line,) = complaints(tmp_path, table(topic='"+/x/y/z"'), table(topic='"a/+/y/z"'))
    assert "overlaps with the topic of another binding" in line
    assert "+/+/y/z" in line


def test_a_message_whose_key_is_called_like_a_condition(tmp_path: Path) -> None:
    file = tmp_path / "bridge.toml"
    more = table(match='{ regex = ["x"] }') + "\n[[bindings]]\n" + table(match='{ "a.eq" = 1 }')
    file.write_text(f"{WITH_BINDING}\n[[bindings]]\n{more}", encoding="utf-8")
    assert len(load(file).bindings) == 3


def test_what_the_tables_become(tmp_path: Path) -> None:
    file = tmp_path / "bridge.toml"
    held = table(payload="true", hold='"2s"')
    file.write_text(f"{WITH_BINDING}[[bindings]]\n{held}", encoding="utf-8")
    configuration = load(file)
    first, second = make_bindings(configuration.bindings)
    assert (first.label, first.wish.word) == ("binding 1 (z/fine)", "toggle")
    assert (second.timing.hold, second.of_payload) == (2.0, True)
    assert configuration.room_names == {"boardroom": "boardroom"}
    assert len(configuration.digest) == 12


def test_many_bindings_load_quickly(tmp_path: Path) -> None:
    file = tmp_path / "bridge.toml"
    rest = "payload = true\nroom = 'boardroom'\ndo = 'stop'\n"
    topics = (f"z/{number}/{leaf}" for number in range(250) for leaf in ("+", "x"))
    many = "".join(f"[[bindings]]\ntopic = '{topic}'\n{rest}" for topic in topics)
    file.write_text(WITH_BINDING + many, encoding="utf-8")
    began = time.process_time()
    assert len(load(file).bindings) == 501
    assert time.process_time() - began < 5.0
