"""The bytes of one connection: written at once, for with one command in flight there is room."""

from collections.abc import Callable
from contextlib import suppress

import trio

from .connection import NothingSent, TcpStream

__all__ = ["Wire"]


class Wire:
    """Writes one command at a time to `stream`, and reads what comes.

    `failed` hears why one could not be written whole, and whether HMP has seen nothing of it.
    """

    def __init__(self, stream: trio.abc.Stream, failed: Callable[[str, bool], None]) -> None:
        self._stream = stream
        self._failed = failed
        # What the socket did not take at once, and whether it took a part.
        self._rest = b""
        self._begun = False
        self._wake = trio.Event()

    def write(self, data: bytes) -> None:
        """Write `data`; what would have to be waited for is left to `run`."""
        sent, self._begun = 0, False
        if isinstance(self._stream, TcpStream):
            try:
                sent = self._stream.send_some(data)
            except NothingSent as error:
                self._failed(str(error), True)
                return
        self._begun, self._rest = sent > 0, data[sent:]
        if self._rest:
            self._wake.set()

    async def run(self) -> None:
        """Write what must be waited for, until cancelled."""
        while True:
            await self._wake.wait()
            self._wake = trio.Event()
            try:
                await self._stream.send_all(self._rest)
            except trio.BrokenResourceError as error:
                self._failed(str(error), isinstance(error, NothingSent) and not self._begun)

    async def read(self) -> tuple[bytes | bytearray, str]:
        """Wait for bytes; none, and the reason, where the connection has ended."""
        try:
            return await self._stream.receive_some(), "HMP closed the connection"
        except trio.BrokenResourceError as error:
            return b"", f"the connection broke: {error}"

    def arrived(self) -> bytes:
        """Bytes that are there to be read; of the end of the connection `read` tells."""
        if isinstance(self._stream, TcpStream):
            with suppress(OSError):
                return self._stream.receive_at_once()
        return b""
