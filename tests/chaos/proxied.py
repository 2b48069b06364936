"""A proxy between a client and a peer, for the proxies' own tests."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import trio

from tests.process.watched import PATIENCE

from .lines import LineReader
from .tcp_proxy import TcpProxy

__all__ = ["Bench", "EchoServer", "running"]

P = TypeVar("P", bound=TcpProxy)


@dataclass(slots=True)
class EchoServer:
    """Answers every line with ``OK|<line>``; `seen` are the lines, `port` where it listens.

    `hold` keeps answers back until it is set.
    """

    port: int = 0
    seen: list[bytes] = field(default_factory=list)
    hold: trio.Event | None = None
    changed: trio.Event = field(default_factory=trio.Event)

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Serve until cancelled."""
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
        self.port = listeners[0].socket.getsockname()[1]
        async with trio.open_nursery() as nursery:
            await nursery.start(trio.serve_listeners, self._serve, listeners)
            task_status.started()

    async def _serve(self, stream: trio.SocketStream) -> None:
        try:
            async with stream:
                async for line in LineReader(stream):
                    self.seen.append(line)
                    self.changed.set()
                    self.changed = trio.Event()
                    if self.hold is not None:
                        await self.hold.wait()
                    await stream.send_all(b"OK|" + line)
        except trio.BrokenResourceError:
            pass  # the proxy has cut the connection


@dataclass
class Bench(Generic[P]):
    """A proxy before a peer that answers lines; `done` is what was done to the daemon."""

    server: EchoServer = field(default_factory=EchoServer)
    done: list[str] = field(default_factory=list)
    killed: trio.Event = field(default_factory=trio.Event)
    proxy: P = field(init=False)

    def kill(self, kind: str) -> None:
        """What the proxy takes for a kill of the daemon."""
        self.done.append(kind)
        self.killed.set()

    async def connect(self) -> trio.SocketStream:
        """A client of the proxy."""
        return await trio.open_tcp_stream("127.0.0.1", self.proxy.port)

    async def ask(self, stream: trio.SocketStream, line: bytes) -> bytes:
        """Everything until a line feed or the end; empty when the connection was reset."""
        await stream.send_all(line)
        answer = b""
        try:
            while not answer.endswith(b"\n") and (data := await stream.receive_some()):
                answer += data
        except trio.BrokenResourceError:
            pass
        return answer


@asynccontextmanager
async def running(make: Callable[[Bench[P]], P]) -> AsyncIterator[Bench[P]]:
    """A bench with the proxy that `make` puts before its server."""
    bench: Bench[P] = Bench()
    with trio.fail_after(PATIENCE):
        async with trio.open_nursery() as nursery:
            await nursery.start(bench.server.run)
            bench.proxy = make(bench)
            await nursery.start(bench.proxy.run)
            yield bench
            nursery.cancel_scope.cancel()
