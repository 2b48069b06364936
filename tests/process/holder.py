"""A line to the broker on which, while it is held, the broker is heard and not spoken to."""

import threading

from .relay import Relay
from .watched import PATIENCE, Watched

__all__ = ["Holder"]

_CONNECT = 0x10


class Holder(Relay):
    """Passes everything on; while `hold` holds, nothing to the broker but CONNECT."""

    def __init__(self, target: int) -> None:
        self._free = threading.Event()
        self._free.set()
        self._heard: Watched[bytes] = Watched()
        super().__init__(target)

    def hold(self) -> None:
        """From now on whoever connects is delivered to, and cannot answer."""
        self._free.clear()

    def let_go(self) -> None:
        """Pass everything on again."""
        self._free.set()

    def wait_until_delivered(self, text: bytes, *, since: int) -> None:
        """Until the broker has sent this after the mark `since`."""
        self._heard.until(lambda seen: text in b"".join(seen), text, since=since)

    def mark(self) -> int:
        """Where what the broker sends from now on begins."""
        return len(self._heard)

    def close(self) -> None:
        """Hang up, and end the threads."""
        self.let_go()
        super().close()

    def passing(self, direction: str, data: bytes) -> bytes:
        """All of it, but late where the line is held."""
        if direction == "<":
            self._heard.add(data)
        elif data[0] != _CONNECT:
            self._free.wait(PATIENCE)
        return data
