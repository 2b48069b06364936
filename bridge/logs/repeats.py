"""Lines of the log that say the same again, counted instead of written.

The first is written at once. What follows is counted, and told when nothing of it has come for
`QUIET` seconds, or every `AT_LATEST` seconds while it goes on. A line that follows another of the
same server, broker or room is no repetition but a change back, such as a link that is ready once
more: it is written as well, `MOST_CHANGES` times, for something that flaps is to fill no disk. A
line with an id is about something that happened once: `ALLOWED` that differ in nothing else are
written in `QUIET` seconds before the rest are counted, for a flood may give each message an id. So
are lines of the same event where there are more different ones than can be remembered.
"""

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

__all__ = [
    "ALLOWED",
    "AT_LATEST",
    "MOST",
    "MOST_CHANGES",
    "QUIET",
    "Repeats",
    "same",
    "without_times",
]

QUIET = 10.0
AT_LATEST = 60.0
MOST_CHANGES = 5
ALLOWED = 20
MOST = 500
"""Different lines remembered at a time; beyond that the event alone tells them apart."""


@dataclass(slots=True)
class _Known:
    line: Mapping[str, Any]
    since: float
    last: float
    written: int = 1
    allowed_from: float = 0.0
    count: int = 0
    changes: int = 0

    def is_allowed(self, now: float) -> bool:
        """True for one of the first `ALLOWED` lines in `QUIET` seconds."""
        if now - self.allowed_from >= QUIET:
            self.allowed_from, self.written = now, 0
        self.written += 1
        return self.written <= ALLOWED


def same(line: Mapping[str, Any]) -> Hashable:
    """Equal for lines that differ in nothing but times and ids; None for one with a traceback."""
    if "exc_info" in line:
        return None
    told = [(key, str(value)) for key, value in line.items() if key != "id" and not _is_time(key)]
    return tuple(told)


def without_times(line: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that are not milliseconds."""
    return {key: value for key, value in line.items() if not _is_time(key)}


@cache
def _is_time(key: str) -> bool:
    """The same few names come with every line."""
    return key == "ms" or key.endswith("_ms")


def _subject(line: Mapping[str, Any]) -> Hashable:
    """The subject of `line`; None where it names nothing."""
    named = tuple(line.get(kind) for kind in ("part", "server", "broker", "room"))
    return named if any(named[1:]) else None


class Repeats:
    """The lines of the last seconds, and how often each came again."""

    def __init__(self) -> None:
        self._known: dict[Hashable, _Known] = {}
        #: the newest line about each subject, as long as it is known
        self._newest: dict[Hashable, Hashable] = {}

    def is_new(self, key: Hashable, line: Mapping[str, Any], now: float) -> bool:
        """True if `line` is to be written; otherwise it is counted. `now` is in seconds."""
        known = self._known.get(key)
        allowing = "id" in line
        if known is None and len(self._known) >= MOST:
            line = {name: line[name] for name in ("event", "level", "part") if name in line}
            key, allowing = ("different", *line.values()), True
            known = self._known.get(key)
        subject = None if allowing else _subject(line)
        if known is None:
            self._known[key] = _Known(line, now, now, allowed_from=now)
            if subject:
                self._newest[subject] = key
            return True
        known.last = now
        if allowing and known.is_allowed(now):
            return True
        if subject and self._newest.get(subject) != key:
            self._newest[subject] = key
            known.changes += 1
            if known.changes <= MOST_CHANGES:
                return True
        known.count += 1
        return False

    def due(self, now: float) -> Iterator[tuple[Mapping[str, Any], int]]:
        """Lines of which a count is to be told now, with it; `now` of infinity tells them all."""
        for key, known in list(self._known.items()):
            over = now - known.last >= QUIET
            if over:
                del self._known[key]
                subject = _subject(known.line)
                if self._newest.get(subject) == key:
                    del self._newest[subject]
            if known.count and (over or now - known.since >= AT_LATEST):
                yield known.line, known.count
                known.since, known.count = now, 0
