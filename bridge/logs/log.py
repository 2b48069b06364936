"""The log: a line for each thing that happened, at a level of its part's own.

Every module asks structlog for the logger of its part, ``structlog.get_logger("hmp")``; where the
lines go, how they look and which are written is decided here, and can change at any time.
"""

import math
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, TextIO

import structlog
import trio

from ..text.shortened import shortened
from ..text.visible import visible_lines
from .levels import LEVELS, PARTS, Format, Level, Part, level_of, part_of
from .lines import PRIORITIES, console_line, is_journal, json_line, text_line
from .redaction import SECRETS
from .repeats import QUIET, Repeats, same, without_times

__all__ = [
    "configure_logs",
    "hears",
    "reconfigure_logs",
    "set_level",
    "tell_repeats",
    "write_traceback",
]

_NUMBERS = {"debug": 10, "info": 20, "warning": 30, "error": 40}
_LONGEST_VALUE = 2000
"""Characters of a value: what others send, such as a topic of 65,535 bytes, is to fill no disk."""

_FILTERS = {level: structlog.make_filtering_bound_logger(_NUMBERS[level]) for level in LEVELS}


def _instant() -> str:
    return f"{datetime.now(UTC).isoformat(timespec='microseconds')[:-6]}Z"


def _time_of_day() -> str:
    return time.strftime("%H:%M:%S")


class _Output:
    """The end of a logger of one part."""

    def __init__(self, part: str, stream: TextIO | None) -> None:
        self.part = part
        self._stream = stream

    def msg(self, line: str) -> None:
        """Write a finished line; one that nobody can read any more is nobody's loss."""
        if self._stream is None or self._stream.closed:
            return
        with suppress(OSError):
            self._stream.write(f"{line}\n")
            self._stream.flush()

    debug = info = warning = error = critical = msg


class _Log:
    """The settings of the log: levels by part, where lines go, and how they look."""

    def __init__(self) -> None:
        self.levels: dict[str, Level] = dict.fromkeys(PARTS, "info")
        self.repeats = Repeats()
        self.write_to(sys.stderr, "auto")

    def write_to(self, stream: TextIO | None, form: Format) -> None:
        """Send lines there; None is a standard error that was closed when Python started."""
        self.stream, self.form = stream, form
        self.outputs = {part: _Output(part, stream) for part in PARTS}
        self.journal = stream is not None and is_journal(stream)
        for_people = form == "auto" and stream is not None and stream.isatty()
        self.time = _time_of_day if for_people else _instant
        # The journal has a time of its own.
        self.stamped = form == "json" or not self.journal
        render = text_line if form != "json" else json_line
        self.render = console_line() if for_people else render

    def logger_of(self, output: _Output, processors: Any, context: Any) -> Any:
        """The logger of one call, which writes what its part's level lets through."""
        filtering: Any = _FILTERS[self.levels[output.part]]
        return filtering(output, processors, context)

    def shorten(
        self, _: _Output, __: str, fields: structlog.typing.EventDict
    ) -> structlog.typing.EventDict:
        """Values that are too long, but for tracebacks, are cut before `drop_repeats` has them."""
        for key, value in fields.items():
            if type(value) is str and len(value) > _LONGEST_VALUE and key != "exception":
                # Of a secret that is cut in two, no part could be told any more.
                fields[key] = shortened(SECRETS.hide(value), _LONGEST_VALUE)
        return fields

    def drop_repeats(
        self, output: _Output, level: str, fields: structlog.typing.EventDict
    ) -> structlog.typing.EventDict:
        """The first of several equal lines goes on; the rest are counted."""
        key = same(fields)
        if key is None or "repeated" in fields:
            return fields
        line = {**fields, "level": level, "part": output.part}
        if self.repeats.is_new((key, level, output.part), line, time.monotonic()):
            return fields
        raise structlog.DropEvent

    def finish(self, output: _Output, level: str, fields: structlog.typing.EventDict) -> str:
        """The line as it is written."""
        event, part = fields.pop("event"), output.part
        said = SECRETS.hide_in(fields) if SECRETS else fields
        if self.stamped:
            line = {"timestamp": self.time(), "level": level, "part": part, "event": event, **said}
        else:
            line = {"level": level, "part": part, "event": event, **said}
        text = self.render(line)
        return f"<{PRIORITIES[level]}>{text}" if self.journal else text


_log = _Log()


def configure_logs(
    level: str = "info",
    stream: TextIO | None = None,
    *,
    levels: Mapping[Any, str] | None = None,
    form: Format = "auto",
) -> None:
    """Log to `stream` (standard error): `levels` by part, `level` for all the others.

    Under systemd, where the stream is the journal, each line begins with its priority.
    Raises `ValueError` as `set_level` does.
    """
    _log.stream = sys.stderr if stream is None else stream
    reconfigure_logs(level, levels or {}, form)
    _log.repeats = Repeats()
    structlog.configure(
        processors=[
            _log.shorten,
            _log.drop_repeats,
            structlog.processors.format_exc_info,  # tracebacks are not cut
            _log.finish,
        ],
        wrapper_class=_log.logger_of,  # type: ignore[arg-type] # called as a class would be
        logger_factory=lambda part="bridge": _log.outputs[part],
        cache_logger_on_first_use=False,
    )


def reconfigure_logs(level: str, levels: Mapping[Any, str], form: Format) -> None:
    """Log at other levels, or in another form, from now on; to where it has been."""
    set_level(level)
    for part, its_level in levels.items():
        set_level(its_level, part)
    _log.write_to(_log.stream, form)


def set_level(level: str, part: str | None = None) -> None:
    """Write lines of `part`, or of all parts, from `level` up; at any time.

    Raises `ValueError` that names the words there are.
    """
    wanted = level_of(level)
    for each in PARTS if part is None else (part_of(part),):
        _log.levels[each] = wanted


def hears(part: Part, level: Level) -> bool:
    """True if such a line would be written: for lines that are not to cost anything otherwise."""
    return _NUMBERS[level] >= _NUMBERS[_log.levels[part]]


async def tell_repeats(rest: Callable[[float], Awaitable[None]]) -> None:
    """Write how often lines came again, as it falls due; runs until cancelled.

    `rest` waits for a moment of `trio.current_time`.
    """
    try:
        while True:
            await rest(trio.current_time() + QUIET / 2)
            _tell(time.monotonic())
    finally:
        _tell(math.inf)


def _tell(now: float) -> None:
    for line, count in _log.repeats.due(now):
        fields = without_times(line)
        fields.pop("id", None)  # of the first of them alone
        level, part, event = fields.pop("level"), fields.pop("part"), fields.pop("event")
        getattr(structlog.get_logger(part), level)(event, repeated=count, **fields)


def write_traceback(traceback: str) -> None:
    """Write the lines of a traceback; where every line is JSON, as one of them."""
    if _log.form == "json":
        structlog.get_logger("bridge").critical("traceback", exception=traceback)
        return
    output, prefix = _log.outputs["bridge"], "<2>" if _log.journal else ""
    for line in visible_lines(SECRETS.hide(traceback)).split("\n"):
        output.msg(f"{prefix}{line}")
