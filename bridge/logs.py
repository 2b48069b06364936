"""Log lines: for people on a terminal, else one line of ``key=value`` per event."""

import logging
import sys
from typing import TextIO

import structlog

__all__ = ["LEVELS", "configure_logs", "set_level"]

LEVELS = ("debug", "info", "warning", "error")
"""The levels that can be asked for."""


def configure_logs(level: str = "info", stream: TextIO | None = None) -> None:
    """Log to `stream` (standard error) from `level` up."""
    out = sys.stderr if stream is None else stream
    renderer: structlog.typing.Processor
    if out.isatty():
        stamp = structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False)
        renderer = structlog.dev.ConsoleRenderer(sort_keys=False)
    else:
        stamp = structlog.processors.TimeStamper(fmt="iso", utc=True)
        renderer = structlog.processors.LogfmtRenderer(
            key_order=["timestamp", "level", "event"], bool_as_flag=False
        )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            stamp,
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=_filter(level),
        logger_factory=structlog.WriteLoggerFactory(out),
        cache_logger_on_first_use=False,
    )


def set_level(level: str, part: str | None = None) -> None:
    """Log from `level` up from now on. Raises `ValueError` for a part: levels are for the whole."""
    if part is not None:
        raise ValueError(f"{part!r} has no level of its own; levels are for the whole bridge")
    structlog.configure(wrapper_class=_filter(level))


def _filter(level: str) -> type[structlog.typing.FilteringBoundLogger]:
    number = logging.getLevelNamesMapping()[level.upper()]
    return structlog.make_filtering_bound_logger(number)
