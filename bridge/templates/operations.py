"""What templates do to values: text of them, their methods, filters and arithmetic, all bounded."""

import dataclasses
import json
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time, timedelta
from functools import partial

from jinja2.runtime import Undefined

__all__ = [
    "LONGEST",
    "METHODS",
    "PROPERTIES",
    "TooMuch",
    "calculate",
    "centered",
    "fields_of",
    "formatted",
    "in_words",
    "methods_of",
    "replaced",
    "to_json",
    "to_text",
]

LONGEST = 65_536
"""Characters of any text that a template makes."""

_WIDEST = 1000
"""The greatest width to which a text can be filled up."""

_BITS = 256
"""The greatest size of a whole number."""


class TooMuch(ValueError):
    """A bound would be exceeded."""


def to_text(value: object) -> str:
    """A value as it is written in a result."""
    match value:
        case None | Undefined():
            return ""
        case str():
            return str(value)
        case bool():
            return "true" if value else "false"
        case int() if value.bit_length() > _BITS:
            raise TooMuch("a number is too large")
        case int() | float():
            return str(value)
        case datetime() | date() | time():
            return value.isoformat()
        case timedelta():
            return f"{value.total_seconds():g}"
        case Mapping() if value.keys() == {"Value"}:
            return to_text(value["Value"])  # as RoomOS boxes what it says; bindings unbox it too
        case Mapping() | list() | tuple():
            return to_json(value)
        case _:
            raise TooMuch(f"{in_words(value)} cannot be written as text")


def in_words(value: object) -> str:
    """What kind of value it is, for a message."""
    kinds: list[tuple[type | tuple[type, ...], str]] = [
        (type(None), "nothing"),
        (bool, "a truth value"),
        ((int, float), "a number"),
        (str, "a text"),
        (Mapping, "a mapping"),
        ((list, tuple), "a list"),
        ((datetime, date, time), "a time"),
    ]
    return next((word for kind, word in kinds if isinstance(value, kind)), "this value")


def to_json(value: object) -> str:
    """Lists and mappings as JSON; what JSON does not have as text."""

    def plain(other: object) -> object:
        return dict(other) if isinstance(other, Mapping) else to_text(other)

    return json.dumps(value, ensure_ascii=False, default=plain)


def _width(width: int) -> int:
    if width > _WIDEST:
        raise TooMuch(f"a width of {width} is more than {_WIDEST}")
    return width


def centered(text: str, width: int, fill: str = " ") -> str:
    """`text` in the middle of `width` characters."""
    return text.center(_width(width), fill)


def replaced(text: str, old: str, new: str, count: int = -1) -> str:
    """`text` with `new` for every `old`, or for the first `count`."""
    found = text.count(old) if count < 0 else min(count, text.count(old))
    if len(text) + found * len(new) > LONGEST * 4:
        raise TooMuch(f"a text gets longer than {LONGEST:,} characters")
    return text.replace(old, new, count)


def _strftime(value: date | time, form: str) -> str:
    if len(form) > _WIDEST or re.search(r"%[^a-zA-Z%]*\d", form):
        raise TooMuch("a time's format takes no widths and few characters")
    return value.strftime(form)


_PLAIN = frozenset(
    "capitalize casefold count endswith find isalnum isalpha isdigit islower isnumeric isspace "  # noqa: SIM905 - a list of words
    "isupper lower lstrip partition removeprefix removesuffix rfind rpartition rsplit rstrip "
    "split splitlines startswith strip swapcase title upper".split()
)
_TEXT: dict[str, Callable[..., object]] = {
    **{name: getattr(str, name) for name in _PLAIN},
    "replace": replaced,
    "center": centered,
    "ljust": lambda text, width, fill=" ": text.ljust(_width(width), fill),
    "rjust": lambda text, width, fill=" ": text.rjust(_width(width), fill),
    "zfill": lambda text, width: text.zfill(_width(width)),
}
_MAPPING: dict[str, Callable[..., object]] = {
    "get": lambda mapping, key, default=None: mapping.get(key, default),
    "items": lambda mapping: list(mapping.items()),
    "keys": list,
    "values": lambda mapping: list(mapping.values()),
}
_LIST: dict[str, Callable[..., object]] = {"count": lambda values, value: values.count(value)}
_DATETIME: dict[str, Callable[..., object]] = {
    "strftime": _strftime,
    "isoformat": lambda value, *a, **k: value.isoformat(*a, **k),
    "date": datetime.date,
    "time": datetime.time,
    "timestamp": datetime.timestamp,
    "weekday": datetime.weekday,
    "isoweekday": datetime.isoweekday,
    "astimezone": lambda value: value.astimezone(),
}
_DATE = {name: getattr(date, name) for name in ("isoformat", "weekday", "isoweekday")}
_BY_TYPE: list[tuple[type | tuple[type, ...], dict[str, Callable[..., object]]]] = [
    (str, _TEXT),
    (Mapping, _MAPPING),
    ((list, tuple), _LIST),
    (datetime, _DATETIME),
    (date, {**_DATE, "strftime": _strftime}),
    (time, {"strftime": _strftime, "isoformat": time.isoformat}),
    (timedelta, {"total_seconds": timedelta.total_seconds}),
]
METHODS = frozenset().union(*(methods for _, methods in _BY_TYPE))
"""The names of all methods of all kinds of values."""

PROPERTIES: list[tuple[type, tuple[str, ...]]] = [
    (datetime, ("year", "month", "day", "hour", "minute", "second")),
    (date, ("year", "month", "day")),
    (time, ("hour", "minute", "second")),
    (timedelta, ("days", "seconds")),
    (str, ("captures", "levels")),
]
"""What can be read of a value; a topic is a text that has captures and levels."""


def methods_of(value: object) -> Mapping[str, Callable[..., object]]:
    """The methods that a value has in a template."""
    return next((methods for kind, methods in _BY_TYPE if isinstance(value, kind)), {})


def fields_of(value: object) -> Mapping[str, Callable[[], object]]:
    """What can be read of a value, by name."""
    names: Iterable[str] = ()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in dataclasses.fields(value)]
    else:
        names = next((names for kind, names in PROPERTIES if isinstance(value, kind)), ())
    return {name: partial(getattr, value, name) for name in names if hasattr(value, name)}


_OPERATORS: dict[str, Callable[[object, object], object]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    "**": operator.pow,
}


def calculate(word: str, left: object, right: object) -> object:
    """An operator, for numbers, times and (``+``, ``*``, ``%``) text; raises `TooMuch`."""
    left, right = _or_nothing(word, left, right), _or_nothing(word, right, left)
    match word, left, right:
        case "%", str(), _:
            return formatted(left, right)
        case "*", str(), int():
            return _repeated(left, right)
        case "*", int(), str():
            return _repeated(right, left)
        case "+", str(), str() if len(left) + len(right) > LONGEST * 4:
            raise TooMuch(f"a text gets longer than {LONGEST:,} characters")
        case "+", str(), str():
            return left + right
        case "**", int() | float(), int() | float() if abs(right) > 64 or abs(left) > 1e6:
            raise TooMuch("** is for small numbers")
        case _:
            return _number(word, left, right)


def _or_nothing(word: str, value: object, beside: object) -> object:
    """What is not there is empty also where it is added to a text."""
    missing = isinstance(value, Undefined) or value is None
    return "" if missing and word == "+" and isinstance(beside, str) else value


def _number(word: str, left: object, right: object) -> object:
    if any(isinstance(each, str | list | tuple | Mapping) for each in (left, right)):
        raise TooMuch(f"{word} does not go with {in_words(left)} and {in_words(right)}")
    result = _OPERATORS[word](left, right)
    if isinstance(result, int) and result.bit_length() > _BITS:
        raise TooMuch("a number gets too large")
    return result


def _repeated(text: str, times: int) -> str:
    if len(text) * times > LONGEST:
        raise TooMuch(f"a text gets longer than {LONGEST:,} characters")
    return text * times


def formatted(form: str, values: object) -> str:
    """``"%02d" % number``, with widths that are written out and small."""
    if any(int(digits) > 100 for digits in re.findall(r"\d+", form)) or re.search(
        r"%[^a-z]*\*", form
    ):
        raise TooMuch("a width in a format is at most 100")
    if isinstance(values, Undefined):
        values = ""
    return form % (tuple(values) if isinstance(values, list) else values)
