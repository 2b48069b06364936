"""Lines out of a stream, each with its line feed."""

import trio

__all__ = ["LineReader"]


class LineReader:
    """Iterates over whole lines; what is left unfinished at the end is dropped."""

    def __init__(self, stream: trio.abc.ReceiveStream) -> None:
        self._stream = stream
        self._waiting = bytearray()

    def __aiter__(self) -> "LineReader":
        return self

    async def __anext__(self) -> bytes:
        while (end := self._waiting.find(b"\n") + 1) == 0:
            data = await self._stream.receive_some()
            if not data:
                raise StopAsyncIteration
            self._waiting += data
        line = bytes(self._waiting[:end])
        del self._waiting[:end]
        return line
