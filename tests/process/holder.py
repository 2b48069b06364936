"""A line to the broker on which, once it is held, the broker is heard and not spoken to."""

import threading

from .relay import Relay
from .watched import PATIENCE, Watched

__all__ = ["Holder"]


class Holder(Relay):
    """Passes everything on; while `hold` holds, a connection is not heard from a word of it on."""

    def __init__(self, target: int) -> None:
        self._free = threading.Event()
        self._free.set()
        self._word: bytes | None = None
        #: Of the thread of a connection's one direction: it has said the word.
        self._said = threading.local()
        self._heard: Watched[bytes] = Watched()
        super().__init__(target)

    def hold(self, word: bytes) -> None:
        """From now on what comes with `word` and after it waits, on every connection of its own."""
        self._word = word
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
        elif self._word is not None:
            self._said.now = getattr(self._said, "now", False) or self._word in data
            if self._said.now:
                self._free.wait(PATIENCE)
        return data
