"""A peer behind a proxy, for the proxies' own tests: an HMP that answers what it is told to."""

from dataclasses import dataclass, field

import trio

from .lines import LineReader

__all__ = ["EchoServer"]


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
