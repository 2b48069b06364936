"""Faults of a configuration: what is wrong, where it stands, and where it was set."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["PREFIX", "ConfigurationError", "Fault"]

PREFIX = "HMP_BRIDGE_"
"""Begins every environment variable that sets a key."""


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
        """The source that set the value at `path`, by the order of precedence."""
        if path and _is_set(self.overrides, path):
            return f"command line, --set {'.'.join(path)}"
        variables = {name.upper(): name for name in os.environ}
        for length in range(len(path), 0, -1):
            if name := variables.get(f"{PREFIX}{'__'.join(path[:length])}".upper()):
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
