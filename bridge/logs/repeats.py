"""Lines of the log that say the same again, counted instead of written.

The first is written at once. What follows is counted, and told when nothing of it has come for
`QUIET` seconds, or every `AT_LATEST` seconds while it goes on.
"""

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["AT_LATEST", "MOST", "QUIET", "Repeats", "same", "without_times"]

QUIET = 10.0
AT_LATEST = 60.0

MOST = 500
"""Different lines remembered at a time; what comes beyond that is written, repeated or not."""


@dataclass(slots=True)
class _Known:
    line: Mapping[str, Any]
    since: float
    last: float
    count: int = 0


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


class Repeats:
    """The lines of the last seconds, and how often each came again."""

    def __init__(self) -> None:
        self._known: dict[Hashable, _Known] = {}

    def is_new(self, key: Hashable, line: Mapping[str, Any], now: float) -> bool:
        """Whether `line` is to be written; otherwise it is counted. `now` is in seconds."""
        known = self._known.get(key)
        if known is not None:
            known.count += 1
            known.last = now
            return False
        if key is not None and len(self._known) < MOST:
            self._known[key] = _Known(line, now, now)
        return True

    def due(self, now: float) -> Iterator[tuple[Mapping[str, Any], int]]:
        """Lines of which a count is to be told now, with it; `now` of infinity tells them all."""
        for key, known in list(self._known.items()):
            over = now - known.last >= QUIET
            if over:
                del self._known[key]
            if known.count and (over or now - known.since >= AT_LATEST):
                yield known.line, known.count
                known.since, known.count = now, 0
