"""JSON that somebody else has written, read whatever it holds. Pure."""

import json
from functools import cache
from typing import Any

from .shortened import shortened

__all__ = ["NotJson", "read_object", "read_value", "told_in_words"]

_DEEPEST = 100
"""Lists and objects within each other; of a few hundred Python cannot even write the text."""

_LONGEST_TOLD = 60


class NotJson(ValueError):
    """The text is not valid JSON; the text of the error says where."""


def read_value(text: str | bytes, *, strict: bool = False, **hooks: Any) -> Any:
    """The value of a JSON text; a line that is broken within a text stays in it, unless `strict`.

    `hooks` are those of `json.loads`, functions of a module, which may raise `ValueError`. Without
    any, a whole number of more digits than Python reads becomes the nearest float, which is
    infinite: a member that nobody asks for must not spoil those beside it. Raises `NotJson`, also
    for what is nested more than a hundred deep.
    """
    try:
        written = text if isinstance(text, str) else text.decode("utf-8-sig")
        try:
            value = _decoder(strict=strict, **hooks).decode(written)
        except json.JSONDecodeError:
            raise
        except ValueError:
            if hooks:
                raise
            # from `int`, which reads 4,300 digits and no more
            value = _decoder(strict=strict, parse_int=_whole).decode(written)
    except (ValueError, RecursionError) as error:
        raise NotJson(str(error)) from None
    # So deep a bracket stands so far behind, which is found out sooner than how many there are.
    far = max(written.rfind("["), written.rfind("{")) >= _DEEPEST
    if far and written.count("[") + written.count("{") > _DEEPEST and _is_deep(value):
        raise NotJson(f"it is nested more than {_DEEPEST} deep")
    return value


@cache  # `json.loads` makes one for every text, which takes longer than to read a short one
def _decoder(**options: Any) -> json.JSONDecoder:
    return json.JSONDecoder(**options)


def read_object(text: str | bytes) -> dict[str, Any]:
    """The members of a JSON object; none where the text is anything else."""
    try:
        value = read_value(text)
    except NotJson:
        return {}
    return value if isinstance(value, dict) else {}


def told_in_words(value: object) -> str:
    """A value of a message for people, in at most 60 characters."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case dict():
            return "a table"
        case list():
            return f"a list of {len(value)}"
        case int() if value.bit_length() > 200:
            return "a number of many digits"
    return shortened(repr(value), _LONGEST_TOLD)


def _whole(digits: str) -> int | float:
    try:
        return int(digits)
    except ValueError:
        return float(digits)


def _is_deep(value: object) -> bool:
    level = [value]
    for _ in range(_DEEPEST):
        level = [inner for each in level for inner in _within(each)]
        if not level:
            return False
    return any(isinstance(each, dict | list) for each in level)


def _within(value: object) -> list[object]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
