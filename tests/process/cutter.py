"""A line to the broker that ends at the very packet a test waits for."""

from collections.abc import Callable

from .relay import Relay

_PUBACK = b"\x40\x02"
"""MQTT 5.0 section 3.4.1: of a PUBACK that says no reason; its packet identifier comes next."""

__all__ = ["Cutter"]


class Cutter(Relay):
    """Passes everything on, until what was armed is seen."""

    def __init__(self, target: int) -> None:
        self._armed: tuple[bytes, Callable[[], None]] | None = None
        self._awaited: tuple[bytes, Callable[[], None]] | None = None
        super().__init__(target)

    def arm(self, pattern: bytes, act: Callable[[], None]) -> None:
        """When these bytes come on their way to the broker: call `act`, drop them, hang up."""
        self._armed = (pattern, act)

    def arm_acknowledgement(self, topic: str, act: Callable[[], None]) -> None:
        """The same for the PUBACK of the next message with this topic, delivered at QoS 1.

        Others that are under way, as that of the bridge's own state, pass.
        """
        encoded = topic.encode()
        self._awaited = (len(encoded).to_bytes(2) + encoded, act)

    def passing(self, direction: str, data: bytes) -> bytes:
        """All of it, but for what is armed."""
        if direction == "<" and self._awaited is not None and self._awaited[0] in data:
            (topic, act), self._awaited = self._awaited, None
            _, _, after = data.partition(topic)
            self._armed = (_PUBACK + after[:2], act)
        if direction == ">" and self._armed is not None and self._armed[0] in data:
            (_, act), self._armed = self._armed, None
            act()
            return b""
        return data
