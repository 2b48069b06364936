"""The two clocks: one that is never set, and the wall clock, with whether it can be believed.

A box without a clock of its own (most single-board computers) begins after a power cut with the
time of its last shutdown, until the network has told it better. Ending a meeting's recording by
such a clock could cut it, so nothing is ended by the wall clock until it can be believed (R13).
"""

import ctypes
import time
from pathlib import Path

from ..room.facts.values import Now

__all__ = ["Clock", "is_synchronised"]

_TIME_ERROR = 5
"""What ``adjtimex`` returns while nothing keeps the kernel's clock right."""

_SIZE_OF_TIMEX = 256
"""More than any architecture's ``struct timex``; all zero, it asks and sets nothing."""

_ASK_AGAIN = 5.0
"""Seconds between two questions to the kernel, until the answer is yes."""

_REAL_TIME_CLOCKS = Path("/sys/class/rtc")

_TIME_SERVICES = tuple(
    Path("/run", name)
    for name in ("systemd/timesync", "chrony", "chronyd.pid", "ntpd.pid", "ntpsec", "openntpd")
)
"""What is there while something runs that will set the clock as soon as it can."""


class Clock:
    """Reads both clocks; the wall clock is believed for good once it could be, or if `trusted`."""

    def __init__(self, *, trusted: bool = False) -> None:
        self._believed = trusted
        self._ask_at = 0.0

    def __call__(self) -> Now:
        """This instant; the first clock goes on while the machine sleeps."""
        monotonic = time.clock_gettime(time.CLOCK_BOOTTIME)
        if not self._believed and monotonic >= self._ask_at:
            self._believed = is_synchronised()
            self._ask_at = monotonic + _ASK_AGAIN
        return Now(monotonic, time.time(), self._believed)


def is_synchronised(
    clocks: Path = _REAL_TIME_CLOCKS, services: tuple[Path, ...] = _TIME_SERVICES
) -> bool:
    """True where the wall clock can be believed.

    It can when the kernel says that it is kept right, when the box has a clock of its own that set
    it at boot, and when nothing runs that would set it: then it is all there is.
    """
    if _kernel_is_content():
        return True
    if any(path.read_text().strip() == "1" for path in clocks.glob("*/hctosys")):
        return True
    return not any(path.exists() for path in services)


def _kernel_is_content() -> bool:
    try:
        adjtimex = ctypes.CDLL(None).adjtimex
    except (OSError, AttributeError):  # no Linux
        return False
    answer: int = adjtimex(ctypes.create_string_buffer(_SIZE_OF_TIMEX))
    return 0 <= answer < _TIME_ERROR
