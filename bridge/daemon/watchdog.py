"""Word to systemd for as long as every loop goes on, and who it is that does not (R29)."""

import math
from collections.abc import Callable, KeysView, Mapping

import structlog
import trio

from ..journal.journal import Journal
from ..process.systemd import notify, watchdog_seconds

__all__ = ["Watchdog"]

log = structlog.get_logger("bridge")

_WITHOUT_SYSTEMD = 60.0
"""`WatchdogSec` where there is none: what is stuck is logged all the same."""

_LOOKS = 8
"""In each `WatchdogSec`."""

_SLOW_DISK = 0.1
"""Of `WatchdogSec`: who waits for a commit that takes longer waits for the disk."""


_DISK = "disk"
"""The journal's thread in the kernel: killed, the process would wait there all the same, and a stop
that it can carry out meanwhile would not be carried out."""


class Watchdog:
    """Looks at the loops; `due_at` has when each of them goes on at the latest (`Progress`).

    `journal` is None where nothing is written. `holds` is true while what is to be written waits
    until it is known which box leads (R36).
    """

    def __init__(
        self,
        due_at: Callable[[], Mapping[str, float]],
        journal: Journal | None = None,
        holds: Callable[[], bool] = lambda: False,
    ) -> None:
        self._due_at = due_at
        self._journal = journal
        self._holds = holds
        self._held_at = -math.inf
        self._fed = watchdog_seconds() is not None
        self._seconds = watchdog_seconds() or _WITHOUT_SYSTEMD
        self._excused_until = -math.inf
        #: The loops that are stuck, by name, with the seconds for which they have been.
        self.stuck: dict[str, float] = {}

    @property
    def loops(self) -> KeysView[str]:
        """The names of those that it looks at."""
        return dict(self._due_at()).keys()

    async def run(self) -> None:
        """Look, and say so where nothing is stuck, until cancelled."""
        while True:
            planned = trio.current_time() + self._seconds / _LOOKS
            self._look(trio.current_time())
            if self._fed and self.stuck.keys() <= {_DISK}:
                notify("WATCHDOG=1")
            await trio.sleep_until(planned)
            # Who has slept through that was stopped, or had no processor: so had the others.
            if trio.current_time() - planned > self._seconds / _LOOKS:
                self._excused_until = trio.current_time()

    def _look(self, now: float) -> None:
        limit = self._seconds / 2
        if self._holds():
            self._held_at = now
        since = None if self._journal is None else self._journal.writing_since
        if since is not None and now - since > self._seconds * _SLOW_DISK:
            self._excused_until = now
        before, due = self.stuck, dict(self._due_at())
        late = {name: now - max(at, self._excused_until) for name, at in due.items()}
        written_for = -math.inf if since is None else now - max(since, self._held_at)
        if self._journal is not None and written_for > limit:
            late[_DISK if self._journal.waits_for_the_disk() else "journal"] = written_for
        self.stuck = {name: seconds for name, seconds in late.items() if seconds > limit}
        for name in self.stuck.keys() - before.keys():
            log.error(
                "a loop of the bridge is stuck",
                loop=name,
                seconds=round(self.stuck[name], 1),
                what_to_do="look at the disk; rooms can be stopped, and none is started"
                if name == _DISK
                else "nothing: systemd starts the service again, and recordings run on",
            )
        for name in before.keys() - self.stuck.keys():
            log.info("a loop of the bridge goes on", loop=name)
