"""The two clocks: one that is never set, and the wall clock, with whether it can be believed.

A box without a clock of its own (most single-board computers) begins after a power cut with the
time of its last shutdown, until the network has told it better. Ending a meeting's recording by
such a clock could cut it, so nothing is ended by the wall clock until it can be believed (R13).
"""

import ctypes
import errno
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import trio

from ..process.progress import Progress
from ..room.facts.values import Now

__all__ = ["Clock", "is_synchronised", "kernel_is_content", "systemd_is_content"]

_TIME_ERROR = 5
"""The value that ``adjtimex`` returns while nothing keeps the kernel's clock right."""

_SIZE_OF_TIMEX = 256
"""More than any architecture's ``struct timex``; all zero, it asks and sets nothing."""

_ASK_AGAIN = 5.0
"""Seconds between two questions to the kernel, until the answer is yes."""

_ANSWER_WITHIN = 10.0
"""Seconds for ``timedatectl``, which has systemd start a service of its own."""

_REAL_TIME_CLOCKS = Path("/sys/class/rtc")

_SYNCHRONISED = Path("/run/systemd/timesync/synchronized")
"""The file that systemd's time service leaves once it has set the clock."""

_TIME_SERVICES = tuple(
    Path("/run", name)
    for name in ("systemd/timesync", "chrony", "chronyd.pid", "ntpd.pid", "ntpsec", "openntpd")
)
"""Paths that are there while something runs that will set the clock as soon as it can."""


class Clock:
    """Reads both clocks; the wall clock is believed for good once it could be, or if `trusted`.

    `ask` is `is_synchronised`.
    """

    def __init__(
        self, *, trusted: bool = False, ask: Callable[[], bool | None] | None = None
    ) -> None:
        self._ask = ask or is_synchronised
        self._believed = trusted
        self._ask_at = 0.0
        #: Of `keep_asking`.
        self.progress = Progress()

    def __call__(self) -> Now:
        """This instant; the first clock goes on while the machine sleeps."""
        monotonic = time.clock_gettime(time.CLOCK_BOOTTIME)
        if not self._believed and monotonic >= self._ask_at:
            self._believed = self._ask() is True
            self._ask_at = monotonic + _ASK_AGAIN
        return Now(monotonic, time.time(), self._believed)

    async def keep_asking(self) -> None:
        """Ask systemd, where the kernel may not be asked (`ProtectClock=`), until it says yes."""
        while not self._believed and self._ask() is None:
            self.progress.within(_ANSWER_WITHIN)
            self._believed = await systemd_is_content()
            if not self._believed:
                await self.progress.rest(trio.current_time() + _ASK_AGAIN)
        self.progress.waits()


def is_synchronised(
    clocks: Path = _REAL_TIME_CLOCKS,
    services: tuple[Path, ...] = _TIME_SERVICES,
    synchronised: Path = _SYNCHRONISED,
) -> bool | None:
    """True where the wall clock can be believed; None where nobody who knows may be asked.

    It can when the kernel or systemd's time service says that it is kept right, when the box has a
    clock of its own that set it at boot, and when nothing runs that would set it: then it is all
    there is.
    """
    content = kernel_is_content()
    if content or synchronised.exists():
        return True
    if any(path.read_text().strip() == "1" for path in clocks.glob("*/hctosys")):
        return True
    if not any(path.exists() for path in services):
        return True
    return content


def kernel_is_content() -> bool | None:
    """True where the kernel keeps its clock right; None where it may not be asked."""
    try:
        adjtimex = ctypes.CDLL(None, use_errno=True).adjtimex
    except (OSError, AttributeError):  # no Linux
        return False
    answer: int = adjtimex(ctypes.create_string_buffer(_SIZE_OF_TIMEX))
    if answer < 0 and ctypes.get_errno() == errno.EPERM:
        return None
    return 0 <= answer < _TIME_ERROR


async def systemd_is_content() -> bool:
    """Ask systemd, which asks the kernel for everybody: False where there is no answer."""
    question = ["timedatectl", "show", "--property=NTPSynchronized", "--value"]
    with trio.move_on_after(_ANSWER_WITHIN):
        try:
            answer = await trio.run_process(
                question, capture_stdout=True, stderr=subprocess.DEVNULL, check=False
            )
        except OSError:  # no systemd
            return False
        return answer.stdout.strip() == b"yes"
    return False
