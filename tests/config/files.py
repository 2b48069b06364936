"""Configuration files for tests: what stands in them, and what is made or said of them."""

from pathlib import Path

import pytest

from bridge.config.configuration import Configuration
from bridge.config.errors import ConfigurationError
from bridge.config.load import load

__all__ = [
    "GOOD",
    "ROOM",
    "SESSION",
    "SOURCE",
    "SOURCES",
    "WITH_PASSWORD",
    "changed",
    "complaints",
    "loaded",
]

SESSION = "71edd346-2cf0-4c62-b3d3-9d457b287394"
GOOD = f"""
[servers.main]
host = "hmp.example.edu"

[rooms.boardroom]
server = "main"
session = "{SESSION}"
"""

WITH_PASSWORD = f"""[mqtt]
host = "broker.example.edu"
username = "bridge"
password = "hunter2"

[servers.main]
host = "hmp.example.edu"

[rooms.boardroom]
server = "main"
session = "{SESSION}"
"""


ROOM = 'server = "main"\n'

SOURCE = "b86befc3-7b44-4655-852f-21a77935d110"
SOURCES = GOOD.replace(f'session = "{SESSION}"', f'sources = ["{SOURCE}"]')


def loaded(folder: Path, text: str = GOOD, **overrides: object) -> Configuration:
    """The configuration of a file `bridge.toml` with this text."""
    (folder / "bridge.toml").write_text(text, encoding="utf-8")
    return load(Path("bridge.toml"), overrides)


def complaints(folder: Path, text: str, **overrides: object) -> list[str]:
    """The lines that are said of it."""
    with pytest.raises(ConfigurationError) as caught:
        loaded(folder, text, **overrides)
    return str(caught.value).splitlines()


def changed(before: str, after: str) -> str:
    """`WITH_PASSWORD` with one thing in it changed."""
    assert before in WITH_PASSWORD
    return WITH_PASSWORD.replace(before, after)
