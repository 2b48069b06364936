"""The body of a request to etcd, for httpx; loaded where there is an etcd."""

from collections.abc import AsyncIterator

import httpx

__all__ = ["Body"]


class Body(httpx.AsyncByteStream):
    """All of it in one piece.

    httpx's own is an asynchronous generator, which a request that fails leaves unfinished; Trio
    complains of every one of them.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        data, self._data = self._data, b""
        if not data:
            raise StopAsyncIteration
        return data
