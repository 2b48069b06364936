"""Two bridges from one disk: a state folder that was copied along."""

import shutil

from tests.brokers import Broker

from .daemon import configuration
from .panel import Panel
from .site import MakeSite


def test_two_bridges_from_one_state_folder(site: MakeSite, broker: Broker) -> None:
    """Of other base topics, with one broker: each has a session of its own, every press an ack."""
    s = site()
    assert s.daemon.stop() == 0
    first, tables = s.daemon, dict(s.tables)
    shutil.copytree(first.state, s.folder / "copy")
    s.add_daemon(state=first.state)
    original = s.daemon
    base = f"{s.base}/copy"
    s.tables = configuration(broker_port=broker.port, hmp_port=s.hmp.port, base_topic=base)
    # It has the other session of this HMP only.
    s.tables["rooms"] = {"r1": tables["rooms"]["r1"]}
    copy = s.add_daemon(state=s.folder / "copy")
    panel = Panel(broker.port, base)
    try:
        panel.wait_for("room/r1/availability", "online")
        s.panel.wait_for_newest("room/r0/availability", "online")
        for action in ("record", "stop") * 5:
            marks = s.panel.mark(), panel.mark()
            s.panel.press("r0", action)
            panel.press("r1", action)
            s.panel.wait_for("room/r0/ack", f"{action} ok", since=marks[0])
            panel.wait_for("room/r1/ack", f"{action} ok", since=marks[1])
    finally:
        panel.close()
    for daemon in (original, copy):
        assert len(daemon.lines_with("mqtt connected")) == 1
        assert daemon.lines_with("mqtt connection failed") == []
