"""Three members of etcd that cannot reach each other, and two boxes on either side (R35, R36).

`a` leads. The short form is in one test; every side and every leader of etcd: `pytest -m cluster`.
"""

import json
from contextlib import ExitStack

import pytest

from tests.cluster.fixtures import Launch as LaunchEtcd
from tests.cluster.parted import PartedMembers

from .pair import Pair
from .panel import Seen
from .site import MakeSite

FEW, MANY = (0,), (1, 2)
"""Members on either side: the second has a majority."""


class Parted:
    """A pair, each box of which reaches the members of its own side alone; presses have ids."""

    def __init__(
        self, site: MakeSite, stack: ExitStack, launch_etcd: LaunchEtcd, a_s_side: tuple[int, ...]
    ) -> None:
        self.pair = pair = Pair(site, stack, lambda: launch_etcd(3, kind=PartedMembers), rooms=3)
        assert isinstance(pair.store, PartedMembers)
        self.store = pair.store
        b_s_side = MANY if a_s_side is FEW else FEW
        pair.start("a", url=[pair.store[each].endpoint for each in a_s_side])
        pair.wait_ready("a")
        pair.start("b", url=[pair.store[each].endpoint for each in b_s_side])
        pair.wait_for_word("b", state="standby", store="reachable")
        self._asked: list[tuple[str, str]] = []

    def press(self, room: str, action: str) -> None:
        """Press, under an id of its own."""
        name = f"{action}-{room}-{len(self._asked)}"
        self._asked.append((room, name))
        self.pair.panel.publish(f"room/{room}/set", json.dumps({"action": action, "id": name}))

    def wait_for_results(self) -> None:
        """Each press is done; where the lease changes hands its result may come once more (R6)."""
        panel = self.pair.panel
        asked = {(room, name, "ok") for room, name in self._asked}

        def look(seen: list[Seen]) -> bool:
            said = set()
            for room in {room for room, _ in self._asked}:
                topic = f"{panel.base}/room/{room}/result"
                results = [json.loads(each.payload) for each in seen if each.topic == topic]
                said |= {(room, each["id"], each["outcome"]) for each in results}
            assert said <= asked
            return said == asked

        panel.wait_until(look, asked)

    def is_over(self) -> None:
        """The store is one again; everything is stopped, and was done once."""
        pair, panel = self.pair, self.pair.panel
        leader = next(box for box in "ab" if pair.word(box)["state"] == "leader")
        for box in "ab":
            state = "leader" if box == leader else "standby"
            pair.wait_for_word(box, state=state, store="reachable")
        panel.wait_for_newest("bridge/state", "online")
        for room in ("r0", "r1", "r2"):
            if panel.newest(f"room/{room}/state") != "idle":
                self.press(room, "stop")
                panel.wait_for_newest(f"room/{room}/state", "idle")
        self.wait_for_results()
        starts = sum(name.startswith("record") for _, name in self._asked)
        # A stop that two boxes send is done once.
        stopped = {each["line"] for each in pair.hmp.commands("stopRecording")}
        assert pair.starts() == len(stopped) == starts
        assert pair.hmp.recordings("RECORDING", "PAUSED") == []


def _lesser_part(parted: Parted, leader_of_etcd: int) -> None:
    """The box that leads is there: the other one leads next, and has what could not be written."""
    panel, pair = parted.pair.panel, parted.pair
    parted.press("r0", "record")
    parted.press("r1", "record")
    parted.wait_for_results()
    recording = panel.newest("room/r0/recording_id")
    parted.store.led_by(leader_of_etcd)
    mark = panel.mark()
    parted.store.part(FEW[0])
    parted.press("r1", "stop")
    parted.press("r2", "record")
    pair.wait_for_word("b", state="leader")
    panel.wait_for("bridge/state", "online", since=mark)
    parted.wait_for_results()
    pair.wait_for_word("a", state="standby", store="unreachable")
    assert panel.newest("room/r0/recording_id") == recording
    parted.store.heal()
    parted.is_over()


def _greater_part(parted: Parted, leader_of_etcd: int) -> None:
    """The box that leads is there, and goes on; who stands by is of no use until all is well."""
    panel, pair = parted.pair.panel, parted.pair
    parted.press("r0", "record")
    parted.wait_for_results()
    parted.store.led_by(leader_of_etcd)
    parted.store.part(FEW[0])
    parted.press("r1", "record")
    parted.press("r0", "stop")
    parted.wait_for_results()
    pair.wait_for_word("b", state="standby", store="unreachable")
    assert pair.word("a")["state"] == "leader"
    assert panel.newest("bridge/state") == "online"
    parted.store.heal()
    pair.wait_for_word("b", state="standby", store="reachable")
    parted.is_over()


def test_the_box_that_leads_is_with_the_lesser_part(
    site: MakeSite, stack: ExitStack, launch_etcd: LaunchEtcd
) -> None:
    """And so is the member of etcd that leads the others."""
    _lesser_part(Parted(site, stack, launch_etcd, FEW), FEW[0])


@pytest.mark.cluster
@pytest.mark.parametrize("leader_of_etcd", [0, 1, 2])
@pytest.mark.parametrize("side", [FEW, MANY], ids=["lesser", "greater"])
def test_either_side_and_every_leader_of_etcd(
    site: MakeSite,
    stack: ExitStack,
    launch_etcd: LaunchEtcd,
    side: tuple[int, ...],
    leader_of_etcd: int,
) -> None:
    trial = _lesser_part if side is FEW else _greater_part
    trial(Parted(site, stack, launch_etcd, side), leader_of_etcd)
