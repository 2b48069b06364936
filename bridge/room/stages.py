"""When a room's requests passed the stages of their way: received → sent → answered.

Noted beside the room model, which decides the same whether or not anybody looks at a clock.
"""

from collections import deque
from dataclasses import dataclass

from ..hmp.link import Passage
from .facts.values import Now, Result

__all__ = ["StageNotes", "Stages"]

_MOST = 16
"""Commands remembered: more than the longest request needs, a session with four sources."""


@dataclass(frozen=True, slots=True)
class Stages:
    """Monotonic times of one request.

    `sent_at`: when the first command left for HMP that was not a routine look; `answered_at`: when
    HMP's last answer came, be it only the status that confirms a stop. None where no command was
    needed, or none was answered.
    """

    received_at: float
    sent_at: float | None = None
    answered_at: float | None = None


class StageNotes:
    """The latest commands of one room."""

    def __init__(self) -> None:
        self._sent: deque[float] = deque(maxlen=_MOST)
        self._last: tuple[float, float] | None = None

    def note(self, passage: Passage, *, routine: bool, shift: float) -> None:
        """A command came back from the link; `shift` takes its times to the room's clock."""
        if passage.sent_at is None or passage.ended_at is None:
            return
        self._last = passage.sent_at + shift, passage.ended_at + shift
        if not routine:
            self._sent.append(passage.sent_at + shift)

    def of(self, result: Result, now: Now) -> Stages:
        """The stages of the request whose result has come about at `now`."""
        received_at = now.monotonic - result.took
        sent_at = next((each for each in self._sent if each >= received_at), None)
        if self._last is None or self._last[0] < received_at:
            return Stages(received_at)
        return Stages(received_at, self._last[0] if sent_at is None else sent_at, self._last[1])
