"""What the keys of the configuration may hold: the types of their values, checked and explained."""

import json
import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from .config_errors import parse_duration
from .hmp import arguments
from .hmp.commands import COMMANDS, nearest

__all__ = [
    "Address",
    "BaseTopic",
    "Commands",
    "Duration",
    "Host",
    "MarkTitle",
    "Name",
    "Port",
    "Session",
    "Sources",
    "Word",
]

_MOST_SOURCES = 4


def _host(value: str) -> str:
    if not value or re.search(r"[\s/@\[\]]", value) or value.count(":") == 1:
        raise ValueError(
            "is no host; write a name or an address alone, such as hmp.example.edu or 192.0.2.7; "
            "the port is a key of its own"
        )
    return value


def _list(value: object) -> object:
    """A list as it is written on the command line, which has only text."""
    if isinstance(value, str):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _sources(value: tuple[str, ...]) -> tuple[str, ...]:
    for source in value:
        arguments.source_id(source, "sources")
    if not 1 <= len(value) <= _MOST_SOURCES:
        raise ValueError(f"takes one to {_MOST_SOURCES} sources, as a session of HMP does")
    if len({source.lower() for source in value}) < len(value):
        raise ValueError("names a source twice")
    return value


def _commands(value: tuple[str, ...]) -> tuple[str, ...]:
    strange = [name for name in value if name != "*" and name not in COMMANDS]
    if strange:
        hints = [
            repr(name) + (f" (did you mean {near}?)" if (near := nearest(name, COMMANDS)) else "")
            for name in strange
        ]
        raise ValueError(
            f"{', '.join(hints)}: HMP has no such command; it has {', '.join(COMMANDS)}, or write "
            '"*" for all'
        )
    return value


def _base_topic(value: str) -> str:
    levels = value.split("/")
    if len(value) > 40 or not all(levels) or value[0] == "$" or re.search(r"[+#\s\0]", value):
        raise ValueError(
            "is no base topic; write up to 40 characters such as hmp or site/hmp, without + # or "
            "white space, not beginning with $"
        )
    return value


Name = Annotated[str, Field(pattern=r"^[a-z0-9_-]+$", max_length=40)]
Duration = Annotated[float, BeforeValidator(parse_duration)]
Port = Annotated[int, Field(ge=1, le=65535)]
Session = Annotated[str, AfterValidator(lambda value: arguments.session_id(value, "session"))]
Address = Annotated[str, AfterValidator(lambda value: arguments.ip_address(value, "ip"))]
MarkTitle = Annotated[str, AfterValidator(lambda value: arguments.title(value, "mark_title"))]
BaseTopic = Annotated[str, AfterValidator(_base_topic)]
Host = Annotated[str, AfterValidator(_host)]
Sources = Annotated[tuple[str, ...], BeforeValidator(_list), AfterValidator(_sources)]
Commands = Annotated[tuple[str, ...], BeforeValidator(_list), AfterValidator(_commands)]
Word = Annotated[str, Field(min_length=1)]
"""An empty retained payload would take the topic off the broker."""
