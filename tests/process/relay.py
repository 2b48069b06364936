"""A line to a broker or an HMP that a test can look into, and cut."""

import socket
import threading
from abc import ABC, abstractmethod
from contextlib import suppress

from .watched import PATIENCE

__all__ = ["Relay"]


class Relay(ABC):
    """Listens on `port`, connects to `target` for everybody who comes, passes everything on."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._sockets: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def close(self) -> None:
        """Hang up, and end the threads."""
        self._hang_up(self._listener)
        self._threads[0].join(PATIENCE)  # whoever has come by now is among the sockets
        self.hang_up_all()
        for thread in self._threads:
            thread.join(PATIENCE)

    def hang_up_all(self) -> None:
        """End every connection that there is; others may come."""
        sockets, self._sockets = self._sockets, []
        for each in sockets:
            self._hang_up(each)

    def _hang_up(self, end: socket.socket) -> None:
        with suppress(OSError):  # the other side has hung up already
            end.shutdown(socket.SHUT_RDWR)
        end.close()

    @abstractmethod
    def passing(self, direction: str, data: bytes) -> bytes:
        """What is passed on of `data`; nothing: the line ends. `>` is to the target, `<` from it.

        Called by a thread of each direction.
        """

    def ending(self) -> None:  # noqa: B027 - most have nothing to do about it
        """Called by a thread of a direction, whose end is passed on as soon as this returns."""

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(("127.0.0.1", self._target))
            except OSError:  # nobody is there: whoever calls is hung up on
                near.close()
                continue
            self._sockets += [near, far]
            for direction, source, sink in ((">", near, far), ("<", far, near)):
                thread = threading.Thread(target=self._pass_on, args=(direction, source, sink))
                self._threads.append(thread)
                thread.start()

    def _pass_on(self, direction: str, source: socket.socket, sink: socket.socket) -> None:
        while True:
            try:
                data = source.recv(65536)
            except OSError:
                data = b""
            data = self.passing(direction, data) if data else b""
            if not data:
                self.ending()
            try:
                sink.sendall(data) if data else sink.shutdown(socket.SHUT_RDWR)
            except OSError:
                return
            if not data:
                return
