"""The answer of a payload to what a binding waits for, and if it is no, why, in words.

An answer has three values, for a message may also say nothing about what is asked: `YES`, `NO` (the
value is there, and another one), `SILENT` (it is not there, or the message is about another
button). An edge, a press and its release are told apart by `YES` and `NO` only.

Of several conditions all but one only choose which messages are meant: the one on a truth value,
or where there is none the last, is the one that becomes true and false.
"""

from collections.abc import Iterator, Sequence
from enum import Enum

from ..text.json_text import NotJson, read_value, told_in_words
from ..text.truth import read_truth
from .conditions import Condition, Items, Value
from .pattern import LONGEST

__all__ = [
    "NOT_JSON",
    "Answer",
    "answer_to",
    "find",
    "parse_json",
    "plain",
    "value_condition",
]

_LONGEST_KEY = 60
_MOST_SHOWN = 5


class Answer(Enum):
    """The answer of a message to a condition."""

    YES = "it is so"
    NO = "it is otherwise"
    SILENT = "nothing is said about it"


class _NotJson:
    def __repr__(self) -> str:
        return "not JSON"


NOT_JSON = _NotJson()
"""The value that `parse_json` gives for a payload that is none; not None, which is JSON's null."""


def parse_json(text: str) -> object:
    """The JSON value of a payload, or `NOT_JSON`; never raises.

    A line that is broken within a text stays in it, as on our own topics.
    """
    try:
        return read_value(text)
    except NotJson:
        return NOT_JSON


def value_condition(conditions: Sequence[Condition]) -> int:
    """The place of the condition that becomes true and false."""
    switches = [at for at, each in enumerate(conditions) if each.is_switch]
    return switches[-1] if switches else len(conditions) - 1


def answer_to(
    conditions: Sequence[Condition], value: object, *, ignore_empty: bool = True
) -> tuple[Answer, str]:
    """The answer of a value to all of the conditions, and where it is not `YES`, why."""
    if not conditions:
        return Answer.YES, ""
    deciding = value_condition(conditions)
    for at, each in enumerate(conditions):
        if at != deciding:
            answer, why = _one(each, value, ignore_empty)
            if answer is not Answer.YES:
                return Answer.SILENT, why
    return _one(conditions[deciding], value, ignore_empty)


def _one(each: Condition, value: object, ignore_empty: bool) -> tuple[Answer, str]:
    where = each.path or "the payload"
    found = [plain(item) for item in find(value, each.path)]
    if isinstance(each, Items):
        return _of_items(each, where, found, ignore_empty, value)
    if each.exists is not None:
        if bool(found) is each.exists:
            return Answer.YES, ""
        return Answer.NO, f"{where}: {'is not there' if each.exists else 'is there'}"
    if not found:
        return Answer.SILENT, f"{where}: {_missing(value, each.path)}"
    if ignore_empty:
        found = [item for item in found if not (isinstance(item, str) and not item.strip())]
        if not found:
            return Answer.SILENT, f"{where}: is empty, which is ignored"
    if any(_meets(each, item) for item in found):
        return Answer.YES, ""
    if each.is_switch and not any(_is_truth_value(item) for item in found):
        return Answer.SILENT, f"{where}: is {_some(found)}, neither true nor false"
    if all(item is None for item in found):
        return Answer.SILENT, f"{where}: is null"
    return Answer.NO, f"{where}: is {_some(found)}{_instead(each, found)}"


def _of_items(
    each: Items, where: str, found: list[object], ignore_empty: bool, value: object
) -> tuple[Answer, str]:
    if not found:
        return Answer.SILENT, f"{where}: {_missing(value, each.path)}"
    answers = [answer_to(each.conditions, item, ignore_empty=ignore_empty) for item in found]
    best = next((a for a in Answer if any(answer is a for answer, _ in answers)), Answer.SILENT)
    if best is Answer.YES:
        return best, ""
    if "*" not in each.path:
        return best, f"{where}.{answers[0][1]}"
    return best, f"{where}: no item has {_all_of(each)}; seen: {_seen(each, found)}"


def _meets(each: Value, value: object) -> bool:
    if each.pattern is not None:
        return any(map(each.pattern.matches, _ways_to_read(value)))
    return any(_equal(wanted, value) for wanted in each.wanted)


def _ways_to_read(value: object) -> set[str]:
    """The text of a value as it is and without the space around it, such as CR LF."""
    text = _as_text(value)
    return set() if text is None else {text, text.strip()}


def _equal(wanted: object, value: object) -> bool:
    """Equality as a person means it: upper or lower case, ``12`` or ``"12"``, ``ON`` or true."""
    if isinstance(wanted, bool):
        return read_truth(value) is wanted
    text = _as_text(value)
    if text is None:
        return False
    text = text.strip().casefold()
    match wanted:
        case int() | float():
            try:
                return float(text) == wanted if not isinstance(value, bool) else value == wanted
            except (ValueError, OverflowError):
                return False
        case _:
            return text == str(wanted).strip().casefold()


def _is_truth_value(value: object) -> bool:
    return read_truth(value) is not None


def _as_text(value: object) -> str | None:
    """A scalar as text; None for everything else."""
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value) if abs(value) < 1e300 else None
        case _:
            return None


def plain(value: object) -> object:
    """A value out of its box: RoomOS writes ``{"Value": "x"}`` where others write ``"x"``."""
    if isinstance(value, dict) and "Value" in value and value.keys() <= {"Value", "id"}:
        return value["Value"]
    return value


def find(value: object, path: str) -> list[object]:
    """Everything at a dotted path: ``*`` is any item, a number counts items, keys may have dots.

    A path goes on in a text that is itself JSON, as relays pack one message into another.
    """
    return list(_walk(value, path.split("."))) if path else [value]


def _unpacked(value: object) -> object:
    """A table or list out of the text that it was packed into."""
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        packed = parse_json(value)
        return packed if isinstance(packed, dict | list) else value
    return value


def _walk(value: object, rest: list[str]) -> Iterator[object]:
    if not rest:
        yield value
        return
    step, value = rest[0], _unpacked(value)
    match value:
        case dict() | list() if step == "*":
            for item in value.values() if isinstance(value, dict) else value:
                yield from _walk(item, rest[1:])
        case dict():
            for length in range(len(rest), 0, -1):
                key = ".".join(rest[:length])
                if key in value:
                    yield from _walk(value[key], rest[length:])
                    return
            if plain(value) is not value:
                yield from _walk(plain(value), rest)
        case list() if step.isascii() and step.isdecimal() and int(step[:9]) < len(value):
            yield from _walk(value[int(step[:9])], rest[1:])
        case _ if step == "Value" and len(rest) == 1 and not isinstance(value, dict | list):
            yield value  # written for a boxed value, sent without its box


def _missing(value: object, path: str) -> str:
    """The reason why nothing is at a path: how far it goes, and what is there instead."""
    if value is NOT_JSON:
        return "the payload is not JSON"
    rest = path.split(".")
    for length in range(1, len(rest) + 1):
        if find(value, ".".join(rest[:length])):
            continue
        at = find(value, ".".join(rest[: length - 1])) if length > 1 else [value]
        here = _unpacked(plain(at[0])) if at else None
        above = ".".join(rest[: length - 1]) or "the payload"
        match here:
            case dict():
                keys = ", ".join(map(_key, list(here)[:_MOST_SHOWN])) or "none"
                return f"is not there; the keys of {above} are: {keys}"
            case list():
                any_item = f"{above}.*" if length > 1 else f"*.{path}"
                hint = f"; write {any_item} for any item" if rest[length - 1] != "*" else ""
                return f"is not there; {above} is a list of {len(here)}{hint}"
            case _:
                return f"is not there; {above} is {told_in_words(here)}"
    return "is not there"


def _key(key: str) -> str:
    """A key of a message, which may be no text that can be written, or no name."""
    return key if key.isprintable() and 0 < len(key) < _LONGEST_KEY else told_in_words(key)


def _some(values: list[object]) -> str:
    different = list(dict.fromkeys(told_in_words(value) for value in values))
    more = ", …" if len(different) > _MOST_SHOWN else ""
    return ", ".join(different[:_MOST_SHOWN]) + more


def _instead(each: Value, found: list[object]) -> str:
    if each.pattern is not None and all(len(_as_text(item) or "") > LONGEST for item in found):
        return f"; a regular expression is tried on {LONGEST:,} characters at most"
    return f", not {_wanted(each)}"


def _wanted(each: Value) -> str:
    if each.pattern is not None:
        return f"what matches {each.pattern.source!r}"
    return " or ".join(told_in_words(value) for value in each.wanted)


def _all_of(each: Items) -> str:
    return " and ".join(_described(inner) for inner in each.conditions)


def _described(each: Condition) -> str:
    match each:
        case Items():
            return f"{each.path} with {_all_of(each)}"
        case Value(exists=None):
            sign = "matching" if each.pattern is not None else "="
            wanted = each.pattern.source if each.pattern is not None else _wanted(each)
            return f"{each.path} {sign} {wanted}"
        case _:
            return each.path if each.exists else f"no {each.path}"


def _seen(each: Items, found: list[object]) -> str:
    """The values that the items have where something else was wanted."""
    paths = [inner.path for inner in each.conditions]
    lines = []
    for item in found[:_MOST_SHOWN]:
        parts = [f"{path} = {_some(there)}" for path in paths if (there := find(item, path))]
        lines.append(", ".join(parts) or told_in_words(plain(item)))
    return "; ".join(dict.fromkeys(lines)) + ("; …" if len(found) > _MOST_SHOWN else "")
