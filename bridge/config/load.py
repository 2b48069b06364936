"""Reading the configuration: from a file, and from everything that goes before it.

Whatever the reading stumbles over is said in the words of the file.
"""

import codecs
import functools
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic_settings import SettingsConfigDict, SettingsError

from ..text.json_text import NotJson, read_value
from .blame import PREFIX
from .configuration import Configuration
from .errors import ConfigurationError, Fault

__all__ = ["load"]


def load(
    path: Path, overrides: Mapping[str, Any] | None = None, *, look_into_files: bool = False
) -> Configuration:
    """Read the configuration from `path` and everything that goes before it.

    `overrides` are nested tables from the command line; `look_into_files`: files that are named
    must be what they should be as well. Raises `ConfigurationError` with every fault at once.
    """
    given = overrides or {}
    try:
        return _read_from(path, look_into_files=look_into_files)(**given).share()
    except ConfigurationError as error:
        raise error.seen_from(path, given) from None
    except UnicodeDecodeError as error:
        reason = f"is not UTF-8 text, from byte {error.start} on; save it as UTF-8"
        raise ConfigurationError([Fault((), reason)], path) from None
    except SettingsError as error:
        # The only thing in a source that is more than text: a whole table in one variable.
        faults = list(_unreadable_variables()) or [Fault((), str(error))]
        raise ConfigurationError(faults, path) from None
    except tomllib.TOMLDecodeError as error:
        reason = f"is not TOML: {error}{_toml_hint(path, str(error))}"
        raise ConfigurationError([Fault((), reason)], path) from None
    except RecursionError:
        reason = "is not TOML: brackets within brackets without end; close what is opened"
        faults = list(_unreadable_variables()) or [Fault((), reason)]
        raise ConfigurationError(faults, path) from None
    except OSError as error:
        reason = f"cannot be read: {error.strerror}; let user {os.geteuid()} read it"
        source = path if error.filename is None else Path(error.filename)
        raise ConfigurationError([Fault((), reason)], source) from None
    except ValueError as error:
        raise ConfigurationError([Fault((), str(error))], path) from None


@functools.lru_cache(maxsize=8)
def _read_from(path: Path, *, look_into_files: bool) -> type[Configuration]:
    """The model that reads this file each time that one is made; to build a model takes long."""

    class FromFile(Configuration):
        model_config = SettingsConfigDict(toml_file=path)
        _look_into_files = look_into_files

    return FromFile


def _toml_hint(path: Path, error: str) -> str:
    """The mistake that people mostly made; the line itself may hold a password and is not shown."""
    text = path.read_bytes()
    if text.startswith(codecs.BOM_UTF8):
        return "; it begins with a byte order mark: save it as UTF-8 without one"
    at = re.search(r"\(at line (\d+),", error)
    line = text.decode(errors="replace").split("\n")[int(at[1]) - 1] if at else ""
    if _BARE_UUID.search(line):
        return '; a UUID stands in straight quotes ("), as every text does'
    if error.startswith("Cannot overwrite") and not line.lstrip().startswith("["):
        return "; that key is there twice: keep one"
    if error.startswith("Expected ']'") and "]" not in line:
        return "; the bracket is not closed in that line"
    return next((hint for begun, hint in _TOML_HINTS.items() if error.startswith(begun)), "")


_BARE_UUID = re.compile(
    r"(?<![\w\"'-])[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}(?![\w\"'-])"
)

_ONE_HEADING = "; put everything of one table under one heading"
_TOML_HINTS = {
    "Invalid value": '; text stands in straight quotes ("), yes is true and no is false',
    "Expected newline or end of document": "; text, as an address or a duration is, stands in "
    'straight quotes (")',
    "Expected '='": "; a line is KEY = VALUE, or a heading in brackets",
    "Expected ']'": "; a name has only lower-case letters, digits, - and _",
    r"Illegal character '\n'": "; a quote is not closed in that line",
    "Unclosed array": "; a list has its texts in quotes, commas between them, and ends with ]",
    "Unescaped": r"; write it in single quotes ('), in which a \ is nothing special",
    "Cannot declare": _ONE_HEADING,
    "Cannot overwrite": _ONE_HEADING,
}
"""By the beginning of what Python says, the mistake that people mostly made."""


def _unreadable_variables() -> Iterator[Fault]:
    for name, value in os.environ.items():
        table, *keys = name.upper().removeprefix(PREFIX).lower().split("__")
        ours = table in Configuration.model_fields and name.upper().startswith(PREFIX)
        if not ours or (keys and value[:1] not in ("[", "{")):
            continue
        try:
            read_value(value, strict=True)
        except NotJson as error:
            example = f"{PREFIX}{table.upper()}__KEY"
            one_key = f"is no JSON object; set one key by {example}=value"
            yield Fault((table, *keys), f"is no JSON: {error}" if keys else one_key)
