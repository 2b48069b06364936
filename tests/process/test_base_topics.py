"""Another base topic, or another name of the bridge's own: nothing of before is left behind."""

import json
from contextlib import ExitStack, closing
from pathlib import Path

from .daemon import Daemon
from .hmp import session_of
from .panel import Panel
from .site import MakeSite, Site
from .test_clean import retained


def shown(site: MakeSite) -> tuple[Site, str]:
    """A site that is shown in a Home Assistant of its own, and the level above all of it."""
    made = site(2, start=False)
    above = made.base.partition("/")[0]
    made.tables["homeassistant"] = {"enabled": True, "discovery_prefix": f"{above}/ha"}
    return made, above


def below(made: Site, above: str, base: str) -> set[str]:
    """The topics that are retained of one base topic, devices too."""
    node = f"{above}/ha/device/{above}-{base}-"
    found = retained(made, above)
    return {each for each in found if each.startswith((f"{above}/{base}/", node))}


class Bases:
    """One bridge, started again and again with one state folder and other base topics."""

    def __init__(self, made: Site, above: str, folder: Path, stack: ExitStack) -> None:
        self.made, self.above = made, above
        self._stack = stack
        self._state = folder / "state"
        self.panel = stack.enter_context(closing(Panel(made.broker.port, above)))

    def start(self, base: str) -> Daemon:
        """On this base topic; returns when its rooms are there and the devices are shown."""
        mark = self.panel.mark()
        self.made.tables["mqtt"]["base_topic"] = f"{self.above}/{base}"
        daemon = self.made.add_daemon(state=self._state)
        self.panel.wait_for(f"{base}/bridge/state", "online", since=mark)
        for room in self.made.tables["rooms"]:
            self.panel.wait_for(f"{base}/room/{room}/availability", "online", since=mark)
        return daemon

    def wait_for_note(self, daemon: Daemon, text: str) -> None:
        """Until the daemon says so."""
        daemon.wait_for_line(text)

    def wait_until_gone(self, base: str) -> None:
        """The bridge's word of itself is the last one to go."""
        self.panel.wait_for_newest(f"{base}/bridge/state", "")


def test_another_base_topic_leaves_nothing(
    site: MakeSite, stack: ExitStack, tmp_path: Path
) -> None:
    made, above = shown(site)
    bases = Bases(made, above, tmp_path, stack)
    assert bases.start("one").stop() == 0
    before = below(made, above, "one")
    assert len([each for each in before if each.endswith("/config")]) == 4
    # Others have what looks like it, among it and beside it.
    [device] = [topic for topic in before if topic.endswith("/room-r0/config")]
    look_alikes = {
        device.replace("/room-r0/", "/room-r9/"): "{}",
        device.replace("/device/", "/switch/"): "{}",
        f"{above}/one/room/r9/state": "idle",
        f"{above}/one/room/r0/note": "ours is not this",
        f"{above}/one2/bridge/info": "{}",
    }
    for topic, payload in look_alikes.items():
        bases.panel.publish(topic.removeprefix(f"{above}/"), payload, retain=True)
    daemon = bases.start("two")
    bases.wait_until_gone("one")
    assert daemon.stop() == 0
    left = retained(made, above)
    assert {each for each in left if each in before} == set()
    assert {topic: left.get(topic) for topic in look_alikes} == look_alikes
    assert len(below(made, above, "two")) == len(before)
    # Back again, as if it had never been elsewhere.
    daemon = bases.start("one")
    bases.wait_until_gone("two")
    assert below(made, above, "two") == set()
    assert before <= below(made, above, "one")


def test_where_another_bridge_has_come_nothing_is_touched(
    site: MakeSite, stack: ExitStack, tmp_path: Path
) -> None:
    made, above = shown(site)
    bases = Bases(made, above, tmp_path, stack)
    assert bases.start("one").stop() == 0
    theirs = {"version": "9", "instance": "f" * 16, "started_at": "2020-01-01T00:00:00Z"}
    bases.panel.publish("one/bridge/info", json.dumps(theirs), retain=True)
    before = below(made, above, "one")
    daemon = bases.start("two")
    daemon.wait_for_line("the base topic of before is another's by now")
    assert daemon.stop() == 0
    assert below(made, above, "one") == before


def test_a_state_folder_from_another_machine_keeps_what_it_owns(
    site: MakeSite, stack: ExitStack, tmp_path: Path
) -> None:
    made, above = shown(site)
    bases = Bases(made, above, tmp_path, stack)
    first = bases.start("one")
    assert first.stop() == 0
    (first.state / "machine").write_text("0" * 16)
    (first.state / "instance-id").write_text("f" * 16)
    made.tables["rooms"] = {"r0": {"server": "main", "session": session_of(0)}}
    daemon = bases.start("one")
    bases.panel.wait_for_newest("one/room/r1/state", "")
    bases.panel.wait_for_newest("one/server/main/state", "ready")
    assert daemon.stop() == 0
    assert not [each for each in below(made, above, "one") if "r1" in each]
