"""The contents of a message: text, JSON, and the sender's id. Pure."""

import codecs
import json
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from ..text.json_text import read_value
from ..text.shortened import shortened

__all__ = [
    "LONGEST_ID",
    "LONGEST_PAYLOAD",
    "UnreadablePayload",
    "read_id",
    "read_json",
    "read_text",
]

LONGEST_PAYLOAD = 200_000
"""Bytes: a title of 10,000 emoji takes 120,000 where JSON escapes them."""

LONGEST_ID = 1024
"""Characters: calendars' ids have hundreds, and differ in the last ones."""


class UnreadablePayload(ValueError):
    """The payload cannot be understood; the text says why and what would be right."""


def read_text(payload: bytes) -> str:
    """The payload as text, without the mark that may begin it and the NULs that may end it.

    Programs in C and the processors of rooms send the latter along. Raises `UnreadablePayload` for
    one too long or not in UTF-8.
    """
    if len(payload) > LONGEST_PAYLOAD:
        raise UnreadablePayload(
            f"the payload has {len(payload)} bytes, at most {LONGEST_PAYLOAD} are taken"
        )
    try:
        return payload.removeprefix(codecs.BOM_UTF8).decode().rstrip("\0")
    except UnicodeDecodeError:
        raise UnreadablePayload("the payload is not UTF-8 text") from None


def read_json(text: str, *, strict: bool = False, mend: bool = False) -> object:
    """The value of a JSON text; whatever is text in it, UTF-8 can carry.

    A line that is broken within a text, as by programs that put JSON together by hand, stays in it.
    `strict`: not that; every key once, and no NaN or infinity. `mend`: half a surrogate pair, which
    programs leave that cut an emoji in two, becomes a question mark, and a number of thousands of
    digits an infinite one. Raises `UnreadablePayload`.
    """
    try:
        value = read_value(text, strict=strict, **(_STRICT if strict else {} if mend else _EXACT))
        # Half of a surrogate pair is no text: it could not be answered with. One character is found
        # a hundred times sooner than two.
        if "\\" in text and "\\u" in text:
            errors = "replace" if mend else "strict"
            encoded = json.dumps(value, ensure_ascii=False).encode(errors=errors)
            value = json.loads(encoded) if mend else value
    except ValueError as error:
        raise UnreadablePayload(f"the payload is not valid JSON: {error}") from None
    return value


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"{_shown(key)} is given twice")
        found[key] = value
    return found


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number")


def _whole(digits: str) -> int:
    try:
        return int(digits)
    except ValueError:
        raise ValueError(f"a number in it has {len(digits):,} digits") from None


_EXACT: Mapping[str, Callable[[Any], Any]] = {"parse_int": _whole}
_STRICT = {**_EXACT, "object_pairs_hook": _unique, "parse_constant": _no_number}


def _shown(key: str) -> str:
    # ASCII: half of a surrogate pair must not reach an answer
    return json.dumps(shortened(key, 40))


def read_id(value: object) -> str | int | None:
    """The sender's id of a request, None where there is none. Raises `UnreadablePayload`."""
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63:
        return value
    if isinstance(value, str) and len(value) <= LONGEST_ID:
        return value
    raise UnreadablePayload(f'"id" is a text of at most {LONGEST_ID} characters or a whole number')
