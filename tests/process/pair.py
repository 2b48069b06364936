"""Two boxes of one bridge, with a store, a broker, an HMP and a panel."""

import json
from collections.abc import Callable
from contextlib import ExitStack, closing
from typing import Any

from tests.cluster.fixtures import Launch as LaunchEtcd

from .daemon import Daemon
from .relay import Relay
from .site import MakeSite
from .watched import PATIENCE

__all__ = ["TTL", "Cut", "Line", "Pair"]

TTL = 2
"""Seconds of the lease, as short as it may be."""


class Line(Relay):
    """A line that is there unless it is cut."""

    is_cut = False

    def cut(self) -> None:
        """Cut it at once, whether anything is on its way or not."""
        self.is_cut = True
        self.hang_up_all()

    def passing(self, _direction: str, data: bytes) -> bytes:
        """Nothing, once it is cut."""
        return b"" if self.is_cut else data


Cut = Callable[[int], Line]
"""Makes a line to a port."""


class Pair:
    """Boxes `a` and `b`, started one by one."""

    def __init__(
        self, site: MakeSite, stack: ExitStack, launch_etcd: LaunchEtcd, **tables: Any
    ) -> None:
        self.site = site(start=False, **tables)
        # A late machine loses leases of seconds again and again; no press is to expire of that.
        for room in self.site.tables["rooms"].values():
            room.setdefault("action_ttl", "10m")
        self.panel, self.hmp = self.site.panel, self.site.hmp
        self._stack = stack
        self.store = launch_etcd()
        self.boxes: dict[str, Daemon] = {}

    def start(
        self,
        box: str,
        *,
        url: str | list[str] = "",
        broker: int = 0,
        hmp: int = 0,
        ttl: int = TTL,
        **how: Any,
    ) -> Daemon:
        """Start a box, that reaches the store at `url`, the broker and the HMP at these ports.

        `ttl`: seconds of its lease.
        """
        tables = self.site.tables
        if broker:
            tables = tables | {"mqtt": tables["mqtt"] | {"port": broker}}
        if hmp:
            main = tables["servers"]["main"] | {"port": hmp}
            tables = tables | {"servers": {"main": main}}
        etcd = [url] if isinstance(url, str) else url
        etcd = etcd if url else list(self.store.endpoints)
        journal = {"etcd": etcd, "ttl": f"{ttl}s"}
        bridge = tables["bridge"] | {"box": box, "journal": journal}
        folder = self.site.folder / f"box-{box}"
        daemon = Daemon(folder, tables | {"bridge": bridge}, **how)
        self.boxes[box] = self._stack.enter_context(closing(daemon))
        self._stack.callback(lambda: print(f"{box}:\n{daemon.output[-6000:]}"))
        return daemon

    def word(self, box: str) -> dict[str, Any]:
        """What the box says of itself."""
        word: dict[str, Any] = json.loads(self.panel.newest(f"bridge/standby/{box}") or "{}")
        return word

    def wait_for_word(self, box: str, **members: Any) -> None:
        """Until the box says this of itself."""

        def look(_: object) -> bool:
            word = self.word(box)
            return all(word.get(name) == value for name, value in members.items())

        self.panel.wait_until(look, (box, members))

    def wait_ready(self, box: str) -> None:
        """Until the box leads, and rooms can be asked for something."""
        self.wait_for_word(box, state="leader")
        self.panel.wait_for_newest("bridge/state", "online")
        self.panel.wait_for_newest("server/main/state", "ready")
        self.panel.wait_for_newest("room/r0/availability", "online")

    def start_both(self) -> None:
        """`a` leads, `b` stands by."""
        self.start("a")
        self.wait_ready("a")
        self.start("b")
        self.wait_for_word("b", state="standby", store="reachable")

    def starts(self) -> int:
        """Recordings that HMP was asked for."""
        return len(self.hmp.commands("startRecording"))

    def until(self, look: Callable[[], bool], wanted: str) -> None:
        """Look into HMP until it has what is wanted."""
        self.hmp.wait_until(lambda _: look(), wanted)


assert PATIENCE > 10 * TTL
