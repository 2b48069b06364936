"""Where a value of the configuration was set: a fault is to be looked for where it was made."""

import os
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..text.json_text import NotJson, read_value
from ..text.nearest import nearest

__all__ = ["PREFIX", "meant", "source_of", "text_of"]

PREFIX = "HMP_BRIDGE_"
"""Begins every environment variable that sets a key."""


def source_of(
    path: tuple[str, ...], file: Path | None, text: Mapping[str, Any], overrides: Mapping[str, Any]
) -> str:
    """The source of the value at `path`, of a key that is missing there, or of its table.

    Of a value that several sources set, that is the first in the order of precedence; `text` is
    the `file`'s, `overrides` are the command line's. What is missing in a table is missing in the
    last one that has it: the sources before that only add to it.
    """
    layers = [
        _labelled(overrides, "command line, --set "),
        _environment(),
        _secrets(),
        _labelled(text, str(file)),
    ]
    for length in range(len(path), 0, -1):
        found = [part for layer in layers if (part := _at(layer, path[:length])) is not None]
        if found:
            whole = length == len(path) or not isinstance(found[0], Mapping)
            return _first_label(found[0] if whole else found[-1])
    return str(file or "configuration")


def meant(path: tuple[str, ...], text: Mapping[str, Any]) -> str | None:
    """The room or server of the file, as `rooms.<name>`, that was meant by one beside the file.

    A misspelt name on the command line, in the environment or in a secret makes another table.
    """
    kind, name = path[:2] if len(path) > 2 else ("", "")
    named = text.get(kind)
    if not isinstance(named, dict) or name in named:
        return None
    near = nearest(name, (each for each, table in named.items() if isinstance(table, dict)))
    return near and f"{kind}.{near}"


def _labelled(value: Any, label: str, path: tuple[str, ...] = ()) -> Any:
    """The same tables and lists with a label for each value; one that ends with a space has more.

    Items of a list are counted as people count them.
    """
    if isinstance(value, list):
        value = {str(number): item for number, item in enumerate(value, 1)}
    if isinstance(value, Mapping) and (value or not path):
        return {key: _labelled(item, label, (*path, key)) for key, item in value.items()}
    return f"{label}{'.'.join(path)}" if label.endswith(" ") else label


def _at(layer: Any, path: tuple[str, ...]) -> Any:
    for part in path:
        if not isinstance(layer, Mapping):
            return None
        layer = layer.get(part)
    return layer


def _first_label(part: Any) -> str:
    while isinstance(part, Mapping):
        part = next(iter(part.values()))
    return str(part)


def _environment() -> dict[str, Any]:
    """Variables by the table and key that they set; a whole table stands in one as JSON."""
    tree: dict[str, Any] = {}
    for name, text in os.environ.items():
        if name.upper().startswith(PREFIX):
            value: Any = text
            with suppress(NotJson):
                value = read_value(text)
            keys = name[len(PREFIX) :].lower().split("__")
            _plant(tree, keys, _labelled(value, f"environment variable {name}", ("",)))
    return tree


def _secrets() -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for path in _files_in(os.environ.get("CREDENTIALS_DIRECTORY")):
        for name in (path.name, path.name.lower()):
            _plant(tree, name.split("__"), f"secret {path}")
    return tree


def _files_in(folder: str | None) -> Iterator[Path]:
    if folder is not None:
        with suppress(OSError):
            yield from sorted(Path(folder).iterdir())


def _plant(tree: dict[str, Any], keys: list[str], label: Any) -> None:
    *tables, last = keys
    for table in tables:
        inner = tree.setdefault(table, {})
        if not isinstance(inner, dict):
            return  # a whole table stands in another variable
        tree = inner
    if isinstance(tree.get(last), dict) and isinstance(label, dict):
        tree[last] |= label
    else:
        tree[last] = label


def text_of(file: Path | None) -> dict[str, Any]:
    """The tables of a file, and nothing of one that cannot be read."""
    if file is not None:
        with suppress(OSError, ValueError, RecursionError):
            return tomllib.loads(file.read_text(encoding="utf-8"))
    return {}
