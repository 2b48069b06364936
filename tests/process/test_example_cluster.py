"""The example of a cluster as it is shipped: started, its leader killed, brought back, ended."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from tests.brokers import claim_hundred
from tests.brokers.others import nats_server
from tests.cluster.nats import wait_current
from tests.cluster.servers import need_etcd

from .panel import Panel

START = Path(__file__).parents[2] / "config/cluster/start"
TAKES_LONG = 150.0
"""Seconds in which nine programs start, or NATS says who leads what, beside other tests."""

pytestmark = pytest.mark.skipif(nats_server() is None, reason="needs nats-server: extra brokers")


class Example:
    """What the script has started in `folder`, with ports that begin with `first`."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder, self._stack = folder, stack
        self.first = claim_hundred() // 100
        self.process = self.start()
        for node in (1, 2, 3):
            wait_current(self.first * 100 + 50 + node)
        self.panel = stack.enter_context(closing(Panel(self.first * 100 + 12)))

    def start(self, *names: str) -> subprocess.Popen[bytes]:
        """Run the script for these programs, or for all."""
        beside = Path(sys.executable).parent
        process = subprocess.Popen(
            [START, self.folder, *names],
            env=os.environ | {"PORTS": f"{self.first}", "PATH": f"{beside}:{os.environ['PATH']}"},
            stdout=subprocess.DEVNULL,
        )
        self._stack.callback(process.wait)
        self._stack.callback(process.terminate)
        return process

    def wait_for(self, box: str, state: str) -> None:
        """Until the box says that it does this."""

        def look(_: object) -> bool:
            said: dict[str, Any] = json.loads(self.panel.newest(f"bridge/standby/{box}") or "{}")
            return said.get("state") == state

        self.panel.wait_until(look, (box, state), timeout=TAKES_LONG)


def show(folder: Path) -> None:
    """Print the boxes' logs, which pytest shows beside a failure."""
    for log in sorted(folder.glob("[ab].log")):
        print(f"{log}:\n{log.read_text(errors='replace')[-3000:]}")


@pytest.fixture
def example(tmp_path: Path) -> Iterator[Example]:
    need_etcd()
    with ExitStack() as stack:
        stack.callback(show, tmp_path)
        yield Example(tmp_path, stack)


def test_it_takes_over_and_ends(example: Example) -> None:
    panel = example.panel

    def leading(seen: list[Any]) -> str:
        said = (box for box in "ab" if '"leader"' in (panel.newest(f"bridge/standby/{box}") or ""))
        return next(said, "")

    leader = panel.wait_until(leading, "a box that leads", timeout=TAKES_LONG)
    other = "b" if leader == "a" else "a"
    example.wait_for(other, "standby")
    panel.wait_for_newest("room/boardroom/availability", "online", timeout=TAKES_LONG)
    panel.press("boardroom", "record")
    panel.wait_for("room/boardroom/ack", "record ok")
    recording = panel.newest("room/boardroom/recording_id")
    mark = panel.mark()
    os.kill(int((example.folder / f"{leader}.pid").read_text()), signal.SIGKILL)
    example.wait_for(other, "leader")
    # Presses do not wait for it at NATS, which speaks MQTT 3.1.1.
    panel.wait_for("bridge/state", "online", since=mark, timeout=TAKES_LONG)
    panel.press("boardroom", "stop")
    panel.wait_for("room/boardroom/ack", "stop ok", since=mark, timeout=TAKES_LONG)
    assert panel.newest("room/boardroom/last_recording_id") == recording
    back = example.start(leader)
    example.wait_for(leader, "standby")
    for process in (back, example.process):
        process.send_signal(signal.SIGINT)
        assert process.wait(TAKES_LONG) == 0
