"""A line to the broker that ends at the very packet a test waits for."""

from collections.abc import Callable

from .relay import Relay

__all__ = ["Cutter"]


class Cutter(Relay):
    """Passes everything on, until what was armed is seen."""

    def __init__(self, target: int) -> None:
        self._armed: tuple[bytes, Callable[[], None]] | None = None
        super().__init__(target)

    def arm(self, pattern: bytes, act: Callable[[], None]) -> None:
        """When these bytes come on their way to the broker: call `act`, drop them, hang up."""
        self._armed = (pattern, act)

    def passing(self, direction: str, data: bytes) -> bytes:
        """All of it, but for what is armed."""
        if direction == ">" and self._armed is not None and self._armed[0] in data:
            (_, act), self._armed = self._armed, None
            act()
            return b""
        return data
