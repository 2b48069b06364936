"""etcd as a process of its own, to be stopped, killed and cut off."""

import shutil
import signal
import socket
import time
from contextlib import suppress
from pathlib import Path

from tests.brokers import free_port

from .programs import Program
from .watched import PATIENCE

__all__ = ["Store", "has_etcd"]


def has_etcd() -> bool:
    """Whether tests can have a store."""
    return shutil.which("etcd") is not None


class Store:
    """One etcd; keeps its ports and its data over a restart."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.port, self._peer_port = free_port(), free_port()
        self.start()

    @property
    def url(self) -> str:
        """Where clients ask it."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        peer = f"http://127.0.0.1:{self._peer_port}"
        self.program = Program(
            [
                *("etcd", "--data-dir", str(self._folder / "etcd"), "--log-level", "error"),
                *("--listen-client-urls", self.url, "--advertise-client-urls", self.url),
                *("--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer),
                *("--initial-cluster", f"default={peer}", "--unsafe-no-fsync"),
            ]
        )
        deadline = time.monotonic() + PATIENCE
        while not self._answers():
            assert time.monotonic() < deadline, self.program.output
            time.sleep(0.02)

    def _answers(self) -> bool:
        request = b"GET /health HTTP/1.0\r\n\r\n"
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 5) as asked:
            asked.sendall(request)
            return b'"true"' in asked.makefile("rb").read()
        return False

    def kill(self) -> None:
        """SIGKILL."""
        self.program.process.kill()
        self.program.close()

    def freeze(self) -> None:
        """Have it answer nothing until `thaw`."""
        self.program.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Go on after `freeze`."""
        self.program.send_signal(signal.SIGCONT)

    def close(self) -> None:
        """End it."""
        self.program.close()
