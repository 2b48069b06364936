"""The methods and properties that values have in templates, and formats, all bounded."""

import dataclasses
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time, timedelta

from jinja2.exceptions import SecurityError
from jinja2.runtime import LoopContext, Undefined

from .values import TooMuch, bounded, in_words

__all__ = ["METHODS", "fault_of_format", "fields_of", "formatted"]

_WIDEST = 1000
"""The greatest width to which a text can be filled up."""

_SHORT = 100
"""Characters of a text whose search may take its length times that of the text searched."""


def _width(width: int) -> int:
    if width > _WIDEST:
        raise TooMuch(f"a width of {width} is more than {_WIDEST}")
    return width


def _replaced(text: str, old: str, new: str, count: int = -1) -> str:
    found = text.count(old) if count < 0 else min(count, text.count(old))
    bounded(len(text) + found * len(new))
    return text.replace(old, new, count)


def _short(method: Callable[..., object]) -> Callable[..., object]:
    """The method of a text, for what Python searches from the end, or as a set of characters.

    Unlike the search from the beginning, that takes the product of both lengths.
    """

    def limited(text: str, *given: object, **named: object) -> object:
        if any(isinstance(each, str) and len(each) > _SHORT for each in (*given, *named.values())):
            raise TooMuch(f"a text that is looked for like this has at most {_SHORT} characters")
        return method(text, *given, **named)

    return limited


def fault_of_format(form: str, *, of_time: bool) -> str | None:
    """The fault of a format: it takes small widths that are written out, a time's none."""
    if of_time and (len(form) > _WIDEST or re.search(r"%[^a-zA-Z%]*\d", form)):
        return "a time's format takes no widths and few characters"
    pattern = r"%(\([^)%]*\))?[^a-zA-Z%]*(\*|\d{3})"
    if not of_time and re.search(pattern, form.replace("%%", "")):
        return "a width in a format is at most 99, and written out"
    return None


def formatted(form: str, values: object) -> str:
    """``"%02d" % number``, for a format that has no fault and that no message wrote."""
    if isinstance(values, Undefined):
        values = ""
    return form % (tuple(values) if isinstance(values, list) else values)


_PLAIN = frozenset(
    "capitalize casefold count endswith find isalnum isalpha isdigit islower isnumeric isspace "  # noqa: SIM905 - a list of words
    "isupper lower partition removeprefix removesuffix split splitlines startswith swapcase title "
    "upper".split()
)
_FROM_THE_END = ("lstrip", "rfind", "rpartition", "rsplit", "rstrip", "strip")
_TEXT: dict[str, Callable[..., object]] = {
    **{name: getattr(str, name) for name in _PLAIN},
    **{name: _short(getattr(str, name)) for name in _FROM_THE_END},
    "replace": _replaced,
    "center": lambda text, width, fill=" ": text.center(_width(width), fill),
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
_TIME = ("strftime", "isoformat")
_DATE = (*_TIME, "weekday", "isoweekday")
_DATETIME: dict[str, Callable[..., object]] = {
    **{name: getattr(datetime, name) for name in (*_DATE, "date", "time", "timestamp")},
    "astimezone": lambda value: value.astimezone(),
}
_BY_TYPE: list[tuple[type | tuple[type, ...], Mapping[str, Callable[..., object]]]] = [
    (str, _TEXT),
    (Mapping, _MAPPING),
    ((list, tuple), {"count": lambda values, value: values.count(value)}),
    (datetime, _DATETIME),
    (date, {name: getattr(date, name) for name in _DATE}),
    (time, {name: getattr(time, name) for name in _TIME}),
    (timedelta, {"total_seconds": timedelta.total_seconds}),
]


def _method(name: str) -> Callable[..., object]:
    def called(value: object, *given: object, **named: object) -> object:
        if isinstance(value, Undefined):
            return value
        found = next((methods for kind, methods in _BY_TYPE if isinstance(value, kind)), {})
        if name in found:
            return found[name](value, *given, **named)
        if isinstance(value, Mapping):
            return None  # as an item that is not there
        raise SecurityError(f"{in_words(value)} has no {name}()")

    return called


METHODS = {name: _method(name) for _, methods in _BY_TYPE for name in methods}
"""All methods of all kinds of values, to be called with the value first.

What is not there has every method, and they give nothing.
"""

_FIELDS: list[tuple[type, tuple[str, ...]]] = [
    (datetime, ("year", "month", "day", "hour", "minute", "second")),
    (date, ("year", "month", "day")),
    (time, ("hour", "minute", "second")),
    (timedelta, ("days", "seconds")),
    (str, ("captures", "levels")),  # a topic is a text that has these
    (LoopContext, ("index", "index0", "revindex", "first", "last", "length")),
]


def fields_of(value: object) -> Iterable[str]:
    """The names of what can be read of a value, where it is no mapping."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return [field.name for field in dataclasses.fields(value)]
    names = next((names for kind, names in _FIELDS if isinstance(value, kind)), ())
    return [name for name in names if hasattr(value, name)]
