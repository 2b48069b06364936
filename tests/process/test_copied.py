"""Two bridges from one disk: a state folder that was copied along."""

import shutil
from contextlib import closing

import pytest

from bridge.cli.main import ExitCode
from tests.brokers import Broker

from .daemon import configuration
from .panel import Panel
from .relay import Relay
from .site import MakeSite
from .watched import PATIENCE

CONNECT = b"\x10"
SESSION_TAKEN_OVER = bytes.fromhex("e0018e")
"""Packets of MQTT 5: how the one begins, and the whole of DISCONNECT 0x8E."""


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


class Taken(Relay):
    """A line to a broker that says of every bridge online that another client has its session."""

    def __init__(self, target: int) -> None:
        self._left_to_pass: int | None = None
        super().__init__(target)

    def passing(self, direction: str, data: bytes) -> bytes:
        """All of it, but for what comes from the broker when it has answered for `online`."""
        if direction == ">":
            if data.startswith(CONNECT):
                self._left_to_pass = None
            elif b"online" in data and self._left_to_pass is None:
                self._left_to_pass = 2
            return data
        if self._left_to_pass is None:
            return data
        self._left_to_pass -= 1
        return data if self._left_to_pass >= 0 else SESSION_TAKEN_OVER


@pytest.mark.mqtt5
def test_a_bridge_whose_session_is_taken_again_and_again(site: MakeSite, broker: Broker) -> None:
    """It leaves and says why. That the other one stays is seen in the tests of `Rivals`."""
    s = site(start=False)
    with closing(Taken(broker.port)) as line:
        s.configure(broker_port=line.port)
        s.add_daemon()
        assert s.daemon.wait(timeout=2 * PATIENCE) == ExitCode.UNAVAILABLE
    assert "give each its own: mqtt.client_id" in s.daemon.output
