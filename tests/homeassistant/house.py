"""A house: broker, HMP, bridge and Home Assistant, to be restarted one by one."""

import signal
import sqlite3
from contextlib import ExitStack, closing
from pathlib import Path

from tests.brokers import Broker, BrokerOptions
from tests.process.daemon import toml
from tests.process.site import Site

from .real import HomeAssistant

__all__ = ["House"]


class House:
    """Everything: broker, HMP, bridge, and Home Assistant that knows nothing of the others."""

    def __init__(self, hass: str, folder: Path, stack: ExitStack) -> None:
        self.broker = Broker(folder, BrokerOptions(persistence=True))
        self.broker.start()
        stack.callback(self.broker.kill)
        self.site = Site(folder, self.broker, stack)
        self.site.add_hmp(2)
        restless = {"elapsed_every": "1s"}  # as much is said as can be
        room = {"restream": {"ip": "239.1.1.1", "port": 5000}} | restless
        self.site.configure(rooms=2, room=room)
        tables = self.site.tables
        tables["homeassistant"] = {"enabled": True, "default_entity_id": True, "all_rooms": True}
        for key, name in (("r0", "Boardroom"), ("r1", "Hörsaal")):
            tables["rooms"][key]["name"] = name
        tables["rooms"]["r-0"] = tables["rooms"].pop("r1")
        self.site.add_panel()
        self.state = folder / "state"
        self.start_bridge()
        self.hass = HomeAssistant(hass, folder / "ha", self.broker.port, self.site.base)
        stack.enter_context(closing(self.hass))
        self.hass.set_up()

    def start_bridge(self) -> None:
        """Start it, or another one in its place."""
        self.site.add_daemon(state=self.state)
        self.site.wait_ready(since=self.site.panel.mark() and 0)

    def reload(self) -> None:
        """Have the bridge go by the tables."""
        tables = self.site.tables
        tables["bridge"] |= {"state_dir": str(self.state)}
        self.site.daemon.file.write_text(toml(tables), encoding="utf-8")
        since = len(self.site.daemon.lines)
        self.site.daemon.send_signal(signal.SIGHUP)
        self.site.daemon.wait_for_line("configuration reloaded", since=since)

    def restart(self, part: str) -> None:
        """Stop and start one of the three."""
        match part:
            case "home assistant":
                self.hass.stop()
                self.hass.start()
            case "broker":
                self.broker.stop()
                self.broker.start()
            case _:
                self.site.daemon.stop()
                self.start_bridge()

    def history(self) -> dict[str, list[str]]:
        """The states in the recorder's database, a row each, of our entities; it is stopped."""
        database = sqlite3.connect(self.hass.folder / "home-assistant_v2.db")
        rows = database.execute(
            "SELECT states_meta.entity_id, state FROM states JOIN states_meta USING (metadata_id)"
            " ORDER BY state_id"
        ).fetchall()
        database.close()
        found: dict[str, list[str]] = {}
        for entity_id, state in rows:
            found.setdefault(entity_id, []).append(state)
        return found
