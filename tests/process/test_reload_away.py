"""The configuration is changed while the bridge, its broker or its HMP is away."""

import json
import signal
from contextlib import closing

from tests.broker_fixtures import Launch
from tests.brokers import BrokerOptions

from .panel import Panel
from .reloading import Reloading
from .requester import Ask
from .site import MakeSite
from .test_links_lost import restart_before_the_daemon_looks


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
    r.panel.wait_for("room/r2/availability", "online")
    assert r.panel.newest("room/r0/recording_id") == recording
    r.record("r2")
    r.stop("r0")


def test_reload_while_the_broker_is_away(site: MakeSite, asking: Ask, launch: Launch) -> None:
    """What the broker kept of before is put right as soon as it is back."""
    s = site(rooms=3, broker=launch(BrokerOptions(persistence=True)))
    r = Reloading(s, asking(s))
    recording = r.record("r0")
    s.broker.stop()
    s.daemon.wait_for_line("mqtt connection failed")
    del r.tables["rooms"]["r2"]
    r.tables["rooms"]["r1"]["name"] = "Second"
    below = s.base.rpartition("/")[0]
    r.tables["bindings"] = [{"topic": f"{below}/button", "room": "r0", "do": "stop"}]
    assert "rooms_removed=r2" in r.hang_up()
    since = r.panel.mark()
    restart_before_the_daemon_looks(s)
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


def test_a_kill_before_the_broker_has_heard_of_a_removal(
    site: MakeSite, asking: Ask, launch: Launch
) -> None:
    """The next start says it; nothing else knows that the room was ever there."""
    s = site(rooms=3, broker=launch(BrokerOptions(persistence=True)))
    r = Reloading(s, asking(s))
    s.broker.stop()
    s.daemon.wait_for_line("mqtt connection failed")
    del r.tables["rooms"]["r2"]
    assert "rooms_removed=r2" in r.hang_up()
    s.daemon.stop(signal.SIGKILL)
    s.broker.start()
    assert r.retained_now("room/r2/state") == "idle"
    r.panel.wait_subscribed(2)
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
