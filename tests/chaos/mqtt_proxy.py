"""Between the daemon and the broker: cuts, holds up, splits, and waits for words in the stream.

A trigger looks for bytes on their way to the broker, such as a topic's name, and acts before or
after they have been forwarded: that is how a kill falls between the journal and a publication, or
between a publication and its acknowledgement.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import trio

__all__ = ["TRIGGERS", "MqttProxy", "Trigger"]

TRIGGERS: Final = {
    "kill_before_publish": "kill -9 of the daemon when it publishes `pattern`, which is dropped",
    "kill_after_publish": "kill -9 of the daemon `delay` s after `pattern` reached the broker",
    "cut_before_publish": "the connection ends, what was published is dropped",
    "cut_after_publish": "the connection ends before the broker's acknowledgement can return",
}


@dataclass(frozen=True, slots=True)
class Trigger:
    """What happens when `pattern` next passes on its way to the broker."""

    kind: str
    pattern: bytes
    delay: float = 0.0


@dataclass(slots=True)
class MqttProxy:
    """A TCP proxy for the broker. `kill` acts on the daemon, at once."""

    target: int
    kill: Callable[[str], object]
    happened: Callable[[str], None]
    port: int = 0
    #: Seconds that everything is held up, in both directions.
    delay: float = 0.0
    #: Forward byte by byte.
    split: bool = False
    #: Unix times when a connection ended.
    ended: list[float] = field(default_factory=list)
    _triggers: list[Trigger] = field(default_factory=list)
    _refusing: bool = False
    _silent: trio.Event | None = None
    _connections: list[trio.CancelScope] = field(default_factory=list)

    def arm(self, trigger: Trigger) -> None:
        """Let it happen when the pattern is next seen."""
        self._triggers.append(trigger)

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
        self._triggers.clear()
        self.delay, self.split = 0.0, False
        self.refuse(False)
        self.silence(False)

    async def run(self, *, task_status: trio.TaskStatus[int] = trio.TASK_STATUS_IGNORED) -> None:
        """Listen until cancelled; reports the port."""
        listeners = await trio.open_tcp_listeners(self.port, host="127.0.0.1")
        self.port = listeners[0].socket.getsockname()[1]
        async with trio.open_nursery() as nursery:
            await nursery.start(trio.serve_listeners, self._serve, listeners)
            task_status.started(self.port)

    async def _serve(self, client: trio.SocketStream) -> None:
        async with client:
            if self._refusing:
                return
            try:
                broker = await trio.open_tcp_stream("127.0.0.1", self.target)
            except OSError:
                return
            async with broker:
                try:
                    async with trio.open_nursery() as nursery:
                        scope = nursery.cancel_scope
                        self._connections.append(scope)
                        nursery.start_soon(self._to_broker, client, broker, scope)
                        nursery.start_soon(self._to_daemon, broker, client, scope)
                except* (trio.BrokenResourceError, trio.ClosedResourceError):
                    pass  # one side has gone: the connection is over for both
                finally:
                    self._connections.remove(scope)
                    self.ended.append(time.time())

    async def _to_broker(
        self, client: trio.SocketStream, broker: trio.SocketStream, connection: trio.CancelScope
    ) -> None:
        async for data in client:
            trigger = next((each for each in self._triggers if each.pattern in data), None)
            kind = "" if trigger is None else trigger.kind
            if trigger is not None:
                self._triggers.remove(trigger)
                if not kind.startswith("kill"):
                    self.happened(kind)  # a kill counts where it succeeds
            if kind == "kill_before_publish":
                self.kill(kind)
            if kind in ("kill_before_publish", "cut_before_publish"):
                # What came before the pattern in the same segment has been sent before it.
                break
            await self._forward(broker, data)
            if kind == "cut_after_publish":
                break
            if trigger is not None:
                await trio.sleep(trigger.delay)
                self.kill(kind)
        connection.cancel()

    async def _to_daemon(
        self, broker: trio.SocketStream, client: trio.SocketStream, connection: trio.CancelScope
    ) -> None:
        async for data in broker:
            await self._forward(client, data)
        connection.cancel()

    async def _forward(self, stream: trio.SocketStream, data: bytes | bytearray) -> None:
        if self._silent is not None:
            await self._silent.wait()
        if self.delay:
            await trio.sleep(self.delay)
        if not self.split:
            await stream.send_all(data)
            return
        for byte in data:
            await stream.send_all(bytes([byte]))
