"""Listening: connections are taken, counted, and handed to anycorn, under a nursery of ours.

Of anycorn it is the server of one connection that is used: its own loop over connections ends with
the first `EMFILE`, and its shutdown waits for peers that take nothing.
"""

import select
import ssl
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import anyio
import structlog
import trio
from anycorn import Config
from anycorn.app_wrappers import ASGIWrapper
from anycorn.events import Closed, Event, RawData, Updated
from anycorn.tcp_server import TCPServer
from anycorn.worker_context import WorkerContext
from anyio.abc import ByteStream
from anyio.streams.tls import TLSStream
from starlette.types import ASGIApp

from ..logs.internal_error import report_internal_error
from ..process.progress import Unserved
from ..tls.certificate import not_after
from ..tls.files import seen
from .connection import DIRECTLY, Connection
from .guesses import network

__all__ = ["Listener"]

log = structlog.get_logger("web")

_MOST_OF_ONE = 500
"""Of one address: a building may well come by one, and nobody is to take all there are."""

_IDLE = 75.0
"""Seconds that a connection may be silent between two requests: longer than scrapes are apart."""

_LONGEST_HEAD = 16 * 1024
"""Bytes of a request line and its headers."""

_HANDSHAKE = 10.0
"""Seconds for TLS to be agreed on."""

_LOOK_EVERY = 5.0
"""Seconds between two looks at the files of the certificate."""

_FAREWELL = 2.0
"""Seconds that answers under way may take when the bridge is stopped."""

_BUSY = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n"
    b"Retry-After: 10\r\n\r\n"
)


@dataclass(frozen=True, slots=True)
class _Named:
    """How an address is said in the log."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


_LEFT = (
    *(anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.EndOfStream),
    *(ssl.SSLError, trio.TooSlowError),
)


class Listener:
    """Serves an application at one address; `what` is served there, `key` is where it is set.

    `pair` are the files of a certificate and its key, for TLS. `leaving` has the application end
    what would go on for ever. `spare` says how many connections there may be, `most_of_one` of one
    address. `farewell` is how many seconds answers under way have at the end.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        what: str,
        key: str,
        pair: tuple[str, str | None] | None = None,
        leaving: Callable[[], None] = lambda: None,
        spare: Callable[[], int] = lambda: sys.maxsize,
        most_of_one: int = _MOST_OF_ONE,
        farewell: float = _FAREWELL,
    ) -> None:
        self._app = ASGIWrapper(app)  # type: ignore[arg-type]
        self._what = what
        self._key = key
        self._pair = pair
        self._tls: ssl.SSLContext | None = None
        self._used: object = None  # how the files looked that were read last
        #: Seconds since the epoch at which the certificate in use ends; None for plain HTTP.
        self.ends_at: float | None = None
        self._leaving = leaving
        self._spare = spare
        self._most_of_one = most_of_one
        self._farewell = farewell
        self._config = Config()
        self._config.errorlog = None  # what fails within the application is said by the gate
        self._config.include_server_header = False
        self._config.h11_max_incomplete_size = _LONGEST_HEAD
        self._config.keep_alive_timeout = _IDLE
        self._context = WorkerContext(None)
        self._open: dict[Connection, str] = {}
        self._of: Counter[str] = Counter()
        self._ended = trio.lowlevel.ParkingLot()
        self._listening: Sequence[trio.SocketListener] = ()
        self._untaken, self._taken_last = Unserved(), object()

    async def serve(self, host: str, port: int, *, again_in: float = 5.0) -> None:
        """Serve until cancelled; answers under way then have a moment to be taken.

        An address that cannot be listened on is said once and tried every `again_in` seconds: rooms
        do not depend on it.
        """
        self._listening = listeners = await self._listeners(host, port, again_in)
        for listener in listeners:
            address = _Named(*listener.socket.getsockname()[:2])
            scheme = "http" if self._tls is None else "https"
            log.info(f"{self._what} served", address=str(address), url=f"{scheme}://{address}/")
        async with trio.open_nursery() as nursery:
            if self._pair is not None:
                nursery.start_soon(self._keep_renewed, self._pair)
            connections = await nursery.start(_kept)
            try:
                await trio.serve_listeners(self._talk, listeners, handler_nursery=connections)
            finally:
                self._listening = ()
                with trio.CancelScope(shield=True):
                    await self._leave()
                connections.cancel_scope.cancel()

    @property
    def due_at(self) -> float:
        """By when a connection that waits was to be taken, as `Progress` has it."""
        waits = any(_waits_to_be_taken(each) for each in self._listening)
        return self._untaken.seen(self._taken_last if waits else None)

    @property
    def connections(self) -> int:
        """Those that there are."""
        return len(self._open)

    async def ended(self) -> None:
        """Wait until one more has ended."""
        await self._ended.park()

    def renew(self) -> None:
        """Read the certificate again, for connections to come; those that are open go on."""
        if self._pair is None or self._tls is None:
            return
        try:
            self._read(self._pair)
        except OSError as error:
            log.error(  # noqa: TRY400 - the place in OpenSSL tells nobody anything
                "the certificate cannot be read again, the one before stays",
                error=str(error),
                what_to_do=f"correct the files {', '.join(filter(None, self._pair))}",
            )

    def _read(self, pair: tuple[str, str | None]) -> None:
        self._used = _looks(pair)
        # One of its own: a context that a key was not fit for is of no use with any other.
        self._tls, self.ends_at = _server_tls(*pair), _end(pair[0])

    async def _keep_renewed(self, pair: tuple[str, str | None]) -> None:
        """Renew it when other files have stood still between two looks (as those of R30)."""
        thread = trio.CapacityLimiter(1)  # its own: a file system that hangs holds up nothing else
        look = partial(trio.to_thread.run_sync, _looks, pair, abandon_on_cancel=True)
        before = self._used
        while True:
            await trio.sleep(_LOOK_EVERY)
            now = await look(limiter=thread)
            if now == before != self._used:
                self.renew()
            before = now

    async def _listeners(self, host: str, port: int, again_in: float) -> list[trio.SocketListener]:
        said = False
        while True:
            try:
                if self._pair is not None:
                    self._read(self._pair)
                return await trio.open_tcp_listeners(port, host=host or None)
            except OSError as error:
                if not said:
                    log.error(  # noqa: TRY400 - the place in Trio tells nobody anything
                        f"{self._what} not served",
                        address=str(_Named(host, port)),
                        error=error.strerror or str(error),
                        what_to_do=f"set {self._key} to an address of this box that is free, and "
                        "its certificate to one that can be read; tried again until then",
                    )
                    said = True
                await trio.sleep(again_in)

    async def _leave(self) -> None:
        """Nobody is served any more; who takes nothing is not waited for."""
        self._leaving()
        await self._context.terminated.set()
        with trio.move_on_after(self._farewell):
            while self._open:
                await self.ended()
        for connection in self._open:
            connection.end()

    async def _talk(self, stream: trio.SocketStream) -> None:
        """One connection, to its end."""
        self._taken_last = connection = Connection(stream)
        try:
            address = network(stream.socket.getpeername()[0])
        except OSError:
            await trio.aclose_forcefully(stream)
            return
        self._open[connection] = address
        self._of[address] += 1
        try:
            if len(self._open) > self._spare() or self._of[address] > self._most_of_one:
                await self._turn_away(connection)
            else:
                await self._answer(connection)
        finally:
            del self._open[connection]
            self._of[address] -= 1
            if not self._of[address]:
                del self._of[address]
            connection.end()
            self._ended.unpark_all()

    async def _turn_away(self, connection: Connection) -> None:
        if self._tls is None:
            with trio.move_on_after(1.0):
                with suppress(anyio.BrokenResourceError):
                    await connection.send(_BUSY)

    async def _answer(self, connection: Connection) -> None:
        stream: ByteStream = connection
        try:
            if self._tls is not None:
                with trio.fail_after(_HANDSHAKE):
                    stream = await TLSStream.wrap(
                        connection,
                        server_side=True,
                        ssl_context=self._tls,
                        standard_compatible=False,  # no peer is waited for at the end
                    )
            plain = {DIRECTLY: connection} if self._tls is None else {}
            server = _Server(self._app, self._config, self._context, plain, stream)  # type: ignore[arg-type]
            await server.run()
        except _LEFT:
            pass  # the peer has left, or speaks no TLS; or we have, and waited for it no longer
        except Exception as error:  # noqa: BLE001 - what a stranger sends ends his connection alone
            report_internal_error(error, "a connection was closed over it; all else goes on")


class _Server(TCPServer):
    """Anycorn's server of a connection, which stays with HTTP/1.1, and ends when its peer leaves.

    A peer may change to HTTP/2 by its preface or by an upgrade, and of a connection that then asks
    for nothing anycorn makes no end. The gate refuses what calls itself HTTP/2. Of one whose peer
    left before its answer, it makes an end once that has been idle for as long as any may be.
    """

    _left = False

    async def _read_data(self) -> None:
        self.protocol.protocol._check_protocol = _unchanged  # type: ignore[union-attr,method-assign] # noqa: SLF001
        with suppress(anyio.ClosedResourceError, anyio.BrokenResourceError, anyio.EndOfStream):
            while True:
                await self.protocol.handle(RawData(await self.stream.receive()))
        self._left = True
        await self.protocol.handle(Closed())
        await self.idle_task.stop()

    async def protocol_send(self, event: Event) -> None:
        if self._left and isinstance(event, Updated) and event.idle:
            event = Closed()
        await super().protocol_send(event)


async def _unchanged(_: object) -> None:
    pass


async def _kept(task_status: trio.TaskStatus[trio.Nursery]) -> None:
    """Hold a nursery that is cancelled by nobody but whoever was given it."""
    async with trio.open_nursery() as nursery:
        nursery.cancel_scope.shield = True
        task_status.started(nursery)
        await trio.sleep_forever()


def _waits_to_be_taken(listener: trio.SocketListener) -> bool:
    poll = select.poll()
    poll.register(listener.socket.fileno(), select.POLLIN)
    return bool(poll.poll(0))


def _looks(pair: tuple[str, str | None]) -> object:
    return [seen(path) for path in pair if path is not None]


def _end(cert: str) -> float | None:
    return not_after(Path(cert).read_bytes())


def _server_tls(cert: str, key: str | None) -> ssl.SSLContext:
    """TLS with this certificate and its key."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key)
    context.set_alpn_protocols(["http/1.1"])
    return context
