"""The filters and tests that a template may use, all bounded."""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from jinja2 import filters as jinja
from jinja2.runtime import Undefined
from jinja2.tests import TESTS as JINJA_TESTS

from .methods import METHODS, formatted
from .values import bounded, calculate, in_words, number, to_json, to_text

__all__ = ["FILTERS", "TESTS"]


def _default(value: object, other: object = "", boolean: bool = False) -> object:
    missing = isinstance(value, Undefined) or value is None or value == ""
    return other if missing or (boolean and not value) else value


def _as_datetime(value: object) -> object:
    """A time from RFC 3339 text, in this box's zone where it names none, or from seconds or
    milliseconds since 1970.
    """
    if isinstance(value, Undefined | None) or value == "":
        return None
    if isinstance(value, datetime):
        return value
    text = to_text(value).strip()
    if re.fullmatch(r"-?\d+(\.\d+)?", text):
        seconds = float(text)
        return datetime.fromtimestamp(seconds / 1000 if abs(seconds) >= 1e11 else seconds, UTC)
    moment = datetime.fromisoformat(text.upper())  # ``z`` is right, too
    return moment if moment.tzinfo is not None else moment.astimezone()


def _from_json(value: object) -> object:
    """The value of a text that is JSON; what is none any more stays as it is."""
    return json.loads(value, strict=False) if isinstance(value, str) and value.strip() else value


def _minutes(value: object) -> timedelta:
    return timedelta(minutes=float(to_text(value) or 0))


def _joined(values: Iterable[object], separator: object = "", attribute: str | None = None) -> str:
    if attribute is not None:
        values = [each.get(attribute) if isinstance(each, Mapping) else None for each in values]
    texts = [to_text(value) for value in values]
    between = to_text(separator)
    bounded(sum(map(len, texts)) + len(between) * len(texts))
    return between.join(texts)


def _truncated(text: object, length: int = 255, end: str = "…") -> str:
    whole = to_text(text)
    return whole if len(whole) <= length else whole[: max(0, length - len(end))] + end


def _of_text(function: Callable[..., object]) -> Callable[..., object]:
    return lambda value, *args: function(to_text(value), *args)


def _sorted(values: Iterable[object]) -> list[object]:
    kinds: dict[type, str] = {}  # which kind a value is takes longer than sorting it

    def key(each: object) -> tuple[str, object]:
        kind = kinds.get(type(each)) or kinds.setdefault(type(each), in_words(each))
        return kind, each

    return sorted(values, key=key)


def _number(value: object) -> float:
    return float(to_text(value))


_AS_METHODS = ("capitalize", "center", "lower", "replace", "title", "upper")

FILTERS: dict[str, Callable[..., object]] = {
    **{name: _of_text(METHODS[name]) for name in _AS_METHODS},
    "abs": lambda value: abs(_number(value)),
    "as_datetime": _as_datetime,
    "count": len,
    "d": _default,
    "default": _default,
    "first": lambda values: next(iter(values), None),
    "float": jinja.do_float,
    "format": lambda form, *values: formatted(form, values),
    "from_json": _from_json,
    "int": lambda value, *args: number(jinja.do_int(value, *args)),
    "join": _joined,
    "last": lambda values: values[-1] if isinstance(values, Sequence) and values else None,
    "length": len,
    "list": list,
    "max": lambda values: max(values, default=None),
    "min": lambda values: min(values, default=None),
    "minutes": _minutes,
    "round": lambda value, digits=0: round(_number(value), digits),
    "sort": _sorted,
    "string": to_text,
    "tojson": to_json,
    "trim": _of_text(METHODS["strip"]),
    "truncate": _truncated,
    "unique": lambda values: list({to_text(each): each for each in values}.values()),
}
"""Every filter. `default` replaces None and empty text too, for that is what a missing title is."""


def _divisible(value: object, by: object) -> bool:
    """Jinja2's own tests take a text of a message for a format."""
    return calculate("%", value, by) == 0


_OTHERS = frozenset(
    "boolean defined eq equalto false float ge gt in integer le lower lt mapping ne none number "  # noqa: SIM905 - a list of words
    "sequence string true undefined upper".split()
)

TESTS: dict[str, Callable[..., bool]] = {
    **{name: JINJA_TESTS[name] for name in _OTHERS},  # type: ignore[misc]
    "divisibleby": _divisible,
    "even": lambda value: _divisible(value, 2),
    "odd": lambda value: calculate("%", value, 2) == 1,
}
"""Every test that can stand after ``is``."""
