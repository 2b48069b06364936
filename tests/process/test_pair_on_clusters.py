"""Two boxes on clusters of real servers: a member of etcd dies in each phase; NATS; MQTT 3.1.1."""

import signal
from contextlib import ExitStack

import pytest

from tests.brokers import Broker
from tests.brokers.others import nats_server
from tests.cluster.fixtures import Launch as LaunchEtcd
from tests.cluster.nats import TAKES_OVER_WITHIN, nats_cluster

from .pair import Pair
from .site import MakeSite

pytestmark = pytest.mark.cluster


def _record(pair: Pair, room: str) -> None:
    """Record, and take what is said from there on."""
    mark = pair.panel.mark()
    pair.panel.press(room, "record")
    pair.panel.wait_for(f"room/{room}/ack", "record ok", since=mark)


@pytest.mark.parametrize("member", [0, 1, 2])
def test_a_member_of_etcd_is_killed_in_each_phase(
    site: MakeSite, stack: ExitStack, launch_etcd: LaunchEtcd, member: int
) -> None:
    pair = Pair(site, stack, lambda: launch_etcd(3), rooms=4)
    pair.start_both()
    panel, hmp = pair.panel, pair.hmp
    for room in ("r0", "r1", "r2"):
        _record(pair, room)
    panel.press("r1", "pause")
    panel.wait_for("room/r1/ack", "pause ok")
    hmp.freeze()
    panel.press("r2", "stop")
    panel.press("r3", "record")
    panel.wait_for_newest("room/r2/state", "stopping")
    panel.wait_for_newest("room/r3/state", "starting")
    pair.store[member].kill()
    hmp.thaw()
    for room, state in (("r2", "idle"), ("r3", "recording")):
        panel.wait_for_newest(f"room/{room}/state", state)
    pair.store.start(member)
    mark = panel.mark()
    pair.boxes["a"].send_signal(signal.SIGKILL)
    panel.wait_for("bridge/state", "online", since=mark)
    for room in ("r0", "r1", "r3"):
        panel.press(room, "stop")
        panel.wait_for(f"room/{room}/ack", "stop ok", since=mark)
    assert pair.starts() == 4
    assert len(hmp.commands("stopRecording")) == 4
    assert hmp.recordings("RECORDING", "PAUSED") == []


def _take_over(pair: Pair) -> None:
    """The leader is killed, and then the other one is paused, while r0 records."""
    panel = pair.panel
    pair.start_both()
    _record(pair, "r0")
    recording = panel.newest("room/r0/recording_id")
    mark = panel.mark()
    pair.boxes["a"].send_signal(signal.SIGKILL)
    # Over MQTT 3.1.1 nothing waits for who is away: this one is lost, or taken by the next leader.
    panel.press("r1", "record")
    panel.wait_for("bridge/state", "online", since=mark, timeout=TAKES_OVER_WITHIN)
    if panel.newest("room/r1/state") == "idle":
        panel.press("r1", "record")
    panel.wait_for_newest("room/r1/state", "recording")
    pair.start("a")
    pair.wait_for_word("a", state="standby", store="reachable")
    mark = panel.mark()
    pair.boxes["b"].send_signal(signal.SIGSTOP)
    pair.boxes["a"].wait_for_line("leading", timeout=TAKES_OVER_WITHIN)
    panel.wait_for("bridge/state", "online", since=mark, timeout=TAKES_OVER_WITHIN)
    pair.boxes["b"].send_signal(signal.SIGCONT)
    panel.wait_until(
        lambda _: pair.word("b").get("state") == "standby", "b", timeout=TAKES_OVER_WITHIN
    )
    panel.wait_for_newest("bridge/state", "online", timeout=TAKES_OVER_WITHIN)
    assert panel.newest("room/r0/recording_id") == recording
    for room in ("r0", "r1"):
        panel.press(room, "stop")
        panel.wait_for_newest(f"room/{room}/state", "idle", timeout=TAKES_OVER_WITHIN)
    assert pair.starts() == 2
    assert len(pair.hmp.commands("stopRecording")) == 2


def test_over_mqtt_3_1_1(
    site: MakeSite, stack: ExitStack, launch_etcd: LaunchEtcd, broker: Broker
) -> None:
    _take_over(Pair(site, stack, launch_etcd, broker=broker, mqtt={"protocol": "3.1.1"}))


@pytest.mark.skipif(nats_server() is None, reason="needs nats-server: extra brokers")
def test_on_nats(
    site: MakeSite,
    stack: ExitStack,
    launch_etcd: LaunchEtcd,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    nodes = stack.enter_context(nats_cluster(tmp_path_factory.mktemp("nats")))
    hosts = [f"127.0.0.1:{each.port}" for each in nodes]
    _take_over(Pair(site, stack, launch_etcd, broker=nodes[1], mqtt={"host": hosts}))
