"""The daemon killed over the stop of all rooms: each has stopped, and none stops again (R27)."""

import signal
from contextlib import closing

import pytest

from .cutter import Cutter
from .site import MakeSite

pytestmark = pytest.mark.mqtt5


def test_delivered_again_it_stops_no_recording_of_afterwards(site: MakeSite) -> None:
    s = site(2, start=False)
    with closing(Cutter(s.broker.port)) as line:
        direct, s.tables["mqtt"]["port"] = s.tables["mqtt"]["port"], line.port
        # A session that the next process takes up, with what was not acknowledged in it.
        s.tables["mqtt"]["client_id"] = s.base.replace("/", "-")
        daemon = s.add_daemon()
        s.wait_ready()
        s.panel.wait_for("room/r1/availability", "online")
        for room in ("r0", "r1"):
            s.panel.publish(f"room/{room}/set", "record")
            s.panel.wait_for(f"room/{room}/ack", "record ok")

        def kill() -> None:
            s.hmp.wait_until(lambda hmp: len(hmp.commands("stopRecording")) == 2, "two stops")
            daemon.send_signal(signal.SIGKILL)

        line.arm_acknowledgement(f"{s.base}/room/ALL/set", kill)
        s.panel.publish("room/ALL/set", "stop")
        daemon.wait()
        # While it is away nothing starts; what it delivers first is the stop once more.
        s.tables["mqtt"]["port"] = direct
        mark = s.panel.mark()
        s.add_daemon(state=daemon.state)
        s.wait_ready(mark)
        for room in ("r0", "r1"):
            s.panel.publish(f"room/{room}/set", "record")
            s.panel.wait_for(f"room/{room}/ack", "record ok", since=mark)
        s.daemon.wait_for_line("redelivered message was carried out before", "ALL/set")
        assert len(s.hmp.commands("stopRecording")) == 2
        assert {s.panel.newest(f"room/{room}/state") for room in ("r0", "r1")} == {"recording"}
