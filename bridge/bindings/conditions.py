"""The conditions of a binding, for what a message must say, checked when the configuration is read.

A table is a condition, ``{ regex = "…" }`` or ``{ exists = true }``, or it is nested: paths below
its own, with what each must be. All of its keys tell which. A table with nothing but keys that read
like a condition, misspelt or of another product's matcher, is taken for one and refused: as a path
it would never match, and nobody would learn why. A message that does have such a key is matched by
the path in one piece, ``"action.equals" = "x"``.
"""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass

from .pattern import Pattern

__all__ = ["Condition", "Items", "Value", "condition", "steps"]

_CONDITION_KEYS = ("regex", "exists")

_OTHERS_KEYS = frozenset(
    "any any_of contains ends_with endswith eq equals ge gt gte in is le like lt lte matches max "  # noqa: SIM905 - a list of words
    "min ne not not_in one_of pattern present re starts_with startswith".split()
)
"""Condition keys of other matchers, which somebody might try."""

_ALIKE = 0.81
"""Of 1: how much a key is like one of ours when it is taken for a slip of the pen."""


@dataclass(frozen=True, slots=True)
class Value:
    """A value at a dotted path is equal to one of `wanted`, or matches `pattern`, or `exists`.

    `pattern` must match the whole text, as it is or without the space around it. An empty path is
    the whole payload.
    """

    path: str
    wanted: tuple[object, ...] = ()
    pattern: Pattern | None = None
    exists: bool | None = None

    @property
    def is_switch(self) -> bool:
        """It is about a truth value."""
        return any(isinstance(each, bool) for each in self.wanted)


@dataclass(frozen=True, slots=True)
class Items:
    """One and the same item at a dotted path meets all of `conditions`."""

    path: str
    conditions: "tuple[Condition, ...]"

    @property
    def is_switch(self) -> bool:
        """One of the conditions is about a truth value."""
        return any(each.is_switch for each in self.conditions)


Condition = Value | Items


def steps(path: str) -> tuple[str, ...]:
    """The steps of a dotted path; raises `ValueError`."""
    found = tuple(path.split("."))
    if not all(found):
        raise ValueError(f"{path!r} is no path; write keys with dots between, such as params.event")
    return found


def condition(path: str, wanted: object, *, empty_counts: bool = False) -> Condition:
    """The condition that ``path = wanted`` is in a configuration.

    Raises `ValueError` for what means nothing and for what no message could ever meet.
    """
    if path:
        steps(path)
    match wanted:
        case Mapping():
            return _of_table(path, wanted, empty_counts)
        case list() | tuple():
            if not wanted:
                raise ValueError(
                    f"{_where(path)}an empty list can never match; write what may be so"
                )
            for each in wanted:
                _checked(path, each, empty_counts)
            return Value(path, tuple(wanted))
        case _:
            _checked(path, wanted, empty_counts)
            return Value(path, (wanted,))


def _of_table(path: str, table: Mapping[str, object], empty_counts: bool) -> Condition:
    match table:
        case {"regex": pattern, **rest} if not rest:
            return Value(path, pattern=_pattern(path, pattern))
        case {"exists": bool(exists), **rest} if not rest:
            return Value(path, exists=exists)
        case {"exists": _, **rest} if not rest:
            raise ValueError(f"{_where(path)}exists must be true or false, without quotes")
        case _ if not table:
            raise ValueError(f"{_where(path)}an empty table says nothing; write what is to be so")
        case _ if all(map(_reads_like_a_condition, table)):
            raise ValueError(f"{_where(path)}{_no_condition(path, table)}")
        case _:
            inner = (condition(key, each, empty_counts=empty_counts) for key, each in table.items())
            return Items(path, tuple(inner))


def _reads_like_a_condition(key: str) -> bool:
    word = key.strip().casefold()
    return word in _OTHERS_KEYS or bool(_alike(word))


def _alike(word: str) -> list[str]:
    return difflib.get_close_matches(word, _CONDITION_KEYS, n=1, cutoff=_ALIKE)


def _no_condition(path: str, table: Mapping[str, object]) -> str:
    """The words for a table whose keys read like conditions and that is none."""
    if set(table) <= set(_CONDITION_KEYS):
        return "regex and exists stand alone; keep one of them"
    key = next(each for each in table if each not in _CONDITION_KEYS)
    alike = _alike(key.strip().casefold())
    hint = f"did you mean {alike[0]}? " if alike else ""
    return (
        f"{key!r} is no condition; {hint}There are a value, a list of values, "
        '{ regex = "…" } and { exists = true }. Where the message itself has the key '
        f'{key!r}, write the path in one piece: "{path}.{key}" = …'
    )


def _where(path: str) -> str:
    return f"{path}: " if path else ""


def _checked(path: str, wanted: object, empty_counts: bool) -> None:
    where = _where(path)
    if not isinstance(wanted, str | int | float):
        reason = f"{where}is no text, number or truth value; put it in quotes"
        raise ValueError(reason)  # noqa: TRY004 - of a file
    if isinstance(wanted, str) and not wanted.strip() and not empty_counts:
        raise ValueError(
            f"{where}empty text is ignored, so it can never match; ignore_empty = false"
        )
    if wanted != wanted:  # noqa: PLR0124 - nan
        raise ValueError(f"{where}nan is equal to nothing, so it can never match")


def _pattern(path: str, source: object) -> Pattern:
    if not isinstance(source, str):
        raise ValueError(f"{_where(path)}regex must be text in quotes")  # noqa: TRY004 - of a file
    try:
        return Pattern(source)
    except ValueError as error:
        raise ValueError(f"{_where(path)}{error}") from None
