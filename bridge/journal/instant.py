"""Instants that can be understood after a restart: two clocks, and which boot they belong to."""

import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

__all__ = ["Instant", "this_instant"]


@dataclass(frozen=True, slots=True)
class Instant:
    """An instant that can be understood after a restart: `monotonic` counts within `boot`."""

    boot: str
    monotonic: float
    wall: float

    def shift_to(self, now: "Instant", *, trusted: bool = True) -> float:
        """The number to add to a monotonic time of then to have it on the clock of now.

        Across boots the wall clock is all there is; what it says is bounded to *not in the future*,
        and taken for *no time has passed* where it is not to be trusted.
        """
        if self.boot == now.boot:
            return 0.0
        passed = max(0.0, now.wall - self.wall) if trusted else 0.0
        return now.monotonic - self.monotonic - passed

    def before(self, seconds: float) -> "Instant":
        """The instant so many seconds before this one, as this boot knows it."""
        return Instant(self.boot, self.monotonic - seconds, self.wall - seconds)


def this_instant() -> Instant:
    """This instant, on the clock that goes on while the machine sleeps."""
    return Instant(_boot_id(), time.clock_gettime(time.CLOCK_BOOTTIME), time.time())


@cache
def _boot_id() -> str:
    path = Path("/proc/sys/kernel/random/boot_id")
    return path.read_text().strip() if path.exists() else "unknown"
