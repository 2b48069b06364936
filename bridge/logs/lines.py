"""Lines of the log as they are written: for people, as ``key=value``, or as JSON."""

import json
import os
import re
from collections.abc import Callable, Mapping
from typing import Any, TextIO

import structlog

from ..text.visible import ACTING, visible, visible_lines

__all__ = ["PRIORITIES", "console_line", "is_journal", "json_line", "text_line"]

Render = Callable[[dict[str, Any]], str]

PRIORITIES = {"debug": 7, "info": 6, "warning": 4, "error": 3, "critical": 2}
"""The journal's priority of each level (sd-daemon(3))."""

_is_bare = re.compile(rf'[^\s"=\\{ACTING}]+').fullmatch
"""Values that a program can tell from their neighbours without quotes."""


def text_line(fields: Mapping[str, Any]) -> str:
    """``key=value``, in quotes as JSON has them wherever it must be."""
    words = []
    for key, value in fields.items():
        kind = type(value)
        if kind is float or kind is int:
            words.append(f"{key}={value}")
            continue
        text = value if kind is str else _text(value)
        words.append(f"{key}={text if _is_bare(text) else _quoted(text)}")
    return " ".join(words)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _quoted(text: str) -> str:
    return visible(json.dumps(text, ensure_ascii=False)) if text else ""


def json_line(fields: Mapping[str, Any]) -> str:
    """One JSON object."""
    return visible(json.dumps(fields, ensure_ascii=False, default=str))


def console_line() -> Render:
    """The renderer of lines for people, in colour unless `NO_COLOR` is set (no-color.org)."""
    renderer = structlog.dev.ConsoleRenderer(
        colors=not os.environ.get("NO_COLOR"),
        sort_keys=False,
        # Of a traceback with local variables nobody could say what is in it.
        exception_formatter=structlog.dev.plain_traceback,
    )

    def render(fields: dict[str, Any]) -> str:
        shown = {
            key: visible_lines(value) if isinstance(value, str) else value
            for key, value in fields.items()
        }
        shown["logger"] = shown.pop("part")
        return str(renderer(None, str(shown["level"]), shown))

    return render


def is_journal(stream: TextIO) -> bool:
    """True if `stream` is systemd's journal, which takes a priority before each line."""
    named = os.environ.get("JOURNAL_STREAM")
    if not named:
        return False
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):  # no file at all, or closed
        return False
    return named == f"{status.st_dev}:{status.st_ino}"
