"""The rows of the command API: a request and a response topic for each of HMP's commands.

Generated from the commands themselves (`hmp.commands`), and the same for what the bridge is asked.
Pure.
"""

from collections.abc import Mapping
from typing import Any

from ..hmp import arguments
from ..hmp.command import Argument, Command, NoResult, parameters
from ..hmp.commands import COMMANDS, RecordingStatus
from ..logs.levels import LEVELS, PARTS
from ..mqtt import payloads
from ..mqtt.catalogue import Direction, Row
from ..mqtt.topic_values import NULL, Schema, json_object, nullable, record

__all__ = ["REQUEST_ROWS", "command_schema"]

_UUID: Schema = {"type": "string", "pattern": arguments.UUID_PATTERN}
_TITLE: Schema = {"type": "string", "pattern": r"\S", "maxLength": arguments.TITLE_LIMIT}
_NAME: Schema = {"type": "string", "pattern": r"\S", "maxLength": arguments.NAME_LIMIT}


def _permission(*keywords: str) -> Schema:
    return {"anyOf": [{"enum": list(keywords)}, _UUID]}


_OF_CHECK: Mapping[Any, Schema] = {
    arguments.any_ip_address: {
        "type": "string",
        "anyOf": [{"format": "ipv4"}, {"format": "ipv6"}],
        "description": "IPv6 needs HMP 3.10.2 or later.",
    },
    arguments.boolean: {"type": "boolean"},
    arguments.category_id: _UUID,
    arguments.category_values: {
        "type": "array",
        "items": {"type": "string", "pattern": r"^\S(.*\S)?$", "maxLength": arguments.NAME_LIMIT},
        "minItems": 1,
        "maxItems": arguments.VALUES_LIMIT,
        "uniqueItems": True,
        "description": "All of them: HMP replaces the list.",
    },
    arguments.metadata_field: {"enum": list(map(str, arguments.MetadataField))},
    arguments.port: {"type": "integer", "minimum": 1, "maximum": 65535},
    arguments.principal: _NAME,
    arguments.recording_id: _UUID,
    arguments.recording_permission: _permission("WATCH", "EDIT", "OWN"),
    arguments.session_id: _UUID,
    arguments.session_permission: _permission("WATCH", "EDIT", "RECORD", "OWN"),
    arguments.session_title: _TITLE,
    arguments.source_id: _UUID,
    arguments.stream_id: _UUID,
    arguments.text: {"type": "string", "maxLength": arguments.TEXT_LIMIT},
    arguments.title: _TITLE,
}
"""The values that each check of an argument lets pass."""

_RESULTS: Mapping[str, Schema] = {
    "createSession": _UUID,
    "startRecording": _UUID,
    "getRecordingStatus": {"enum": list(map(str, RecordingStatus))},
    "startRestreamRecording": _UUID,
}
"""The answers of the commands that answer anything."""

_VERBS: Mapping[str, tuple[str, Mapping[str, Schema]]] = {
    "info": ("say what this bridge is", {}),
    "health": ("measure how its links do", {}),
    "reload": (
        "read the configuration again",
        {
            "force": {
                "type": "boolean",
                "description": "Leave recordings running at HMP that are in the way.",
            }
        },
    ),
    "announce": ("publish every retained topic again", {}),
    "log_level": (
        "log more or less",
        {
            "level": {"enum": list(LEVELS)},
            "part": {"enum": list(PARTS), "description": "One part of the bridge; left out: all."},
        },
    ),
    "yield": ("leave to another box that is ready", {}),
}
"""The verbs of the bridge itself, and the members of the request beside `id`."""


def command_schema(command: type[Command[Any]]) -> Schema:
    """A request's payload: the parameters by the guide's names, or as a list in its order."""
    expected = parameters(command)
    named = {each.argument.name: _schema_of(each.argument) for each in expected}
    extra: dict[str, Schema] = {"id": payloads.request_id()}
    if command.name == "startRecording":
        extra["force"] = {
            "type": "boolean",
            "description": "Start another recording of a session that a room records already.",
        }
    listed = {
        "type": "array",
        "items": list(named.values()),
        "minItems": len(named),
        "maxItems": len(named),
    }
    return {
        "anyOf": [
            record({**named, **extra}, optional=extra),
            listed,
            record({"parameters": {"anyOf": [listed, record(named)]}, **extra}, optional=extra),
        ]
    }


def _schema_of(argument: Argument) -> Schema:
    return _OF_CHECK[argument.check]


def _of_command(command: type[Command[Any]]) -> tuple[Row, Row]:
    name, path = command.name, "server/{server}"
    meaning = (command.__doc__ or "").strip().partition("\n")[0].rstrip(".")
    value = NULL if issubclass(command, NoResult) else nullable(_RESULTS[name])
    return (
        Row(
            f"{path}/request/{name}",
            Direction.PUBLISH,
            json_object("JSON object or array", command_schema(command)),
            f"{meaning}; where server.allow_commands has it",
        ),
        Row(
            f"{path}/response/{name}",
            Direction.SUBSCRIBE,
            json_object("JSON", payloads.answer(value, raw=True)),
            f"what became of {name}; also on the Response Topic of an MQTT 5 request",
        ),
    )


def _of_verb(verb: str, meaning: str, members: Mapping[str, Schema]) -> tuple[Row, Row]:
    whole = {"id": payloads.request_id(), **members}
    return (
        Row(
            f"bridge/request/{verb}",
            Direction.PUBLISH,
            json_object("JSON object, or empty", record(whole, optional=whole)),
            meaning,
        ),
        Row(
            f"bridge/response/{verb}",
            Direction.SUBSCRIBE,
            json_object("JSON", payloads.answer({}, raw=False)),
            f"what became of {verb}",
        ),
    )


REQUEST_ROWS: tuple[Row, ...] = (
    *(row for command in COMMANDS.values() for row in _of_command(command)),
    *(
        row
        for verb, (meaning, members) in _VERBS.items()
        for row in _of_verb(verb, meaning, members)
    ),
)
"""All of them: each request, and then its response."""
