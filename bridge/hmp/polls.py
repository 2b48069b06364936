"""When to poll, so that one HMP never gets more polls than its budget allows (R3)."""

from bisect import bisect_left, insort

import trio

from .link import LinkSettings

__all__ = ["PollSlots", "Polls"]


class Polls:
    """The polls of one server, by its settings."""

    def __init__(self, settings: LinkSettings) -> None:
        self._interval = settings.poll_interval
        self._slots = PollSlots(settings.max_polls_per_second)

    def delay(self, *, soon: bool = False) -> float:
        """Seconds until the caller's next poll: `poll_interval`, with `soon` none, or more.

        Every call takes a slot as far from others as the server's budget says: polls are no bursts.
        """
        now = trio.current_time()
        return self._slots.take(now + (0.0 if soon else self._interval), now) - now


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
