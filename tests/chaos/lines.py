"""Lines out of a stream, each with its line feed."""

from collections.abc import AsyncIterator

import trio

__all__ = ["LineReader"]


class LineReader:
    """Iterates over whole lines; what is left unfinished at the end is dropped."""

    def __init__(self, stream: trio.abc.ReceiveStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        waiting = bytearray()
        async for data in self._stream:
            waiting += data
            while (end := waiting.find(b"\n") + 1) > 0:
                line = bytes(waiting[:end])
                del waiting[:end]
                yield line
