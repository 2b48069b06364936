"""Two boxes of which one is to end while it waits for word of the store, or of the others (R36)."""

import json
import signal
import threading
from contextlib import ExitStack, closing

from .pair import Cut, Line, Pair
from .watched import PATIENCE

_CONNECT = 0x10
_LONG = 60
"""Seconds of a lease that no test waits for."""

assert _LONG > PATIENCE


class Late(Line):
    """A line to the store on which the first transaction is held up until it `goes_on`.

    That its sender has gone meanwhile is not passed on before it is `answered`: etcd would let go.
    """

    def __init__(self, target: int) -> None:
        self.held, self.goes_on, self.answered = (threading.Event() for _ in range(3))
        super().__init__(target)

    def passing(self, direction: str, data: bytes) -> bytes:
        """All of it, that late."""
        if direction == ">" and b"/v3/kv/txn" in data and not self.held.is_set():
            self.held.set()
            self.goes_on.wait(PATIENCE)
        if direction == "<" and self.goes_on.is_set():
            self.answered.set()
        return super().passing(direction, data)

    def ending(self) -> None:
        """After the answer, of which there is one more."""
        if self.goes_on.is_set():
            self.answered.wait(PATIENCE)

    def close(self) -> None:
        """Hang up, and hold nothing back any more."""
        self.goes_on.set()
        self.answered.set()
        super().close()


class Deaf(Line):
    """A line to a broker that lets nobody pass who comes to hear what boxes say, once it is so."""

    is_deaf = False

    def passing(self, direction: str, data: bytes) -> bytes:
        """Nothing of who comes under the name of one that stands by."""
        comes = direction == ">" and data[0] == _CONNECT and b"-standby-" in data
        return b"" if comes and self.is_deaf else super().passing(direction, data)


def test_one_that_asks_for_the_lease_and_is_to_end_leaves_nothing_behind(
    pair: Pair, stack: ExitStack
) -> None:
    """What it asked for comes when it has ended: the next one need not wait for that lease."""
    late = stack.enter_context(closing(Late(pair.store[0].port)))
    a = pair.start("a", url=f"http://127.0.0.1:{late.port}", ttl=_LONG)
    assert late.held.wait(PATIENCE)
    assert a.stop() == 0
    late.goes_on.set()
    assert late.answered.wait(PATIENCE)
    pair.start("b", ttl=_LONG)
    pair.wait_ready("b")


def test_one_that_holds_what_reaches_it_and_is_to_end_does(
    pair: Pair, stack: ExitStack, cut: Cut
) -> None:
    """It has the session, and nobody says who leads: the press is the next one's."""
    broker = stack.enter_context(closing(Deaf(pair.site.broker.port)))
    to_store = cut(pair.store[0].port)
    a = pair.start("a", url=f"http://127.0.0.1:{to_store.port}", broker=broker.port)
    pair.wait_ready("a")
    panel, since = pair.panel, len(a.lines)
    broker.is_deaf = True
    broker.hang_up_all()
    a.wait_for_line("mqtt connected", since=since)
    to_store.cut()
    a.wait_for_line("this box stands otherwise", "standing=holds lease=false session=true")
    mark = panel.mark()
    panel.publish("room/r0/set", json.dumps({"action": "record", "id": "held"}))
    assert a.stop() == 0
    assert a.lines_with("leaving without word of who leads")
    assert pair.starts() == 0
    pair.start("b")
    results = panel.wait_for_results("r0", 1, since=mark)
    assert [(each["id"], each["outcome"]) for each in results] == [("held", "ok")]
    assert pair.starts() == 1


def test_one_that_was_alone_leaves_once_what_it_did_is_written(pair: Pair, cut: Cut) -> None:
    """A press that it had acknowledged, and kept for an HMP that is away, is the next one's."""
    to_store = {box: cut(pair.store[0].port) for box in "ab"}
    to_hmp = cut(pair.hmp.port)
    a = pair.start("a", url=f"http://127.0.0.1:{to_store['a'].port}", hmp=to_hmp.port)
    pair.wait_ready("a")
    pair.start("b", url=f"http://127.0.0.1:{to_store['b'].port}")
    pair.wait_for_word("b", state="standby", store="reachable")
    panel = pair.panel
    for line in to_store.values():
        line.cut()
    a.wait_for_line("this box stands otherwise", "standing=alone")
    to_hmp.cut()
    panel.wait_for_newest("room/r0/availability", "offline")
    mark = panel.mark()
    panel.publish("room/r0/set", json.dumps({"action": "record", "id": "kept"}))
    panel.wait_until(
        lambda _: (
            panel.status("r0").get("target") == "recording"
            and "journal_failing" in panel.status("r0").get("alarms", [])
        ),
        "a press that is kept",
    )
    a.send_signal(signal.SIGTERM)
    panel.wait_for_newest("bridge/state", "offline")
    a.wait_for_line("leaving once the store has what could not be written")
    to_store["a"].is_cut = False
    assert a.wait() == 0
    to_store["b"].is_cut = False
    results = panel.wait_for_results("r0", 1, since=mark)
    assert [(each["id"], each["outcome"]) for each in results] == [("kept", "ok")]
    assert pair.starts() == 1
