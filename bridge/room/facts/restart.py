"""A field's life across a restart, said once in its type.

``Monotonic`` is an instant, which `moved` takes to the clock that runs then. ``Passing[...]`` only
steers the questions of this minute: `lasting` leaves it out, so it is not worth a flush and begins
afresh, with its default. Both look into every value that is made of such fields; which those are is
worked out once per class.
"""

from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from functools import cache
from operator import attrgetter
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

from .changed import changed

__all__ = ["Monotonic", "Passing", "lasting", "moved"]

_MONOTONIC = "an instant on a clock that counts anew from every boot"
_PASSING = "of no use after a restart"

_Value = TypeVar("_Value")

Monotonic = Annotated[float, _MONOTONIC]
"""Seconds of a clock that is never set."""

Passing = Annotated[_Value, _PASSING]
"""A field that begins afresh after a restart."""


def moved(value: _Value, shift: float) -> _Value:
    """The same value with `shift` seconds added to every instant on the monotonic clock."""
    if isinstance(value, tuple):
        return tuple(moved(each, shift) for each in value)  # type: ignore[return-value]
    kind: type = type(value)
    instants, holders = _marked(kind, _MONOTONIC)
    changes = {name: moved(getattr(value, name), shift) for name in holders}
    for name in instants:
        if (instant := getattr(value, name)) is not None:
            changes[name] = instant + shift
    return changed(value, changes)


def lasting(source: object, kind: type) -> dict[str, Any]:
    """The fields of the class `kind` as `source` has them, without what is passing in them."""
    names, read = _fields(kind)
    found = dict(zip(names, read(source), strict=True))
    passing, holders = _marked(kind, _PASSING)
    found |= passing
    for name in holders:
        if held := found[name]:  # most hold nothing
            found[name] = _lasting(held)
    return found


def _lasting(value: Any) -> Any:
    if not value:
        return value
    if isinstance(value, tuple):
        return tuple(map(_lasting, value))
    kind: type = type(value)
    passing, holders = _marked(kind, _PASSING)
    if holders:
        passing = passing | {name: _lasting(getattr(value, name)) for name in holders}
    return changed(value, passing)


@cache
def _fields(kind: Any) -> tuple[tuple[str, ...], Callable[[object], tuple[Any, ...]]]:
    """The fields of a class, of which there are several, and what reads them all in one call."""
    names = tuple(field.name for field in fields(kind))
    return names, attrgetter(*names)


@cache
def _marked(kind: Any, mark: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The fields of a class that bear the mark, with their defaults, and those that hold such."""
    marked: dict[str, Any] = {}
    holders: list[str] = []
    if is_dataclass(kind):
        hints = get_type_hints(kind, include_extras=True)
        for field in fields(kind):
            parts = list(_parts(hints[field.name]))
            if mark in parts:
                marked[field.name] = field.default
            elif any(isinstance(part, type) and any(_marked(part, mark)) for part in parts):
                holders.append(field.name)
    return marked, tuple(holders)


def _parts(hint: Any) -> Iterator[Any]:
    """The types and marks that an annotation is made of."""
    yield get_origin(hint) or hint
    for part in get_args(hint):
        yield from _parts(part)
