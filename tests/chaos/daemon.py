"""The installed daemon under a supervisor that does what systemd does, and notes how it ends."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import trio

from .planted import PLANTED

__all__ = ["Daemon"]

_TERM_PATIENCE = 15.0
"""Seconds for a clean end: above the longest command timeout of the generated configuration."""


@dataclass(slots=True)
class Daemon:
    """`hmp-bridge run`, restarted whenever it has ended. `after_kill` runs while it is dead.

    `program` is the command that `run` is given to; `planted` is for `planted.py` alone.
    """

    program: Sequence[str]
    configuration: Path
    log: Path
    after_kill: Callable[[], None]
    happened: Callable[[str], None]
    planted: str = ""
    #: How it ended where nobody had told it to, or not as it should have.
    violations: list[tuple[str, str]] = field(default_factory=list)
    #: Unix times of kills: results may come twice after them.
    kills: list[float] = field(default_factory=list)
    starts: int = 0
    #: Highest resident memory seen, in kB.
    peak: int = 0
    _pause: float = 0.0
    _told: str = ""
    _process: trio.Process | None = None
    _scanned: int = 0

    async def run(self) -> None:
        """Keep it running until cancelled."""
        try:
            with self.log.open("ab") as log:
                while True:
                    self.starts += 1
                    self._told = ""
                    self._process = await trio.lowlevel.open_process(
                        [*self.program, "run", "--config", str(self.configuration)],
                        stdin=subprocess.DEVNULL,
                        stdout=log,
                        stderr=subprocess.STDOUT,
                        env=os.environ | {PLANTED: self.planted},
                    )
                    status = await self._process.wait()
                    self._look_at_the_end(status)
                    self.after_kill()
                    pause, self._pause = self._pause, 0.0
                    await trio.sleep(pause)
        finally:
            if self._process is not None:
                self._process.kill()
                with trio.CancelScope(shield=True):
                    await self._process.wait()

    def kill(self, kind: str, *, pause: float = 0.0) -> bool:
        """SIGKILL, now; False when it is dead already. It starts again after `pause` seconds."""
        if not self._alive():
            return False
        self.measure()
        self._told, self._pause = "SIGKILL", pause
        self._signal(signal.SIGKILL)
        self.kills.append(time.time())
        self.happened(kind)
        return True

    def terminate(self) -> bool:
        """SIGTERM: it leaves in order, and is started again."""
        if not self._alive() or self._told == "SIGKILL":  # killed, and not gone yet
            return False
        self.measure()
        self._told = "SIGTERM"
        self._signal(signal.SIGCONT)
        self._signal(signal.SIGTERM)
        self.happened("terminate")
        return True

    async def see_terminated(self) -> None:
        """Wait for the end that `terminate` asked for, and kill what does not end."""
        process = self._process
        if process is None:
            return
        with trio.move_on_after(_TERM_PATIENCE) as patience:
            await process.wait()
        if patience.cancelled_caught:
            self.violations.append(
                ("no_clean_end", f"still there {_TERM_PATIENCE:g} s after SIGTERM")
            )
            self._told = "SIGKILL"
            process.kill()

    def freeze(self, kind: str) -> bool:
        """SIGSTOP, now; `thaw` is somebody else's task."""
        if not self._alive():
            return False
        self._signal(signal.SIGSTOP)
        self.happened(kind)
        return True

    def thaw(self) -> None:
        """SIGCONT."""
        if self._alive():
            self._signal(signal.SIGCONT)

    def measure(self) -> int:
        """Resident memory in kB right now, 0 when there is no process."""
        if self._process is None:
            return 0
        try:
            status = Path(f"/proc/{self._process.pid}/status").read_text()
        except OSError:
            return 0
        line = next((each for each in status.splitlines() if each.startswith("VmRSS:")), "")
        resident = int(line.split()[1]) if line else 0
        self.peak = max(self.peak, resident)
        return resident

    def tracebacks(self) -> list[str]:
        """What the log has of tracebacks since this was asked last."""
        with self.log.open("rb") as log:
            log.seek(self._scanned)
            text = log.read().decode(errors="replace")
        end = text.rfind("\n") + 1
        self._scanned += len(text[:end].encode())
        lines = text[:end].splitlines()
        return [
            "\n".join(lines[number : number + 40])
            for number, line in enumerate(lines)
            if "Traceback (most recent call last)" in line
        ]

    def _look_at_the_end(self, status: int) -> None:
        if self._told == "SIGKILL" and status in (-signal.SIGKILL, 0):
            return
        if self._told == "SIGTERM":
            if status not in (0, -signal.SIGTERM):
                self.violations.append(("no_clean_end", f"exit status {status} after SIGTERM"))
            return
        self.violations.append(("daemon_ended", f"exit status {status} without being told to end"))
        self._pause = max(self._pause, 1.0)

    def _alive(self) -> bool:
        return self._process is not None and self._process.returncode is None

    def _signal(self, what: signal.Signals) -> None:
        assert self._process is not None
        os.kill(self._process.pid, what)
