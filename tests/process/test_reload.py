"""The configuration is read again while the daemon runs: by SIGHUP, and by request."""

import json
import signal
import socket
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from .daemon import toml
from .hmp import session_of
from .panel import Panel
from .programs import HMP_BRIDGE, Program
from .reloading import Reloading
from .requester import Ask
from .site import MakeSite
from .watched import PATIENCE

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
    r.requester.request("bridge/request/info")  # behind what the rooms say when HMP is ready
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
        r.site.daemon.wait_for_line("configuration refused", each)
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
        daemon.wait_for_line("configuration refused", "no configuration file at bridge.toml")
        daemon.wait_for_line("configuration refused", "brackets within brackets")
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


def test_settings_take_effect_at_once(site: MakeSite, asking: Ask) -> None:
    """Whatever was left of the hour."""
    s = site(start=False)
    s.tables["bridge"]["health_every"] = "1h"
    s.add_daemon()
    s.wait_ready()
    r = Reloading(s, asking(s))
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
    r.panel.wait_until(
        lambda _: "r2" in json.loads(r.panel.newest("bridge/info") or "")["rooms"], "the room"
    )
    r.site.daemon.wait_for_line("level=debug")
    r.site.daemon.wait_for_line("needs a restart", "key=bridge.clock")


def test_word_to_systemd(site: MakeSite, tmp_path: Path) -> None:
    """RELOADING=1 with the time since boot, then READY=1, whatever came of it."""
    s = site(start=False)
    path = str(tmp_path / "notify")
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as systemd:
        systemd.settimeout(PATIENCE)
        systemd.bind(path)
        s.add_daemon(environment={"NOTIFY_SOCKET": path})
        s.wait_ready()

        def told() -> bytes:
            """The next word but for how things stand, which is said by itself."""
            while (word := systemd.recv(4096)).startswith(b"STATUS="):
                pass
            return word

        assert told() == b"READY=1"
        good = s.daemon.file.read_text(encoding="utf-8")
        for text, said in ((good, b"configuration reloaded"), ("[", b"reload refused")):
            s.daemon.file.write_text(text, encoding="utf-8")
            before = time.monotonic_ns() // 1000
            s.daemon.send_signal(signal.SIGHUP)
            reloading, stamp = told().split(b"\n")
            assert reloading == b"RELOADING=1"
            at = int(stamp.removeprefix(b"MONOTONIC_USEC="))
            assert before <= at <= time.monotonic_ns() // 1000
            ready, status = told().split(b"\n")
            assert ready == b"READY=1"
            assert said in status
