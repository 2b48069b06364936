"""The AsyncAPI document: whole, consistent, and true of what is rendered and taken.

That AsyncAPI's own parser accepts it is for the gate (`parse.mjs`).
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bridge.api.answers import done, refused, unknown
from bridge.api.bridge_requests import Verb
from bridge.cli.main import ExitCode, run
from bridge.hmp import arguments
from bridge.hmp.command import NoResult, parameters
from bridge.hmp.commands import COMMANDS, parse_command
from bridge.hmp.errors import InvalidArgument, OutcomeUnknown, Refused
from bridge.interface.asyncapi import Interface, asyncapi_document
from bridge.interface.request_rows import REQUEST_ROWS, command_schema
from bridge.mqtt.api_topics import Caller, render_answer
from bridge.mqtt.catalogue import ROWS
from bridge.mqtt.settings import BrokerSettings
from bridge.mqtt.topics import Topics, render_ack, render_result, render_room
from bridge.room.facts.vocabulary import State
from bridge.tls.settings import TlsSettings
from tests.hmp.peer import UUID
from tests.mqtt.samples import RESULT, ROOMS
from tests.schemas import complaints

BROKER = BrokerSettings(host="broker.example.edu", port=1883, client_id="x")
WORDS = {state: f"word {state}" for state in State}


def document(broker: BrokerSettings = BROKER) -> dict[str, Any]:
    return asyncapi_document(
        Interface(
            version="1.2.3",
            topics=Topics("site/hmp"),
            broker=broker,
            servers=["main", "spare"],
            rooms=["r0", "r1"],
            tally_words=WORDS.values(),
        )
    )


DOCUMENT = document()


def test_it_is_what_the_command_prints(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    example = Path(__file__).parents[2] / "config" / "bridge.toml"
    password = ["--set", "mqtt.username=u", "--set", "mqtt.password=hunter2"]
    assert run(["asyncapi", "--config", str(example), *password]) == ExitCode.OK
    said = capsys.readouterr()
    assert said.err == ""
    assert "hunter2" not in said.out
    printed = json.loads(said.out)
    assert printed["asyncapi"] == "3.0.0"
    assert printed["channels"]["room_state"]["parameters"]["room"]["enum"] == [
        "boardroom",
        "auditorium",
    ]
    assert printed["channels"]["room_tally"]["messages"]["text"]["payload"]["enum"] == [
        "off",
        "blink",
        "red",
        "amber",
        "fault",
    ]


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref":
                yield value
            else:
                yield from references(value)
    elif isinstance(node, list):
        for item in node:
            yield from references(item)


def test_every_reference_leads_somewhere() -> None:
    found = set(references(DOCUMENT))
    assert len(found) > 80
    for reference in found:
        node = DOCUMENT
        for part in reference.removeprefix("#/").split("/"):
            node = node[part]
        assert node


def test_every_row_is_a_channel_with_one_operation() -> None:
    rows = [*ROWS, *REQUEST_ROWS]
    channels, operations = DOCUMENT["channels"], DOCUMENT["operations"]
    assert len(channels) == len(operations) == len(rows)
    assert {channel["address"] for channel in channels.values()} == {
        row.topic("site/hmp") for row in rows
    }
    for channel in channels.values():
        named = set(re.findall(r"\{(\w+)\}", channel["address"]))
        assert named == set(channel.get("parameters", {}))
        assert channel["messages"]
    assert all(re.fullmatch(r"[A-Za-z0-9_]+", key) for key in (*channels, *operations))


def test_everything_that_the_bridge_can_be_asked_is_there() -> None:
    asked = {row.path for row in REQUEST_ROWS if row.path.startswith("bridge/request/")}
    assert asked == {f"bridge/request/{verb}" for verb in Verb}


def test_retained_is_said_of_what_is_retained() -> None:
    retained = {
        operation["channel"]["$ref"].rpartition("/")[2]
        for operation in DOCUMENT["operations"].values()
        if operation["bindings"]["mqtt"]["retain"]
    }
    assert {"room_state", "room_status", "bridge_state", "server_state"} <= retained
    assert not {"room_ack", "room_result", "room_set", "bridge_response_error"} & retained


def test_requests_name_where_their_answers_go() -> None:
    operations = DOCUMENT["operations"]
    replies = {
        key: operation["reply"]["channel"]["$ref"].rpartition("/")[2]
        for key, operation in operations.items()
        if operation["action"] == "receive"
    }
    assert replies["take_room_set"] == "room_result"
    assert replies["take_server_request_startRecording"] == "server_response_startRecording"
    assert replies["take_bridge_request_reload"] == "bridge_response_reload"
    assert all("reply" not in each for each in operations.values() if each["action"] == "send")


# The broker.


@pytest.mark.parametrize(
    ("broker", "expected"),
    [
        (BROKER, {"host": "broker.example.edu:1883", "protocol": "mqtt"}),
        (
            BrokerSettings(host="::1", port=8883, client_id="x", tls=TlsSettings(), protocol="5"),
            {"host": "[::1]:8883", "protocol": "secure-mqtt", "protocolVersion": "5"},
        ),
        (
            BrokerSettings(host="b", port=8080, client_id="x", transport="websockets"),
            {"host": "b:8080", "protocol": "ws", "pathname": "/mqtt"},
        ),
        (
            BrokerSettings(host="b", port=1, client_id="x", username="u", password="hunter2"),
            {"host": "b:1", "security": [{"$ref": "#/components/securitySchemes/login"}]},
        ),
    ],
)
def test_the_broker(broker: BrokerSettings, expected: dict[str, object]) -> None:
    made = document(broker)
    assert expected.items() <= made["servers"]["broker"].items()
    assert "hunter2" not in json.dumps(made)
    assert ("components" in made) == (broker.username is not None)


# What is rendered.


def payload_schema(topic: str) -> tuple[dict[str, Any], bool]:
    """The schema of what is published on a topic, and whether it is JSON."""
    for channel in DOCUMENT["channels"].values():
        address = re.sub(r"\\\{\w+\\\}", "[a-z0-9_-]+", re.escape(channel["address"]))
        if re.fullmatch(address, topic):
            [message] = channel["messages"].values()
            return message["payload"], message["contentType"] == "application/json"
    raise AssertionError(topic)


@pytest.mark.parametrize("state", ROOMS, ids=lambda state: state.state)
def test_what_rooms_publish_is_valid(state: Any) -> None:
    topics = Topics("site/hmp")
    published = render_room(topics, "r0", state, WORDS) | {
        topics.room("r0", "ack"): render_ack(RESULT),
        topics.room("r0", "result"): render_result(RESULT),
        topics.error: render_result(RESULT),
    }
    for topic, payload in published.items():
        schema, is_json = payload_schema(topic)
        assert not complaints(schema, json.loads(payload) if is_json else payload), topic


# Commands.

SAMPLES: dict[str, tuple[object, object]] = {
    "active": (True, "yes"),
    "categoryId": (UUID, "Surgery"),
    "fieldName": ("title", "Title"),
    "groupname": ("Staff", " "),
    "ip": ("239.1.1.1", "239.1.1"),
    "permissionId": ("OWN", "own"),
    "port": (5000, 0),
    "recordingId": (UUID, UUID[:-1]),
    "sessionId": (UUID, 7),
    "sessionTitle": ("Weekly", ""),
    "sourceId": (UUID, None),
    "streamId": (UUID, f"{UUID} "),
    "title": ("Vote", "x" * 256),
    "username": ("jdoe", ""),
    "value": ("any text", 5),
    "values": (["a", "b"], ["a", "a"]),
}
"""For each parameter of the guide a right value and a wrong one."""


@pytest.mark.parametrize("name", COMMANDS)
def test_a_commands_payload_is_what_the_command_takes(name: str) -> None:
    schema = command_schema(COMMANDS[name])
    names = [each.argument.name for each in parameters(COMMANDS[name])]
    good: dict[str, object] = {each: SAMPLES[each][0] for each in names}
    listed = list(good.values())
    for payload in (
        good,
        good | {"id": "e1"},
        listed,
        {"parameters": listed, "id": 7},
        {"parameters": good, "id": 7},
    ):
        assert not complaints(schema, payload), payload
    parse_command(name, good)
    parse_command(name, listed)
    for each in names:
        wrong = good | {each: SAMPLES[each][1]}
        assert complaints(schema, wrong)
        assert complaints(schema, list(wrong.values()))
        with pytest.raises(InvalidArgument):
            parse_command(name, wrong)
        without = {key: value for key, value in good.items() if key != each}
        assert complaints(schema, without)
    assert complaints(schema, good | {"more": 1})
    assert complaints(schema, [*listed, "more"])
    assert bool(complaints(schema, good | {"force": True})) == (name != "startRecording")


@pytest.mark.parametrize("name", COMMANDS)
def test_a_commands_response_has_the_commands_result(name: str) -> None:
    schema, _ = payload_schema(f"site/hmp/server/main/response/{name}")
    ok = {"id": "e1", "outcome": "ok", "value": None, "error": None, "raw": "OK"}
    assert not complaints(schema, ok)
    error = {"code": "070027", "message": "Insufficient Disk Space", "explanation": "Make room."}
    assert not complaints(schema, ok | {"outcome": "failed", "error": error})
    values = {UUID, "RECORDING"}
    if issubclass(COMMANDS[name], NoResult):
        assert all(complaints(schema, ok | {"value": value}) for value in values)
    else:
        assert sum(not complaints(schema, ok | {"value": value}) for value in values) == 1


@pytest.mark.parametrize("name", COMMANDS)
def test_what_is_answered_is_what_is_described(name: str) -> None:
    schema, _ = payload_schema(f"site/hmp/server/main/response/{name}")
    expected = parameters(COMMANDS[name])
    command = parse_command(name, [SAMPLES[each.argument.name][0] for each in expected])
    value = None
    if not issubclass(COMMANDS[name], NoResult):
        value = "PAUSED" if name == "getRecordingStatus" else UUID
    caller = Caller("e1", "hmp/server/main/request/x", "hmp/server/main/response/x")
    for answer in (
        done(value),
        refused(Refused("070000", "Internal Server Error", "070000", name)),
        unknown(OutcomeUnknown(name, "no answer came"), command),
    ):
        assert not complaints(schema, json.loads(render_answer(answer, caller, with_raw=True)))


def test_texts_have_the_limits_of_the_checks() -> None:
    schema = command_schema(COMMANDS["updateMetadata"])
    for length, taken in ((arguments.TEXT_LIMIT, True), (arguments.TEXT_LIMIT + 1, False)):
        payload = {"recordingId": UUID, "fieldName": "title", "value": "x" * length}
        assert bool(complaints(schema, payload)) is not taken
