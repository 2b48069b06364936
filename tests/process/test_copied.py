"""Two bridges from one disk: a state folder that was copied along."""

import itertools
import shutil
import threading
from contextlib import closing
from functools import partial

import pytest

from bridge.cli.main import ExitCode
from tests.brokers import Broker

from .daemon import configuration
from .panel import Panel
from .relay import Relay
from .site import MakeSite

SESSION_TAKEN_OVER = bytes.fromhex("e0018e")
"""DISCONNECT of MQTT 5 with reason code 0x8E."""

WHY = "give each its own: mqtt.client_id"


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
    """A line to a broker that says, when it is told to, that another client has the session."""

    def __init__(self, target: int) -> None:
        self._taken = threading.Event()
        super().__init__(target)

    def take(self) -> None:
        """Put that in the place of what the broker says next."""
        self._taken.set()

    def passing(self, direction: str, data: bytes) -> bytes:
        """All of it, but for that one word."""
        if direction == ">" or not self._taken.is_set():
            return data
        self._taken.clear()
        return SESSION_TAKEN_OVER


@pytest.mark.mqtt5
def test_a_bridge_whose_session_is_taken_again_and_again(site: MakeSite, broker: Broker) -> None:
    """It leaves and says why. That the other one stays is seen in the tests of `Rivals`."""
    s = site(start=False)
    with closing(Taken(broker.port)) as line:
        s.configure(broker_port=line.port)
        daemon = s.add_daemon()
        for times in itertools.count(1):
            newest = daemon.lines.until(partial(said, times), f"online {times} times, or the end")
            if WHY in newest:
                break
            line.take()  # with the next acknowledgement: its health is published every second
        assert daemon.wait() == ExitCode.UNAVAILABLE


def said(times: int, lines: list[str]) -> str | None:
    """The line with which the process ends, or with which it was online so often."""
    found = [line for line in lines if WHY in line or "mqtt connected" in line]
    return found[-1] if len(found) >= times else None
