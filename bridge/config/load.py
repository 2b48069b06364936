"""Reading the configuration: from a file, and from everything that goes before it.

Whatever the reading stumbles over is said in the words of the file.
"""

import codecs
import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic_settings import SettingsConfigDict, SettingsError

from ..text.json_text import NotJson, read_value
from .configuration import Configuration
from .errors import PREFIX, ConfigurationError, Fault

__all__ = ["load"]


def load(
    path: Path, overrides: Mapping[str, Any] | None = None, *, look_into_files: bool = False
) -> Configuration:
    """Read the configuration from `path` and everything that goes before it.

    `overrides` are nested tables from the command line; `look_into_files`: files that are named
    must be what they should be as well. Raises `ConfigurationError` with every fault at once.
    """

    class FromFile(Configuration):
        model_config = SettingsConfigDict(toml_file=path)
        _look_into_files = look_into_files

    given = overrides or {}
    try:
        return FromFile(**given)
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
        reason = f"cannot be read: {error.strerror}; let this user read it"
        source = path if error.filename is None else Path(error.filename)
        raise ConfigurationError([Fault((), reason)], source) from None
    except ValueError as error:
        raise ConfigurationError([Fault((), str(error))], path) from None


def _toml_hint(path: Path, error: str) -> str:
    """The mistake that people mostly made; the line itself may hold a password and is not shown."""
    if path.read_bytes().startswith(codecs.BOM_UTF8):
        return "; it begins with a byte order mark: save it as UTF-8 without one"
    if error.startswith("Invalid value"):
        return '; text stands in straight quotes ("), yes is true and no is false'
    if error.startswith("Expected ']'"):
        return "; a name has only lower-case letters, digits, - and _"
    if error.startswith(r"Illegal character '\n'"):
        return "; a quote is not closed in that line"
    if "Cannot declare" in error or "Cannot overwrite" in error:
        return "; put everything of one table under one heading"
    return ""


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
