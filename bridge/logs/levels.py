"""The words of the log's configuration: levels, the parts that have one each, formats."""

from typing import Literal, get_args

__all__ = ["LEVELS", "PARTS", "Format", "Level", "Part", "level_of", "part_of"]

Level = Literal["debug", "info", "warning", "error"]
Part = Literal["bridge", "hmp", "journal", "metrics", "mqtt", "room", "web"]
"""The parts that lines are about: `structlog.get_logger(part)`."""
Format = Literal["auto", "text", "json"]
"""`auto` is for people on a terminal and `text` anywhere else."""

LEVELS: tuple[Level, ...] = get_args(Level)
PARTS: tuple[Part, ...] = get_args(Part)


def level_of(word: str) -> Level:
    """The level with this name. Raises `ValueError` that says which there are."""
    for level in LEVELS:
        if level == word:
            return level
    raise ValueError(f"{word!r} is no log level; the levels are {', '.join(LEVELS)}")


def part_of(word: str) -> Part:
    """The part with this name. Raises `ValueError` that says which there are."""
    for part in PARTS:
        if part == word:
            return part
    raise ValueError(f"{word!r} is no part of the log; the parts are {', '.join(PARTS)}")
