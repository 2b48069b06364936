"""The values of a topic's payload: for people, for a panel's strings, and as JSON Schema."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = [
    "INSTANT",
    "NULL",
    "UUID",
    "Schema",
    "Values",
    "count",
    "free_text",
    "identifier",
    "instant",
    "json_object",
    "nullable",
    "record",
    "seconds",
    "switch",
    "words",
]

Schema = Mapping[str, Any]

NULL: Schema = {"type": "null"}

UUID: Schema = {"type": "string", "format": "uuid"}
INSTANT: Schema = {"type": "string", "format": "date-time"}
_NONE: Schema = {"const": "none"}


@dataclass(frozen=True, slots=True)
class Values:
    """The payloads of one topic.

    `text` says them in words. `longest` is characters, None where there is no useful limit.
    `schema` is of the payload: of its text, or with `is_json` of the JSON in it. `inside` is of the
    same value inside a JSON payload, where *none* is null and numbers are numbers.
    """

    text: str
    longest: int | None
    schema: Schema
    inside: Schema
    is_json: bool = False


def words(each: Iterable[object], *, or_none: bool = False) -> Values:
    """One of these words; `or_none`: `none` inside JSON is null."""
    known = [str(word) for word in each]
    shown = [*(["none"] if or_none else []), *known]
    return Values(
        text=" ".join(shown),
        longest=max(map(len, shown)),
        schema={"type": "string", "enum": shown},
        inside=nullable({"enum": known}) if or_none else {"type": "string", "enum": known},
    )


def switch() -> Values:
    """`true` or `false`."""
    schema = {"type": "string", "enum": ["true", "false"]}
    return Values("true false", 5, schema, {"type": "boolean"})


def identifier() -> Values:
    """A UUID of HMP."""
    return Values("UUID or none", 36, {"anyOf": [_NONE, UUID]}, nullable(UUID))


def instant() -> Values:
    """A time, to the second."""
    return Values(
        "UTC time such as 2026-03-01T10:00:00Z, or none",
        20,
        {"anyOf": [_NONE, INSTANT]},
        nullable(INSTANT),
    )


def seconds(most: int) -> Values:
    """Whole seconds up to `most`."""
    schema = {"type": "string", "pattern": "^[0-9]+$", "maxLength": len(str(most))}
    inside = {"type": "integer", "minimum": 0}
    return Values("whole seconds", len(str(most)), schema, inside)


def count() -> Values:
    """How many there are of something."""
    return Values(
        "whole number",
        6,
        {"type": "string", "pattern": "^[0-9]{1,6}$"},
        {"type": "integer", "minimum": 0},
    )


def free_text(limit: int, text: str, *, or_none: bool = False) -> Values:
    """Any text of up to `limit` characters."""
    schema = {"type": "string", "maxLength": limit}
    return Values(text, limit, schema, nullable(schema) if or_none else schema)


def json_object(text: str, schema: Schema) -> Values:
    """A JSON object."""
    return Values(text, None, schema, schema, is_json=True)


def nullable(schema: Schema) -> Schema:
    """The same, or null."""
    return {"anyOf": [NULL, schema]}


def record(properties: Mapping[str, Schema], *, optional: Iterable[str] = ()) -> Schema:
    """An object with exactly these members, of which only the `optional` ones may be absent."""
    may_be_absent = set(optional)
    return {
        "type": "object",
        "properties": dict(properties),
        "required": [name for name in properties if name not in may_be_absent],
        "additionalProperties": False,
    }
