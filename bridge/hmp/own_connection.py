"""Commands over a connection of its own, for ``hmp-bridge send`` and ``check --live``."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar

import trio

from .command import Command
from .connection import (
    Connect,
    NothingSent,
    command_timeout,
    connect_tcp,
    local_address,
    open_connection,
)
from .errors import HmpError, NotAuthorized, OutcomeUnknown
from .failures import NOT_AUTHORIZED, Unusable, connection_lost
from .link import LinkSettings
from .protocol import Closed, Event, Protocol, Reply, Unsolicited

__all__ = ["OwnConnection", "connected", "send_once"]

T = TypeVar("T")


class OwnConnection:
    """A connection that takes one command after another; made by `connected` only."""

    def __init__(self, settings: LinkSettings, stream: trio.abc.Stream, protocol: Protocol) -> None:
        self._settings = settings
        self._stream = stream
        self._protocol = protocol

    @property
    def local_address(self) -> str | None:
        """This box's address as HMP sees it."""
        return local_address(self._stream)

    async def ask(self, command: Command[T]) -> T:
        """The answer; raises what `ServerLink.execute` raises.

        Only after an answer or a `Refused` may there be another command.
        """
        limit = command_timeout(self._settings, command)
        with trio.move_on_after(limit):
            match await self._exchange(command):
                case Reply(error=None, result=result):
                    answer: T = result
                    return answer
                case Reply(error=HmpError() as error) | Unsolicited(error=error):
                    raise error
                case Closed(violation=violation):
                    reason = str(violation or "HMP closed the connection")
                    raise OutcomeUnknown(command.name, reason)
        raise OutcomeUnknown(command.name, f"no answer came within {limit:g} s")

    async def _exchange(self, command: Command[T]) -> Event:
        try:
            await self._stream.send_all(self._protocol.send(command))
        except NothingSent as error:
            raise connection_lost(f"HMP closed the connection: {error}") from error
        except trio.BrokenResourceError:
            return Closed()
        while True:
            try:
                data = await self._stream.receive_some()
            except trio.BrokenResourceError:
                data = b""
            for event in self._protocol.receive_data(data):
                return event


@asynccontextmanager
async def connected(
    settings: LinkSettings, connect: Connect = connect_tcp
) -> AsyncIterator[OwnConnection]:
    """A connection for the time of the `async with` body.

    Raises `LinkDown`, and `NotAuthorized` where HMP says so. What to do about a connection that
    cannot be used is a note of the exception (`BaseException.add_note`).
    """
    try:
        stream, protocol = await open_connection(settings, connect)
    except Unusable as failure:
        said_so = failure.way == NOT_AUTHORIZED
        raised = NotAuthorized() if said_so else failure
        raised.add_note(failure.what_to_do)
        raise raised from None
    try:
        yield OwnConnection(settings, stream, protocol)
    finally:
        await trio.aclose_forcefully(stream)


async def send_once(
    settings: LinkSettings, command: Command[T], connect: Connect = connect_tcp
) -> T:
    """Connect, ask, close. Raises what `connected` and `OwnConnection.ask` raise."""
    async with connected(settings, connect) as connection:
        return await connection.ask(command)
