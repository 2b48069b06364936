"""The methods, filters and tests that a template may use on a value, all bounded."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from functools import partial

from jinja2 import filters as jinja
from jinja2.exceptions import SecurityError
from jinja2.runtime import Undefined
from jinja2.tests import TESTS as JINJA_TESTS

from ..text.durations import read_duration
from ..text.json_text import read_value
from ..text.times import read_moment
from .values import TooMuch, bounded, calculate, in_words, number, to_text

__all__ = ["FILTERS", "METHODS", "TESTS", "call", "fault_of_format", "formatted"]

# Methods.

_WIDEST = 1000
"""The greatest width to which a text can be filled up."""

_SHORT = 100
"""Characters of a text whose search may take its length times that of the text searched."""

_FILLING = frozenset({"center", "ljust", "rjust", "zfill"})
_FROM_THE_END = frozenset({"lstrip", "rfind", "rpartition", "rsplit", "rstrip", "strip"})
"""Searches from the end, or for a set of characters: Python takes the product of both lengths."""

_OF_MAPPINGS = frozenset({"get", "items", "keys", "values"})
_OTHERS = """
capitalize casefold count endswith find isalnum isalpha isdigit islower isnumeric isspace isupper
lower partition removeprefix removesuffix replace split splitlines startswith swapcase title upper
astimezone date isoformat isoweekday strftime time timestamp total_seconds weekday
"""
METHODS = _FILLING | _FROM_THE_END | _OF_MAPPINGS | {*_OTHERS.split()}
"""The names of all methods; each kind of value has those that Python gives it."""


def call(name: str, value: object, *given: object, **named: object) -> object:
    """The value that a method of `METHODS` makes; what is not there has all, and they do nothing.

    Raises `TooMuch`, or whatever the method raises.
    """
    if isinstance(value, Undefined):
        return value
    if isinstance(value, Mapping) and name not in _OF_MAPPINGS:
        return None  # as an item that is not there
    plain = isinstance(value, str | Mapping | list | tuple | date | time | timedelta)
    if not plain or not hasattr(value, name):
        raise SecurityError(f"{in_words(value)} has no {name}()")
    if isinstance(value, str):
        _bound(name, value, *given, *named.values())
    made = getattr(value, name)(*given, **named)
    return list(made) if isinstance(value, Mapping) and name != "get" else made


def _bound(name: str, text: str, *given: object) -> None:
    longest = max((len(each) for each in given if isinstance(each, str)), default=0)
    if name in _FILLING and any(isinstance(each, int) and each > _WIDEST for each in given):
        raise TooMuch(f"a text can be filled up to {_WIDEST} characters")
    if name in _FROM_THE_END and longest > _SHORT:
        raise TooMuch(f"a text that is looked for like this has at most {_SHORT} characters")
    if name == "replace" and given:
        bounded(len(text) + text.count(str(given[0])) * longest)


# Formats.


def fault_of_format(form: str, *, of_time: bool) -> str | None:
    """The fault of a format: it takes small widths that are written out, a time's none."""
    if of_time and (len(form) > _WIDEST or re.search(r"%[^a-zA-Z%]*\d", form)):
        return "a time's format takes no widths and few characters"
    pattern = r"%(\([^)%]*\))?[^a-zA-Z%]*(\*|\d{3})"
    if not of_time and re.search(pattern, form.replace("%%", "")):
        return "a width in a format is at most 99, and written out"
    return None


def formatted(form: str, *values: object) -> str:
    """``"%02d" % number``, for a format that has no fault and that no message wrote."""
    if len(values) != 1:
        return form % values
    value = "" if isinstance(values[0], Undefined) else values[0]
    return form % (tuple(value) if isinstance(value, list) else value)


# Filters.


def _default(value: object, other: object = "", boolean: bool = False) -> object:
    missing = isinstance(value, Undefined) or value is None or value == ""
    return other if missing or (boolean and not value) else value


def _as_datetime(value: object) -> object:
    value = _default(value, None)
    return value if isinstance(value, datetime | None) else read_moment(value)


def _from_json(value: object) -> object:
    """The value of a text that is JSON; what is none any more stays as it is."""
    return read_value(value) if isinstance(value, str) and value.strip() else value


def _minutes(value: object) -> timedelta:
    return timedelta(seconds=read_duration(_default(value, 0), unit=60.0))


def _joined(values: Iterable[object], separator: object = "", attribute: str | None = None) -> str:
    if attribute is not None:
        values = [each.get(attribute) if isinstance(each, Mapping) else None for each in values]
    texts, between = [to_text(value) for value in values], to_text(separator)
    bounded(sum(map(len, texts)) + len(between) * len(texts))
    return between.join(texts)


def _truncated(text: object, length: int = 255, end: str = "…") -> str:
    whole = to_text(text)
    return whole if len(whole) <= length else whole[: max(0, length - len(end))] + end


def _method(name: str) -> Callable[..., object]:
    return lambda value, *args: call(name, to_text(value), *args)


def _number(value: object) -> float:
    return float(to_text(value))


FILTERS: dict[str, Callable[..., object]] = {
    **{name: _method(name) for name in ("capitalize", "center", "lower", "title", "upper")},
    "abs": lambda value: abs(_number(value)),
    "as_datetime": _as_datetime,
    "count": len,
    "d": _default,
    "default": _default,
    "first": lambda values: next(iter(values), None),
    "float": jinja.do_float,
    "format": formatted,
    "from_json": _from_json,
    "int": lambda value, *args: number(jinja.do_int(value, *args)),
    "join": _joined,
    "last": lambda values: values[-1] if isinstance(values, Sequence) and values else None,
    "length": len,
    "list": list,
    "max": partial(max, default=None),
    "min": partial(min, default=None),
    "minutes": _minutes,
    "replace": _method("replace"),
    "round": lambda value, digits=0: round(_number(value), digits),
    "sort": sorted,
    "string": to_text,
    "tojson": lambda value: to_text([value])[1:-1],
    "trim": _method("strip"),
    "truncate": _truncated,
    "unique": lambda values: list({to_text(each): each for each in values}.values()),
}
"""Every filter. `default` replaces None and empty text too, for that is what a missing title is."""

_TESTS = """
boolean defined eq equalto false float ge gt in integer le lower lt mapping ne none number sequence
string true undefined upper
"""
TESTS: dict[str, Callable[..., bool]] = {
    **{name: JINJA_TESTS[name] for name in _TESTS.split()},  # type: ignore[misc]
    # Jinja2's own take a text of a message for a format.
    "divisibleby": lambda value, by: calculate("%", value, by) == 0,
    "even": lambda value: calculate("%", value, 2) == 0,
    "odd": lambda value: calculate("%", value, 2) == 1,
}
"""Every test that can stand after ``is``."""
