"""Three nats-servers as one broker: a node is killed in every phase of a recording, and all are
restarted one by one; panels are on other nodes.

What NATS does not keep when a node is lost, and what helps, is in config/more-than-one-box.md: so
the bridge is asked to announce everything again before nodes are compared, and who subscribes is
not given every retained value the first time.
"""

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress

import pytest

from tests.brokers.others import nats_server
from tests.cluster.nats import TAKES_OVER_WITHIN, NatsNode, nats_cluster

from .panel import Panel, Seen
from .site import MakeSite, Site

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(nats_server() is None, reason="needs nats-server: extra brokers"),
]

_READS_WITHIN = 5.0
"""Seconds in which a node has given all that it will give to a new subscription."""

ROOMS = [f"r{number}" for number in range(5)]


@pytest.fixture
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[NatsNode]]:
    with nats_cluster(tmp_path_factory.mktemp("nats")) as made:
        yield made


class OnNats:
    """A bridge that has the first node, or else the third; the panel is on the second."""

    def __init__(self, site: MakeSite, nodes: list[NatsNode], stack: ExitStack) -> None:
        self.nodes = nodes
        self._stack = stack
        hosts = [f"127.0.0.1:{nodes[number].port}" for number in (0, 2)]
        self.site: Site = site(len(ROOMS), broker=nodes[1], mqtt={"host": hosts})
        self.panel = self.site.panel
        self.ids: list[str] = []

    def ask(self, room: str, action: str) -> str:
        """An order with an id of its own, which it returns."""
        self.ids.append(f"{room}-{action}-{len(self.ids)}")
        self.panel.publish(f"room/{room}/press/{action}", f'{{"id": "{self.ids[-1]}"}}')
        return self.ids[-1]

    def do(self, room: str, action: str) -> None:
        """The same, and its result is there."""
        asked = self.ask(room, action)
        self.wait_for_results(room, [asked])

    def wait_for_results(self, room: str, ids: list[str]) -> None:
        """Each of these was carried out; across a lost connection a result may come twice."""

        def done(seen: list[Seen]) -> bool:
            said = dict(self._outcomes(seen, room))
            return all(said.get(each) == "ok" for each in ids)

        self.panel.wait_until(done, f"the results of {ids}", timeout=TAKES_OVER_WITHIN)

    def _outcomes(self, seen: list[Seen], room: str) -> Iterator[tuple[str, str]]:
        for message in seen:
            if message.topic == f"{self.site.base}/room/{room}/result":
                result = json.loads(message.payload)
                yield result["id"], result["outcome"]

    @property
    def node(self) -> NatsNode:
        """The one that the bridge has come to last."""
        newest = self.site.daemon.lines_with("mqtt connected")[-1]
        return next(each for each in self.nodes if f":{each.port} " in newest)

    def come_back(self, node: NatsNode) -> None:
        """Restart a node in good order; where the bridge had it, it is at another one then."""
        had_it, since = node is self.node, len(self.site.daemon.lines)
        node.stop()
        if had_it:
            # The topic does not tell: until then it may say what it said before.
            self.site.daemon.wait_for_line("mqtt connected", since=since, timeout=TAKES_OVER_WITHIN)
        node.start()
        node.wait_current()

    def compare(self, states: dict[str, str]) -> None:
        """Every node retains the same, HMP has it, and each order has one outcome."""
        self.panel.publish("bridge/request/announce", "{}")
        wanted = {f"room/{room}/state": state for room, state in states.items()}
        for leaf, payload in wanted.items():
            self.panel.wait_for_newest(leaf, payload)
        for room in states:
            for leaf in ("recording_id", "last_recording_id", "availability"):
                wanted[f"room/{room}/{leaf}"] = self.panel.newest(f"room/{room}/{leaf}") or ""
        for node in self.nodes:
            self._read(node, wanted)
        outcomes: dict[str, set[str]] = {}
        for room in ROOMS:
            for one, outcome in self._outcomes(self.panel.seen.since(), room):
                outcomes.setdefault(one, set()).add(outcome)
        assert outcomes == {each: {"ok"} for each in self.ids}
        starts = [each for each in self.ids if "-record-" in each]
        stops = [each for each in self.ids if "-stop-" in each]
        hmp = self.site.hmp
        assert len(hmp.commands("startRecording")) == len(starts)
        assert len(hmp.commands("stopRecording")) == len(stops)
        active = [state for state in states.values() if state in ("recording", "paused")]
        assert len(hmp.recordings("RECORDING", "PAUSED")) == len(active)

    def _read(self, node: NatsNode, wanted: dict[str, str]) -> None:
        """Subscribe at the node, and again where it gave less, until all of this is there."""
        deadline = time.monotonic() + TAKES_OVER_WITHIN
        while not self._has_read(node, wanted):
            assert time.monotonic() < deadline, (node.name, wanted)

    def _has_read(self, node: NatsNode, wanted: dict[str, str]) -> bool:
        with closing(Panel(node.port, self.site.base)) as late:

            def look(_: list[Seen]) -> bool:
                return all(late.newest(leaf) == payload for leaf, payload in wanted.items())

            with suppress(AssertionError):  # it has not been seen
                return late.wait_until(look, wanted, timeout=_READS_WITHIN)
        return False


@pytest.fixture
def on(site: MakeSite, nodes: list[NatsNode], stack: ExitStack) -> OnNats:
    return OnNats(site, nodes, stack)


def _kill_in_every_phase(on: OnNats, node: NatsNode) -> None:
    """Kill the node of the bridge; r0 ends idle, and r1 to r4 as they are asked."""
    s = on.site
    for room in ("r1", "r2", "r3"):
        on.do(room, "record")
    on.do("r2", "pause")
    s.hmp.freeze()
    asked = {"r3": on.ask("r3", "stop"), "r4": on.ask("r4", "record")}
    on.panel.wait_for_newest("room/r3/state", "stopping")
    on.panel.wait_for_newest("room/r4/state", "starting")
    node.kill()
    s.hmp.thaw()
    for room, one in asked.items():
        on.wait_for_results(room, [one])
    # Not before: NATS speaks MQTT 3.1.1, over which no session is kept for who is away.
    on.do("r1", "pause")


def test_a_node_is_killed_in_every_phase(on: OnNats) -> None:
    _kill_in_every_phase(on, on.nodes[0])
    on.nodes[0].start()
    on.nodes[0].wait_current()
    on.compare({"r0": "idle", "r1": "paused", "r2": "paused", "r3": "idle", "r4": "recording"})


def test_all_nodes_are_restarted_one_by_one(on: OnNats) -> None:
    """With the node of the panel, and that of the bridge: what runs runs on."""
    on.do("r0", "record")
    on.do("r1", "record")
    on.do("r1", "pause")
    for _ in range(3):
        for node in on.nodes:
            on.come_back(node)
            on.panel.wait_for_newest("bridge/state", "online")
            on.do("r2", "record")
            on.do("r2", "stop")
    on.compare({"r0": "recording", "r1": "paused", "r2": "idle"})


def test_each_node_is_killed_again_and_again(on: OnNats) -> None:
    """The bridge goes from the first to the third and back, in every phase of a recording."""
    for lap in range(4):
        node = on.nodes[0 if lap % 2 == 0 else 2]
        _kill_in_every_phase(on, node)
        node.start()
        node.wait_current()
        on.compare({"r1": "paused", "r2": "paused", "r3": "idle", "r4": "recording"})
        for room in ("r1", "r2", "r4"):
            on.do(room, "stop")
