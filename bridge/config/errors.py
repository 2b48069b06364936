"""What is wrong with a configuration and what would be right: file, table, key, values."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import UnionType
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin

from ..nearest import nearest

if TYPE_CHECKING:  # so that commands without a configuration do not wait for the import
    from pydantic import ValidationError

__all__ = [
    "DURATION_PATTERN",
    "ConfigurationError",
    "Fault",
    "faults_of",
    "parse_duration",
    "shown",
]

_LONGEST_DURATION = 4_294_967_295.0
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)")
DURATION_PATTERN = rf"^\s*{_DURATION.pattern}\s*$"
"""What `parse_duration` reads, for JSON Schema."""

_KINDS_IN_PASSWORDS = 3
"""Small letters, capitals, digits, other characters."""

_LONGEST_SHOWN = 60
"""Characters of a wrong value that are repeated."""


def parse_duration(value: object) -> float:
    """Seconds of a duration such as ``300ms``, ``30s``, ``10m`` or ``4h``.

    Raises `ValueError`; a number without a unit is refused, for nobody could tell which is meant.
    """
    matched = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if matched is None:
        raise ValueError(
            "is no duration; write one number and its unit in quotes: 300ms, 30s or 4h"
        )
    seconds = float(matched[1]) * _UNITS[matched[2]]
    if seconds > _LONGEST_DURATION:
        raise ValueError("is longer than 136 years, which no clock here counts to")
    return seconds


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong, at a path of table and key names."""

    path: tuple[str, ...]
    reason: str

    def describe(self, where: str) -> str:
        """One line: where it stands, table, key, what is wrong and what would be right."""
        if not self.path:
            return f"{where}: {self.reason}"
        *table, key = self.path
        shown = f"[{'.'.join(table)}] " if table else ""
        return f"{where}: {shown}{key}: {self.reason}"


class ConfigurationError(Exception):
    """The configuration cannot be used; `faults` has everything that is wrong with it.

    `overrides` are the command line's, for a fault is to be looked for where it was made.
    """

    def __init__(
        self,
        faults: Sequence[Fault],
        file: Path | None = None,
        overrides: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(faults, file, overrides)
        self.faults = tuple(faults)
        self.file = file
        self.overrides = overrides or {}

    def seen_from(self, file: Path, overrides: Mapping[str, Any]) -> "ConfigurationError":
        """The same faults with the name of the file they stand in."""
        return ConfigurationError(self.faults, file, overrides)

    def __str__(self) -> str:
        return "\n".join(fault.describe(self._source(fault.path)) for fault in self.faults)

    def _source(self, path: tuple[str, ...]) -> str:
        """Where the value at `path` was set, in the order of precedence."""
        if path and _is_set(self.overrides, path):
            return f"command line, --set {'.'.join(path)}"
        variables = {name.upper(): name for name in os.environ}
        for length in range(len(path), 0, -1):
            if name := variables.get(f"HMP_BRIDGE_{'__'.join(path[:length])}".upper()):
                return f"environment variable {name}"
        secret = Path(os.environ.get("CREDENTIALS_DIRECTORY", "."), "__".join(path))
        if path and "CREDENTIALS_DIRECTORY" in os.environ and os.access(secret, os.F_OK):
            return f"secret {secret}"
        return str(self.file or "configuration")


def _is_set(overrides: Mapping[str, Any], path: tuple[str, ...]) -> bool:
    value: Any = overrides
    for part in path:
        if not isinstance(value, Mapping) or part not in value:
            return False
        value = value[part]
    return not isinstance(value, Mapping)


def shown(value: object) -> str:
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


def faults_of(error: "ValidationError") -> list[Fault]:
    """Pydantic's findings in our words."""
    return [_fault(found) for found in error.errors(include_context=True)]


def _fault(found: Any) -> Fault:
    # Tables of a list are counted as people count them.
    parts = (part + 1 if isinstance(part, int) else part for part in found["loc"])
    path = tuple(str(part) for part in parts if part != "[key]")
    given = found["input"]
    match found["type"]:
        case "extra_forbidden":
            kind = "table" if isinstance(given, Mapping) else "key"
            return Fault(path, f"is no {kind} here{_hint(path)}")
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
            return Fault(path, _wrong_value(found, path, _repeated(given, path)))


def _wrong_value(found: Any, path: tuple[str, ...], value: str | None) -> str:
    """Why the value is wrong, with the value as it may be shown, if it may."""
    kind, given, context = found["type"], found["input"], found.get("ctx", {})
    instead = "" if value is None else f", not {value}"
    match kind:
        case "value_error":
            reason = str(context["error"]).removeprefix(f"{path[-1]}: ")
            if reason.startswith("is ") and value is not None:
                reason = f"{value} {reason}"
            return f"{reason}{_unit_hint(reason, given)}"
        case "literal_error":
            near = nearest(str(given), re.findall(r"'([^']+)'", context["expected"]))
            meant = f"; did you mean {near!r}?" if near and value is not None else ""
            return f"must be one of {context['expected']}{instead}{meant}"
        case "greater_than" | "greater_than_equal" | "less_than_equal":
            return _bound(kind, context, given) + instead
        case "tuple_type" if isinstance(given, Mapping) and _table_at((*path, "1")):
            return f"is a list of tables; write [[{'.'.join(path)}]] in double brackets"
        case "model_type" if isinstance(given, list):
            return f"is one table; write [{'.'.join(path)}] in single brackets"
        case kind if kind in _MUST_BE:
            keys = getattr(_table_at(path), "model_fields", None) if kind == "model_type" else None
            hint = f"; its keys are {', '.join(keys)}" if keys else ""
            return f"must be {_MUST_BE[kind]}{instead}{hint}"
        case _:
            return str(found["msg"]).lower().removeprefix("input ")


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
    is_duration = isinstance(given, str) and _DURATION.fullmatch(given.strip()) is not None
    return f"must be {relation} {limit}{'s' if is_duration else ''}"


def _unit_hint(reason: str, given: object) -> str:
    """What a duration without a unit, or with one spelt out, was most likely meant to be."""
    if " is no duration" not in reason or isinstance(given, bool):
        return ""
    written = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([smhd]?[a-z]*)\s*", str(given).lower())
    if written is None or not (written[2] or "s").startswith(tuple("smhd")):
        return ""
    unit = "ms" if written[2].startswith(("ms", "milli")) else written[2][:1] or "s"
    return f'; did you mean "{written[1]}{unit}"?'


def _hint(path: tuple[str, ...]) -> str:
    if len(path) > 1 and _table_at(()).model_fields.get(path[-1]):
        return f"; begin a table for it in a line above: [{path[-1]}]"
    keys = list(getattr(_table_at(path[:-1]), "model_fields", ()))
    if not keys:
        return ""
    near = nearest(path[-1], keys)
    return f"; did you mean {near}?" if near else f"; the keys are {', '.join(keys)}"


def _is_secret(path: tuple[str, ...]) -> bool:
    """Whether the value at `path` is never shown: it is a secret, or would be by its name."""
    if re.search(r"pass|secret|token|credential", "/".join(path[-1:]), re.IGNORECASE):
        return True
    field = getattr(_table_at(path[:-1]), "model_fields", {}).get(path[-1] if path else "")
    return "Secret" in str(getattr(field, "annotation", ""))


def _repeated(value: object, path: tuple[str, ...]) -> str | None:
    """A wrong value as it is repeated; None where a secret is to stand."""
    if _is_secret(path):
        return None
    text = shown(value)
    if text == repr(value) and _has_secrets(path) and _could_be_password(value):
        return "a text that could be a password"
    return text


def _has_secrets(path: tuple[str, ...]) -> bool:
    """Whether a secret belongs into the same table, and may have come to stand at `path`."""
    keys = getattr(_table_at(path[:-1]), "model_fields", ())
    return any(_is_secret((*path[:-1], key)) for key in keys)


def _could_be_password(value: object) -> bool:
    """Whether it looks like no address, topic, number or word, but like a password."""
    if re.search(r"://|:\d+/?$", str(value)):
        return False
    kinds = (r"[a-z]", r"[A-Z]", r"[0-9]", r"[^\w\s.:/#+-]")
    return sum(re.search(kind, str(value)) is not None for kind in kinds) >= _KINDS_IN_PASSWORDS


def _table_at(path: tuple[str, ...]) -> Any:
    """The model of the table at `path`; None where there is none."""
    from .model import Configuration

    annotation: Any = Configuration
    for part in path:
        annotation = _within(annotation, part)
    return next((each for each in _choices(annotation) if hasattr(each, "model_fields")), None)


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
    """What ``Tls | None`` may be; anything else is itself."""
    is_union = get_origin(annotation) in (UnionType, Union)
    return get_args(annotation) if is_union else (annotation,)
