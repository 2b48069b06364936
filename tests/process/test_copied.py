"""Two bridges from one disk: a state folder that was copied along."""

import shutil
import threading

import pytest

from bridge.cli.main import ExitCode
from tests.brokers import Broker

from .daemon import configuration
from .panel import Panel
from .site import MakeSite
from .watched import PATIENCE, Watched


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


@pytest.mark.mqtt5
@pytest.mark.timeout(900)  # the two wait longer from one meeting to the next
def test_two_bridges_with_one_client_id(site: MakeSite, broker: Broker) -> None:
    """One of them leaves and says why; the other is there for every press from then on."""
    s = site(start=False)
    panels, daemons = [], []
    for number in range(2):
        base = f"{s.base}/{number}"
        s.tables = configuration(
            broker_port=broker.port,
            hmp_port=s.hmp.port,
            base_topic=base,
            mqtt={"client_id": s.base.replace("/", "-")},
        )
        s.tables["rooms"] = {"r0": s.tables["rooms"][f"r{number}"]}
        daemons.append(s.add_daemon())
        panels.append(Panel(broker.port, base))
    try:
        ended: Watched[int] = Watched()

        def wait_for(number: int) -> None:
            daemons[number].process.wait()
            ended.add(number)

        for number in range(2):
            threading.Thread(target=wait_for, args=[number], daemon=True).start()
        gone = ended.first(lambda _: True, "one that leaves", timeout=12 * PATIENCE)
        assert daemons[gone].wait() == ExitCode.UNAVAILABLE
        assert "give each its own: mqtt.client_id" in daemons[gone].output
        panel, daemon = panels[1 - gone], daemons[1 - gone]
        for action in ("record", "stop"):
            mark = panel.mark()
            panel.press("r0", action)
            panel.wait_for("room/r0/ack", f"{action} ok", since=mark)
        assert daemon.stop() == 0
    finally:
        for each in panels:
            each.close()
