"""The parts that commands share: exit codes, and the configuration that their options name.

Exit codes are those of ``sysexits.h``.
"""

import argparse
import os
from collections.abc import Collection, Mapping, Sequence
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from ..text.nearest import did_you_mean

if TYPE_CHECKING:  # so that `--help` does not wait for the import
    from ..config.configuration import Configuration

__all__ = ["ExitCode", "UsageError", "leaves", "load_configuration", "name_of"]


class ExitCode(IntEnum):
    """The end of a command, as the shell sees it."""

    OK = 0
    #: HMP answered with an error.
    REFUSED = 1
    #: Nothing would come of the message that was tried.
    NOTHING = 1
    USAGE = 64
    UNAVAILABLE = 69
    INTERNAL = 70
    #: Standard output cannot be written: its disk is full, say.
    OUTPUT = os.EX_IOERR
    #: A command was sent and no reply came: it may have been carried out.
    UNKNOWN_OUTCOME = 76
    NOT_AUTHORIZED = 77
    CONFIGURATION = 78


class UsageError(Exception):
    """The command line asks for what cannot be; the message says what, and what was meant."""


def load_configuration(
    options: argparse.Namespace, *, look_into_files: bool = False
) -> "Configuration":
    """The configuration that ``--config`` and ``--set`` name.

    Raises `ConfigurationError`, and `UsageError` for a ``--set`` that sets nothing.
    """
    from ..config.load import load
    from ..config.sources import find_file

    given = [] if options.servers is None else [f"bridge.servers={options.servers}"]
    overrides = _overrides([*options.set, *given])
    return load(find_file(options.config), overrides, look_into_files=look_into_files)


def _overrides(settings: Sequence[str]) -> Mapping[str, Any]:
    """Nested tables of ``table.key=value``."""
    tables: dict[str, Any] = {}
    for setting in settings:
        path, equals, value = setting.partition("=")
        *parents, key = path.split(".")
        if not equals or not parents or not all((*parents, key)):
            raise UsageError(
                f"--set {setting}: write KEY=VALUE with the whole key, such as mqtt.host=broker"
            )
        table = tables
        for parent in parents:
            table = table.setdefault(parent, {})
            if not isinstance(table, dict):
                raise UsageError(
                    f"--set {setting}: {parent} has been set to a value, it cannot be a table too"
                )
        table[key] = value
    return tables


def name_of(kind: str, word: str, configured: Collection[str]) -> str:
    """`word` where it names a `kind` that is configured. Raises `UsageError` where it does not."""
    if word not in configured:
        hint = did_you_mean(word, configured, f"configured are: {', '.join(configured)}")
        raise UsageError(f"{word!r} is no {kind}; {hint}")
    return word


def leaves(error: BaseException) -> list[BaseException]:
    """The exceptions in a group, however deep; an exception by itself."""
    if isinstance(error, BaseExceptionGroup):
        return [leaf for part in error.exceptions for leaf in leaves(part)]
    return [error]
