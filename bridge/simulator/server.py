"""The simulated HMP on the network: its listener, its connections, and who may have one.

Everything that changes who may connect takes effect at once and without awaiting, so that whoever
asked for it (a test, the control port) finds it done: the API switched off is a closed listener
(connections are refused), switched on again is the same port.
"""

import socket
from collections.abc import Callable

import trio

from .connection import Connection
from .faults import Fault
from .web_pages import lose_active_recordings
from .wire import SocketWire, Wire, address_of
from .world import World

__all__ = ["Simulator", "serve"]

_BACKLOG = 1024


class Simulator:
    """A world and the connections to it.

    `tell` gets one line of text for each connection, command, fault and change.
    """

    def __init__(self, world: World, tell: Callable[[str], None] | None = None) -> None:
        self.world = world
        self.tell = tell
        self.connections: list[Connection] = []
        self.accepted = 0
        self._listener: trio.socket.SocketType | None = None
        self._address: tuple[socket.AddressFamily, tuple[object, ...]] | None = None
        self._down_until = 0.0
        self._changed = trio.lowlevel.ParkingLot()

    # -- what somebody in HMP's web pages does ---------------------------------------------------

    def switch_api(self, *, enabled: bool) -> None:
        """Switch the Command Line API on or off; takes effect after the knob's `apply_delay`."""
        at = self.world.now() + self.world.knobs.apply_delay
        self.world.access.switch(enabled=enabled, at=at)
        self.apply_changes()

    def list_address(self, address: str, *, allowed: bool) -> None:
        """Authorize an address or no longer, likewise. Raises `ValueError` for a bad address."""
        at = self.world.now() + self.world.knobs.apply_delay
        self.world.access.list_address(address, allowed=allowed, at=at)
        self.apply_changes()

    def restart(self, *, down: float = 0.0, unready: float = 0.0, recordings: str = "keep") -> None:
        """Restart HMP: every connection is lost and, for `down` seconds, refused.

        For `unready` seconds after that every command is answered 070000 (guide, *General
        Errors*). Active `recordings` are kept, forgotten, or in state ERROR (``keep``,
        ``forget``, ``error``). Armed faults and knobs stay.
        """
        self.say(f"restart: down {down:g} s, unready {unready:g} s, recordings: {recordings}")
        if recordings != "keep":
            lose_active_recordings(self.world, forget=recordings == "forget")
        self._down_until = self.world.now() + down
        for connection in list(self.connections):
            connection.drop()
        self.apply_changes()
        if unready > 0:
            self.world.faults.add(Fault("error", value="070000", seconds=down + unready))

    def drop_connections(self) -> int:
        """Close every connection; how many there were."""
        dropped = list(self.connections)
        for connection in dropped:
            connection.drop()
        return len(dropped)

    def apply_changes(self) -> None:
        """Put in effect whatever is due, and have `serve` wait for the rest."""
        world = self.world
        if world.access.apply(world.now()):
            self.say(
                f"API {'on' if world.access.enabled else 'off'}, "
                f"allowed: {', '.join(world.access.listing()) or 'nobody'}"
            )
            if world.knobs.delisted_style != "keep":
                for connection in list(self.connections):
                    if not (world.access.enabled and world.access.permits(connection.address)):
                        connection.drop(world.knobs.delisted_style)
        if self._address is not None:
            self._open_or_close()
        self._changed.unpark_all()

    def say(self, what: str) -> None:
        """Tell whoever watches."""
        if self.tell is not None:
            self.tell(what)

    # -- connections -----------------------------------------------------------------------------

    async def talk(self, wire: Wire, *, address: str, peer: str) -> None:
        """Serve one connection until its end, over whatever wire. The wire is closed then."""
        knobs = self.world.knobs
        excess = 0 < knobs.max_connections <= len(self.connections)
        if excess and knobs.excess_connection == "close_new":
            self.say(f"{peer} one connection too many")
            await wire.close()
            return
        if excess and knobs.excess_connection == "close_old":
            self.connections[0].drop()
            excess = False
        connection = Connection(self.world, wire, address=address, peer=peer, tell=self.tell)
        self.connections.append(connection)
        self.accepted += 1
        self.say(f"{peer} connected")
        try:
            await connection.run(excess=excess)
        finally:
            self.connections.remove(connection)
            self.say(f"{peer} disconnected")

    # -- the listener ----------------------------------------------------------------------------

    def listen_on(self, family: socket.AddressFamily, address: tuple[object, ...]) -> int:
        """Remember where to listen, and do so if the API is on; the port.

        Raises `OSError` when the port is taken, also while the API is off.
        """
        with socket.socket(family, socket.SOCK_STREAM) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(address)
            # Port 0 means any: from here on always the one that it turned out to be.
            host, port, *rest = address[0], trial.getsockname()[1], *address[2:]
        self._address = (family, (host, port, *rest))
        self._open_or_close()
        return int(port)

    def stop_listening(self) -> None:
        """Close the listener for good."""
        self._address = None
        self._open_or_close()

    def _open_or_close(self) -> None:
        world = self.world
        wanted = (
            self._address is not None and world.access.enabled and world.now() >= self._down_until
        )
        if wanted and self._listener is None and self._address is not None:
            family, address = self._address
            listener = socket.socket(family, socket.SOCK_STREAM)
            try:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                listener.bind(address)
                listener.listen(_BACKLOG)
                listener.setblocking(False)
            except OSError:
                listener.close()
                raise
            self._listener = trio.socket.from_stdlib_socket(listener)
        elif not wanted and self._listener is not None:
            self._listener.close()
            self._listener = None

    async def accept_connections(self) -> None:
        """Accept for ever, through every closing and opening of the listener."""
        async with trio.open_nursery() as nursery:
            while True:
                if self._listener is None:
                    await self._changed.park()
                    continue
                try:
                    sock, name = await self._listener.accept()
                except trio.ClosedResourceError:
                    continue
                except OSError as error:
                    # A client that gave up already, or no file descriptors left: both pass.
                    self.say(f"cannot accept: {error}")
                    await trio.sleep(0.1)
                    continue
                peer = f"{name[0]}:{name[1]}"
                nursery.start_soon(self._talk_over_socket, sock, str(name[0]), peer)

    async def _talk_over_socket(
        self, sock: trio.socket.SocketType, address: str, peer: str
    ) -> None:
        await self.talk(SocketWire(sock), address=address, peer=peer)

    async def apply_changes_when_due(self) -> None:
        """Wait for the moment of each pending change, for ever."""
        while True:
            due = self.world.access.next_change()
            now = self.world.now()
            if self._down_until > now:
                due = self._down_until if due is None else min(due, self._down_until)
            with trio.move_on_after(float("inf") if due is None else max(0.0, due - now)):
                await self._changed.park()
                continue
            self.apply_changes()


async def serve(
    simulator: Simulator,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    task_status: trio.TaskStatus[int] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve until cancelled; reports the port through ``nursery.start``.

    Raises `OSError` when the address cannot be listened on.
    """
    bound = simulator.listen_on(*await address_of(host, port))
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(simulator.accept_connections)
            nursery.start_soon(simulator.apply_changes_when_due)
            task_status.started(bound)
    finally:
        simulator.stop_listening()
