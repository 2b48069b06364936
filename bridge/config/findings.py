"""Pydantic's findings in the words of the file: what is wrong, and what would be right.

A wrong value is repeated, so that it can be found; a secret, and what could be one, never is (R19).
"""

import re
from collections.abc import Iterator, Mapping
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from ..text.nearest import did_you_mean, nearest
from ..text.shortened import shortened
from .durations import is_duration, nearest_duration
from .errors import Fault

__all__ = ["faults_of", "keys_below"]

_KINDS_IN_PASSWORDS = 3
"""Small letters, capitals, digits, other characters."""

_LONGEST_SHOWN = 60
"""Characters of a wrong value that are repeated."""


def faults_of(error: ValidationError, configuration: type[BaseModel]) -> list[Fault]:
    """Pydantic's findings in our words; `configuration` is the model of the whole file."""
    findings = _Findings(configuration)
    return [findings.fault(found) for found in error.errors(include_context=True)]


def keys_below(table: type[BaseModel]) -> Iterator[str]:
    """The keys of a table and of the tables in it whose names are given, such as ``mqtt.host``.

    Without secrets, which do not belong on a command line, and without lists of tables.
    """
    for name, field in table.model_fields.items():
        inner = [each for each in _choices(field.annotation) if hasattr(each, "model_fields")]
        if inner:
            yield from (f"{name}.{key}" for key in keys_below(inner[0]))
        elif get_origin(field.annotation) is dict or "Secret" in str(field.annotation):
            continue
        elif not any(hasattr(each, "model_fields") for each in get_args(field.annotation)):
            yield name


class _Findings:
    """The words for findings in the text of one model of the whole file."""

    def __init__(self, configuration: type[BaseModel]) -> None:
        self._configuration = configuration

    def fault(self, found: Any) -> Fault:
        # Tables of a list are counted as people count them.
        parts = (part + 1 if isinstance(part, int) else part for part in found["loc"])
        path = tuple(str(part) for part in parts if part != "[key]")
        given = found["input"]
        match found["type"]:
            case "extra_forbidden":
                kind = "table" if isinstance(given, Mapping) else "key"
                return Fault(path, f"is no {kind} here{self._hint(path)}")
            case "missing" if path in (("servers",), ("rooms",)):
                return Fault(path, f"needs at least one table [{path[0]}.<name>]")
            case "missing":
                return Fault(path, "is missing")
            case "string_pattern_mismatch" if len(path) == 2:
                meant = re.sub(r"[^a-z0-9_-]+", "-", path[-1].lower()).strip("-")
                hint = f"; did you mean {meant}?" if meant else ""
                return Fault(path, f"a name has only lower-case letters, digits, - and _{hint}")
            case "string_too_long":
                return Fault(path, f"has more than {found['ctx']['max_length']} characters")
            case "string_too_short" | "too_short":
                kind = "a list" if isinstance(given, list | tuple) else "text"
                return Fault(path, f"must be {kind} that is not empty")
            case _:
                return Fault(path, self._wrong_value(found, path, self._repeated(given, path)))

    def _wrong_value(self, found: Any, path: tuple[str, ...], value: str | None) -> str:
        """The reason why the value is wrong, with the value as it may be shown, if it may."""
        kind, given, context = found["type"], found["input"], found.get("ctx", {})
        instead = "" if value is None else f", not {value}"
        match kind:
            case "value_error":
                reason = str(context["error"]).removeprefix(f"{path[-1]}: ")
                if reason.startswith("is ") and value is not None:
                    reason = f"{value} {reason}"
                if " is no duration" in reason and (meant := nearest_duration(given)):
                    return f'{reason}; did you mean "{meant}"?'
                return reason
            case "literal_error":
                near = nearest(str(given), re.findall(r"'([^']+)'", context["expected"]))
                meant = f"; did you mean {near!r}?" if near and value is not None else ""
                return f"must be one of {context['expected']}{instead}{meant}"
            case "greater_than" | "greater_than_equal" | "less_than_equal":
                return _bound(kind, context, given) + instead
            case "tuple_type" if isinstance(given, Mapping) and self._keys((*path, "1")):
                return f"is a list of tables; write [[{'.'.join(path)}]] in double brackets"
            case "model_type" if isinstance(given, list):
                return f"is one table; write [{'.'.join(path)}] in single brackets"
            case kind if kind in _MUST_BE:
                keys = self._keys(path) if kind == "model_type" else {}
                hint = f"; its keys are {', '.join(keys)}" if keys else ""
                if kind == "tuple_type" and isinstance(given, str) and value is not None:
                    hint = f'; write ["{shortened(given, _LONGEST_SHOWN)}"]'
                return f"must be {_MUST_BE[kind]}{instead}{hint}"
            case _:
                return str(found["msg"]).lower().removeprefix("input ")

    def _hint(self, path: tuple[str, ...]) -> str:
        """The place that a key belongs to, or the key that was meant."""
        *table, key = path
        if table and key in self._keys(()):
            return f"; begin a table for it in a line above: [{key}]"
        keys = self._keys(path[:-1])
        above = [path[:length] for length in range(len(table) - 1, 0, -1)]
        below = [(*table, name) for name in keys]
        for place in (*above, *below):
            if key in self._keys(place):
                return f"; it belongs to [{'.'.join(place)}]"
        near = nearest(key, keys)
        others = [] if near else list(self._tables_with(key))
        if others:
            return f"; it belongs to {' or '.join(others)}"
        otherwise = f"the keys are {', '.join(keys)}"
        return f"; {did_you_mean(key, keys, otherwise)}" if keys else ""

    def _tables_with(self, key: str) -> Iterator[str]:
        """The tables of the file, as they are written there, that have such a key."""
        for name, field in self._keys(()).items():
            many = get_origin(field.annotation)
            if key in self._keys((name,) if many is None else (name, "1")):
                written = {None: "[{}]", dict: "[{}.<name>]", tuple: "[[{}]]"}[many]
                yield written.format(name)

    def _is_secret(self, path: tuple[str, ...]) -> bool:
        """True if the value at `path` is never shown: it is a secret, or would be by its name."""
        if re.search(r"pass|secret|token|credential", "/".join(path[-1:]), re.IGNORECASE):
            return True
        field = self._keys(path[:-1]).get(path[-1] if path else "")
        return "Secret" in str(getattr(field, "annotation", ""))

    def _repeated(self, value: object, path: tuple[str, ...]) -> str | None:
        """A wrong value as it is repeated; None where a secret is to stand."""
        if self._is_secret(path):
            return None
        text = _shown(value)
        if text == repr(value) and self._has_secrets(path) and _could_be_password(value):
            return "a text that could be a password"
        return text

    def _has_secrets(self, path: tuple[str, ...]) -> bool:
        """True if a secret belongs into the same table, and may have come to stand at `path`."""
        return any(self._is_secret((*path[:-1], key)) for key in self._keys(path[:-1]))

    def _keys(self, path: tuple[str, ...]) -> dict[str, Any]:
        """The fields of the table at `path`, by their keys; none where there is no such table."""
        annotation: Any = self._configuration
        for part in path:
            annotation = _within(annotation, part)
        fields = (getattr(each, "model_fields", None) for each in _choices(annotation))
        return next(filter(None, fields), {})


_MUST_BE = {
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "dict_type": "a table",
    "float_parsing": "a number",
    "float_type": "a number",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "model_type": "a table",
    "tuple_type": "a list in brackets",
    "path_type": "a path in quotes",
    "string_type": "text in quotes",
}
"""Pydantic's kinds of wrong type, in the words of the file."""


def _bound(kind: str, context: Mapping[str, Any], given: object) -> str:
    relation, key = {
        "greater_than": ("more than", "gt"),
        "greater_than_equal": ("at least", "ge"),
        "less_than_equal": ("at most", "le"),
    }[kind]
    limit = f"{context[key]:g}"
    return f"must be {relation} {limit}{'s' if is_duration(given) else ''}"


def _shown(value: object) -> str:
    """A wrong value as it is repeated to a person; nothing that could hold a login."""
    if isinstance(value, Mapping):
        return "a table"
    if isinstance(value, list | tuple):
        return "a list"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        if re.search(r":.*@", value):
            return "a text with a login"
        return repr(value if len(value) <= _LONGEST_SHOWN else f"{value[:_LONGEST_SHOWN]}…")
    return str(value)


def _could_be_password(value: object) -> bool:
    """True if it looks like no address, topic, number or word, but like a password."""
    if re.search(r"://|:\d+/?$", str(value)):
        return False
    kinds = (r"[a-z]", r"[A-Z]", r"[0-9]", r"[^\w\s.:/#+-]")
    return sum(re.search(kind, str(value)) is not None for kind in kinds) >= _KINDS_IN_PASSWORDS


def _within(annotation: Any, part: str) -> Any:
    """The annotation of what is called `part` in a table, or in a list or table of tables."""
    for choice in _choices(annotation):
        if hasattr(choice, "model_fields"):
            field = choice.model_fields.get(part)
            return None if field is None else field.annotation
        if get_origin(choice) is dict:
            return get_args(choice)[1]
        if get_origin(choice) is tuple:
            return get_args(choice)[0]
    return None


def _choices(annotation: Any) -> tuple[Any, ...]:
    """The members of a union such as ``Tls | None``; anything else is itself."""
    is_union = get_origin(annotation) in (UnionType, Union)
    return get_args(annotation) if is_union else (annotation,)
