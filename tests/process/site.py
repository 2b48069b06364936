"""A whole site: everything that a bridge has to do with, to be started piece by piece."""

import itertools
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

from tests.brokers import Broker

from .daemon import Daemon, configuration
from .hmp import Hmp
from .panel import Panel

__all__ = ["MakeSite", "Site", "with_api"]

_bases = itertools.count()


class Site:
    """A broker, an HMP, a daemon and a panel, each of them a program of its own but the panel.

    Every site has a base topic of its own, so that sites can share a broker.
    """

    def __init__(self, folder: Path, broker: Broker, stack: ExitStack) -> None:
        self.folder = folder
        self.broker = broker
        self.base = f"site{next(_bases)}/hmp"
        self.stack = stack
        self._daemons = itertools.count()
        self.hmp: Hmp
        self.panel: Panel
        self.daemon: Daemon
        self.tables: dict[str, Any]

    def add_hmp(self, rooms: int = 2, *, knobs: Sequence[str] = ()) -> Hmp:
        """Start the HMP."""
        self.hmp = self.stack.enter_context(closing(Hmp(self.folder, rooms, knobs=knobs)))
        return self.hmp

    def add_panel(self, *, mqtt5: bool = False) -> Panel:
        """Connect the panel."""
        panel = Panel(self.broker.port, self.base, mqtt5=mqtt5)
        self.panel = self.stack.enter_context(closing(panel))
        return panel

    def add_daemon(self, **how: Any) -> Daemon:
        """Start a daemon on `self.tables`."""
        folder = self.folder / f"daemon{next(self._daemons)}"
        daemon = Daemon(folder, self.tables, **how)
        self.daemon = self.stack.enter_context(closing(daemon))
        # Shown by pytest beside a failure.
        self.stack.callback(lambda: print(f"{daemon.file}:\n{daemon.output[-4000:]}"))
        return daemon

    def configure(self, **changes: Any) -> None:
        """Set `tables` for this broker and HMP."""
        given = {"broker_port": self.broker.port, "hmp_port": self.hmp.port} | changes
        self.tables = configuration(base_topic=self.base, **given)

    def sessions(self) -> dict[str, str]:
        """What each room records, by the room's name."""
        return {name: room["session"] for name, room in self.tables["rooms"].items()}

    def wait_ready(self, since: int = 0) -> None:
        """Until the daemon is online, its HMP ready and the first room says so."""
        self.daemon.wait_for_line("mqtt connected")
        self.panel.wait_for("bridge/state", "online", since=since)
        self.panel.wait_for("server/main/state", "ready", since=since)
        self.panel.wait_for("room/r0/availability", "online", since=since)


MakeSite = Callable[..., Site]
"""The fixture `site`."""


def with_api(site: MakeSite, *commands: str, **how: Any) -> Site:
    """A site whose bridge takes these commands by name, or all."""
    server = {"allow_commands": list(commands) or ["*"]} | how.pop("server", {})
    return site(server=server, **how)
