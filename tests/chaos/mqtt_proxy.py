"""Between the daemon and the broker: cuts, holds up, splits, and waits for words in the stream.

A trigger looks for bytes on their way to the broker, such as a topic's name, and acts before or
after they have been forwarded: that is how a kill falls between the journal and a publication, or
between a publication and its acknowledgement.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import trio

from .tcp_proxy import TcpProxy

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


@dataclass(kw_only=True)
class MqttProxy(TcpProxy):
    """A proxy for the broker. `kill` acts on the daemon, at once."""

    kill: Callable[[str], object]
    happened: Callable[[str], None]
    #: Seconds that everything is held up, in both directions.
    delay: float = 0.0
    #: Forward byte by byte.
    split: bool = False
    _triggers: list[Trigger] = field(default_factory=list)

    def arm(self, trigger: Trigger) -> None:
        """Let it happen when the pattern is next seen."""
        self._triggers.append(trigger)

    def calm(self) -> None:
        """Lift everything."""
        self._triggers.clear()
        self.delay, self.split = 0.0, False
        super().calm()

    def between(
        self, nursery: trio.Nursery, client: trio.SocketStream, server: trio.SocketStream
    ) -> None:
        """Bytes both ways; those to the broker are looked through for triggers."""
        nursery.start_soon(self._to_broker, client, server, nursery.cancel_scope)
        nursery.start_soon(self._to_daemon, server, client, nursery.cancel_scope)

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
        await self.while_silent()
        if self.delay:
            await trio.sleep(self.delay)
        if not self.split:
            await stream.send_all(data)
            return
        for byte in data:
            await stream.send_all(bytes([byte]))
