"""systemd as a service sees it: the socket that it is told by, and the watchdog's patience."""

import math
import socket
import time
from collections.abc import Callable
from pathlib import Path

from .watched import PATIENCE

__all__ = ["Manager"]


class Manager:
    """Hears what a service says; `environment` is what the service is given."""

    def __init__(self, folder: Path, *, watchdog: float) -> None:
        path = folder / "notify"
        self._watchdog = watchdog
        self._fed_at = math.inf  # until it has begun, as with systemd
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self.environment = {
            "NOTIFY_SOCKET": str(path),
            "WATCHDOG_USEC": str(round(watchdog * 1_000_000)),
        }
        #: The status that it has said last.
        self.status = ""

    def close(self) -> None:
        """Listen no more."""
        self._socket.close()

    def patience(self) -> float:
        """Seconds until the service would be killed; no more than a test waits."""
        return min(PATIENCE, self._fed_at + self._watchdog - time.monotonic())

    def until_killed(self) -> None:
        """Return when the service would be killed; fails where it goes on being fed."""
        deadline = time.monotonic() + PATIENCE
        self._fed_at = time.monotonic()
        while (left := self.patience()) > 0:
            assert time.monotonic() < deadline, f"goes on being fed: {self.status}"
            self._hear(left)

    def until_well(self, ready: str) -> None:
        """Until what may have been killed, and lives on, is `ready` and has nothing stuck."""
        self._until(lambda: "stuck" not in self.status and ready in self.status)

    def until_said(self, part: str) -> None:
        """Until the status has this in it, whether or not it would have been killed."""
        self._until(lambda: part in self.status)

    def _until(self, is_so: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not is_so():
            left = deadline - time.monotonic()
            assert left > 0, f"the status is still: {self.status}"
            self._hear(left)

    def until(self, *parts: str) -> None:
        """Until the status has these parts in it; fails where it would be killed before."""
        deadline = time.monotonic() + PATIENCE
        while not all(part in self.status for part in parts):
            assert time.monotonic() < deadline, self.status
            self.listen()

    def listen(self) -> None:
        """Hear the next word; fails where it would be killed before."""
        left = self.patience()
        assert left > 0, f"would have been killed: {self.status}"
        self._hear(left)

    def _hear(self, seconds: float) -> None:
        self._socket.settimeout(seconds)
        try:
            said = self._socket.recv(4096).decode()
        except TimeoutError:
            return
        for line in said.splitlines():
            if line == "WATCHDOG=1":
                self._fed_at = time.monotonic()
            if line.startswith("STATUS="):
                self.status = line.removeprefix("STATUS=")
