"""Bytes to and from HMP: a TCP stream, and how a connection begins."""

import socket
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import trio

from ..process.tcp import connected_socket
from .command import Command, TimeoutClass
from .failures import connection_lost, not_authorized, not_connected
from .link import LinkSettings
from .protocol import Closed, Protocol, Reply, Unsolicited

__all__ = [
    "Connect",
    "NothingSent",
    "TcpStream",
    "command_timeout",
    "connect_tcp",
    "local_address",
    "open_connection",
]

#: Makes a stream to a host and port; may raise `OSError`.
Connect: TypeAlias = Callable[[str, int], Awaitable[trio.abc.Stream]]

_RECEIVE_SIZE = 65536


class NothingSent(trio.BrokenResourceError):
    """A write failed before its first byte left: the peer has seen nothing of it."""


class TcpStream(trio.abc.Stream):
    """A TCP connection with one system call per write and one per read.

    `trio.SocketStream` tries to read, waits, and reads again; this one waits first, for with one
    command in flight there is never anything to read yet. For the same reason a write always finds
    room, so it only waits when it does not. A write checks first whether the peer has closed:
    a command sent into a closed connection would have an unknown outcome, one not sent has none.
    """

    def __init__(self, connected: socket.socket) -> None:
        """Take over `connected`; raises `OSError` where it no longer is."""
        connected.setblocking(False)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        # Where the platform lets us, find a dead peer within a minute, not within two hours.
        for option, value in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3)):
            if hasattr(socket, option):
                connected.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
        self._socket = connected
        #: this box's address as HMP sees it, unless there is address translation in between
        self.local_address: str = connected.getsockname()[0]

    def fileno(self) -> int:
        """The socket's file descriptor; -1 once closed."""
        return self._socket.fileno()

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Write `data`; raises `NothingSent`, or `trio.BrokenResourceError` after a part of it."""
        await trio.lowlevel.checkpoint_if_cancelled()
        with memoryview(data) as rest:
            sent = self.send_some(rest)
            while sent < len(rest):
                await trio.lowlevel.wait_writable(self._socket)
                try:
                    sent += self._send(rest[sent:])
                except NothingSent as error:
                    if sent:
                        raise trio.BrokenResourceError(str(error)) from error
                    raise

    def send_some(self, data: bytes | memoryview) -> int:
        """Write as much of `data` as needs no waiting; so many bytes. Raises `NothingSent`."""
        if self._ended():
            raise NothingSent("the peer has closed the connection")
        return self._send(data)

    def _send(self, data: bytes | memoryview) -> int:
        try:
            return self._socket.send(data)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise NothingSent(str(error)) from error

    def _ended(self) -> bool:
        """True while the peer's end of stream, or a reset, is there to be read."""
        if self._socket.fileno() < 0:
            raise trio.ClosedResourceError("this stream is closed")
        try:
            return not self._socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True

    async def wait_send_all_might_not_block(self) -> None:
        """Wait until there is room to write."""
        await trio.lowlevel.wait_writable(self._socket)

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """Wait for bytes; ``b""`` at the end of the stream."""
        while True:
            if self._socket.fileno() < 0:
                raise trio.ClosedResourceError("this stream is closed")
            await trio.lowlevel.wait_readable(self._socket)
            try:
                return self._socket.recv(max_bytes or _RECEIVE_SIZE)
            except BlockingIOError:
                continue
            except OSError as error:
                raise trio.BrokenResourceError(str(error)) from error

    def receive_at_once(self) -> bytes:
        """Bytes that have come, ``b""`` at the end of the stream; raises `OSError` else."""
        return self._socket.recv(_RECEIVE_SIZE)

    async def aclose(self) -> None:
        """Close; whoever waits on the stream gets `trio.ClosedResourceError`."""
        if self._socket.fileno() >= 0:
            trio.lowlevel.notify_closing(self._socket)
            self._socket.close()
        await trio.lowlevel.checkpoint()


def command_timeout(settings: LinkSettings, command: Command[Any]) -> float:
    """Seconds that HMP may take for `command` (E44)."""
    match command.timeout:
        case TimeoutClass.QUERY:
            return settings.query_timeout
        case TimeoutClass.MUTATE:
            return settings.command_timeout
        case TimeoutClass.START_STOP:
            return settings.start_timeout


async def connect_tcp(host: str, port: int) -> TcpStream:
    """Connect to whichever of the host's addresses answers first; raises `OSError`."""
    connected = await connected_socket(host, port)
    try:
        return TcpStream(connected)
    except OSError:  # it was reset already
        connected.close()
        raise


def local_address(stream: trio.abc.Stream) -> str | None:
    """This box's address as the peer sees it, where the stream has one."""
    address: str | None = getattr(stream, "local_address", None)
    return address


async def open_connection(
    settings: LinkSettings, connect: Connect
) -> tuple[trio.abc.Stream, Protocol]:
    """A connection on which HMP has not refused us, and has not been asked anything yet.

    HMP greets nobody, but tells boxes that are not on its list so and closes. So this listens for
    `LinkSettings.greeting_wait` before the first command: a command written earlier could be
    answered by a reset that swallows the refusal (E47). Raises `Unusable`.
    """
    try:
        with trio.fail_after(settings.connect_timeout):
            stream = await connect(settings.host, settings.port)
    except trio.TooSlowError:
        raise not_connected(settings, TimeoutError()) from None
    except OSError as error:
        raise not_connected(settings, error) from error
    protocol = Protocol()
    try:
        with trio.move_on_after(settings.greeting_wait):
            await _listen(settings, stream, protocol)
    except BaseException:
        await trio.aclose_forcefully(stream)
        raise
    return stream, protocol


async def _listen(settings: LinkSettings, stream: trio.abc.Stream, protocol: Protocol) -> None:
    """Read until HMP refuses us (`Unusable`); to be cut short when it stays silent."""
    while True:
        try:
            data = await stream.receive_some()
        except trio.BrokenResourceError:
            data = b""
        for event in protocol.receive_data(data):
            match event:
                case Unsolicited():
                    raise not_authorized(settings, local_address(stream))
                case Closed(violation=None):
                    raise not_authorized(settings, local_address(stream), silently=True)
                case Closed(violation=violation):
                    raise connection_lost(f"not an HMP: {violation}")
                case Reply():  # pragma: no cover - nothing was asked
                    raise AssertionError(event)
