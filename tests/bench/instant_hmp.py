"""``python -m tests.bench.instant_hmp``: an HMP that answers at once, or after a fixed time.

So that what is measured is the bridge and not the HMP: it knows no errors and no sessions, only
which recordings run. One thread per connection, blocking sockets, one system call each way. Two
words of its own, for the benchmark: ``delay SECONDS`` sets how long an answer takes from now on,
``log`` answers with a JSON array of ``[received, answered, command]`` (monotonic seconds) of every
command since the last ``log``.
"""

import argparse
import json
import os
import socket
import threading
import time
import uuid
from contextlib import suppress

__all__ = ["InstantHmp", "main"]

_OVERSLEPT = 0.0003


class InstantHmp:
    """What all connections share."""

    def __init__(self, delay: float = 0.0) -> None:
        self.delay = delay
        self._recordings: dict[str, str] = {}
        self._log: list[tuple[float, float, str]] = []

    def answer(self, line: str) -> str:
        """The answer to one line, delay and log left out."""
        command, _, rest = line.partition(" ")
        argument = rest.partition(" ")[0].strip('"')
        match command:
            case "startRecording":
                recording = str(uuid.uuid4())
                self._recordings[recording] = "RECORDING"
                return f"OK|{recording}"
            case "pauseRecording":
                self._recordings[argument] = "PAUSED"
            case "resumeRecording":
                self._recordings[argument] = "RECORDING"
            case "stopRecording":
                self._recordings[argument] = "FINISHED"
            case "getRecordingStatus":
                status = self._recordings.get(argument)
                return f"OK|{status}" if status else "ERROR|040001|Active recording not found"
            case "delay":
                self.delay = float(argument)
            case "log":
                log, self._log = self._log, []
                return json.dumps(log)
        return "OK"

    def serve(self, connection: socket.socket) -> None:
        """One connection, to its end."""
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        rest = b""
        while data := connection.recv(65536):
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                self._exchange(connection, line.decode())
        connection.close()

    def _exchange(self, connection: socket.socket, line: str) -> None:
        received = time.monotonic()
        own = line == "log" or line.startswith("delay ")
        if self.delay and not own:
            _sleep_until(received + self.delay)
        answer = self.answer(line)
        if not own:
            self._log.append((received, time.monotonic(), line.partition(" ")[0]))
        connection.sendall(f"{answer}\n".encode())


def _sleep_until(moment: float) -> None:
    """To the microsecond: the kernel wakes a sleeper late, and a thousand times late is late."""
    if (early := moment - _OVERSLEPT - time.monotonic()) > 0:
        time.sleep(early)
    while time.monotonic() < moment:
        pass


def main() -> None:
    """Listen on any free port, say which, and serve until killed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--delay", type=float, default=0.0, help="seconds per answer")
    hmp = InstantHmp(parser.parse_args().delay)
    with suppress(PermissionError):  # a device of its own waits for no broker that shares its core
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(f"listening on 127.0.0.1:{listener.getsockname()[1]}", flush=True)
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=hmp.serve, args=(connection,), daemon=True).start()


if __name__ == "__main__":
    main()
