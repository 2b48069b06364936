"""A site whose configuration is changed while its daemon runs."""

import json
import signal
from contextlib import closing
from typing import Any

from .daemon import toml
from .hmp import session_of
from .panel import Panel
from .requester import Requester
from .site import Site

__all__ = ["Reloading"]


class Reloading:
    """The site, its tables to be changed, and somebody who asks for a reload."""

    def __init__(self, made: Site, requester: Requester) -> None:
        self.site = made
        self.requester = requester
        self.panel = made.panel
        self.hmp = made.hmp
        self.tables: dict[str, Any] = json.loads(json.dumps(made.tables))
        self.tables["bridge"]["state_dir"] = str(made.daemon.state)

    def write(self) -> None:
        """Put the tables where the daemon reads them."""
        self.site.daemon.file.write_text(toml(self.tables), encoding="utf-8")

    def reload(self, *, force: bool = False) -> dict[str, Any]:
        """Write and ask; the answer."""
        self.write()
        return self.requester.request("bridge/request/reload", {"force": True} if force else {})

    def done(self, *, force: bool = False) -> dict[str, Any]:
        """The same where it must succeed; what was changed."""
        answer = self.reload(force=force)
        assert answer["outcome"] == "ok", answer
        value: dict[str, Any] = answer["value"]
        return value

    def hang_up(self, said: str = "configuration reloaded") -> str:
        """Write and send SIGHUP; the line that says what came of it."""
        self.write()
        since = len(self.site.daemon.lines)
        self.site.daemon.send_signal(signal.SIGHUP)
        return self.site.daemon.wait_for_line(said, since=since)

    def add_room(self, number: int, **keys: Any) -> None:
        """A table more."""
        self.tables["rooms"][f"r{number}"] = {"server": "main", "session": session_of(number)}
        self.tables["rooms"][f"r{number}"] |= keys

    def retained(self) -> dict[str, str]:
        """What somebody is sent who comes now, by topic below the base."""
        with closing(Panel(self.site.broker.port, self.site.base)) as late:
            late.wait_for("bridge/state", "online")
            late.publish("room/nowhere/echo", "x")  # behind everything that is retained
            late.wait_for("room/nowhere/echo")
            found = [seen for seen in late.seen.since() if seen.retained]
        return {seen.topic.removeprefix(f"{self.site.base}/"): seen.payload for seen in found}

    def retained_now(self, topic: str) -> str:
        """What somebody is sent who comes for this topic, with or without a bridge."""
        with closing(Panel(self.site.broker.port, self.site.base)) as late:
            return late.wait_for(topic).payload

    def record(self, room: str) -> str:
        """Start a recording; its id."""
        since = self.panel.mark()
        self.panel.press(room, "record")
        self.panel.wait_for(f"room/{room}/ack", "record ok", since=since)
        return str(self.panel.newest(f"room/{room}/recording_id"))

    def stop(self, room: str) -> None:
        """End it."""
        since = self.panel.mark()
        self.panel.press(room, "stop")
        self.panel.wait_for(f"room/{room}/ack", "stop ok", since=since)
