"""The daemon at work: in which order its parts start and stop.

::

    broker layer   the broker link
      server layer   one link per server
        room layer     one worker per room, the dispatcher, the bridge's report of itself

Each layer's nursery holds its links beside the next layer, so that a lost link ends nothing but its
own tasks. A signal cancels the innermost layer first: rooms settle while both links still work,
then the server links close, then `offline` is published and the broker link closes (R24).
"""

import structlog
import trio

from .. import __version__
from ..config.configuration import Configuration
from ..journal.journal import Journal
from ..logs.log import tell_repeats
from ..process.name_service import name_service
from ..process.signals import reload_on_signal, stop_on_signal
from ..process.systemd import notify, say_ready
from .owned import Name
from .parts import Parts
from .reload import Load
from .rivals import ForeignBridge

__all__ = ["Bridge", "ForeignBridge", "run_bridge"]

log = structlog.get_logger("bridge")


class Bridge:
    """Runs the parts of one process."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._stopping = trio.Event()

    async def run(self) -> None:
        """Run until `stop`, then leave in order (R24)."""
        parts = self._parts
        there = Name.all_of(rooms=parts.rooms, servers=parts.links)
        await parts.home_assistant.expect(parts.configuration)
        parts.manifest.hand_over(there)
        # First: Home Assistant is not to see a device's topics emptied before the device is gone.
        parts.home_assistant.show(parts.configuration)
        parts.manifest.sweep(there)
        await parts.manifest.expect(there)
        async with trio.open_nursery() as broker_layer:
            broker_layer.start_soon(parts.broker.run)
            broker_layer.start_soon(parts.watchdog.run)  # leaving in order takes its time too
            if parts.web is not None:
                broker_layer.start_soon(parts.web.run)
            async with trio.open_nursery() as server_layer:
                parts.site.run_servers(server_layer)
                async with trio.open_nursery() as room_layer:
                    self._run_rooms(room_layer)
                    await self._stopping.wait()
                    parts.callers.leave()
                    room_layer.cancel_scope.cancel()
                server_layer.cancel_scope.cancel()
            broker_layer.cancel_scope.cancel()
        # The broker has answered for the last results: the next start must not give them again.
        async with trio.open_nursery() as nursery:
            nursery.start_soon(parts.api.commands.tidy)
            for room in parts.rooms.values():
                nursery.start_soon(room.tidy)

    def _run_rooms(self, layer: trio.Nursery) -> None:
        parts = self._parts
        parts.site.run_rooms(layer)
        layer.start_soon(parts.api.run)
        layer.start_soon(parts.dispatcher.run)
        layer.start_soon(parts.self_report.run)
        layer.start_soon(say_ready, parts.self_report.ready)
        layer.start_soon(parts.clock.keep_asking)
        layer.start_soon(parts.contact.keep_up)
        layer.start_soon(parts.manifest.run)
        layer.start_soon(parts.home_assistant.run)
        layer.start_soon(parts.rivals.leave_to_an_earlier_one)
        layer.start_soon(tell_repeats, parts.telling_repeats.rest)
        if parts.reloader is not None:
            layer.start_soon(parts.reloader.run)

    def stop(self) -> None:
        """Have the process end: `leave`, and say so to systemd."""
        notify("STOPPING=1", "STATUS=leaving; recordings run on")
        self.leave()

    def leave(self) -> None:
        """Let `run` end: finish what is under way, leave recordings running, say `offline`."""
        self._stopping.set()

    def reload(self) -> None:
        """Have the configuration read again, where that is possible."""
        if self._parts.reloader is not None:
            self._parts.reloader.ask()


async def run_bridge(
    configuration: Configuration, instance_id: str, journal: Journal, load: Load
) -> None:
    """Run the daemon until SIGTERM or SIGINT; a second one ends the process at once.

    SIGHUP has it reload what `load` reads. Raises `ForeignBridge`, in an exception group.
    """
    parts = Parts(configuration, instance_id, journal, load)
    bridge = Bridge(parts)
    log.info(
        "bridge starting",
        version=__version__,
        instance=instance_id,
        servers=len(parts.links),
        rooms=len(parts.rooms),
    )
    async with name_service(), trio.open_nursery() as nursery:
        nursery.start_soon(stop_on_signal, bridge.stop)
        nursery.start_soon(reload_on_signal, bridge.reload)
        await bridge.run()
        nursery.cancel_scope.cancel()
    log.info("bridge stopped")
