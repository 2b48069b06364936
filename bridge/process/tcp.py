"""The way in which both links reach a TCP port that may have several addresses."""

import socket
from collections.abc import Collection

import trio

__all__ = ["addresses_of", "causes", "connected_socket"]

_NEXT_AFTER = 0.25
"""Seconds that a dead address holds up the next one (RFC 8305)."""


async def connected_socket(host: str, port: int, avoid: Collection[str] = ()) -> socket.socket:
    """A non-blocking socket, connected to whichever of the host's addresses answers first.

    A dead address holds up the next one for a quarter of a second only (RFC 8305). Those to `avoid`
    are left out, unless there is no other. Raises `OSError` whose `causes` tell what went wrong
    with each of them.
    """
    others = [each for each in await addresses_of(host, port) if each not in avoid] if avoid else []
    if others:
        stream = await _first_of(others, port)
    else:
        stream = await trio.open_tcp_stream(host, port)
    # The socket changes hands without being closed: nothing is lost in between.
    return socket.socket(fileno=stream.socket.detach())


async def addresses_of(host: str, port: int) -> list[str]:
    """Every address of a host, in the order in which they are to be tried. Raises `OSError`."""
    found = await trio.socket.getaddrinfo(host, port, type=trio.socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


async def _first_of(addresses: list[str], port: int) -> trio.SocketStream:
    """The connection to the first that answers, the others tried beside it one after another."""
    opened: list[trio.SocketStream] = []
    failures: list[OSError] = []

    async def attempt(address: str, over: trio.Event) -> None:
        try:
            opened.append(await trio.open_tcp_stream(address, port))
            nursery.cancel_scope.cancel()
        except OSError as error:
            failures.append(error)
        over.set()

    async with trio.open_nursery() as nursery:
        for address in addresses:
            over = trio.Event()
            nursery.start_soon(attempt, address, over)
            with trio.move_on_after(_NEXT_AFTER):
                await over.wait()
    if not opened:
        raise OSError(f"all attempts to connect to port {port} failed") from ExceptionGroup(
            "each of the addresses", failures
        )
    for late in opened[1:]:
        late.socket.close()
    return opened[0]


def causes(error: BaseException) -> list[OSError]:
    """`error`, or one per address where a host has several."""
    if isinstance(error.__cause__, BaseExceptionGroup):
        return [cause for cause in error.__cause__.exceptions if isinstance(cause, OSError)]
    return [error] if isinstance(error, OSError) else []
