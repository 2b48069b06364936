"""A way to a member of etcd that can be cut in either direction."""

from dataclasses import dataclass, field
from math import inf

import trio

from tests.chaos.tcp_proxy import TcpProxy

__all__ = ["HoldsOne", "Relay"]


@dataclass(kw_only=True)
class Relay(TcpProxy):
    """Passes on what it gets; `answers` more of etcd's, and then none.

    An answer of etcd's to a transaction comes as one piece. One that is held back is waited for in
    vain, or with `cuts` ends the connection. `silence` holds up what is asked.
    """

    answers: float = inf
    cuts: bool = False
    #: An answer was held back.
    withheld: trio.Event = field(default_factory=trio.Event)

    @property
    def endpoint(self) -> str:
        """The URL of the relay."""
        return f"http://127.0.0.1:{self.port}"

    def between(
        self, nursery: trio.Nursery, client: trio.SocketStream, server: trio.SocketStream
    ) -> None:
        """Both directions; what was asked is passed on although its sender has gone."""
        nursery.start_soon(self._ask, client, server)
        nursery.start_soon(self._answer, server, client, nursery.cancel_scope)

    async def _ask(self, client: trio.SocketStream, server: trio.SocketStream) -> None:
        async for data in client:
            await self.may_pass(data)
            await server.send_all(data)

    async def may_pass(self, data: bytes | bytearray) -> None:  # noqa: ARG002 - for who looks into it
        """Return when this, which was asked, may be passed on."""
        await self.while_silent()

    async def _answer(
        self, server: trio.SocketStream, client: trio.SocketStream, both: trio.CancelScope
    ) -> None:
        async for data in server:
            if self.answers > 0:
                self.answers -= 1
                await client.send_all(data)
                continue
            self.withheld.set()
            if self.cuts:
                break
        both.cancel()


@dataclass(kw_only=True)
class HoldsOne(Relay):
    """Once it `holds`, holds up what is asked next, and nothing after it, until it `goes_on`.

    `path`: of what is asked that alone which has it.
    """

    path: str = ""
    holds: bool = False
    held: trio.Event = field(default_factory=trio.Event)
    goes_on: trio.Event = field(default_factory=trio.Event)

    async def may_pass(self, data: bytes | bytearray) -> None:
        """Return when this may be passed on."""
        if self.holds and self.path.encode() in data:
            self.holds = False
            self.held.set()
            await self.goes_on.wait()
