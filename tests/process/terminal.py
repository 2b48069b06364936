"""A program in a real terminal: what it shows there, and what is typed."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .programs import clean_environment
from .watched import PATIENCE

__all__ = ["Terminal"]


class Terminal:
    """A program in a terminal of so many columns and lines, and everything that it wrote there."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        size: tuple[int, int] = (100, 20),
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> None:
        self._keyboard, self._terminal = pty.openpty()
        self.resize(*size)
        plain = clean_environment({"TERM": "xterm", **(environment or {})})
        self.process = subprocess.Popen(
            ["setsid", "--ctty", *command],  # so that its keys are signals
            stdin=self._terminal,
            stdout=self._terminal,
            stderr=self._terminal,
            env={name: value for name, value in plain.items() if name not in ("COLUMNS", "LINES")},
            cwd=folder,
        )
        self.raw = ""

    def close(self) -> None:
        """End the program if it still runs."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._keyboard)
        os.close(self._terminal)

    def resize(self, columns: int, lines: int) -> None:
        """Make the terminal so large; the program is told by the kernel."""
        size = struct.pack("HHHH", lines, columns, 0, 0)
        fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, size)

    def type(self, keys: str) -> None:
        """Type them."""
        os.write(self._keyboard, keys.encode())

    def modes(self) -> list[Any]:
        """The modes of the terminal, as termios has them."""
        return termios.tcgetattr(self._terminal)

    def wait_for(self, wanted: str, since: int = 0) -> None:
        """Read until this was written."""
        self.wait_for_match(re.escape(wanted), since)

    def wait_for_match(self, pattern: str, since: int = 0) -> "re.Match[str]":
        """Read until something like this was written behind the first `since` characters."""
        deadline = time.monotonic() + PATIENCE
        while (found := re.compile(pattern, re.DOTALL).search(self.raw, since)) is None:
            assert time.monotonic() < deadline, f"{pattern!r} is not in {self.raw[since:]!r}"
            if self.process.poll() is not None and not self._read(0):
                raise AssertionError(f"ended, and {pattern!r} is not in {self.raw[since:]!r}")
            self._read(1)
        return found

    def wait(self) -> int:
        """The exit code, once everything is read."""
        deadline = time.monotonic() + PATIENCE
        while self.process.poll() is None:
            assert time.monotonic() < deadline, f"it has not ended: {self.raw[-2000:]!r}"
            self._read(1)
        while self._read(0):
            pass
        return self.process.returncode

    def interrupt(self) -> int:
        """Ctrl-C; the exit code, once everything is read."""
        self.process.send_signal(signal.SIGINT)
        return self.wait()

    @property
    def text(self) -> str:
        """Everything so far, without what moves the cursor and colours."""
        return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", self.raw)

    def _read(self, seconds: float) -> bool:
        """Take in what was written; False if nothing was for so long."""
        ready, _, _ = select.select([self._keyboard], [], [], seconds)
        if ready:
            self.raw += os.read(self._keyboard, 65536).decode(errors="replace")
        return bool(ready)
