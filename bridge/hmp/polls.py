"""When to poll, so that one HMP never gets more polls than its budget allows (R3)."""

from bisect import bisect_left, insort

__all__ = ["PollSlots"]


class PollSlots:
    """Hands out moments that keep a distance from each other; times are seconds of one clock.

    It remembers the moments still to come, one per recording that is polled.
    """

    def __init__(self, per_second: float) -> None:
        self._spacing = 1.0 / per_second
        self._taken: list[float] = []

    def take(self, earliest: float, now: float) -> float:
        """The first moment from `earliest` on that keeps its distance from all others."""
        del self._taken[: bisect_left(self._taken, now - self._spacing)]
        distance = self._spacing - 1e-9  # so that a gap that fits exactly is used
        moment = earliest
        for taken in self._taken[bisect_left(self._taken, earliest - distance) :]:
            if taken - moment >= distance:
                break
            moment = taken + self._spacing
        insort(self._taken, moment)
        return moment
