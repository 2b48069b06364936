"""The pace of answers to what is refused: one by one at first, then counted. Pure.

Somebody who sends what is refused a thousand times a second learns no more from a thousand answers
than from one, and everybody else would wait for them.
"""

from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["AT_ONCE", "PER_SECOND", "TELL_EVERY", "Pace"]

AT_ONCE = 64
"""Refused messages of one source that are answered however quickly they come."""

PER_SECOND = 1.0
"""Those that are answered beyond that."""

TELL_EVERY = 10.0
"""Seconds between two words on how many were not."""


@dataclass(slots=True)
class _Sender:
    left: float
    at: float
    untold: int = 0


class Pace:
    """Says which refusal is answered. The names of sources are few, as those of `Source` are."""

    def __init__(self) -> None:
        self._senders: dict[str, _Sender] = {}
        #: Refused messages without an answer of their own.
        self.unanswered = 0

    def admits(self, name: str, now: float) -> bool:
        """True if this refusal is to be answered; otherwise it is counted. `now` is in seconds."""
        sender = self._senders.get(name)
        if sender is None:
            sender = self._senders[name] = _Sender(AT_ONCE, now)
        sender.left = min(AT_ONCE, sender.left + (now - sender.at) * PER_SECOND)
        sender.at = now
        if sender.left >= 1:
            sender.left -= 1
            return True
        sender.untold += 1
        self.unanswered += 1
        return False

    def untold(self) -> Iterator[tuple[str, int]]:
        """The sources of what was counted since the last call, with the count."""
        for name, sender in self._senders.items():
            if sender.untold:
                yield name, sender.untold
                sender.untold = 0
