"""A listener on the line between bridge and HMP: passes everything on, and notes when."""

import socket
import threading
import time
from contextlib import suppress
from typing import NamedTuple

__all__ = ["Tap", "Wire"]


class Wire(NamedTuple):
    """A line on the wire, at `at` seconds of the monotonic clock; `>` to HMP, `<` from it."""

    at: float
    direction: str
    line: str


class Tap:
    """Listens on `port`, connects to `target` for everybody who comes."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._wires: list[Wire] = []
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._sockets: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def close(self) -> None:
        """Hang up, and end the threads."""
        for each in (self._listener, *self._sockets):
            with suppress(OSError):  # the other side has hung up already
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        for thread in self._threads:
            thread.join(5)

    @property
    def wires(self) -> list[Wire]:
        """Everything so far."""
        with self._lock:
            return list(self._wires)

    @property
    def most_in_flight(self) -> int:
        """The most commands that were ever on the way without their answer."""
        level = most = 0
        for wire in self.wires:
            level += 1 if wire.direction == ">" else -1
            most = max(most, level)
        return most

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self._target))
            self._sockets += [near, far]
            for direction, source, sink in ((">", near, far), ("<", far, near)):
                thread = threading.Thread(target=self._pass_on, args=(direction, source, sink))
                self._threads.append(thread)
                thread.start()

    def _pass_on(self, direction: str, source: socket.socket, sink: socket.socket) -> None:
        rest = b""
        while True:
            try:
                data = source.recv(65536)
            except OSError:
                data = b""
            *lines, rest = (rest + data).split(b"\n")
            with self._lock:  # noted before it is passed on, so that an answer never comes first
                now = time.monotonic()
                self._wires += [Wire(now, direction, line.decode()) for line in lines]
            try:
                sink.sendall(data) if data else sink.shutdown(socket.SHUT_WR)
            except OSError:
                return
            if not data:
                return
