"""The configuration is read again while the daemon runs: by SIGHUP, and by request."""

import json
import os
import random
import signal
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bridge.journal import Journal
from tests.broker_fixtures import Launch
from tests.brokers import BrokerOptions

from .conftest import MakeSite, Site
from .daemon import toml
from .hmp import session_of
from .panel import Panel
from .programs import HMP_BRIDGE, Program
from .requester import Requester

RELOADS = int(os.environ.get("RELOADS", "120"))
"""How often in a row; as many as one likes, by hand."""


class Reloading:
    """A site whose tables can be changed, and somebody who asks for a reload."""

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


@pytest.fixture
def reloading(site: MakeSite) -> Iterator[Reloading]:
    """Two of the HMP's six sessions are rooms."""
    s = site(start=False)
    s.hmp.close()
    s.add_hmp(6)
    s.configure(rooms=2, hmp_port=s.hmp.port)
    s.add_daemon()
    s.wait_ready()
    with closing(Requester(s.broker.port, s.base, mqtt5=False)) as requester:
        yield Reloading(s, requester)


NOTHING: Mapping[str, Any] = {
    "rooms": {"added": [], "changed": [], "removed": []},
    "servers": {"added": [], "changed": [], "removed": []},
    "bindings": {"added": [], "removed": []},
    "settings": [],
    "needs_restart": [],
}


def test_nothing_changed(reloading: Reloading) -> None:
    assert reloading.done() == NOTHING
    assert "changed=nothing" in reloading.hang_up()


def test_many_at_once_go_one_after_the_other(reloading: Reloading) -> None:
    """Each sees what the one before has done."""
    r = reloading
    r.add_room(2)
    r.write()
    r.site.daemon.send_signal(signal.SIGHUP)
    for number in range(5):
        r.requester.send("bridge/request/reload", {"id": number}, wait=False)
    answers = r.requester.wait_for(f"{r.panel.base}/bridge/response/reload", 5)
    assert [each.answer["outcome"] for each in answers] == ["ok"] * 5
    r.site.daemon.wait_for_line("id=reload-6")
    lines = r.site.daemon.lines_with("configuration reloaded")
    assert ["rooms_added=r2" in line for line in lines] == [True] + [False] * 5


def test_a_room_comes_back_with_what_the_journal_has_of_it(reloading: Reloading) -> None:
    """It was taken out while the bridge was down, and records."""
    r = reloading
    recording = r.record("r1")
    r.site.daemon.stop()
    table = r.tables["rooms"].pop("r1")
    since = r.panel.mark()
    r.site.tables = r.tables
    r.site.add_daemon(configured_state=False)
    r.site.wait_ready(since)
    r.site.daemon.wait_for_line("the journal has a room that is not configured", "room=r1")
    r.tables["rooms"]["r1"] = table
    since = r.panel.mark()
    assert r.done()["rooms"]["added"] == ["r1"]
    r.panel.wait_for("room/r1/recording_id", recording)
    r.stop("r1")
    assert [each["id"] for each in r.hmp.recordings("FINISHED")] == [recording]


def test_a_room_is_added_changed_and_removed(reloading: Reloading) -> None:
    """And another one records all the while, over one and the same connection."""
    r = reloading
    recording = r.record("r0")
    digest = json.loads(r.panel.newest("bridge/info") or "")["configuration"]

    r.add_room(2)
    assert "rooms_added=r2" in r.hang_up()
    r.panel.wait_for("room/r2/availability", "online")
    r.record("r2")
    r.stop("r2")
    info = json.loads(r.panel.newest("bridge/info") or "")
    assert info["rooms"] == ["r0", "r1", "r2"]
    assert info["configuration"] != digest

    r.tables["rooms"]["r0"] |= {"name": "The first", "tally": {"recording": "crimson"}}
    assert r.done()["rooms"] == {"added": [], "changed": ["r0"], "removed": []}
    r.panel.wait_for("room/r0/tally", "crimson")
    assert r.panel.newest("room/r0/recording_id") == recording

    del r.tables["rooms"]["r2"]
    assert r.done()["rooms"] == {"added": [], "changed": [], "removed": ["r2"]}
    r.panel.wait_for("room/r2/status", "")
    assert not [topic for topic in r.retained() if topic.startswith("room/r2/")]
    since = r.panel.mark()
    r.panel.press("r2", "record")
    error = json.loads(r.panel.wait_for("bridge/response/error", since=since).payload)["error"]
    assert error["code"] == "unknown_room"
    assert error["explanation"] == "Its rooms are: r0, r1."

    r.stop("r0")
    assert [each["id"] for each in r.hmp.recordings("FINISHED")].count(recording) == 1
    assert r.hmp.do("snapshot", log=0)["accepted"] == 1


def test_a_file_with_many_errors_is_refused_whole(reloading: Reloading) -> None:
    r = reloading
    good = json.loads(json.dumps(r.tables))
    r.tables["mqtt"] |= {"prot": 1, "port": "many", "keepalive": 30}
    r.tables["bridge"] |= {"health_every": "soon", "log_level": "chatty"}
    r.tables["rooms"] |= {
        "r1": {"server": "mian", "session": "no-uuid"},
        "R9": {"server": "main", "session": session_of(3)},
        "r3": {"server": "main"},
        "r4": {"server": "main", "session": session_of(0)},
    }
    before = r.retained()
    answer = r.reload()
    assert answer["outcome"] == "failed"
    assert answer["error"]["code"] == "refused"
    wrong = (
        *("[mqtt] prot:", "[mqtt] port:", "[mqtt] keepalive:"),
        *("[bridge] health_every:", "[bridge] log_level:"),
        *("[rooms.r1] server:", "[rooms.r1] session:", "R9", "[rooms.r3] session:"),
        "[rooms.r4] session:",
    )
    for each in wrong:
        assert each in answer["error"]["message"]
        assert r.site.daemon.lines_with("configuration refused", each)
    assert "errors=10" in r.site.daemon.wait_for_line("reload refused, nothing was changed")
    assert "errors=10" in r.hang_up("reload refused, nothing was changed")
    after = r.retained()
    assert {t for t in after if after[t] != before[t]} <= {"bridge/health"}
    assert after.keys() == before.keys()
    r.tables = good
    assert r.done() == NOTHING


def test_a_file_that_has_gone_is_not_taken_for_another(site: MakeSite, tmp_path: Path) -> None:
    """Of the usual places the one of the start counts; the next one has other rooms."""
    s = site(start=False, rooms=1)
    good = toml(s.tables | {"bridge": {"state_dir": str(tmp_path / "state")}})
    other = good.replace("[rooms.r0]", "[rooms.wrong]")
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "bridge.toml").write_text(other, encoding="utf-8")
    file = tmp_path / "bridge.toml"
    file.write_text(good, encoding="utf-8")
    with closing(Program([HMP_BRIDGE, "run"], folder=tmp_path)) as daemon:
        s.panel.wait_for("room/r0/availability", "online")
        for name in ("missing", "endless"):
            file.unlink()
            if name == "endless":
                file.write_text("rooms = " + "[" * 5000, encoding="utf-8")
            since = len(daemon.lines)
            daemon.send_signal(signal.SIGHUP)
            daemon.wait_for_line("reload refused", since=since)
            file.touch()
        assert daemon.lines_with("configuration refused", "no configuration file at bridge.toml")
        assert daemon.lines_with("configuration refused", "brackets within brackets")
        assert s.panel.newest("room/wrong/state") is None


def test_a_recording_room_is_removed_only_by_force(reloading: Reloading) -> None:
    r = reloading
    recording = r.record("r1")
    table = r.tables["rooms"].pop("r1")
    answer = r.reload()
    assert answer["outcome"] == "failed"
    assert "[rooms.r1] is removed, but the room is recording" in answer["error"]["message"]
    assert "force" in answer["error"]["message"]
    r.hang_up("reload refused")
    assert r.panel.newest("room/r1/recording_id") == recording

    r.tables["rooms"]["r1"] = table | {"session": session_of(4)}
    assert "[rooms.r1] session: cannot change" in r.reload()["error"]["message"]

    del r.tables["rooms"]["r1"]
    assert r.done(force=True)["rooms"]["removed"] == ["r1"]
    r.site.daemon.wait_for_line("leaves a recording running", recording)
    assert [each["id"] for each in r.hmp.recordings("RECORDING")] == [recording]
    assert not [topic for topic in r.retained() if topic.startswith("room/r1/")]

    r.tables["rooms"]["r1"] = table
    r.done()
    r.panel.wait_for_newest("room/r1/state", "idle")
    since = r.panel.mark()
    r.panel.publish("room/r1/set", json.dumps({"action": "adopt", "recording_id": recording}))
    r.panel.wait_for("room/r1/ack", "adopt ok", since=since)
    r.stop("r1")
    assert r.hmp.recordings("RECORDING") == []


def test_what_a_recording_room_is_changes_by_force(reloading: Reloading) -> None:
    """It begins anew, with another session, and the recording runs on."""
    r = reloading
    recording = r.record("r1")
    r.tables["rooms"]["r1"]["session"] = session_of(5)
    assert r.done(force=True)["rooms"]["changed"] == ["r1"]
    r.panel.wait_for_newest("room/r1/state", "idle")
    r.panel.wait_for_newest("room/r1/session_id", session_of(5))
    other = r.record("r1")
    running = {each["id"]: each["session"] for each in r.hmp.recordings("RECORDING")}
    assert running == {recording: session_of(1), other: session_of(5)}


def test_an_idle_room_gets_another_session(reloading: Reloading) -> None:
    r = reloading
    r.tables["rooms"]["r1"]["session"] = session_of(5)
    assert r.done()["rooms"]["changed"] == ["r1"]
    r.panel.wait_for("room/r1/session_id", session_of(5))
    r.record("r1")
    assert [each["session"] for each in r.hmp.recordings("RECORDING")] == [session_of(5)]


def test_servers_come_change_and_go(reloading: Reloading) -> None:
    r = reloading
    main = r.tables["servers"]["main"]
    r.tables["servers"]["other"] = dict(main) | {"allow_commands": ["getRecordingStatus"]}
    r.add_room(2, server="other")
    assert r.done()["servers"]["added"] == ["other"]
    r.panel.wait_for("server/other/state", "ready")
    r.record("r2")
    ask = {"parameters": [r.panel.newest("room/r2/recording_id")]}
    assert r.requester.request("server/other/request/getRecordingStatus", ask)["outcome"] == "ok"
    answer = r.requester.request("server/main/request/getRecordingStatus", ask)
    assert answer["error"]["code"] == "not_allowed"
    main["allow_commands"] = ["*"]
    main["poll_interval"] = "300ms"
    assert r.done()["servers"] == {"added": [], "changed": ["main"], "removed": []}
    assert r.requester.request("server/main/request/getRecordingStatus", ask)["outcome"] == "ok"
    assert r.hmp.do("snapshot", log=0)["accepted"] == 2
    r.stop("r2")
    del r.tables["servers"]["other"], r.tables["rooms"]["r2"]
    assert r.done()["servers"]["removed"] == ["other"]
    answer = r.requester.request("server/other/request/getRecordingStatus", ask)
    assert answer["error"]["code"] == "unknown_server"
    r.panel.wait_for("server/other/state", "")
    assert not [topic for topic in r.retained() if "other" in topic or "r2" in topic]
    r.hmp.wait_until(
        lambda hmp: len(hmp.do("snapshot", log=0)["connections"]) == 1, "one connection"
    )


def test_an_hmp_that_moves(reloading: Reloading) -> None:
    """While a room records it is named; then, or by force, that link alone is made anew."""
    r = reloading
    recording = r.record("r0")
    r.tables["servers"]["main"]["host"] = "localhost"
    value = r.done()
    assert value["servers"]["changed"] == []
    [named] = value["needs_restart"]
    assert named.startswith("servers.main.host (or ")
    assert r.hmp.do("snapshot", log=0)["accepted"] == 1
    since = r.panel.mark()
    assert r.done(force=True)["servers"]["changed"] == ["main"]
    r.panel.wait_for("server/main/state", "connecting", since=since)
    r.panel.wait_for("server/main/state", "ready", since=since)
    assert r.hmp.do("snapshot", log=0)["accepted"] == 2
    assert r.panel.newest("room/r0/recording_id") == recording
    r.stop("r0")
    r.tables["servers"]["main"]["host"] = "127.0.0.1"
    since = r.panel.mark()
    assert r.done()["servers"]["changed"] == ["main"]
    r.panel.wait_for("server/main/state", "ready", since=since)
    r.record("r0")


def test_bindings_are_replaced_on_the_live_session(reloading: Reloading) -> None:
    r = reloading
    below = r.panel.base.rpartition("/")[0]
    button = {"topic": f"{below}/button", "room": "r0", "do": "record", "unique": "n"}
    light = {"topic": f"{below}/switch", "room": "r0", "do": "stop"}
    r.tables["bindings"] = [button]
    assert r.done()["bindings"] == {"added": [f"binding 1 ({below}/button)"], "removed": []}

    def push(leaf: str, payload: str) -> None:
        with closing(Panel(r.site.broker.port, below)) as device:
            device.publish(leaf, payload)

    push("button", '{"n": 1}')
    r.panel.wait_for("room/r0/ack", "record ok")
    r.tables["bindings"] = [light, button]
    assert r.done()["bindings"]["added"] == [f"binding 1 ({below}/switch)"]
    push("switch", "x")
    r.panel.wait_for("room/r0/ack", "stop ok")
    since = r.panel.mark()
    push("button", '{"n": 1}')  # has been seen, whatever the place of the binding
    push("button", '{"n": 2}')
    r.panel.wait_for("room/r0/ack", "record ok", since=since)
    assert len(r.panel.payloads("room/r0/ack", since)) == 1
    r.tables["bindings"] = [light]
    assert r.done()["bindings"]["removed"] == [f"binding 2 ({below}/button)"]
    since = r.panel.mark()
    push("button", '{"n": 3}')
    push("switch", "x")
    r.panel.wait_for("room/r0/ack", "stop ok", since=since)
    assert r.panel.payloads("room/r0/ack", since) == ["stop ok"]


def test_settings_take_effect_at_once(site: MakeSite) -> None:
    """Whatever was left of the hour."""
    s = site(start=False)
    s.tables["bridge"]["health_every"] = "1h"
    s.add_daemon()
    s.wait_ready()
    with closing(Requester(s.broker.port, s.base, mqtt5=False)) as requester:
        r = Reloading(s, requester)
        r.tables["bridge"]["health_every"] = "1s"
        assert r.done()["settings"] == ["bridge.health_every"]
        r.record("r0")  # every poll of it changes what is said
        for _ in range(3):
            r.panel.wait_for("bridge/health", since=r.panel.mark())


def test_what_needs_a_restart_is_named_and_the_rest_applied(reloading: Reloading) -> None:
    r = reloading
    r.tables["mqtt"]["keepalive"] = "20s"
    r.tables["bridge"] |= {"clock": "trusted", "log_level": "debug"}
    r.add_room(2)
    for _ in range(2):  # it is still so the second time
        value = r.done()
        assert value["needs_restart"] == ["mqtt.keepalive", "bridge.clock"]
    assert "r2" in json.loads(r.panel.newest("bridge/info") or "")["rooms"]
    r.site.daemon.wait_for_line("level=debug")
    r.site.daemon.wait_for_line("needs a restart", "key=bridge.clock")


def test_reload_while_everything_is_away(reloading: Reloading) -> None:
    """What is added then is there when HMP is back; recordings are found again."""
    r = reloading
    recording = r.record("r0")
    recordings = r.hmp.kill()
    r.panel.wait_for("server/main/state", "refused")
    r.add_room(2)
    del r.tables["rooms"]["r1"]
    assert r.done()["rooms"] == {"added": ["r2"], "changed": [], "removed": ["r1"]}
    r.panel.wait_for("room/r2/availability", "offline")
    r.hmp.start(recordings)
    r.panel.wait_for("room/r2/availability", "online", timeout=40)
    assert r.panel.newest("room/r0/recording_id") == recording
    r.record("r2")
    r.stop("r0")


def test_reload_while_the_broker_is_away(site: MakeSite, launch: Launch) -> None:
    """What the broker kept of before is put right as soon as it is back."""
    s = site(rooms=3, broker=launch(BrokerOptions(persistence=True)))
    with closing(Requester(s.broker.port, s.base, mqtt5=False)) as requester:
        r = Reloading(s, requester)
        recording = r.record("r0")
        s.broker.stop()
        s.daemon.wait_for_line("mqtt connection failed")
        del r.tables["rooms"]["r2"]
        r.tables["rooms"]["r1"]["name"] = "Second"
        below = s.base.rpartition("/")[0]
        r.tables["bindings"] = [{"topic": f"{below}/button", "room": "r0", "do": "stop"}]
        assert "rooms_removed=r2" in r.hang_up()
        since = r.panel.mark()
        s.broker.start()
        r.panel.wait_for("room/r2/status", "", since=since)
        r.panel.wait_for("bridge/state", "online", since=since)
        retained = r.retained()
        assert not [topic for topic in retained if topic.startswith("room/r2/")]
        assert retained["room/r0/recording_id"] == recording
        assert json.loads(retained["bridge/info"])["rooms"] == ["r0", "r1"]
        with closing(Panel(s.broker.port, below)) as device:
            device.publish("button", "x")
        r.panel.wait_for("room/r0/ack", "stop ok", since=since)
        assert s.hmp.do("snapshot", log=0)["accepted"] == 1


def test_what_was_taken_out_while_the_bridge_was_down_leaves_no_topic(
    reloading: Reloading,
) -> None:
    """A file that was edited and a restart, as most people do it."""
    r = reloading
    r.tables["servers"]["other"] = dict(r.tables["servers"]["main"])
    r.add_room(2, server="other")
    r.done()
    r.panel.wait_for("room/r2/availability", "online")
    r.site.daemon.stop()
    del r.tables["rooms"]["r2"], r.tables["rooms"]["r1"], r.tables["servers"]["other"]
    since = r.panel.mark()
    r.site.tables = r.tables
    r.site.add_daemon(state=r.site.daemon.state, configured_state=False)
    r.site.wait_ready(since)
    retained = r.retained()
    assert {topic.split("/")[1] for topic in retained if topic.startswith("room/")} == {"r0"}
    assert [topic for topic in retained if topic.startswith("server/")] == ["server/main/state"]
    assert json.loads(retained["room/r0/status"])["state"] == "idle"


def test_a_kill_before_the_broker_has_heard_of_a_removal(site: MakeSite, launch: Launch) -> None:
    """The next start says it; nothing else knows that the room was ever there."""
    s = site(rooms=3, broker=launch(BrokerOptions(persistence=True)))
    with closing(Requester(s.broker.port, s.base, mqtt5=False)) as requester:
        r = Reloading(s, requester)
        s.broker.stop()
        s.daemon.wait_for_line("mqtt connection failed")
        del r.tables["rooms"]["r2"]
        assert "rooms_removed=r2" in r.hang_up()
        s.daemon.stop(signal.SIGKILL)
        s.broker.start()
        assert r.retained_now("room/r2/state") == "idle"
        since = r.panel.mark()
        s.tables = r.tables
        s.add_daemon(state=s.daemon.state, configured_state=False)
        s.wait_ready(since)
        assert not [topic for topic in r.retained() if topic.startswith("room/r2/")]


def test_a_reload_at_the_same_time_as_the_end(reloading: Reloading) -> None:
    """Whatever of it was done, the daemon leaves in order and starts again."""
    r = reloading
    recording = r.record("r0")
    del r.tables["rooms"]["r1"]
    r.write()
    for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGHUP, signal.SIGHUP):
        r.site.daemon.send_signal(number)
    assert r.site.daemon.wait() == 0
    assert "Traceback" not in r.site.daemon.output
    r.panel.wait_for("bridge/state", "offline")
    since = r.panel.mark()
    r.site.tables = r.tables
    r.site.add_daemon(state=r.site.daemon.state, configured_state=False)
    r.site.wait_ready(since)
    r.panel.wait_for_newest("room/r0/recording_id", recording)
    r.stop("r0")


def test_word_to_systemd(site: MakeSite, tmp_path: Path) -> None:
    """RELOADING=1 with the time since boot, then READY=1, whatever came of it."""
    s = site(start=False)
    path = str(tmp_path / "notify")
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as systemd:
        systemd.settimeout(15)
        systemd.bind(path)
        s.add_daemon(environment={"NOTIFY_SOCKET": path})
        s.wait_ready()
        assert systemd.recv(4096).startswith(b"READY=1")
        good = s.daemon.file.read_text(encoding="utf-8")
        for text, said in ((good, b"configuration reloaded"), ("[", b"reload refused")):
            s.daemon.file.write_text(text, encoding="utf-8")
            before = time.monotonic_ns() // 1000
            s.daemon.send_signal(signal.SIGHUP)
            reloading, stamp = systemd.recv(4096).split(b"\n")
            assert reloading == b"RELOADING=1"
            at = int(stamp.removeprefix(b"MONOTONIC_USEC="))
            assert before <= at <= time.monotonic_ns() // 1000
            ready, status = systemd.recv(4096).split(b"\n")
            assert ready == b"READY=1"
            assert said in status


class Crowd:
    """People who press buttons all the time, and whose every press is to have one result."""

    def __init__(self, panel: Panel, chance: random.Random) -> None:
        self._panel = panel
        self._chance = chance
        self.asked: list[str] = []

    def press(self, rooms: Sequence[str], count: int, *words: str) -> None:
        """Press in some of the rooms."""
        messages: list[tuple[str, str | bytes]] = []
        for _ in range(count):
            self.asked.append(f"p{len(self.asked)}")
            action = {"action": self._chance.choice(words), "id": self.asked[-1]}
            messages.append((f"room/{self._chance.choice(rooms)}/set", json.dumps(action)))
        self._panel.publish_many(messages)

    def results(self) -> dict[str, list[dict[str, Any]]]:
        """What came of the presses, by id."""
        found: dict[str, list[dict[str, Any]]] = {each: [] for each in self.asked}
        for seen in self._panel.seen.since():
            if seen.topic.endswith(("/result", "/response/error")):
                result = json.loads(seen.payload)
                found[result["id"]].append(result)
        return found

    def wait_for_all(self) -> dict[str, list[dict[str, Any]]]:
        """Every press has a result; nobody waits for one that does not come."""
        self._panel.wait_until(lambda _: all(self.results().values()), "all results")
        return self.results()


def changed_at_random(tables: dict[str, Any], chance: random.Random, base: str) -> None:
    """One thing that people change."""
    rooms = tables["rooms"]
    number = chance.choice((4, 5))
    passing = f"r{number}"
    match chance.randrange(6):
        case 0 | 1 | 2 if passing in rooms:
            del rooms[passing]
        case 0 | 1 | 2:
            rooms[passing] = {"server": "main", "session": session_of(number)}
        case 3:
            name = chance.choice(list(rooms))
            rooms[name] |= {"name": f"Room {chance.random()}", "mark_title": "Here"}
        case 4:
            tables["servers"]["main"]["poll_interval"] = f"{chance.randrange(200, 400)}ms"
        case _:
            topics = [f"{base}/device{chance.randrange(3)}" for _ in range(3)]
            tables["bindings"] = [{"topic": each, "room": "r0", "do": "mark"} for each in topics]


def test_reloads_while_rooms_start_and_stop(reloading: Reloading) -> None:
    """No recording is lost, no result, no connection; what is retained is what there is."""
    r = reloading
    chance = random.Random(1)
    crowd = Crowd(r.panel, chance)
    base = r.panel.base.rpartition("/")[0]
    rooms = [f"r{number}" for number in range(6)]
    for number in (2, 3):
        r.add_room(number)
    applied = 0
    for number in range(RELOADS):
        before = json.loads(json.dumps(r.tables))
        changed_at_random(r.tables, chance, base)
        crowd.press(rooms, 4, "record", "stop", "pause", "toggle")
        by_signal = bool(number % 2)
        refused = "refused" in r.hang_up("reload-") if by_signal else r.reload()["outcome"] != "ok"
        applied += not refused
        r.tables = before if refused else r.tables
    assert applied > RELOADS / 2
    r.write()
    crowd.wait_for_all()
    for room in r.tables["rooms"]:
        crowd.press([room], 1, "stop")
    results = crowd.wait_for_all()
    assert {len(each) for each in results.values()} == {1}
    assert {each["outcome"] for [each] in results.values()} <= {"ok", "ignored", "failed"}
    r.hmp.wait_until(lambda hmp: not hmp.recordings("RECORDING", "PAUSED"), "no recording left")
    assert r.hmp.do("snapshot", log=0)["accepted"] == 1
    started = [each["answer"] for each in r.hmp.commands("startRecording")]
    assert len(started) > RELOADS / 10
    assert {f"OK|{each['id']}" for each in r.hmp.recordings("FINISHED")} == set(started)
    for room in r.tables["rooms"]:
        r.panel.wait_for_newest(f"room/{room}/state", "idle")
    retained = r.retained()
    assert {topic.split("/")[1] for topic in retained if topic.startswith("room/")} == set(
        r.tables["rooms"]
    )
    for topic, payload in retained.items():
        if topic.endswith("/status"):
            state = retained[topic.replace("status", "state")]
            assert json.loads(payload)["state"] == state == "idle"
    assert set(json.loads(retained["bridge/info"])["rooms"]) == set(r.tables["rooms"])
    assert r.site.daemon.stop() == 0
    assert "Traceback" not in r.site.daemon.output
    with closing(Journal(r.site.daemon.state)) as journal:
        assert {name for name in journal.rooms() if "/" not in name} == set(r.tables["rooms"])
