"""Processes to be measured: where they run, when they are ready, what they cost."""

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.process.programs import clean_environment

__all__ = ["Process", "as_installed", "on_cores"]

_PROJECT = Path(__file__).parents[2]
"""Where `python -m tests.bench.…` finds its modules."""


@contextmanager
def on_cores(cores: set[int] | None) -> Iterator[None]:
    """Start what is started in the body, threads and processes, on these cores; None: on any."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, before if cores is None else cores & before or before)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


_CODE = tempfile.TemporaryDirectory(prefix="hmp-bench-code-")


def as_installed() -> dict[str, str]:
    """A clean environment, without coverage, in which programs are compiled once.

    Where `PYTHONDONTWRITEBYTECODE` is set, a start of what is not installed from a wheel would be a
    third of compiling.
    """
    clean = clean_environment({"PYTHONPYCACHEPREFIX": _CODE.name})
    not_so = ("COVERAGE_", "PYTHONDONTWRITEBYTECODE")
    return {name: value for name, value in clean.items() if not name.startswith(not_so)}


class Process:
    """A program whose output goes to a file, so that nobody spends time on reading it."""

    def __init__(self, command: Sequence[str], output: Path) -> None:
        self.output = output
        self.started_at = time.monotonic()
        with output.open("wb") as sink:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                env=as_installed(),
                cwd=_PROJECT,
            )

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def wait_for_line(self, part: str, patience: float = 60.0) -> str:
        """The first line that contains `part`. Raises `RuntimeError` when it does not come."""
        deadline = time.monotonic() + patience
        while True:
            said = self.output.read_text(errors="replace")
            for line in said.splitlines(keepends=True):
                if part in line and line.endswith("\n"):
                    return line.rstrip("\n")
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise RuntimeError(f"{part!r} never came from {self._process.args!r}:\n{said}")
            time.sleep(0.005)

    def wait(self, patience: float = 120.0) -> int:
        """Its exit code."""
        return self._process.wait(patience)

    def send_signal(self, number: int) -> None:
        """Send a signal."""
        self._process.send_signal(number)

    def close(self) -> None:
        """End it."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._process.wait()

    @property
    def cpu(self) -> float:
        """Seconds of processor time that all its threads have used, those that ended included."""
        # The kernel's clock of another process, to the nanosecond: CPUCLOCK_SCHED of its pid.
        return time.clock_gettime((~self.pid << 3) | 2)

    @property
    def resident(self) -> float:
        """VmRSS, in MB of 1,048,576 bytes. Raises `RuntimeError` where it has ended."""
        if (code := self._process.poll()) is not None:
            said = self.output.read_text(errors="replace")[-6000:]
            raise RuntimeError(f"{self._process.args!r} has ended with {code}:\n{said}")
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii", errors="replace")
        line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) / 1024
