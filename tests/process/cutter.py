"""A line to the broker that ends at the very packet a test waits for."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress

__all__ = ["Cutter"]


class Cutter:
    """Listens on `port` and passes everything on to `target`, until what was armed is seen."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._armed: tuple[bytes, Callable[[], None]] | None = None
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._sockets: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def arm(self, pattern: bytes, act: Callable[[], None]) -> None:
        """When these bytes come on their way to the broker: call `act`, drop them, hang up."""
        self._armed = (pattern, act)

    def close(self) -> None:
        """Hang up, and end the threads."""
        for each in (self._listener, *self._sockets):
            with suppress(OSError):  # the other side has hung up already
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self._target))
            self._sockets += [near, far]
            for source, sink, watched in ((near, far, True), (far, near, False)):
                thread = threading.Thread(target=self._pass_on, args=(source, sink, watched))
                self._threads.append(thread)
                thread.start()

    def _pass_on(self, source: socket.socket, sink: socket.socket, watched: bool) -> None:
        while True:
            try:
                data = source.recv(65536)
            except OSError:
                data = b""
            if watched and self._armed is not None and self._armed[0] in data:
                (_, act), self._armed = self._armed, None
                act()
                data = b""
            try:
                sink.sendall(data) if data else sink.shutdown(socket.SHUT_RDWR)
            except OSError:
                return
            if not data:
                return
