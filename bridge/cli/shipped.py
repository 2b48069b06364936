"""The commands that print files which come with the program, so that ``pip install`` is enough.

A wheel has them in ``bridge/shipped``; in a checkout they are where they are read: beside the
package.
"""

import argparse
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from ..text.nearest import did_you_mean
from ..text.output import put
from .options import ExitCode, UsageError

__all__ = ["CONFIGURATION", "UNIT", "configuration_files", "example_config", "unit", "unit_files"]

CONFIGURATION = "bridge.toml"
"""The file of `example_config` where none is named."""

UNIT = "hmp-bridge.service"
"""The file of `unit` where none is named."""


def example_config(options: argparse.Namespace) -> int:
    """`example-config`: a configuration, or another file for what the bridge works with."""
    return _print("config", options.name, configuration_files())


def unit(options: argparse.Namespace) -> int:
    """`unit`: a unit of systemd, or the drop-in for it."""
    return _print("systemd", options.name, unit_files())


def configuration_files() -> Iterator[str]:
    """The names that `example_config` takes: paths below ``config``."""
    return (name for name in _names(_folder("config")) if not name.endswith(".md"))


def unit_files() -> Iterator[str]:
    """The names that `unit` takes: paths below ``systemd``."""
    return (name for name in _names(_folder("systemd")) if name.endswith((".service", ".conf")))


def _print(folder: str, name: str, known: Iterator[str]) -> int:
    names = sorted(known)
    if name not in names:
        hint = did_you_mean(name, names, f"there are {', '.join(names)}")
        raise UsageError(f"there is no file {name!r}; {hint}")
    text = _folder(folder).joinpath(*name.split("/")).read_text(encoding="utf-8")
    put(text.removesuffix("\n"))
    return ExitCode.OK


def _folder(name: str) -> Traversable:
    package = files("bridge")
    shipped = package.joinpath("shipped", name)
    return shipped if shipped.is_dir() else Path(str(package)).parent / name


def _names(folder: Traversable, above: str = "") -> Iterator[str]:
    for each in folder.iterdir():
        if each.is_dir():
            yield from _names(each, f"{above}{each.name}/")
        else:
            yield f"{above}{each.name}"
