"""The MQTT interface as an AsyncAPI 3 document: every topic and payload, for tools and generators.

Made of the rows that the topic sheets are made of. Operations are the bridge's: it receives what
others publish, and sends what they subscribe to. Pure.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..mqtt.catalogue import BOX_ROWS, ROWS, Direction, Row, tally_words
from ..mqtt.settings import BrokerSettings
from ..mqtt.topics import Topics
from .plain import plain, sentence
from .request_rows import REQUEST_ROWS

__all__ = ["Interface", "asyncapi_document"]

_PROTOCOLS = {
    ("tcp", False): "mqtt",
    ("tcp", True): "secure-mqtt",
    ("websockets", False): "ws",
    ("websockets", True): "wss",
}

_DESCRIPTION = """\
Rooms are recorded by publishing an action and shown by subscribing to their state, which follows \
what HMP says. Publish at QoS 1 and never retained: a retained message is not acted on. Every \
request gets exactly one answer."""


@dataclass(frozen=True, slots=True)
class Interface:
    """The particulars of one bridge; `tally_words` are those of all its rooms.

    `boxes`: there are several that stand in for each other.
    """

    version: str
    topics: Topics
    broker: BrokerSettings
    servers: Sequence[str]
    rooms: Sequence[str]
    tally_words: Iterable[str]
    boxes: bool = False


def asyncapi_document(interface: Interface) -> dict[str, Any]:
    """The whole document, as JSON has it."""
    all_rows = (*ROWS, *(BOX_ROWS if interface.boxes else ()), *REQUEST_ROWS)
    rows = [tally_words(row, interface.tally_words) for row in all_rows]
    document: dict[str, Any] = {
        "asyncapi": "3.0.0",
        "info": {
            "title": "hmp-bridge",
            "version": interface.version,
            "description": _DESCRIPTION,
            "license": {"name": "MIT"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "broker" if number == 1 else f"broker{number}": _server(interface.broker.at(node))
            for number, node in enumerate(interface.broker.nodes, 1)
        },
        "channels": {_key(row): _channel(row, interface) for row in rows},
        "operations": {_operation_key(row): _operation(row) for row in rows},
    }
    if interface.broker.username is not None:
        document["components"] = {"securitySchemes": {"login": {"type": "userPassword"}}}
    return document


def _server(broker: BrokerSettings) -> dict[str, Any]:
    server: dict[str, Any] = {
        "host": broker.address,
        "protocol": _PROTOCOLS[broker.transport, broker.tls is not None],
        "description": "The broker that the bridge and everybody else connect to.",
    }
    if broker.transport == "websockets":
        server["pathname"] = broker.websocket_path
    elif broker.protocol != "auto":
        server["protocolVersion"] = broker.protocol
    if broker.username is not None:
        server["security"] = [{"$ref": "#/components/securitySchemes/login"}]
    return server


def _key(row: Row) -> str:
    """A channel's name: its path without what varies, such as ``room_state``."""
    return "_".join(part for part in row.path.split("/") if not part.startswith("{"))


def _operation_key(row: Row) -> str:
    return f"{'take' if row.direction is Direction.PUBLISH else 'say'}_{_key(row)}"


def _channel(row: Row, interface: Interface) -> dict[str, Any]:
    known = {
        "room": ("A room of the configuration.", list(interface.rooms)),
        "server": ("An HMP of the configuration.", list(interface.servers)),
    }
    channel: dict[str, Any] = {
        "address": row.topic(interface.topics.base, bridge=interface.topics.own_path),
        "description": sentence(row.meaning),
        "messages": _messages(row),
    }
    if "{box}" in row.path:
        channel["parameters"] = {"box": {"description": "The name of a box."}}
        return channel
    parameters = {
        name: {"description": description, "enum": values}
        for name, (description, values) in known.items()
        if f"{{{name}}}" in row.path
    }
    return channel | ({"parameters": parameters} if parameters else {})


def _messages(row: Row) -> dict[str, Any]:
    messages = {}
    if row.values.is_json:
        messages["object"] = _message(row, "application/json", row.values.schema)
    else:
        messages["text"] = _message(row, "text/plain", row.values.schema)
    if row.as_json is not None:
        messages["object"] = _message(row, "application/json", row.as_json)
    return messages


def _message(row: Row, content_type: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    kind = "text" if content_type == "text/plain" else "object"
    return {
        "name": f"{_key(row)}_{kind}",
        "contentType": content_type,
        "payload": plain(schema),
        "summary": sentence(row.meaning if kind == "object" else row.values.text),
    }


def _operation(row: Row) -> dict[str, Any]:
    taken = row.direction is Direction.PUBLISH
    operation: dict[str, Any] = {
        "action": "receive" if taken else "send",
        "channel": {"$ref": f"#/channels/{_key(row)}"},
        "summary": sentence(row.meaning),
        "bindings": {"mqtt": {"qos": 1, "retain": row.retained, "bindingVersion": "0.2.0"}},
    }
    if taken:
        answer = (
            _key(row).replace("_request_", "_response_")
            if "/request/" in row.path
            else "room_result"
        )
        operation["reply"] = {"channel": {"$ref": f"#/channels/{answer}"}}
    return operation
