"""JSON Schema of the JSON payloads. Exact: a member that is not described here is an error.

Tests validate everything that is really rendered against these.
"""

from collections.abc import Mapping, Sequence

from ..room.facts.detail import Fate
from ..room.facts.vocabulary import ALARMS, Outcome, State, Target
from .payload import LONGEST_ID
from .topic_values import INSTANT, UUID, Schema, nullable, record

__all__ = [
    "action",
    "answer",
    "any_action",
    "box",
    "error",
    "event",
    "health",
    "info",
    "request_id",
    "result",
    "status",
]

_TEXT: Schema = {"type": "string"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_MILLISECONDS: Schema = {"type": "number", "minimum": 0}
_PORT: Schema = {"type": "integer", "minimum": 1, "maximum": 65535}

_ID: Schema = {
    "anyOf": [{"type": "string", "maxLength": LONGEST_ID}, {"type": "integer"}],
    "description": "The sender's; it comes back in the result.",
}

_ORIGIN: Schema = {"type": "string", "description": "The topic of the request."}

_PARAMETERS: Mapping[str, Schema] = {
    "title": {"type": "string", "minLength": 1, "maxLength": 255},
    "minutes": {"type": "number", "exclusiveMinimum": 0},
    "recording_id": UUID,
    "ip": {"type": "string", "format": "ipv4"},
    "port": _PORT,
}
"""The parameters of the actions."""

_NEEDED = {"adopt": ["recording_id"]}


def action(word: str, parameters: Sequence[str]) -> Schema:
    """One action as an object, on a topic of its own."""
    properties = {"action": {"const": word}, "id": _ID} | {
        name: nullable(_PARAMETERS[name]) for name in parameters
    }
    needed = _NEEDED.get(word, [])
    return record(properties, optional=[name for name in properties if name not in needed])


def any_action(takes: Mapping[str, Sequence[str]]) -> Schema:
    """Any action as an object: ``{"action": "record", "title": "…"}``."""
    return {
        "oneOf": [
            {**each, "required": ["action", *each["required"]]}
            for each in (action(word, parameters) for word, parameters in takes.items())
        ]
    }


def event(words: Sequence[str]) -> Schema:
    """The words of a booking system; members that the bridge has no use for are passed over."""
    return {
        "type": "object",
        "properties": {
            "event": {
                "type": "string",
                "description": f"{', '.join(words)}; capitals, -, . and spaces do not matter",
            },
            "id": _ID,
            "title": _TEXT,
            "organizer": _TEXT,
            "start": INSTANT,
            "end": INSTANT,
            "minutes": {"type": "number", "exclusiveMinimum": 0},
        },
        "required": ["event"],
    }


def request_id() -> Schema:
    """The sender's name for its request."""
    return _ID


def error() -> Schema:
    """Why something did not work: a code of HMP or a word of the bridge, and what to do."""
    return record({"code": _TEXT, "message": _TEXT, "explanation": _TEXT})


def result() -> Schema:
    """The fate of a request to a room."""
    return record(
        {
            "id": _ID,
            "action": _TEXT,
            "outcome": {"type": "string", "enum": list(map(str, Outcome))},
            "state": nullable({"enum": list(map(str, State))}),
            "error": nullable(error()),
            "origin": _ORIGIN,
            "took_ms": _MILLISECONDS,
        }
    )


def answer(value: Schema, *, raw: bool, origin: bool = False) -> Schema:
    """The fate of a request by name; `value` is what it may answer.

    `raw`: it was one for HMP. `origin`: the answer has no topic of its own.
    """
    members: dict[str, Schema] = {
        "id": _ID,
        "outcome": {"type": "string", "enum": ["ok", "failed", "expired", "unknown"]},
        "value": value,
        "error": nullable(error()),
    }
    if raw:
        members["raw"] = nullable({"type": "string", "description": "HMP's line."})
    if origin:
        members["origin"] = _ORIGIN
    return record(members)


def status(scalars: Mapping[str, Schema]) -> Schema:
    """A room, whole: the values of its other topics, and what has none."""
    return record(
        {
            **scalars,
            "alarms": {
                "type": "array",
                "items": {"enum": list(map(str, ALARMS))},
                "uniqueItems": True,
            },
            "target": {"type": "string", "enum": list(map(str, Target))},
            "owner": nullable(
                {
                    "type": "string",
                    "description": "manual, adopted, meeting, or meeting: and its id",
                }
            ),
            "verified_at": nullable(INSTANT),
            "revision": {
                "type": "integer",
                "minimum": 0,
                "description": "Grows whenever the room has another recording, or may have.",
            },
            "stale": {"type": "boolean", "description": "HMP cannot be asked at present."},
            "meetings": {"type": "array", "items": _meeting()},
            "details": nullable(_details()),
            "restream": nullable(
                record(
                    {
                        "state": _TEXT,
                        "recording_id": nullable(UUID),
                        "ip": {"type": "string"},
                        "port": _PORT,
                    }
                )
            ),
            "error": nullable(error()),
        }
    )


def _meeting() -> Schema:
    return record(
        {
            "id": _TEXT,
            "title": nullable(_TEXT),
            "organizer": nullable(_TEXT),
            "start": nullable(INSTANT),
            "end": nullable(INSTANT),
            "dismissed": {"type": "boolean", "description": "A person stopped its recording."},
        }
    )


def _details() -> Schema:
    """By name, such as ``title`` or ``category`` and its id."""
    fate = record(
        {"state": {"enum": list(map(str, Fate))}, "error": nullable(error())},
    )
    return {"type": "object", "additionalProperties": fate}


def info() -> Schema:
    """A bridge."""
    return record(
        {
            "version": _TEXT,
            "instance": {"type": "string", "pattern": "^[0-9a-f]{16}$"},
            "protocol": {"type": "string", "enum": ["5", "3.1.1"]},
            "started_at": INSTANT,
            "servers": _list_of(_TEXT),
            "rooms": _list_of(_TEXT),
            "configuration": {"type": "string", "pattern": "^[0-9a-f]{12}$"},
        }
    )


def health() -> Schema:
    """How a bridge's links do."""
    link = {
        "state": _TEXT,
        "round_trip_ms": nullable(_MILLISECONDS),
        "queue_depth": _COUNT,
        "reconnects": _COUNT,
        "error": nullable(_TEXT),
    }
    server = record({**link, "last_answer": nullable(INSTANT)})
    broker = record(
        {
            **link,
            "address": _TEXT,
            "protocol": nullable({"enum": ["5", "3.1.1"]}),
            "received_dropped": _COUNT,
            "results_dropped": _COUNT,
            "retained_ignored": _COUNT,
            "refused_filters": {"type": "object", "additionalProperties": _TEXT},
            "withheld": _list_of(_TEXT),
            "contested": _list_of(_TEXT),
        }
    )
    journal = record(
        {
            "state": {"type": "string", "enum": ["ok", "failing"]},
            "commit_ms": nullable(_MILLISECONDS),
            "error": nullable(_TEXT),
        }
    )
    servers = {"type": "object", "additionalProperties": server}
    certificates = {
        "type": "object",
        "description": "When each ends: mqtt.tls.cert, mqtt.tls.ca, the broker's, web.cert.",
        "additionalProperties": INSTANT,
    }
    return record(
        {"servers": servers, "broker": broker, "journal": journal, "certificates": certificates}
    )


def box() -> Schema:
    """One of several boxes."""
    reached: Schema = {"type": "string", "enum": ["reachable", "unreachable"]}
    return record(
        {
            "state": {"type": "string", "enum": ["standby", "leader", "leaving", "offline"]},
            "since": nullable(INSTANT),
            "version": _TEXT,
            "configuration": {"type": "string", "pattern": "^([0-9a-f]{12})?$"},
            "store": reached,
            "servers": {"type": "object", "additionalProperties": reached},
            "process": {"type": "string", "pattern": "^[0-9a-f]{8}$"},
        }
    )


def _list_of(item: Schema) -> Schema:
    return {"type": "array", "items": item}
