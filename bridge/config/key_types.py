"""The types of the values that keys may hold, checked and explained.

Each type also says what it looks like as JSON Schema, for editors.
"""

import importlib.util
import re
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
)

from ..hmp import arguments
from ..hmp.commands import COMMANDS
from ..mqtt.filters import fault_of_filter
from ..mqtt.settings import SERVICE
from ..text.durations import DURATION_PATTERN
from ..text.json_text import NotJson, read_value
from ..text.nearest import nearest
from ..text.paths import whole_path
from .durations import parse_duration

__all__ = [
    "HOME_EXPANDED",
    "Address",
    "BaseTopic",
    "BrokerHosts",
    "Commands",
    "Duration",
    "Host",
    "Hosts",
    "Listen",
    "MarkTitle",
    "Name",
    "Port",
    "Session",
    "Sources",
    "Table",
    "TopicFilter",
    "TopicFilters",
    "UrlPath",
    "Word",
    "host_and_port",
    "listed",
    "names",
]

_MOST_SOURCES = 4

_URL_PATH = r"^/[!-~]*$"


def _host(value: str) -> str:
    if not value or re.search(r"[\s/@\[\]]", value) or value.count(":") == 1:
        raise ValueError(
            "is no host; write a name or an address alone, such as hmp.example.edu or 192.0.2.7; "
            "the port is a key of its own"
        )
    return value


def _url_path(value: str) -> str:
    if not re.fullmatch(_URL_PATH, value):
        raise ValueError(
            "is no path of a URL; it begins with / and has neither spaces nor letters beyond "
            "ASCII, which are written as in a browser's address: %20, %C3%BC"
        )
    return value


def _hosts(value: object) -> str | tuple[str, ...]:
    """One host, or a list of those that will do, in which each may have a port of its own."""
    value = listed(value)
    hosts: tuple[str, ...]
    if isinstance(value, str):
        hosts = (_host(value),)
    elif isinstance(value, list | tuple) and value and all(isinstance(each, str) for each in value):
        for each in value:
            host, port = host_and_port(each)
            _host(host)
            if port is not None and not 1 <= port <= 65535:
                raise ValueError(f"{each!r} has no port between 1 and 65535 in it")
        hosts = tuple(value)
    else:
        raise ValueError('must be text in quotes, or a list of such, as ["a", "b:1884"] is')
    if any(map(SERVICE.fullmatch, hosts)) and importlib.util.find_spec("dns") is None:
        raise ValueError(
            "names a service, which needs an extra that is not installed: "
            "pip install 'hmp-bridge[srv]'; or write the hosts themselves"
        )
    return value if isinstance(value, str) else hosts


def host_and_port(text: str) -> tuple[str, int | None]:
    """A host and the port behind its last colon; an IPv6 address with one stands in brackets."""
    found = re.fullmatch(r"\[([0-9A-Fa-f:.%]+)\](?::([0-9]{1,5}))?|([^:]+):([0-9]{1,5})", text)
    if found is None:
        return text, None
    port = found[2] or found[4]
    return found[1] or found[3], None if port is None else int(port)


def listed(value: object) -> object:
    """A list as it is written on the command line, which has only text."""
    if isinstance(value, str):
        try:
            return read_value(value)
        except NotJson:
            return value
    return value


def names(value: object) -> object:
    """The same of names, which may also stand with commas between them."""
    if isinstance(value, str) and not value.startswith("["):
        return value.split(",")
    return listed(value)


def _sources(value: tuple[str, ...]) -> tuple[str, ...]:
    for source in value:
        arguments.source_id(source, "sources")
    if not 1 <= len(value) <= _MOST_SOURCES:
        raise ValueError(f"takes one to {_MOST_SOURCES} sources, as a session of HMP does")
    if len({source.lower() for source in value}) < len(value):
        raise ValueError("names a source twice")
    return value


def _whole_path(value: object) -> object:
    return whole_path(value) if isinstance(value, str) else value


def _listen(value: object) -> tuple[str, int]:
    """Host and port; no host means every address of this box."""
    host, colon, port = value.rpartition(":") if isinstance(value, str) else ("", "", "")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not colon or not port.isdecimal() or int(port) > 65535 or re.search(r"[\s/@\[\]]", bare):
        raise ValueError(
            "is no address to listen on; write address and port, such as 127.0.0.1:9464, "
            "[::1]:9464, or :9464 for every address of this box"
        )
    try:
        bare.encode("idna")
    except UnicodeError:
        raise ValueError(f"has no host name in it: {bare!r}") from None
    if ":" in bare and bare == host:
        raise ValueError(f"has an IPv6 address without brackets; write [{host}]:{port}")
    if not all(map(importlib.util.find_spec, ("anycorn", "prometheus_client", "starlette"))):
        raise ValueError(
            "needs an extra that is not installed: pip install 'hmp-bridge[web]'; or take "
            "the key away"
        )
    return bare, int(port)


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


def _topic_filter(value: str) -> str:
    if fault := fault_of_filter(value):
        raise ValueError(f"{value!r} {fault}")
    return value


class Table(BaseModel):
    """A table of the file; a key it does not know is an error.

    The text behind each field is its description in the schema.
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        defer_build=True,
    )


HOME_EXPANDED = BeforeValidator(_whole_path)
"""Gives a path the home folder of who runs this in the place of ``~``."""

_UUID_SCHEMA = {"type": "string", "format": "uuid", "pattern": arguments.UUID_PATTERN}

Name = Annotated[str, Field(pattern=r"^[a-z0-9_-]+$", max_length=40)]
Duration = Annotated[
    float,
    BeforeValidator(parse_duration),
    WithJsonSchema({"type": "string", "pattern": DURATION_PATTERN}),
]
"""Seconds, written as text with a unit."""
Port = Annotated[int, Field(ge=1, le=65535)]
Session = Annotated[
    str,
    AfterValidator(lambda value: arguments.session_id(value, "session")),
    WithJsonSchema(_UUID_SCHEMA),
]
Address = Annotated[
    str,
    AfterValidator(lambda value: arguments.ip_address(value, "ip")),
    WithJsonSchema({"type": "string", "format": "ipv4"}),
]
MarkTitle = Annotated[
    str,
    AfterValidator(lambda value: arguments.title(value, "mark_title")),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": arguments.TITLE_LIMIT}),
]
BaseTopic = Annotated[
    str,
    AfterValidator(_base_topic),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 40, "pattern": r"^[^$+#\s]+$"}),
]
Host = Annotated[
    str,
    AfterValidator(_host),
    WithJsonSchema({"type": "string", "pattern": r"^[^\s/@\[\]]+$"}),
]
UrlPath = Annotated[
    str, AfterValidator(_url_path), WithJsonSchema({"type": "string", "pattern": _URL_PATH})
]
Hosts = Annotated[tuple[Host, ...], BeforeValidator(listed)]
BrokerHosts = Annotated[
    str | tuple[str, ...],
    BeforeValidator(_hosts),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": r"^[^\s/@\[\]]+$"},
                {
                    "type": "array",
                    "items": {"type": "string", "pattern": r"^[^\s/@]+$"},
                    "minItems": 1,
                },
            ]
        }
    ),
]
Sources = Annotated[
    tuple[str, ...],
    BeforeValidator(listed),
    AfterValidator(_sources),
    WithJsonSchema(
        {
            "type": "array",
            "items": _UUID_SCHEMA,
            "minItems": 1,
            "maxItems": _MOST_SOURCES,
            "uniqueItems": True,
        }
    ),
]
Listen = Annotated[
    tuple[str, int],
    BeforeValidator(_listen),
    WithJsonSchema({"type": "string", "pattern": r":[0-9]{1,5}$"}),
]
Commands = Annotated[
    tuple[str, ...],
    BeforeValidator(listed),
    AfterValidator(_commands),
    WithJsonSchema({"type": "array", "items": {"enum": ["*", *COMMANDS]}}),
]
TopicFilter = Annotated[str, AfterValidator(_topic_filter)]
TopicFilters = Annotated[tuple[TopicFilter, ...], BeforeValidator(listed)]
Word = Annotated[str, Field(min_length=1)]
"""Text that is not empty; an empty retained payload would take a topic off the broker."""
