"""A value with other fields, which is the value itself where they are as they were.

A room is made of values of thirty fields, and a press changes a dozen of them one after another.
Calling a frozen dataclass sets each field by itself, which takes twenty times as long as copying
all of them at once; so the values that change have no ``__slots__``.
"""

from typing import Any, TypeVar

__all__ = ["changed"]

_Value = TypeVar("_Value")


def changed(value: _Value, changes: dict[str, Any]) -> _Value:
    """The frozen dataclass with these fields; most of the time most of them are the same objects.

    Raises `AttributeError` for a field that it has not. ``__post_init__`` is not called.
    """
    for name, wanted in changes.items():
        if getattr(value, name) is not wanted:
            break
    else:
        return value
    before: dict[str, Any] = vars(value)
    after = before | changes
    if len(after) > len(before):
        raise AttributeError(f"{type(value).__name__} has not all of {', '.join(changes)}")
    result = object.__new__(type(value))
    object.__setattr__(result, "__dict__", after)
    return result
