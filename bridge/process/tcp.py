"""The way in which both links reach a TCP port that may have several addresses."""

import socket

import trio

__all__ = ["causes", "connected_socket"]


async def connected_socket(host: str, port: int) -> socket.socket:
    """A non-blocking socket, connected to whichever of the host's addresses answers first.

    A dead address holds up the next one for a quarter of a second only (RFC 8305). Raises `OSError`
    whose `causes` tell what went wrong with each of them.
    """
    stream = await trio.open_tcp_stream(host, port)
    # The socket changes hands without being closed: nothing is lost in between.
    return socket.socket(fileno=stream.socket.detach())


def causes(error: BaseException) -> list[OSError]:
    """`error`, or one per address where a host has several."""
    if isinstance(error.__cause__, BaseExceptionGroup):
        return [cause for cause in error.__cause__.exceptions if isinstance(cause, OSError)]
    return [error] if isinstance(error, OSError) else []
