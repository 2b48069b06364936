"""One command over a connection of its own, for ``hmp-bridge send``."""

from typing import TypeVar

import trio

from .command import Command
from .connection import Connect, NothingSent, command_timeout, connect_tcp, open_connection
from .errors import NotAuthorized, OutcomeUnknown, Refused
from .failures import Unusable, connection_lost
from .link import LinkSettings
from .protocol import Closed, Event, Protocol, Reply, Unsolicited

__all__ = ["send_once"]

T = TypeVar("T")


async def send_once(
    settings: LinkSettings, command: Command[T], connect: Connect = connect_tcp
) -> T:
    """Connect, ask, close.

    Raises what `ServerLink.execute` raises, and `NotAuthorized` where HMP says so. What to do about
    a connection that cannot be used is a note of the exception (`BaseException.add_note`).
    """
    try:
        stream, protocol = await open_connection(settings, connect)
    except Unusable as failure:
        said_so = failure.way == "not authorized"
        raised = NotAuthorized(command=command.name) if said_so else failure
        raised.add_note(failure.what_to_do)
        raise raised from None
    limit = command_timeout(settings, command)
    try:
        with trio.move_on_after(limit):
            event = await _exchange(stream, protocol, command)
            match event:
                case Reply(error=None, result=result):
                    answer: T = result
                    return answer
                case Reply(error=Refused() as error) | Unsolicited(error=error):
                    raise error
                case Closed(violation=violation):
                    reason = str(violation or "HMP closed the connection")
                    raise OutcomeUnknown(command.name, reason)
        raise OutcomeUnknown(command.name, f"no answer came within {limit:g} s")
    finally:
        await trio.aclose_forcefully(stream)


async def _exchange(stream: trio.abc.Stream, protocol: Protocol, command: Command[T]) -> Event:
    try:
        await stream.send_all(protocol.send(command))
    except NothingSent as error:
        raise connection_lost(f"HMP closed the connection: {error}") from error
    except trio.BrokenResourceError:
        return Closed(command)
    while True:
        try:
            data = await stream.receive_some(65536)
        except trio.BrokenResourceError:
            data = b""
        for event in protocol.receive_data(data):
            return event
