"""A value with other fields, which is the value itself where they are as they were."""

from collections.abc import Callable
from dataclasses import fields
from functools import cache
from operator import attrgetter
from typing import Any, TypeVar

__all__ = ["changed", "read_fields"]

_Value = TypeVar("_Value")


def changed(value: _Value, changes: dict[str, Any]) -> _Value:
    """The dataclass with these fields; most of the time most of them are the same objects."""
    for name, after in changes.items():
        if getattr(value, name) is not after:
            break
    else:
        return value
    kind: Any = type(value)
    names, read = read_fields(kind)
    result: _Value = kind(**(dict(zip(names, read(value), strict=True)) | changes))
    return result


@cache
def read_fields(kind: Any) -> tuple[tuple[str, ...], Callable[[object], tuple[Any, ...]]]:
    """The fields of a dataclass, and what reads them all in one call."""
    names = tuple(field.name for field in fields(kind))
    if len(names) == 1:
        return names, lambda value: (getattr(value, names[0]),)
    return names, attrgetter(*names)
