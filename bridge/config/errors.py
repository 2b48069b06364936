"""Faults of a configuration: what is wrong, where it stands, and where it was set."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .blame import meant, source_of, text_of

__all__ = ["ConfigurationError", "Fault"]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong, at a path of table and key names.

    `cause` is the path of what makes it wrong, where that is another key, which may come from
    elsewhere.
    """

    path: tuple[str, ...]
    reason: str
    cause: tuple[str, ...] = ()

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
        lines: list[str] = []
        text = text_of(self.file)
        asked: set[tuple[str, ...]] = set()
        for fault in self.faults:
            where = source_of(fault.cause or fault.path, self.file, text, self.overrides)
            near = meant(fault.path, text)
            question = f"; did you mean {near}?" if near and fault.path[:2] not in asked else ""
            asked.add(fault.path[:2])
            lines.append(fault.describe(where) + question)
        return "\n".join(lines)
