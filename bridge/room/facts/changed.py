"""A value with other fields, which is the value itself where they are as they were."""

from dataclasses import replace
from typing import Any, TypeVar

__all__ = ["changed"]

_Value = TypeVar("_Value")


def changed(value: _Value, changes: dict[str, Any]) -> _Value:
    """The dataclass with these fields; most of the time most of them are the same objects."""
    if all(getattr(value, name) is after for name, after in changes.items()):
        return value
    return replace(value, **changes)  # type: ignore[type-var]  # what has fields is a dataclass
