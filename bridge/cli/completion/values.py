"""That which completes the value of an argument, and words as shells want them. Pure."""

import shlex
from collections.abc import Iterable
from enum import Enum, auto

from ..description import Argument

__all__ = ["NAMES", "TABLES", "Kind", "is_unfinished", "kind_of", "quoted"]


class Kind(Enum):
    """The kind of an argument's value."""

    FILE = auto()
    #: the name of a table of the configuration
    NAME = auto()
    #: one of the words that are known
    WORD = auto()
    ANYTHING = auto()


TABLES = {"ROOM": "rooms", "SERVER": "servers"}
"""The word that stands for a value in the help, and the tables whose names it may be."""

NAMES = r"s/^[[:space:]]*\[[[:space:]]*'$table'\.\([a-z0-9_-]\{1,\}\)[[:space:]]*[].].*/\1/p"
"""A ``sed`` command that prints the names of the tables ``[$table.<name>]``; in single quotes."""


def kind_of(argument: Argument) -> Kind:
    """The words to offer for its value."""
    if argument.words:
        return Kind.WORD
    if argument.value in TABLES:
        return Kind.NAME
    return Kind.FILE if argument.value == "FILE" else Kind.ANYTHING


def quoted(words: Iterable[str]) -> str:
    """The words as one, with a space between each two."""
    return shlex.quote(" ".join(words))


def is_unfinished(words: Iterable[str]) -> bool:
    """True if something is to be typed behind each of the words, such as ``mqtt.host=``."""
    return all(word.endswith("=") for word in words)
