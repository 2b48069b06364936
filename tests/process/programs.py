"""The programs under test as processes: what they say, line by line, and how they end."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from .forks import Fork
from .watched import PATIENCE, Watched

__all__ = ["HMP_BRIDGE", "Program", "clean_environment", "run_bridge"]

HMP_BRIDGE = str(Path(sys.executable).with_name("hmp-bridge"))
"""The installed script."""

_OURS = (
    "HMP_BRIDGE_",
    "NOTIFY_SOCKET",
    "WATCHDOG_",
    "STATE_DIRECTORY",
    "CREDENTIALS_DIRECTORY",
    "XDG_",
)


def clean_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """This environment without anything that would configure the bridge, plus `extra`."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    return plain | {"PYTHONUNBUFFERED": "1"} | dict(extra or {})


def run_bridge(
    *arguments: str, environment: Mapping[str, str] | None = None, folder: Path | None = None
) -> "subprocess.CompletedProcess[str]":
    """`hmp-bridge` with these arguments, to its end."""
    return subprocess.run(
        [HMP_BRIDGE, *arguments],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        env=clean_environment(environment),
        cwd=folder,
    )


def _start(
    command: Sequence[str], environment: Mapping[str, str], folder: Path | None, stdin: int
) -> "subprocess.Popen[str] | Fork":
    """Forked where it is the program alone that matters, else started from the beginning."""
    names = (environment.keys() | os.environ.keys()) - {"PYTHONUNBUFFERED"}
    # What the interpreter reads when it starts is as it was when the one that forks did.
    if all(
        environment.get(name) == os.environ.get(name)
        for name in names
        if name.startswith(_OF_THE_INTERPRETER)
    ):
        match [*command]:
            case [program, "run", *arguments] if program == HMP_BRIDGE:
                arguments = ["run", *arguments]
                return Fork(
                    "bridge", arguments, environment=environment, folder=folder, stdin=stdin
                )
            case [sys.executable, "-m", "bridge.simulator" as module, *arguments]:
                return Fork(module, arguments, environment=environment, folder=folder, stdin=stdin)
    return subprocess.Popen(
        command,
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env=environment,
        cwd=folder,
        start_new_session=True,
    )


_OF_THE_INTERPRETER = ("LANG", "LC_", "PYTHON")


def resident_kilobytes(pid: int) -> int:
    """VmRSS of a process."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    return next(int(line.split()[1]) for line in status.splitlines() if "VmRSS" in line)


class Program:
    """A process in a session of its own; what it prints and what it logs is collected by line."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
        stdin: int = subprocess.DEVNULL,  # or the descriptor of a terminal
    ) -> None:
        self.lines: Watched[str] = Watched()
        self.process = _start(command, clean_environment(environment), folder, stdin)
        self._reader = threading.Thread(target=self._collect, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """The process id."""
        return self.process.pid

    @property
    def output(self) -> str:
        """Everything that it has said."""
        return "\n".join(self.lines.since())

    def lines_with(self, *parts: str) -> list[str]:
        """The lines so far that contain all of `parts`."""
        return [line for line in self.lines.since() if all(part in line for part in parts)]

    def wait_for_line(self, *parts: str, since: int = 0, timeout: float = PATIENCE) -> str:
        """The first line from `since` on that contains all of `parts`."""

        def match(line: str) -> bool:
            return all(part in line for part in parts)

        return self.lines.first(match, parts, since=since, timeout=timeout)

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        self.process.send_signal(number)

    def wait(self, timeout: float = PATIENCE) -> int:
        """Its exit code, once it has ended and everything it said has been read."""
        code = self.process.wait(timeout)
        self._reader.join(timeout)
        return code

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to end; its exit code."""
        self.send_signal(number)
        return self.wait()

    def close(self) -> None:
        """End it if it still runs: in good order if it can, so that its coverage is written."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def resident_kilobytes(self) -> int:
        """VmRSS of the process."""
        return resident_kilobytes(self.pid)

    def _collect(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.add(line.rstrip("\n"))
        self.lines.complete()
