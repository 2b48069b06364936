"""Everything that runs: broker, two HMPs, daemon, proxies between them, and a panel.

::

    panel ──────────────▶ mosquitto ◀── MQTT proxy ◀── daemon ──▶ HMP proxy ──▶ simulated HMP (× 2)
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

from .daemon import Daemon
from .hmp import Hmp, world_file
from .hmp_proxy import HmpProxy
from .journal import read_journal
from .mosquitto import Mosquitto
from .mqtt_proxy import MqttProxy
from .observation import Room
from .panel import Panel

__all__ = ["BASE", "Site"]

BASE: Final = "hmp"
_FROZEN_FOR: Final = 0.4

_SERVERS: Final[Mapping[str, tuple[str, ...]]] = {
    "proving": ("active_check=before", "delisted_style=line"),
    "mute": ("status_after_stop=040001", "delisted_style=eof", "pause_when_paused=070003"),
}
"""The two HMPs and how they differ: one answers the question of R7, the other never does."""


class Site:
    """The processes and what is between them, in `folder`."""

    def __init__(self, folder: Path, seed: int, rooms_per_server: int = 5) -> None:
        self.folder = folder
        self.state = folder / "state"
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
        self.panel = Panel(self.broker.port, [*topics, f"{BASE}/bridge/state"])
        self.daemon = Daemon(
            Path(sys.executable).with_name("hmp-bridge"),
            folder / "bridge.toml",
            folder / "daemon.log",
            after_kill=self.note_journal,
            happened=self.happened,
        )
        self.mqtt = MqttProxy(
            target=self.broker.port, kill=self.daemon.kill, happened=self.happened
        )
        self.proxies: dict[str, HmpProxy] = {}
        self._nursery: trio.Nursery

    def happened(self, kind: str) -> None:
        """Count a fault."""
        self.faults[kind] += 1

    @property
    def kills(self) -> int:
        """How often the daemon was killed, in every way."""
        return len(self.daemon.kills)

    def forgets_what_ended(self, server: str) -> bool:
        """Whether this HMP answers *not found* for what was stopped, as for what it lost (R25)."""
        return "status_after_stop=040001" in _SERVERS[server]

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Run everything until cancelled; reports when the daemon has been started."""
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            try:
                await self.broker.start()
                for server, hmp in self.hmps.items():
                    own = {each.session: each.name for each in self.rooms if each.server == server}
                    hmp.world.write_text(world_file(own))
                    await nursery.start(hmp.run)
                    proxy = HmpProxy(
                        name=server,
                        target=hmp.port,
                        kill=self.daemon.kill,
                        freeze=self.freeze,
                        happened=self.happened,
                    )
                    self.proxies[server] = proxy
                    await nursery.start(proxy.run)
                await nursery.start(self.mqtt.run)
                self.daemon.configuration.write_text(self._configuration())
                nursery.start_soon(self.panel.run)
                nursery.start_soon(self.daemon.run)
                task_status.started()
                await trio.sleep_forever()
            finally:
                nursery.cancel_scope.cancel()
                with trio.CancelScope(shield=True):
                    await self.broker.terminate()

    def freeze(self, kind: str) -> None:
        """SIGSTOP the daemon at once, SIGCONT a moment later."""
        if self.daemon.freeze(kind):
            self._nursery.start_soon(self._thaw)

    def note_journal(self) -> None:
        """Remember the ids that are in the journal of a daemon that has ended."""
        documents = read_journal(self.state, alive=False)
        self.note_documents(documents or {})

    def note_documents(self, documents: Mapping[str, Mapping[str, Any]]) -> None:
        """Remember the ids in these documents."""
        for room, document in documents.items():
            known = self.journalled.setdefault(room, [])
            recording = document.get("recording") or {}
            for each in (document.get("last_recording_id"), recording.get("id")):
                if each is not None and each not in known:
                    known.append(each)

    async def calm(self) -> None:
        """Lift every fault, and see to it that everything runs."""
        self.mqtt.calm()
        for proxy in self.proxies.values():
            proxy.calm()
        for hmp in self.hmps.values():
            await hmp.lift()
        await self.broker.start()
        self.daemon.thaw()

    async def _thaw(self) -> None:
        await trio.sleep(_FROZEN_FOR)
        self.daemon.thaw()

    def broker_lost(self, *, store: bool) -> None:
        """The broker was killed just now, and its store was deleted or not."""
        self.broker_losses.append(time.time())
        self.unsubscribed |= store

    def subscribed_again(self, at: float) -> None:
        """The daemon has said `online`, which it does after subscribing (R24)."""
        if self.unsubscribed and at > self.broker_losses[-1]:
            self.broker_losses.append(at)
            self.unsubscribed = False

    def _configuration(self) -> str:
        tables: dict[str, dict[str, object]] = {
            "mqtt": {"host": "127.0.0.1", "port": self.mqtt.port, "base_topic": BASE},
            "bridge": {"state_dir": str(self.state)},
        }
        for server, proxy in self.proxies.items():
            tables[f"servers.{server}"] = {
                "host": "127.0.0.1",
                "port": proxy.port,
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
        lines = []
        for name, table in tables.items():
            lines.append(f"[{name}]")
            lines += [f"{key} = {json.dumps(value)}" for key, value in table.items()]
        return "\n".join(lines) + "\n"
