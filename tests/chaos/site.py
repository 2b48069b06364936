"""Everything that runs: broker, two HMPs, daemon, proxies between them, and a panel.

::

    panel ──────────────▶ mosquitto ◀── MQTT proxy ◀── daemon ──▶ HMP proxy ──▶ simulated HMP (× 2)

Of a pair there are two daemons, each with proxies of its own, one of them to the store, etcd.
"""

import itertools
import json
import random
import sys
import time
import uuid
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import trio

from tests.brokers import free_port
from tests.cluster.servers import Members

from .box import Box
from .daemon import Daemon
from .history import History, sent_out_of_turn
from .hmp import Hmp, world_file
from .journal import read_journal
from .mosquitto import Mosquitto
from .observation import Room
from .panel import Panel
from .plan import LEADER
from .planted import LAUNCHER
from .store import Store

__all__ = ["BASE", "HMP_BRIDGE", "TTL", "Site"]

BASE: Final = "hmp"
HMP_BRIDGE: Final = str(Path(sys.executable).with_name("hmp-bridge"))
TTL: Final = 2.0
"""Seconds of a pair's lease, as short as it may be."""

_PREFIX: Final = f"hmp-bridge/{BASE}/*/"

_SERVERS: Final[Mapping[str, tuple[str, ...]]] = {
    "proving": ("active_check=before", "delisted_style=line"),
    "mute": ("status_after_stop=040001", "delisted_style=eof", "pause_when_paused=070003"),
}
"""The two HMPs and how they differ: one answers the question of R7, the other never does."""


class Site:
    """The processes and what is between them, in `folder`; `planted` as in `planted.py`.

    `journal` is for the store of a pair: two boxes in place of one.
    """

    def __init__(
        self,
        folder: Path,
        seed: int,
        rooms_per_server: int = 5,
        *,
        journal: Path | None = None,
        planted: str = "",
    ) -> None:
        self.folder = folder
        self.faults: Counter[str] = Counter()
        #: Unix times between which the broker may lose messages that it acknowledges: until a kill
        #: and, where its store is lost, until the daemon has subscribed again.
        self.broker_losses: list[float] = []
        self.unsubscribed = False
        #: Recordings that the daemon may take for lost, by session.
        self.losses: Counter[str] = Counter()
        #: Ids that were in the journal, by room, oldest first.
        self.journalled: dict[str, list[str]] = {}
        chance = random.Random(f"{seed}/site")
        names = itertools.product(_SERVERS, range(rooms_per_server))
        self.rooms = tuple(
            Room(
                f"{server}{number}",
                server,
                str(uuid.UUID(int=chance.getrandbits(128), version=4)),
                proves="active_check=before" in _SERVERS[server],
                restarts_lost=index % 2 == 0,
                restarts_interrupted=index % 3 != 2,
            )
            for index, (server, number) in enumerate(names)
        )
        self.hmps = {
            server: Hmp(server, folder / f"{server}.toml", 2 * seed + number, knobs)
            for number, (server, knobs) in enumerate(_SERVERS.items())
        }
        self.broker = Mosquitto(folder, free_port())
        topics = [f"{BASE}/room/+/{leaf}" for leaf in ("result", "recording_id", "alarm")]
        topics += [f"{BASE}/bridge/state", f"{BASE}/bridge/standby/+"]
        self.panel = Panel(self.broker.port, topics)
        self.store = None if journal is None else Store(Members(journal), History(_PREFIX))
        self.boxes = tuple(
            self._box(name, planted) for name in (("",) if journal is None else ("a", "b"))
        )

    def happened(self, kind: str) -> None:
        """Count a fault."""
        self.faults[kind] += 1

    def _box(self, name: str, planted: str) -> Box:
        daemon = Daemon(
            [*LAUNCHER, HMP_BRIDGE] if planted else [HMP_BRIDGE],
            self.folder / f"bridge{name and '-'}{name}.toml",
            self.folder / f"daemon{name and '-'}{name}.log",
            after_kill=self._note_journal,
            happened=self.happened,
            planted=planted,
        )
        store = None if self.store is None else self.store.port
        return Box(name, self.folder, daemon, self.broker.port, store)

    def box(self, role: str) -> Box:
        """The box that leads at this moment, as far as the panel has heard, or the other one."""
        leader = next((each for each in self.boxes if self.says(each, LEADER)), self.boxes[0])
        if role == LEADER:
            return leader
        return next((each for each in self.boxes if each is not leader), leader)

    def says(self, box: Box, state: str) -> bool:
        """Whether the box says that it is in this state."""
        word = self.panel.newest.get(f"{BASE}/bridge/standby/{box.name}")
        return word is not None and json.loads(word.payload)["state"] == state

    @property
    def kills(self) -> list[float]:
        """When a daemon was killed, in every way; Unix times."""
        return sorted(at for box in self.boxes for at in box.daemon.kills)

    def forgets_what_ended(self, server: str) -> bool:
        """Whether this HMP answers *not found* for what was stopped, as for what it lost (R25)."""
        return "status_after_stop=040001" in _SERVERS[server]

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Run everything until cancelled; reports when the daemon has been started."""
        async with trio.open_nursery() as nursery:
            try:
                await self.broker.start()
                if self.store is not None:
                    await self.store.start()
                for server, hmp in self.hmps.items():
                    own = {each.session: each.name for each in self.rooms if each.server == server}
                    hmp.world.write_text(world_file(own))
                    await nursery.start(hmp.run)
                for box in self.boxes:
                    await box.connect(nursery, {name: hmp.port for name, hmp in self.hmps.items()})
                    box.configure(self._tables(), TTL)
                nursery.start_soon(self.panel.run)
                for box in self.boxes:
                    nursery.start_soon(box.daemon.run)
                task_status.started()
                await trio.sleep_forever()
            finally:
                nursery.cancel_scope.cancel()
                with trio.CancelScope(shield=True):
                    await self.broker.terminate()
                    if self.store is not None:
                        await self.store.kill()

    async def journal(self) -> Mapping[str, Mapping[str, Any]] | None:
        """Every room's document; None where there is no journal. Remembers the ids in them.

        Raises `sqlite3.Error` and `StoreAway`.
        """
        if self.store is None:
            documents = read_journal(self.boxes[0].state, alive=True)
            self._note(documents or {})
            return documents
        for room, document in await self.store.catch_up():
            self._note({room: document})
        return self.store.history.documents

    def notice(self) -> list[tuple[str, str]]:
        """Named violations that proxies, supervisors and the store's history have shown since."""
        seen = [each for box in self.boxes for each in box.notice()]
        for box in self.boxes:
            sent = box.sent()
            if self.store is not None:
                late = sent_out_of_turn(self.store.history.reigns, box.name, sent)
                seen += [("sent_out_of_turn", text) for text in late]
        if self.store is not None:
            seen += [("written_out_of_turn", text) for text in self.store.history.violations]
            self.store.history.violations.clear()
        return seen

    def _note_journal(self) -> None:
        """Remember the ids that are in the journal of a daemon that has ended."""
        if self.store is None:  # whose history has all
            self._note(read_journal(self.boxes[0].state, alive=False) or {})

    def _note(self, documents: Mapping[str, Mapping[str, Any]]) -> None:
        for room, document in documents.items():
            known = self.journalled.setdefault(room, [])
            recording = document.get("recording") or {}
            for each in (document.get("last_recording_id"), recording.get("id")):
                if each is not None and each not in known:
                    known.append(each)

    async def calm(self) -> None:
        """Lift every fault, and see to it that everything runs."""
        for box in self.boxes:
            box.calm()
        for hmp in self.hmps.values():
            await hmp.lift()
        await self.broker.start()
        if self.store is not None:
            await self.store.start()

    def broker_lost(self, *, store: bool) -> None:
        """The broker was killed just now, and its store was deleted or not."""
        self.broker_losses.append(time.time())
        self.unsubscribed |= store

    def subscribed_again(self, at: float) -> None:
        """The daemon has said `online`, which it does after subscribing (R24)."""
        if self.unsubscribed and at > self.broker_losses[-1]:
            self.broker_losses.append(at)
            self.unsubscribed = False

    def _tables(self) -> dict[str, dict[str, object]]:
        """What is configured, without where anything is."""
        tables: dict[str, dict[str, object]] = {"mqtt": {"base_topic": BASE}}
        for server in self.hmps:
            tables[f"servers.{server}"] = {
                "connect_timeout": "1s",
                "query_timeout": "1s",
                "command_timeout": "1s",
                "start_timeout": "2s",
                "probe_interval": "1s",
                "poll_interval": "200ms",
                "max_polls_per_second": 50.0,
            }
        for room in self.rooms:
            tables[f"rooms.{room.name}"] = {
                "server": room.server,
                "session": room.session,
                "action_ttl": "5s",
                "restart_within": "20s",
                "interrupt_backoff": "1s",
                "on_lost_start": "restart" if room.restarts_lost else "hold",
                "on_interrupted": "restart" if room.restarts_interrupted else "hold",
            }
        return tables
