"""Two bridges on one base topic, each with a server and its rooms (R38)."""

import json
import signal
from contextlib import ExitStack, closing
from typing import Any

import pytest

from bridge.cli.options import ExitCode

from .daemon import Daemon
from .hmp import Hmp
from .programs import run_bridge
from .site import MakeSite, Site
from .test_clean import retained


class Campus:
    """A site of two servers: east has the rooms r0 and r1, west r2 and r3."""

    def __init__(self, site: MakeSite, stack: ExitStack, **tables: Any) -> None:
        self.site: Site = site(rooms=2, start=False)
        folder = self.site.folder / "west"
        folder.mkdir()
        self.west = stack.enter_context(closing(Hmp(folder, 4)))
        s = self.site
        main = s.tables["servers"].pop("main")
        s.tables["servers"] = {"east": main, "west": main | {"port": self.west.port}}
        rooms = s.tables["rooms"]
        for room, of in (("r2", "r0"), ("r3", "r1")):
            rooms[room] = rooms[of] | {"server": "west"}
        for room in ("r0", "r1"):
            rooms[room] = rooms[room] | {"server": "east"}
        s.tables |= tables

    def start(self, servers: str, **how: Any) -> Daemon:
        """A bridge with these servers."""
        return self.site.add_daemon(arguments=["--servers", servers], **how)

    def wait_ready(self, *parts: str, since: int = 0) -> None:
        """Until the bridges are online, and each server is ready."""
        for part in parts:
            self.site.panel.wait_for(f"bridges/{part}/state", "online", since=since)
            for server in part.split(","):
                self.site.panel.wait_for(f"server/{server}/state", "ready", since=since)


@pytest.fixture
def campus(site: MakeSite, stack: ExitStack) -> Campus:
    return Campus(site, stack)


def test_they_live_side_by_side(campus: Campus) -> None:
    s, panel = campus.site, campus.site.panel
    campus.start("east")
    west = campus.start("west")
    campus.wait_ready("east", "west")
    for room in ("r0", "r2"):
        panel.press(room, "record")
        panel.wait_for(f"room/{room}/ack", "record ok")
    assert [len(hmp.commands("startRecording")) for hmp in (s.hmp, campus.west)] == [1, 1]
    assert len(panel.wait_for_results("r0", 1)) == len(panel.wait_for_results("r2", 1)) == 1
    owner = json.loads(panel.newest("server/west/bridge") or "{}")
    assert owner["bridge"] == "west"

    # Each is asked by itself, and says how it does.
    panel.publish("bridges/west/request/info", "{}")
    answer = json.loads(panel.wait_for("bridges/west/response/info").payload)
    assert answer["value"]["rooms"] == ["r2", "r3"]
    assert panel.messages("bridges/east/response/info") == []
    # Nobody has this room, nor this server.
    panel.publish_many([("room/r9/press/record", "true"), ("server/north/request/x", "")])

    mark = panel.mark()
    west.send_signal(signal.SIGKILL)
    panel.wait_for("bridges/west/state", "offline", since=mark)
    panel.press("r2", "stop")
    panel.press("r0", "stop")
    panel.wait_for("room/r0/ack", "stop ok", since=mark)
    assert panel.newest("bridges/east/state") == "online"
    assert panel.newest("room/r2/state") == "recording"
    mark = panel.mark()
    campus.start("west", state=west.state)
    panel.wait_for("room/r2/ack", "stop ok", since=mark)
    assert panel.newest("room/r2/state") == "idle"
    # Across the kill a result comes at least once, with the same id.
    panel.wait_until(
        lambda _: len({each["id"] for each in panel.wait_for_results("r2", 1)}) == 2,
        "the results of both presses",
    )

    # All rooms is all rooms of all bridges.
    for room in ("r1", "r3"):
        panel.press(room, "record")
        panel.wait_for(f"room/{room}/ack", "record ok")
    panel.publish("room/ALL/set", "stop")
    for room in ("r1", "r3"):
        panel.wait_for(f"room/{room}/ack", "stop ok")
    topics = {seen.topic.removeprefix(f"{s.base}/") for seen in panel.seen.since()}
    assert [topic for topic in topics if topic.startswith("bridge/")] == []
    assert [topic for topic in topics if topic.endswith("/error")] == []


@pytest.mark.parametrize(
    ("first", "second"), [("east,west", "west"), ("west", "west"), ("west", None), (None, "west")]
)
def test_two_owners_of_one_server_are_refused(
    campus: Campus, first: str | None, second: str | None
) -> None:
    panel = campus.site.panel

    def start(servers: str | None) -> Daemon:
        return campus.site.add_daemon() if servers is None else campus.start(servers)

    here = start(first)
    path = "bridge" if first is None else f"bridges/{first}"
    panel.wait_for(f"{path}/state", "online")
    refused = start(second)
    refused.wait_for_line("is online on the base topic")
    assert refused.wait() == ExitCode.UNAVAILABLE
    panel.press("r2", "record")
    panel.wait_for("room/r2/ack", "record ok")
    assert panel.newest(f"{path}/state") == "online"
    assert here.stop() == 0


def test_what_has_gone_to_another_bridge_is_left_to_it(campus: Campus) -> None:
    """The server west moves from one bridge to another; r1 is taken out for good."""
    ha = {"enabled": True, "discovery_prefix": f"{campus.site.base}/ha"}
    campus.site.tables["homeassistant"] = ha
    panel = campus.site.panel
    both = campus.start("east,west")
    campus.wait_ready("east,west")
    panel.press("r2", "record")
    panel.wait_for("room/r2/ack", "record ok")
    assert both.stop() == 0
    del campus.site.tables["rooms"]["r1"]
    mark = panel.mark()
    campus.start("east", state=both.state)
    panel.wait_for("room/r1/state", "", since=mark)
    panel.wait_for("bridges/east/state", "online", since=mark)
    campus.start("west")
    panel.wait_for("bridges/west/state", "online", since=mark)
    panel.press("r2", "stop")
    panel.wait_for("room/r2/ack", "stop ok", since=mark)
    assert "" not in panel.payloads("room/r2/state", mark)
    emptied = [s.topic for s in panel.seen.since(mark) if s.payload == "" and "/ha/" in s.topic]
    assert [topic for topic in emptied if "room-r2" in topic or "server-west" in topic] == []
    assert any("room-r1" in topic for topic in emptied)


@pytest.mark.parametrize(
    ("before", "after"),
    [("east", "east,west"), ("east,west", "east"), (None, "east"), ("east", None)],
)
def test_nothing_is_left_of_the_name_of_before(
    campus: Campus, before: str | None, after: str | None
) -> None:
    """Of what the bridge says of itself; a look-alike stays, and what has another one's name."""
    site, panel = campus.site, campus.site.panel
    site.tables["homeassistant"] = {
        "enabled": True,
        "discovery_prefix": f"{site.base}/ha",
        "all_rooms": True,
    }
    paths = ["bridge" if each is None else f"bridges/{each}" for each in (before, after)]

    def start(servers: str | None, **how: Any) -> Daemon:
        mark = panel.mark()
        daemon = site.add_daemon(arguments=["--servers", servers] if servers else [], **how)
        panel.wait_for(f"{paths[servers == after]}/health", since=mark)
        panel.wait_for("room/r0/availability", "online", since=mark)
        return daemon

    theirs = {"bridges/north/state": "offline", f"{paths[0]}/note": "x"}
    for topic, payload in theirs.items():
        panel.publish(topic, payload, retain=True)
    daemon = start(before)
    assert daemon.stop() == 0
    of_before = {
        topic.removeprefix(f"{site.base}/") for topic in retained(site, site.base)
    } - theirs.keys()
    own = {topic for topic in of_before if topic.startswith(f"{paths[0]}/")}
    assert {topic.rpartition("/")[2] for topic in own} == {
        *("state", "info", "health", "rooms_recording", "rooms_alarm")
    }
    daemon = start(after, state=daemon.state)
    panel.wait_for_newest(f"{paths[0]}/state", "")
    assert daemon.stop() == 0
    left = {topic.removeprefix(f"{site.base}/") for topic in retained(site, site.base)}
    assert left & own == set()
    assert theirs.keys() <= left
    assert ("server/east/bridge" in left) == (after is not None)
    # They are another bridge's by now, or still ours.
    west = ("room/r2/", "server/west/state", "-room-r2", "-server-west")
    assert {topic for topic in of_before - left if any(part in topic for part in west)} == set()


def test_a_name_of_before_is_cleaned_up_too(campus: Campus) -> None:
    daemon = campus.start("east,west")
    campus.wait_ready("east,west")
    assert daemon.stop() == 0
    cleaned = run_bridge("clean", "--config", str(daemon.file), "--servers", "east")
    assert cleaned.returncode == ExitCode.OK
    assert f"emptied {campus.site.base}/bridges/east,west/state" in cleaned.stdout
    assert retained(campus.site, campus.site.base) == {}


def test_what_is_printed_for_one_of_them_is_its_own(campus: Campus) -> None:
    daemon = campus.start("west")
    campus.wait_ready("west")
    of_west = ["--config", str(daemon.file), "--servers", "west"]
    sheet = run_bridge("topics", *of_west).stdout
    assert f"{campus.site.base}/bridges/west/state" in sheet
    assert "/room/r2/state" in sheet
    assert "/room/r0/state" not in sheet
    rights = run_bridge("topics", "--format", "acl", *of_west).stdout
    assert f"topic write {campus.site.base}/bridges/west/state" in rights
    assert f"topic write {campus.site.base}/server/+/bridge" in rights
    checked = run_bridge("check", "--live", *of_west)
    assert "server west: " in checked.stdout
    assert "server east" not in checked.stdout
    assert checked.returncode == ExitCode.OK
    assert daemon.stop() == 0
    cleaned = run_bridge("clean", *of_west)
    assert f"emptied {campus.site.base}/server/west/bridge" in cleaned.stdout
    wrong = run_bridge("check", "--config", str(daemon.file), "--servers", "wst")
    assert "[bridge] servers: 'wst' is no server; did you mean west?" in wrong.stderr
