"""What keeps two boxes apart, taken out of the daemon: the store's history, or HMP, shows it.

Beside each, the daemon as it is stands the same trial.
"""

import signal
import threading
from collections.abc import Callable
from contextlib import ExitStack, closing

import pytest
import trio

from bridge.cluster.settings import prefix_of
from tests.chaos.history import History
from tests.chaos.planted import LAUNCHER, PLANTED
from tests.chaos.store import Store
from tests.cluster.servers import etcdctl

from .pair import Pair
from .relay import Relay
from .watched import PATIENCE


class Held(Relay):
    """A line on which what goes in one direction can be held up, and goes on later."""

    def __init__(self, target: int) -> None:
        self._held = ""
        self._goes_on = threading.Event()
        self._closes = threading.Event()
        self._has_held: set[int] = set()
        #: Something has been held up, and has gone on.
        self.went_on = threading.Event()
        super().__init__(target)

    def hold(self, direction: str) -> None:
        """Hold up what goes this way from now on."""
        self._held = direction

    def release(self) -> None:
        """Pass it on, however long ago it was sent."""
        self._goes_on.set()

    def passing(self, direction: str, data: bytes) -> bytes:
        """All of it."""
        if direction == self._held:
            self._has_held.add(threading.get_ident())  # there is one for each direction
            assert self._goes_on.wait(PATIENCE)
            self.went_on.set()
        return data

    def ending(self) -> None:
        """The end of what was held up comes later still: etcd drops what nobody waits for."""
        if threading.get_ident() in self._has_held:
            self._closes.wait(PATIENCE)

    def close(self) -> None:
        """Hang up."""
        self._closes.set()
        super().close()


Hold = Callable[[int], Held]


@pytest.fixture
def hold(stack: ExitStack) -> Hold:
    """A line to a port."""
    return lambda port: stack.enter_context(closing(Held(port)))


@pytest.mark.parametrize(("planted", "found"), [("", 0), ("commit", 1)])
def test_a_commit_that_comes_after_the_lease(
    pair: Pair, hold: Hold, planted: str, found: int
) -> None:
    """It is asked for in time, and reaches the store when the box does not lead any more."""
    line = hold(pair.store[0].port)
    url = f"http://127.0.0.1:{line.port}"
    a = pair.start("a", url=url, before=LAUNCHER, environment={PLANTED: planted})
    pair.wait_ready("a")
    line.hold(">")
    pair.panel.press("r0", "record")
    prefix = prefix_of(pair.site.base, "")
    pair.until(lambda: etcdctl(pair.store[0], "get", f"{prefix}leader") == "", "no leader")
    since = len(a.lines)
    line.release()
    a.wait_for_line("this box stands otherwise", "standing=leads", since=since)
    pair.panel.wait_for("room/r0/ack", "record ok")
    store = Store(pair.store, History(prefix))
    trio.run(store.catch_up)
    assert (len(store.history.violations) > 0) == (found > 0), store.history.violations


@pytest.mark.parametrize(("planted", "starts"), [("", 1), ("pause", 2)])
def test_a_start_that_waits_while_its_box_is_paused(
    pair: Pair, hold: Hold, planted: str, starts: int
) -> None:
    """Beyond its lease; the reply to the command before is the first thing that it hears."""
    line = hold(pair.hmp.port)
    a = pair.start("a", hmp=line.port, before=LAUNCHER, environment={PLANTED: planted})
    pair.wait_ready("a")
    pair.start("b")
    pair.wait_for_word("b", state="standby", store="reachable")
    panel = pair.panel
    line.hold("<")
    panel.press("r0", "record")
    pair.until(lambda: pair.starts() == 1, "a start")
    panel.press("r1", "record")
    panel.wait_for_newest("room/r1/state", "starting")
    a.send_signal(signal.SIGSTOP)
    pair.wait_for_word("b", state="leader")
    line.release()
    assert line.went_on.wait(PATIENCE)
    a.send_signal(signal.SIGCONT)
    pair.wait_for_word("a", state="standby", store="reachable")
    assert pair.starts() == starts
