"""What the two proxies have in common: connections that can be cut, refused and silenced."""

import time
from abc import ABC, abstractmethod
from dataclasses import dataclass, field

import trio

__all__ = ["TcpProxy"]


@dataclass(kw_only=True)
class TcpProxy(ABC):
    """Listens on `port` (0: any) and connects to `target`, both on this machine."""

    target: int
    port: int = 0
    #: Unix times when a connection ended.
    ended: list[float] = field(default_factory=list)
    _refusing: bool = False
    _silent: trio.Event | None = None
    _connections: list[trio.CancelScope] = field(default_factory=list)

    def cut(self) -> int:
        """End every connection; how many there were."""
        for scope in self._connections:
            scope.cancel()
        return len(self._connections)

    def refuse(self, refusing: bool) -> None:
        """Accept connections and close them at once, or not any more."""
        self._refusing = refusing

    def silence(self, silent: bool) -> None:
        """Forward nothing while every connection stays open, or everything again."""
        if silent and self._silent is None:
            self._silent = trio.Event()
        elif not silent and self._silent is not None:
            self._silent.set()
            self._silent = None

    def calm(self) -> None:
        """Lift everything."""
        self.refuse(False)
        self.silence(False)

    async def while_silent(self) -> None:
        """Return when something may be forwarded."""
        if self._silent is not None:
            await self._silent.wait()

    async def run(self, *, task_status: trio.TaskStatus[int] = trio.TASK_STATUS_IGNORED) -> None:
        """Listen until cancelled; reports the port."""
        listeners = await trio.open_tcp_listeners(self.port, host="127.0.0.1")
        self.port = listeners[0].socket.getsockname()[1]
        async with trio.open_nursery() as nursery:
            await nursery.start(trio.serve_listeners, self._serve, listeners)
            task_status.started(self.port)

    @abstractmethod
    def between(
        self, nursery: trio.Nursery, client: trio.SocketStream, server: trio.SocketStream
    ) -> None:
        """Start the tasks of one connection, of which the first to finish cancels the nursery."""

    async def _serve(self, client: trio.SocketStream) -> None:
        async with client:
            if self._refusing:
                return
            try:
                server = await trio.open_tcp_stream("127.0.0.1", self.target)
            except OSError:
                return
            async with server:
                await self._connected(client, server)

    async def _connected(self, client: trio.SocketStream, server: trio.SocketStream) -> None:
        try:
            async with trio.open_nursery() as nursery:
                self._connections.append(nursery.cancel_scope)
                self.between(nursery, client, server)
        except* (trio.BrokenResourceError, trio.ClosedResourceError):
            pass  # one side has gone: the connection is over for both
        finally:
            self._connections.remove(nursery.cancel_scope)
            self.ended.append(time.time())
