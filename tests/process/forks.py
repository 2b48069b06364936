"""Programs as forks of a Python that has imported the bridge once.

Three quarters of what a short test takes is the import of the daemon, and of the simulator. A fork
has a process, a session, an environment, a folder and standard streams of its own and runs the
same `main`. What a test of the start itself starts is begun from the beginning: see `programs`.
"""

import array
import atexit
import contextlib
import functools
import gc
import importlib
import io
import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

import coverage

from bridge.__main__ import main as bridge_main
from bridge.simulator.__main__ import main as simulator_main

__all__ = ["Fork"]

_LONGEST = 1 << 20
"""Bytes of a request: an argument list and an environment."""


class Fork:
    """A running program, with what its users need of `subprocess.Popen`."""

    def __init__(
        self,
        module: str,  # whose `main` it runs
        arguments: Sequence[str],
        *,
        environment: Mapping[str, str],
        folder: Path | None,
        stdin: int,
    ) -> None:
        self.args = [module, *arguments]
        self.returncode: int | None = None
        wanted = [module, [*arguments], dict(environment), str(folder or Path.cwd())]
        theirs: list[int] = []
        with contextlib.ExitStack() as given:

            def pipe() -> int:
                read, write = os.pipe()
                given.callback(os.close, write)
                theirs.append(write)
                return read

            if stdin == subprocess.DEVNULL:
                stdin = os.open(os.devnull, os.O_RDONLY)
                given.callback(os.close, stdin)
            output, self._status = pipe(), pipe()
            parent = _parent()
            parent.sendmsg(
                [json.dumps(wanted).encode()],
                [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [stdin, *theirs]))],
            )
            self.pid = int(parent.recv(32))
        self.stdout: IO[str] | None = os.fdopen(output, encoding="utf-8", errors="replace")

    def poll(self) -> int | None:
        """Its exit code if it has ended, negative for a signal, as of `Popen`."""
        return self._ended(0)

    def wait(self, timeout: float | None = None) -> int:
        """The same once it has ended; raises subprocess.TimeoutExpired."""
        code = self._ended(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        return code

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal unless it has ended."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        """SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def _ended(self, timeout: float | None) -> int | None:
        if self.returncode is None and select.select([self._status], [], [], timeout)[0]:
            said = os.read(self._status, 32)
            os.close(self._status)
            self.returncode = os.waitstatus_to_exitcode(int(said))
        return self.returncode


@functools.cache
def _parent() -> socket.socket:
    """The Python that forks, started at the first use and ended with this process."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _LONGEST)
    command = [sys.executable, "-m", "tests.process.forks", str(theirs.fileno())]
    process = subprocess.Popen(
        command,
        pass_fds=[theirs.fileno()],
        env=dict(os.environ) | {"PYTHONUNBUFFERED": "1"},
        cwd=Path(__file__).parents[2],
        start_new_session=True,
    )
    theirs.close()

    @atexit.register
    def end() -> None:
        ours.close()
        process.wait()

    return ours


def _serve(requests: socket.socket) -> tuple[str, list[str]] | None:
    """Fork whenever asked to; in a fork the module and its arguments, None at the end."""
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, _nothing)
    statuses: dict[int, int] = {}
    while True:
        ready, _, _ = select.select([requests.fileno(), woken], [], [])
        if woken in ready:
            os.read(woken, 4096)
            _reap(statuses)
        if requests.fileno() not in ready:
            continue
        request, streams, _, _ = socket.recv_fds(requests, _LONGEST, 3)
        if not request:
            return None
        stdin, output, status = streams
        pid = os.fork()
        if pid == 0:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.setsid()
            _take_over(stdin, output)
            mine = [requests.detach(), *streams, *statuses.values(), woken, wake]
            os.closerange(3, max(mine) + 1)
            module, arguments, environment, folder = json.loads(request)
            os.environ.clear()
            os.environ.update(environment)
            os.chdir(folder)
            return module, arguments
        statuses[pid] = status
        os.close(stdin)
        os.close(output)
        requests.send(str(pid).encode())


def _nothing(_number: int, _frame: object) -> None:
    """Only `set_wakeup_fd` is of interest, which needs a handler."""


def _take_over(stdin: int, output: int) -> None:
    """Standard streams as a Python has them that is started with these, unbuffered."""
    for number, stream in enumerate((stdin, output, output)):
        os.dup2(stream, number)
    sys.stdin = io.TextIOWrapper(io.BufferedReader(io.FileIO(0, closefd=False)))
    sys.stdout, sys.stderr = (
        io.TextIOWrapper(
            io.FileIO(number, "w", closefd=False),
            errors=errors,
            write_through=True,
        )
        for number, errors in ((1, "strict"), (2, "backslashreplace"))
    )


def _reap(statuses: dict[int, int]) -> None:
    """Tell of whoever has ended."""
    while statuses:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        # Who has asked may be gone.
        with contextlib.suppress(BrokenPipeError):
            os.write(statuses[pid], str(status).encode())
        os.close(statuses.pop(pid))


def _main() -> int:
    """Fork until nobody can ask any more; in a fork, run what was asked for."""
    # All that a program imports when it runs, once.
    importlib.import_module("bridge.cli.main")
    importlib.import_module("bridge.config.exposure")
    importlib.import_module("bridge.daemon.app")
    # What that has run is kept once, not with each fork; nor does one look for garbage in it.
    if (measured := coverage.Coverage.current()) is not None:
        measured.save()
    gc.collect()
    gc.freeze()
    asked = _serve(socket.socket(fileno=int(sys.argv[1])))
    if asked is None:
        os._exit(0)  # it has run nothing that coverage is to keep
    module, arguments = asked
    sys.argv = [module, *arguments]
    if module == "bridge":
        gc.unfreeze()  # it does so itself once it is online
        bridge_main()  # exits
    return simulator_main()


if __name__ == "__main__":
    sys.exit(_main())
