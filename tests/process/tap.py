"""A listener on the line between bridge and HMP: passes everything on, and notes it."""

import threading
from typing import NamedTuple

from .relay import Relay

__all__ = ["Tap", "Wire"]


class Wire(NamedTuple):
    """A line on the wire; `>` to HMP, `<` from it."""

    direction: str
    line: str


class Tap(Relay):
    """Notes every line, for one connection at a time."""

    def __init__(self, target: int) -> None:
        self._wires: list[Wire] = []
        self._rest = {">": b"", "<": b""}
        self._lock = threading.Lock()
        super().__init__(target)

    @property
    def wires(self) -> list[Wire]:
        """Everything so far."""
        with self._lock:
            return list(self._wires)

    @property
    def most_in_flight(self) -> int:
        """The most commands that were ever on the way without their answer."""
        level = most = 0
        for wire in self.wires:
            level += 1 if wire.direction == ">" else -1
            most = max(most, level)
        return most

    def passing(self, direction: str, data: bytes) -> bytes:
        """All of it; noted before it is passed on, so that an answer never comes first."""
        with self._lock:
            *lines, self._rest[direction] = (self._rest[direction] + data).split(b"\n")
            self._wires += [Wire(direction, line.decode()) for line in lines]
        return data
