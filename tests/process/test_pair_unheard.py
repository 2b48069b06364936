"""Two boxes of which one can neither be heard nor hear, or has just come to its broker (R36)."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager

import httpx

from tests.broker_fixtures import Launch
from tests.cluster.fixtures import Launch as LaunchEtcd

from .daemon import Daemon
from .pair import Cut, Line, Pair
from .site import MakeSite
from .watched import PATIENCE

_SUBACK = 0x90
_LONG, _SHORT = 20, 4
"""Seconds of a lease of which much is left when etcd has been given up, and of one that is over
before a box is online."""


class Slow(Line):
    """A line to a broker that is long in answering who subscribes, once on each connection."""

    def __init__(self, target: int, seconds: float) -> None:
        self._seconds = seconds
        self._ends = threading.Event()
        self._has_waited: set[int] = set()
        super().__init__(target)

    def passing(self, direction: str, data: bytes) -> bytes:
        """All of it, that late."""
        this = threading.get_ident()  # there is one for each direction of a connection
        if direction == "<" and data[0] == _SUBACK and this not in self._has_waited:
            self._has_waited.add(this)
            self._ends.wait(self._seconds)
        return super().passing(direction, data)

    def close(self) -> None:
        """Hang up, and hold nothing back any more."""
        self._ends.set()
        super().close()


@contextmanager
def pressing(box: Daemon, action: str) -> Iterator[Future[httpx.Response]]:
    """Somebody who presses at the box's own page of r0, and waits for the answer meanwhile."""
    url = box.wait_for_line("web pages are served").partition("url=")[2].partition(" ")[0]
    with (
        httpx.Client(base_url=url, timeout=PATIENCE, trust_env=False) as page,
        ThreadPoolExecutor(1) as beside,
    ):
        yield beside.submit(page.post, f"/rooms/r0/{action}")


def test_one_that_hears_nothing_waits_while_its_lease_runs(pair: Pair, cut: Cut) -> None:
    """What was pressed at its page is sent when it has been written, and not before."""
    pair.site.tables["web"] = {"listen": "127.0.0.1:0"}
    to_store, to_broker = cut(pair.store[0].port), cut(pair.site.broker.port)
    url = f"http://127.0.0.1:{to_store.port}"
    a = pair.start("a", url=url, broker=to_broker.port, ttl=_LONG)
    pair.wait_ready("a")
    pair.start("b", ttl=_LONG)
    pair.wait_for_word("b", state="standby", store="reachable")
    to_broker.cut()
    to_store.cut()
    with pressing(a, "record") as pressed:
        a.wait_for_line("standing=waits lease=true", "store=false others=unheard")
        assert pair.starts() == 0
        to_store.is_cut = False
        a.wait_for_line("this box stands otherwise", "standing=leads")
        answer = pressed.result()
    assert (answer.status_code, answer.json()["outcome"]) == (200, "ok")
    assert pair.starts() == 1
    assert "event=leading" not in pair.boxes["b"].output


def test_one_that_is_long_in_coming_online_keeps_the_lease(pair: Pair, stack: ExitStack) -> None:
    """It is on its way, and another one would be no sooner."""
    pair.site.tables["mqtt"]["connect_timeout"] = "1m"
    slow = stack.enter_context(closing(Slow(pair.site.broker.port, 3 * _SHORT)))
    pair.start("b", ttl=_SHORT)
    pair.wait_ready("b")
    a = pair.start("a", broker=slow.port, ttl=_SHORT)
    pair.wait_for_word("a", state="standby", store="reachable")
    pair.boxes["b"].stop()
    mark = pair.panel.mark()
    pair.wait_for_word("a", state="leader")
    pair.start("b", ttl=_SHORT)
    pair.panel.wait_for("bridge/state", "online", since=mark)
    a.wait_for_line("mqtt connected")
    assert "leaving to another box" not in a.output


def test_one_that_cannot_reach_a_broker_which_knows_nobody_leaves_to_one_that_can(
    site: MakeSite, stack: ExitStack, launch: Launch, launch_etcd: LaunchEtcd, cut: Cut
) -> None:
    """The broker was started anew, without what it retained, wills among it."""
    broker = launch()
    pair = Pair(site, stack, launch_etcd, broker=broker)
    to_broker = cut(broker.port)
    pair.start("a", broker=to_broker.port)
    pair.wait_ready("a")
    pair.start("b")
    pair.wait_for_word("b", state="standby", store="reachable")
    panel = pair.panel
    broker.kill()
    to_broker.cut()
    mark = panel.mark()
    broker.start()
    panel.wait_for("bridge/state", "online", since=mark)
    pair.wait_for_word("b", state="leader")
    panel.press("r0", "record")
    panel.wait_for("room/r0/ack", "record ok", since=mark)
    assert pair.starts() == 1


def test_one_that_comes_back_to_its_broker_waits_for_another_that_does(
    site: MakeSite, stack: ExitStack, launch: Launch, launch_etcd: LaunchEtcd, cut: Cut
) -> None:
    """It cannot reach the store, and a broker that was started anew knows of no other box."""
    broker = launch()
    pair = Pair(site, stack, launch_etcd, broker=broker)
    to_store, to_broker = cut(pair.store[0].port), cut(broker.port)
    a = pair.start("a", url=f"http://127.0.0.1:{to_store.port}")
    pair.wait_ready("a")
    pair.start("b", broker=to_broker.port)
    pair.wait_for_word("b", state="standby", store="reachable")
    panel = pair.panel
    broker.kill()
    to_broker.is_cut = True
    to_store.cut()
    a.wait_for_line("this box stands otherwise", "standing=holds lease=false session=false")
    mark = panel.mark()
    broker.start()
    pair.wait_for_word("a", state="leader", store="unreachable")
    to_broker.is_cut = False
    a.wait_for_line("this box stands otherwise", "standing=ends")
    assert "standing=alone" not in a.output
    assert "standing=returns" not in a.output
    pair.wait_for_word("b", state="leader")
    panel.wait_for("bridge/state", "online", since=mark)
    name = json.dumps({"action": "record", "id": "once"})
    panel.publish("room/r0/set", name)
    pair.boxes["b"].wait_for_line("request done", "id=once outcome=ok")
    assert pair.starts() == 1


def test_one_that_hears_nothing_and_is_to_end_does(pair: Pair, cut: Cut) -> None:
    """What was pressed at its page cannot be written: it is not sent, and nobody has an answer."""
    pair.site.tables["web"] = {"listen": "127.0.0.1:0"}
    to_store, to_broker = cut(pair.store[0].port), cut(pair.site.broker.port)
    url = f"http://127.0.0.1:{to_store.port}"
    a = pair.start("a", url=url, broker=to_broker.port)
    pair.wait_ready("a")
    to_broker.cut()
    to_store.cut()
    with pressing(a, "record") as pressed:
        a.wait_for_line("this box stands otherwise", "standing=holds lease=false session=false")
        assert a.stop() == 0
        assert pressed.exception() is not None
    assert pair.starts() == 0
