"""Values as templates write and calculate with them, all bounded."""

import json
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta

from jinja2.runtime import Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

__all__ = ["LONGEST", "TooMuch", "bounded", "calculate", "in_words", "number", "to_text"]

LONGEST = 65_536
"""Characters of any text that a template makes."""

_BITS = 256
"""The greatest size of a whole number."""


class TooMuch(ValueError):
    """A bound would be exceeded."""


def bounded(length: int) -> None:
    """Raise `TooMuch` where a text of so many characters would be made on the way to another."""
    if length > LONGEST * 4:
        raise TooMuch(f"a text gets longer than {LONGEST:,} characters")


def to_text(value: object) -> str:
    """A value as it is written in a result."""
    match value:
        case None | Undefined():
            return ""
        case str():
            return str(value)
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(number(value))
        case datetime() | date() | time():
            return value.isoformat()
        case timedelta():
            return f"{value.total_seconds():g}"
        case Mapping() if value.keys() == {"Value"}:
            return to_text(value["Value"])  # as RoomOS boxes what it says; bindings unbox it too
        case Mapping() | list() | tuple():
            return json.dumps(value, ensure_ascii=False, default=_plain)
        case _:
            raise TooMuch(f"{in_words(value)} cannot be written as text")


def _plain(value: object) -> object:
    """A value that JSON does not have, as one that it has."""
    return dict(value) if isinstance(value, Mapping) else to_text(value)


_KINDS: list[tuple[type | tuple[type, ...], str]] = [
    (type(None), "nothing"),
    (bool, "a truth value"),
    ((int, float), "a number"),
    (str, "a text"),
    (Mapping, "a mapping"),
    ((list, tuple), "a list"),
    ((datetime, date, time), "a time"),
]


def in_words(value: object) -> str:
    """The kind of a value, for a message."""
    return next((word for kind, word in _KINDS if isinstance(value, kind)), "this value")


def calculate(word: str, left: object, right: object) -> object:
    """An operator, for numbers, times and (``+``, ``*``) text; raises `TooMuch`.

    A text before ``%`` is none of these: it would be a format, and a message may have written it.
    """
    match word, left, right:
        case ("+", str(), None | Undefined() | str()) | ("+", None | Undefined(), str()):
            texts = to_text(left), to_text(right)  # what is not there is empty here, too
            bounded(sum(map(len, texts)))
            return "".join(texts)
        case ("*", str() as text, int() as times) | ("*", int() as times, str() as text):
            bounded(len(text) * times)
            return text * times
        case "%", str(), _:
            raise TooMuch("% after a text needs a format that is written out, such as '%02d'")
        case "**", int() | float(), int() | float() if abs(right) > 64 or abs(left) > 1e6:
            raise TooMuch("** is for small numbers")
        case _ if any(isinstance(each, str | list | tuple | Mapping) for each in (left, right)):
            raise TooMuch(f"{word} does not go with {in_words(left)} and {in_words(right)}")
        case _:
            return number(ImmutableSandboxedEnvironment.default_binop_table[word](left, right))


def number(value: object) -> object:
    """The value; raises `TooMuch` for a whole number that work with would get slow."""
    if isinstance(value, int) and value.bit_length() > _BITS:
        raise TooMuch("a number gets too large")
    return value
