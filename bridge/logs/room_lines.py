"""A room in the log: a line for each alarm raised and cleared, and for what HMP refused."""

import structlog

from ..room.facts.state import RoomState
from ..room.facts.values import Problem
from ..room.facts.vocabulary import Alarm

__all__ = ["RoomLog"]

log = structlog.get_logger("room")


class RoomLog:
    """Notes what is worth a line when a room's state changes."""

    def __init__(self, room: str) -> None:
        self._room = room
        self._alarms: frozenset[Alarm] = frozenset()
        self._problem: Problem | None = None

    def note(self, state: RoomState) -> None:
        """Log what is different from the state before."""
        problem = state.problem
        if problem is not None and problem != self._problem:
            log.warning(
                "something went wrong in a room",
                room=self._room,
                code=problem.code,
                error=problem.message,
                what_to_do=problem.explanation,
            )
        for alarm in sorted(state.alarms - self._alarms):
            log.warning("alarm raised", room=self._room, alarm=str(alarm), state=str(state.state))
        for alarm in sorted(self._alarms - state.alarms):
            log.info("alarm cleared", room=self._room, alarm=str(alarm), state=str(state.state))
        self._problem, self._alarms = problem, state.alarms
