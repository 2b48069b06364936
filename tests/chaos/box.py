"""A daemon, and its own way to everything that it needs: each can be cut by itself."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import trio

from tests.cluster.relay import Relay

from .daemon import Daemon
from .hmp_proxy import HmpProxy
from .mqtt_proxy import MqttProxy

__all__ = ["Box"]


class Box:
    """One box of a bridge; `name` is empty where it is the only one, which has no `to_store`.

    `broker` and `store` are ports.
    """

    def __init__(
        self, name: str, folder: Path, daemon: Daemon, broker: int, store: int | None
    ) -> None:
        self.name = name
        self.daemon = daemon
        self.state = folder / f"state{name and '-'}{name}"
        self.to_broker = MqttProxy(target=broker, kill=daemon.kill, happened=daemon.happened)
        self.to_store = None if store is None else Relay(target=store)
        self.to_hmps: dict[str, HmpProxy] = {}
        self._nursery: trio.Nursery

    async def connect(self, nursery: trio.Nursery, targets: Mapping[str, int]) -> None:
        """Open the ways to these ports of HMPs, by server, and to all else."""
        self._nursery = nursery
        for server, port in targets.items():
            proxy = HmpProxy(
                name=server,
                target=port,
                kill=self.daemon.kill,
                freeze=self._freeze,
                happened=self.daemon.happened,
            )
            self.to_hmps[server] = proxy
            await nursery.start(proxy.run)
        await nursery.start(self.to_broker.run)
        if self.to_store is not None:
            await nursery.start(self.to_store.run)

    def configure(self, tables: Mapping[str, Mapping[str, Any]], ttl: float) -> None:
        """Write the configuration: `tables`, by these ways."""
        bridge: dict[str, Any] = {"state_dir": str(self.state)}
        if self.to_store is not None:
            bridge["box"] = self.name
            bridge["journal.etcd"] = [self.to_store.endpoint]
            bridge["journal.ttl"] = f"{ttl:g}s"
        ports = {"mqtt": self.to_broker.port} | {
            f"servers.{server}": proxy.port for server, proxy in self.to_hmps.items()
        }
        whole = {name: {**table} for name, table in tables.items()} | {"bridge": bridge}
        for name, port in ports.items():
            whole[name] |= {"host": "127.0.0.1", "port": port}
        lines: list[str] = []
        for name, table in whole.items():
            lines.append(f"[{name}]")
            lines += [f"{key} = {json.dumps(value)}" for key, value in table.items()]
        self.daemon.configuration.write_text("\n".join(lines) + "\n")

    def calm(self) -> None:
        """Lift everything."""
        self.to_broker.calm()
        for proxy in self.to_hmps.values():
            proxy.calm()
        if self.to_store is not None:
            self.to_store.calm()
        self.daemon.thaw()

    def notice(self) -> Sequence[tuple[str, str]]:
        """Named violations that its proxies and its supervisor have seen since."""
        seen = [
            ("second_in_flight", text) for way in self.to_hmps.values() for text in way.violations
        ]
        seen += self.daemon.violations
        seen += [("traceback", text) for text in self.daemon.tracebacks()]
        for way in self.to_hmps.values():
            way.violations.clear()
        self.daemon.violations.clear()
        return seen

    def sent(self) -> list[tuple[float, str]]:
        """What has changed something at an HMP since: Unix time and name of the command."""
        found = [each for way in self.to_hmps.values() for each in way.sent]
        for way in self.to_hmps.values():
            way.sent.clear()
        return sorted(found)

    def _freeze(self, kind: str, seconds: float) -> None:
        """SIGSTOP the daemon at once, SIGCONT after this."""
        if self.daemon.freeze(kind):
            self._nursery.start_soon(self._thaw, seconds)

    async def _thaw(self, seconds: float) -> None:
        await trio.sleep(seconds)
        self.daemon.thaw()
