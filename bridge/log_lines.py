"""How a line of the log is written: for people, as ``key=value``, or as JSON; secrets hidden."""

import json
import os
import re
from collections.abc import Callable, Mapping
from types import NoneType
from typing import Any, TextIO

import structlog

__all__ = ["PRIORITIES", "Secrets", "console_line", "is_journal", "json_line", "text_line"]

Render = Callable[[dict[str, Any]], str]

PRIORITIES = {"debug": 7, "info": 6, "warning": 4, "error": 3, "critical": 2}
"""The journal's priority of each level (sd-daemon(3))."""

_BARE = re.compile(r'[^\s"=\\\x00-\x1f\x7f-\x9f]+')
"""A value that a program can tell from its neighbours without quotes."""

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
"""What could move a terminal's cursor, or end a line where it has not ended."""

_SHORTEST_SECRET = 6
"""Characters; what is shorter is found in many an innocent word."""

HIDDEN = "(hidden)"


def text_line(fields: Mapping[str, Any]) -> str:
    """``key=value``, in quotes as JSON has them wherever it must be."""
    return " ".join([f"{key}={_value(value)}" for key, value in fields.items()])


def _value(value: object) -> str:
    match value:
        case str():
            text = value
        case bool():
            return "true" if value else "false"
        case None:
            return ""
        case _:
            text = str(value)
    if _BARE.fullmatch(text):
        return text
    return _visible(json.dumps(text, ensure_ascii=False))


def json_line(fields: Mapping[str, Any]) -> str:
    """One JSON object."""
    return json.dumps(fields, ensure_ascii=False, default=str)


def console_line() -> Render:
    """What renders a line for people, in colour."""
    renderer = structlog.dev.ConsoleRenderer(
        sort_keys=False,
        # Of a traceback with local variables nobody could say what is in it.
        exception_formatter=structlog.dev.plain_traceback,
    )

    def render(fields: dict[str, Any]) -> str:
        shown = {
            key: _visible(value) if isinstance(value, str) else value
            for key, value in fields.items()
        }
        shown["logger"] = shown.pop("part")
        return str(renderer(None, str(shown["level"]), shown))

    return render


def _visible(text: str) -> str:
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def is_journal(stream: TextIO) -> bool:
    """Whether `stream` is systemd's journal, which takes a priority before each line."""
    named = os.environ.get("JOURNAL_STREAM")
    if not named:
        return False
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):  # no file at all, or closed
        return False
    return named == f"{status.st_dev}:{status.st_ino}"


class Secrets:
    """Texts that are never written, however they got into what is written (R19).

    The configuration keeps its secrets to itself; this is for what a library says of them.
    """

    def __init__(self) -> None:
        self._spellings: tuple[str, ...] = ()

    def add(self, secret: str) -> None:
        """Hide `secret` from now on, also as it looks in an exception's message."""
        if len(secret) < _SHORTEST_SECRET:
            return
        quoted = {
            json.dumps(secret)[1:-1],
            repr(secret)[1:-1],
            repr(secret.encode("utf-8", "backslashreplace"))[2:-1],
        }
        again = {repr(each)[1:-1] for each in quoted}  # an exception in an exception
        spelt = {*self._spellings, secret, *quoted, *again}
        self._spellings = tuple(sorted(spelt, key=len, reverse=True))

    def hide(self, text: str) -> str:
        """`text` without any of them."""
        for spelling in self._spellings:
            if spelling in text:
                text = text.replace(spelling, HIDDEN)
        return text

    def hide_in(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """`fields` without any of them; a value that has one inside becomes text."""
        if not self._spellings:
            return dict(fields)
        return {key: self._without(value) for key, value in fields.items()}

    def _without(self, value: Any) -> Any:
        if isinstance(value, (bool, int, float, NoneType)):
            return value
        text = str(value)
        hidden = self.hide(text)
        return value if hidden == text else hidden
