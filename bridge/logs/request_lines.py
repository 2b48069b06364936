"""The line `request done`: what was asked of a room, what came of it, and how long each stage took.

It is written once the broker has the result, or at once while there is no broker: then nobody
knows when that will be.
"""

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from ..room.facts.values import Now, Result
from ..room.stages import Stages

__all__ = ["Line", "RequestLog"]

log = structlog.get_logger("room")

_STAGES = ("sent_ms", "answered_ms", "published_ms")


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """One line, as far as it is known before the broker has the result."""

    room: str
    result: Result
    stages: Stages


class RequestLog:
    """Writes one line per request; `clock` is the rooms' own."""

    def __init__(self, clock: Callable[[], Now]) -> None:
        self._clock = clock
        self._online = False
        self._waiting: dict[Line, None] = {}

    def given(self, room: str, result: Result, stages: Stages) -> Line:
        """A result is on its way to the broker; its line is due once it has `arrived` there."""
        line = Line(room, result, stages)
        if self._online:
            self._waiting[line] = None
        else:
            _write(line, None)
        return line

    def arrived(self, line: Line) -> None:
        """The broker has the result of this line."""
        if line in self._waiting:
            del self._waiting[line]
            _write(line, self._clock().monotonic)

    def broker(self, *, online: bool) -> None:
        """Results get through, or no more.

        Those that are on their way when they no longer do have their line at once.
        """
        self._online = online
        if not online:
            waiting, self._waiting = self._waiting, {}
            for line in waiting:
                _write(line, None)


def _write(line: Line, published_at: float | None) -> None:
    result, stages = line.result, line.stages
    before = stages.received_at
    fields: dict[str, object] = {}
    for name, at in zip(_STAGES, (stages.sent_at, stages.answered_at, published_at), strict=True):
        if at is not None:
            fields[name] = round((at - before) * 1000, 2)
            before = at
    whole = result.took if published_at is None else published_at - stages.received_at
    if result.problem is not None:
        fields["error"] = result.problem.message
    log.info(
        "request done",
        room=line.room,
        action=result.word,
        id=result.id,
        outcome=str(result.outcome),
        state=str(result.state),
        ms=round(whole * 1000, 2),
        **fields,
    )
