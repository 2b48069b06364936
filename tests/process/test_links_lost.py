"""HMP or broker killed and restarted while a room starts, records and stops.

Afterwards the states are right, HMP has one recording, and every word that was ever
published on `availability` was true when it was said.
"""

import signal
import threading
import time
from contextlib import closing

import pytest
from paho.mqtt.client import MQTTMessage

from tests.broker_fixtures import Launch
from tests.brokers import BrokerOptions

from .cutter import Cutter
from .panel import Panel
from .site import MakeSite, Site
from .watched import PATIENCE


def restart_hmp(s: Site, *, down: float = 0.0) -> None:
    """Kill the HMP, wait until everybody knows, bring it back with its recordings."""
    mark = s.panel.mark()
    recordings = s.hmp.kill()
    s.panel.wait_for("room/r0/availability", "offline", since=mark)
    # Noticed by itself, not by a question that got no answer in time.
    s.daemon.wait_for_line("HMP cannot be used", "HMP closed the connection")
    s.panel.wait_for("server/main/state", "refused", since=mark)
    back_at = time.monotonic()
    s.hmp.start(recordings)
    online = s.panel.wait_for("room/r0/availability", "online", since=mark)
    assert online.at > back_at


def restart_before_the_daemon_looks(s: Site) -> int:
    """Bring the broker back: the panel is there to hear the first word of the daemon; its mark."""
    s.daemon.send_signal(signal.SIGSTOP)
    s.broker.start()
    s.panel.wait_subscribed(2)
    mark = s.panel.mark()
    s.daemon.send_signal(signal.SIGCONT)
    return mark


def test_hmp_dies_while_recording(site: MakeSite) -> None:
    """The last known state stays, marked stale, and is found true again (R4)."""
    s = site()
    s.panel.press("r0", "record")
    s.panel.wait_for("room/r0/ack", "record ok")
    s.panel.wait_until(lambda _: s.panel.status("r0")["verified_at"], "a verified recording")
    mark = s.panel.mark()
    recordings = s.hmp.kill()
    s.panel.wait_for("room/r0/availability", "offline", since=mark)
    s.panel.wait_until(lambda _: s.panel.status("r0")["stale"], "stale")
    assert s.panel.newest("room/r0/state") == "recording"
    s.hmp.start(recordings)
    s.panel.wait_for("room/r0/availability", "online", since=mark)
    s.panel.wait_until(lambda _: not s.panel.status("r0")["stale"], "fresh again")
    assert s.panel.payloads("room/r0/state", mark) == []
    assert s.panel.newest("room/r0/recording") == "true"
    assert len(s.hmp.commands("startRecording")) == 1
    assert len(s.hmp.recordings("RECORDING")) == 1
    s.panel.press("r0", "stop")
    s.panel.wait_for("room/r0/ack", "stop ok")


def test_hmp_dies_while_stopping(site: MakeSite) -> None:
    """A stop that HMP never carried out is sent again, and counts once it is confirmed (R8)."""
    s = site()
    s.panel.press("r0", "record")
    s.panel.wait_for("room/r0/ack", "record ok")
    s.hmp.fault("delay:stopRecording:600:count=1")
    s.panel.press("r0", "stop")
    s.panel.wait_for("room/r0/state", "stopping")
    s.hmp.wait_until(lambda hmp: hmp.do("faults")["faults"] == [], "the stop")  # and read it
    restart_hmp(s)
    s.panel.wait_for("room/r0/ack", "stop ok")
    assert s.panel.newest("room/r0/state") == "idle"
    assert [row["state"] for row in s.hmp.recordings()] == ["FINISHED"]
    assert len(s.hmp.commands("startRecording")) == 1
    assert s.panel.payloads("room/r0/ack").count("stop ok") == 1


def test_hmp_dies_while_starting_having_started(site: MakeSite) -> None:
    """The reply is lost, the recording is there: proved, without its id, never started again."""
    s = site(knobs=["active_check=before"], room={"on_lost_start": "hold"})
    s.hmp.fault("slow_reply:startRecording:600")
    s.panel.press("r0", "record")
    s.panel.wait_for("room/r0/state", "starting")
    s.hmp.wait_until(lambda hmp: hmp.recordings("RECORDING"), "a recording")
    restart_hmp(s)
    s.panel.wait_for("room/r0/state", "unknown")
    s.panel.wait_for("room/r0/alarm", "outcome_unknown")
    s.panel.wait_for_newest("room/r0/state", "recording")
    s.panel.wait_for_newest("room/r0/recording_id", "none")
    s.panel.wait_for_newest("room/r0/alarm", "outcome_unknown")
    assert len(s.hmp.recordings("RECORDING")) == 1
    assert len(s.hmp.commands("startRecording")) == 1
    s.panel.press("r0", "stop")
    s.panel.wait_for("room/r0/ack", "stop failed id_unknown")


def test_a_lost_start_is_held(site: MakeSite) -> None:
    """An HMP that proves nothing: unknown, alarm, no second start, also once the link is back."""
    s = site(room={"on_lost_start": "hold"})
    s.hmp.fault("lose_reply:startRecording:count=1")
    mark = s.panel.mark()
    s.panel.press("r0", "record")
    s.panel.wait_for("room/r0/state", "unknown")
    s.panel.wait_for("room/r0/ack", "record unknown")
    s.panel.wait_for("room/r0/tally", "fault")
    assert s.panel.newest("room/r0/alarm") == "outcome_unknown"
    s.panel.wait_for("room/r0/availability", "online", since=mark)
    # Asked about, several times, and started only once.
    s.hmp.wait_until(lambda hmp: len(hmp.commands("removeSourceFromSession")) > 1, "questions")
    assert s.panel.newest("room/r0/state") == "unknown"
    assert len(s.hmp.commands("startRecording")) == 1
    s.panel.press("r0", "toggle")
    s.panel.wait_for("room/r0/ack", "toggle failed not_certain")


@pytest.mark.parametrize("how", ["kill", "stop"])
def test_the_broker_dies_in_every_phase(site: MakeSite, launch: Launch, how: str) -> None:
    """HMP is not disturbed by it, and the newest word on every topic is there afterwards (R23)."""
    broker = launch(BrokerOptions())
    s = site(3, broker=broker)
    end = broker.kill if how == "kill" else broker.stop
    s.panel.press("r0", "record")
    s.panel.press("r2", "record")
    s.panel.wait_for("room/r0/ack", "record ok")
    s.panel.wait_for("room/r2/ack", "record ok")
    # One recording, one that is to start, and one that is to stop, for as long as it takes.
    s.hmp.freeze()
    s.panel.publish_many([("room/r1/press/record", "true"), ("room/r2/press/stop", "true")])
    s.panel.wait_for("room/r1/state", "starting")
    s.panel.wait_for("room/r2/state", "stopping")
    end()
    s.daemon.wait_for_line("mqtt connection failed")
    s.hmp.thaw()
    s.hmp.wait_until(lambda hmp: hmp.commands("stopRecording"), "the stop")
    s.hmp.wait_until(lambda hmp: len(hmp.commands("startRecording")) == 3, "the start")
    mark = restart_before_the_daemon_looks(s)
    s.panel.wait_for("bridge/state", "online", since=mark)
    s.panel.wait_for_newest("room/r0/state", "recording")
    s.panel.wait_for_newest("room/r1/state", "recording")
    s.panel.wait_for_newest("room/r2/state", "idle")
    assert s.panel.newest("room/r0/availability") == "online"
    assert s.panel.newest("server/main/state") == "ready"
    assert s.panel.payloads("room/r0/availability", mark) == ["online"]
    assert len(s.hmp.commands("startRecording")) == 3
    assert len(s.hmp.recordings("RECORDING")) == 2
    assert len(s.hmp.commands("stopRecording")) == 1
    # The states were all there before anybody could believe the bridge to be online (R24).
    topics = [seen.topic.removeprefix(f"{s.base}/") for seen in s.panel.seen.since(mark)]
    assert "room/r2/state" in topics[: topics.index("bridge/state")]
    s.panel.press("r1", "stop")
    s.panel.wait_for("room/r1/ack", "stop ok", since=mark)


def test_both_die_at_once(site: MakeSite, launch: Launch) -> None:
    """While the broker is away HMP comes and goes; what is published in the end is what is."""
    broker = launch()
    s = site(1, broker=broker)
    s.panel.press("r0", "record")
    s.panel.wait_for("room/r0/ack", "record ok")
    broker.kill()
    recordings = s.hmp.kill()
    s.daemon.wait_for_line("HMP cannot be used")
    broker.start()
    s.panel.wait_for_newest("room/r0/availability", "offline")
    mark = s.panel.mark()
    s.hmp.start(recordings)
    s.panel.wait_for("room/r0/availability", "online", since=mark)
    assert s.panel.newest("room/r0/state") == "recording"
    assert len(s.hmp.commands("startRecording")) == 1


def test_hmp_goes_half_open(site: MakeSite) -> None:
    """A stop that is swallowed by a dead connection is sent again over the next one."""
    s = site(server={"start_timeout": "8s"})
    s.panel.press("r0", "record")
    s.panel.wait_for("room/r0/ack", "record ok")
    s.hmp.fault("half_open:stopRecording:count=1")
    s.panel.press("r0", "stop")
    s.panel.wait_for("room/r0/availability", "offline")
    s.panel.wait_for("room/r0/ack", "stop ok")
    assert [row["state"] for row in s.hmp.recordings()] == ["FINISHED"]


def test_hmp_restarts_and_is_not_ready_at_once(site: MakeSite) -> None:
    """Refused, then degraded, then ready; the room is usable only with the last of them."""
    s = site()
    s.panel.press("r0", "record")
    s.panel.wait_for("room/r0/ack", "record ok")
    mark = s.panel.mark()
    s.hmp.fault("error:*:070000")
    s.hmp.do("restart", down=1, recordings="keep")
    s.panel.wait_for("server/main/state", "degraded", since=mark)
    s.panel.wait_for_newest("room/r0/availability", "offline")
    s.hmp.do("clear_faults")
    s.panel.wait_for("server/main/state", "ready", since=mark)
    s.panel.wait_for("room/r0/availability", "online", since=mark)
    assert s.panel.payloads("room/r0/availability", mark) == ["offline", "online"]
    assert s.panel.newest("room/r0/state") == "recording"
    assert len(s.hmp.commands("startRecording")) == 1


def test_the_daemon_is_killed(site: MakeSite) -> None:
    """The will says so; the next one says that it is back."""
    s = site()
    mark = s.panel.mark()
    s.daemon.send_signal(signal.SIGKILL)
    s.panel.wait_for("bridge/state", "offline", since=mark)
    s.daemon.wait()
    s.add_daemon(state=s.daemon.state)
    s.panel.wait_for("bridge/state", "online", since=mark)
    assert s.panel.payloads("bridge/state", mark) == ["offline", "online"]


class Sleeper(Panel):
    """Takes and acknowledges nothing between `asleep.set()` and `awake.set()`."""

    def __init__(self, port: int, base: str) -> None:
        self.asleep, self.awake = threading.Event(), threading.Event()
        #: The topics that were heard since it fell asleep.
        self.heard: set[str] = set()
        super().__init__(port, base)

    def received(self, message: MQTTMessage) -> None:
        """A message came."""
        if self.asleep.is_set():
            self.awake.wait(PATIENCE)
            self.heard.add(message.topic)
        super().received(message)


@pytest.mark.mqtt5
def test_who_sleeps_through_an_announcement_has_every_topic(site: MakeSite, launch: Launch) -> None:
    """mosquitto keeps 1,000 messages for a subscriber and drops the rest; here come 3,000 (R24)."""
    s = site(200, start=False, broker=launch(BrokerOptions(queued=None)))
    with (
        closing(Cutter(s.broker.port)) as cutter,
        closing(Sleeper(s.broker.port, s.base)) as sleeper,
    ):
        s.configure(rooms=200, broker_port=cutter.port)
        s.add_daemon()
        s.wait_ready()
        for panel in (s.panel, sleeper):
            for number in range(200):
                panel.wait_for(f"room/r{number}/availability", "online")
        mark = s.panel.mark()
        sleeper.asleep.set()
        cutter.arm(b"/bridge/response/health", lambda: None)
        s.panel.publish("bridge/request/health")
        s.panel.wait_for("bridge/state", "offline", since=mark)
        s.panel.wait_for("bridge/state", "online", since=mark)
        announced = {seen.topic for seen in s.panel.seen.since(mark)}
        assert len(announced) > 3000
        sleeper.awake.set()
        sleeper.wait_until(lambda _: announced <= sleeper.heard, "every topic that was announced")
    s.daemon.close()


def test_a_broker_that_was_away_at_first_is_kept_in_contact(site: MakeSite, launch: Launch) -> None:
    """Once it is online it is asked whether it delivers, as one that was there from the start."""
    s = site(start=False, broker=launch(BrokerOptions()))
    s.broker.stop()
    s.add_daemon()
    s.daemon.wait_for_line("mqtt connection failed")
    mark = restart_before_the_daemon_looks(s)
    online = s.panel.wait_for("bridge/state", "online", since=mark)
    s.panel.wait_until(
        lambda _: any(each.at > online.at for each in s.panel.messages("bridge/marker", mark)),
        "the bridge's own marker",
    )
