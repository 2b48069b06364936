"""One of three dies while a room records: a node of NATS, a member of etcd. The short form.

All phases, all members, again and again: `pytest -m cluster`.
"""

import signal
import time
from contextlib import ExitStack

import pytest

from tests.brokers.others import nats_server
from tests.cluster.fixtures import Launch as LaunchEtcd
from tests.cluster.nats import TAKES_OVER_WITHIN, nats_cluster
from tests.cluster.servers import Members

from .pair import Pair
from .site import MakeSite


@pytest.mark.skipif(nats_server() is None, reason="needs nats-server: extra brokers")
def test_a_node_of_nats_is_killed(
    site: MakeSite, stack: ExitStack, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The bridge goes from the first to the third; the panel is on the second."""
    nodes = stack.enter_context(nats_cluster(tmp_path_factory.mktemp("nats")))
    hosts = [f"127.0.0.1:{nodes[number].port}" for number in (0, 2)]
    s = site(1, broker=nodes[1], mqtt={"host": hosts})
    panel = s.panel
    panel.press("r0", "record")
    panel.wait_for("room/r0/ack", "record ok")
    recording = panel.newest("room/r0/recording_id")
    mark, began = panel.mark(), time.monotonic()
    nodes[0].kill()
    panel.wait_for("bridge/state", "online", since=mark, timeout=TAKES_OVER_WITHIN)
    print(f"nothing was subscribed for {time.monotonic() - began:.1f} s")
    panel.press("r0", "stop")
    panel.wait_for("room/r0/ack", "stop ok")
    panel.wait_for_newest("room/r0/last_recording_id", recording or "")
    assert len(s.hmp.commands("startRecording")) == len(s.hmp.commands("stopRecording")) == 1


@pytest.mark.parametrize("member", [0, 2])
def test_a_member_of_etcd_is_killed(
    site: MakeSite, stack: ExitStack, launch_etcd: LaunchEtcd, member: int
) -> None:
    def three() -> Members:
        return launch_etcd(3)

    pair = Pair(site, stack, three)
    pair.start_both()
    panel = pair.panel
    panel.press("r0", "record")
    panel.wait_for("room/r0/ack", "record ok")
    recording = panel.newest("room/r0/recording_id")
    pair.store[member].kill()
    panel.press("r1", "record")
    panel.wait_for("room/r1/ack", "record ok")
    panel.press("r0", "stop")
    panel.wait_for("room/r0/ack", "stop ok")
    assert panel.newest("room/r0/last_recording_id") == recording
    # What was written meanwhile is what the other box goes on with.
    mark = panel.mark()
    pair.boxes["a"].send_signal(signal.SIGKILL)
    panel.wait_for("bridge/state", "online", since=mark)
    panel.press("r1", "stop")
    panel.wait_for("room/r1/ack", "stop ok", since=mark)
    assert pair.starts() == 2
    assert len(pair.hmp.commands("stopRecording")) == 2
