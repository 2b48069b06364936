"""paho's event loop on Trio: three tasks that drive one connected client.

- One client per connection, never reused, so that nothing of a dead connection is published
  on the next one.
- What is queued within one turn of Trio's loop, and by those whom it wakes, is written by one
  `send`: seldom is there one packet alone to write. What is queued `together` is written with it at
  once. A failed write raises nothing into its caller: paho closes the socket, and the reader, woken
  by that, ends the loop with the reason.
- Nothing is written from within a callback: paho holds a lock there, which it takes again, and
  never gets, when the write fails.
- The tasks are shielded from cancellation until `stop`, so that whoever uses the connection can
  still say good-bye when it is cancelled.
"""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import trio
from paho.mqtt.client import Client, DisconnectFlags
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from ..process.progress import Progress
from .failures import BrokerFailure, FailureKind, from_broken, from_disconnect
from .paho_client import PahoClient

__all__ = ["PahoLoop"]

# Linux only; the option wears off, so it is set again after every read.
_QUICKACK: int | None = getattr(socket, "TCP_QUICKACK", None)


class PahoLoop:
    """Reads, writes and pings for a client whose connect has returned.

    `overdue` is asked once a second whether the broker has failed us in another way.
    """

    def __init__(
        self, client: PahoClient, overdue: Callable[[], BrokerFailure | None] = lambda: None
    ) -> None:
        self.client = client
        self.failure: BrokerFailure | None = None
        #: Of the task that ends a connection on which the broker leaves us waiting.
        self.progress = Progress()
        self._overdue = overdue
        self._tasks = trio.CancelScope(shield=True)
        self._to_write = trio.Event()
        self._held = False
        self._drained = trio.lowlevel.ParkingLot()
        self._leaving = False
        # Attached only now: earlier, paho would call them in the thread that connects.
        client.on_socket_close = _wake_waiters
        # Its presence keeps paho from writing by itself.
        client.on_socket_register_write = self._have_written
        client.on_disconnect = self._on_disconnect
        if client.want_write():
            self._to_write.set()

    @property
    def alive(self) -> bool:
        """True while the transport is open."""
        return self.client.socket() is not None

    def check(self) -> None:
        """Raise what ended the connection, if it has ended."""
        if not self.alive:
            raise self.failure or BrokerFailure(FailureKind.LOST, "the connection is closed")

    async def run(self) -> None:
        """Until the connection ends, or `stop`. Raises `BrokerFailure` unless we ended it."""
        try:
            with self._tasks:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._write)
                    nursery.start_soon(self._keep_alive)
                    await self._read()
                    nursery.cancel_scope.cancel()
        finally:
            self.progress.waits()
            self.release()
        if self.failure is not None:
            raise self.failure

    def give_up(self, failure: BrokerFailure) -> None:
        """End the connection for a reason that the broker does not know of."""
        if self.failure is None:
            self.failure = failure
            self._tasks.cancel()

    def hang_up(self, failure: BrokerFailure) -> None:
        """The same at once: what is queued is not written any more."""
        self.give_up(failure)
        if (sock := self.client.socket()) is not None:
            trio.lowlevel.notify_closing(sock)
        self.client.hang_up()

    def stop(self) -> None:
        """End the tasks; the socket is closed without a word."""
        self._tasks.cancel()

    def release(self) -> None:
        """Close the socket, and keep the client's destructor from calling into Trio."""
        client = self.client
        if (sock := client.socket()) is not None:
            trio.lowlevel.notify_closing(sock)
        client.on_socket_close = None
        client.on_disconnect = None
        # What was queued in this very turn.
        client.loop_write()
        client.on_socket_register_write = None
        # On a closed socket paho discovers the end of the connection for itself, and forgets it.
        client.hang_up()
        client.loop_read()
        self._drained.unpark_all()

    @contextmanager
    def together(self) -> Iterator[None]:
        """Write what is queued within, and all before it, by one `send`; not for callbacks."""
        self._held = True
        try:
            yield
        finally:
            self._held = False
            self.client.loop_write()
            if self.client.want_write():
                self._to_write.set()

    async def drained(self) -> None:
        """Wait until everything queued has been handed to the socket, or it is closed."""
        while self.alive and self.client.want_write():
            await self._drained.park()

    async def disconnect(self) -> None:
        """Send DISCONNECT, so that the broker does not publish the will."""
        self._leaving = True
        self.client.disconnect()
        await self.drained()

    async def _read(self) -> None:
        client = self.client
        while (sock := client.socket()) is not None:
            try:
                await trio.lowlevel.wait_readable(sock)
            except trio.ClosedResourceError:
                break
            client.loop_read()
            # TLS hands over a whole record at a time, and what is left of it, or of what the client
            # has received, wakes nobody.
            pending = getattr(sock, "pending", int)
            while client.socket() is sock and (client.has_received or pending()):
                await trio.lowlevel.checkpoint()
                client.loop_read()
            if client.socket() is sock:
                _quick_acknowledgement(client)

    async def _write(self) -> None:
        client = self.client
        while True:
            await self._to_write.wait()
            await trio.lowlevel.checkpoint()  # who was woken with this may have more to say
            self._to_write = trio.Event()
            client.loop_write()
            while client.want_write() and (sock := client.socket()) is not None:
                try:
                    await trio.lowlevel.wait_writable(sock)
                except trio.ClosedResourceError:
                    return
                client.loop_write()
            self._drained.unpark_all()

    async def _keep_alive(self) -> None:
        try:
            # paho's keepalive runs on time.monotonic, whatever clock Trio has.
            while self.alive:
                await self.progress.rest(trio.current_time() + 1.0)
                self.client.loop_misc()
                if (failure := self._overdue()) is not None:
                    self.give_up(failure)
        finally:
            self.progress.within(0.0)  # the others end too, and `run` with them

    def _have_written(self, _client: Client, _userdata: object, _sock: object) -> None:
        if not self._held:
            self._to_write.set()

    def _on_disconnect(
        self,
        _client: Client,
        _userdata: object,
        flags: DisconnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        # Called twice when the keepalive is lost; the first reason is the right one.
        if self.failure is None and not self._leaving:
            self.failure = from_broken(self.client.unread) or from_disconnect(
                reason, from_broker=flags.is_disconnect_packet_from_server
            )


def _wake_waiters(_client: Client, _userdata: object, sock: object) -> None:
    trio.lowlevel.notify_closing(sock)  # type: ignore[arg-type]


def _quick_acknowledgement(client: PahoClient) -> None:
    """Have the kernel acknowledge at once what was just read.

    A broker with Nagle's algorithm on (mosquitto's default) waits for that before its next small
    packet.
    """
    if _QUICKACK is not None and client.transport_socket is not None:
        client.transport_socket.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)
