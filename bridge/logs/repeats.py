"""Lines of the log that say the same again, counted instead of written.

The first is written at once. What follows is counted, and told when nothing of it has come for
`QUIET` seconds, or every `AT_LATEST` seconds while it goes on. A line that follows another of the
same server, broker or room is no repetition but a change back, such as a link that is ready once
more: it is written as well, `MOST_CHANGES` times, for something that flaps is to fill no disk.
"""

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["AT_LATEST", "MOST", "MOST_CHANGES", "QUIET", "Repeats", "same", "without_times"]

QUIET = 10.0
AT_LATEST = 60.0
MOST_CHANGES = 5
MOST = 500
"""Different lines remembered at a time; what comes beyond that is written, repeated or not."""


@dataclass(slots=True)
class _Known:
    line: Mapping[str, Any]
    since: float
    last: float
    count: int = 0
    changes: int = 0


def same(line: Mapping[str, Any]) -> Hashable:
    """Equal for lines that differ in nothing but times.

    None for a line that is about something with an id: that happened once, and is one line.
    """
    if "id" in line or "exc_info" in line:
        return None
    return tuple((key, str(value)) for key, value in without_times(line).items())


def without_times(line: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that are not milliseconds."""
    return {key: value for key, value in line.items() if not (key == "ms" or key.endswith("_ms"))}


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
        subject = _subject(line)
        if known is not None:
            known.last = now
            if subject and self._newest.get(subject) != key:
                self._newest[subject] = key
                known.changes += 1
                if known.changes <= MOST_CHANGES:
                    return True
            known.count += 1
            return False
        if len(self._known) < MOST:
            self._known[key] = _Known(line, now, now)
            if subject:
                self._newest[subject] = key
        return True

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
