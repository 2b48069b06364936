"""A helm and all that it asks, for tests: the lease's clock and the store's answers are theirs."""

from pathlib import Path

import trio

from bridge.cluster.etcd import Etcd, Unreachable
from bridge.cluster.lease import Leadership
from bridge.cluster.settings import EtcdSettings
from bridge.daemon.box_hearing import BACK_WITHIN
from bridge.daemon.box_words import BoxState, BoxWord
from bridge.daemon.boxes import Boxes
from bridge.daemon.shared_helm import SharedHelm, TermStore
from bridge.journal.file import FileStore
from bridge.journal.store import Batch, StoreFailure
from bridge.mqtt.broker_health import BrokerState
from bridge.mqtt.settings import BrokerSettings
from bridge.mqtt.topics import Topics

__all__ = ["AWAY", "FULL", "House", "Term"]

AWAY = Unreachable("etcd does not answer", "look at etcd")
FULL = StoreFailure("etcd refuses", "give it more space")


class Term(Leadership):
    """A term whose clock a test moves."""

    def __init__(self) -> None:
        self.now = 0.0
        settings = EtcdSettings(endpoints=("http://127.0.0.1:1",), prefix="p/", box="a")
        super().__init__(Etcd(settings), lambda: self.now)
        self._extend(0.0, 5.0)


class Disk(FileStore):
    """A store that fails in the ways that it is told, one after another, and goes on if it may."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.failures: list[StoreFailure] = []
        self.goes_on = trio.Event()
        self.goes_on.set()

    async def write(self, batch: Batch) -> float:
        if self.failures:
            raise self.failures.pop(0)
        await self.goes_on.wait()
        return await super().write(batch)


class House:
    """A helm and all that it asks."""

    def __init__(self, folder: Path) -> None:
        self.term = Term()
        settings = BrokerSettings(host="127.0.0.1", port=1, client_id="x")
        clock = lambda: self.term.now  # noqa: E731
        self.boxes = Boxes(
            settings, Topics(), "a", "aaaaaaaa", changed=lambda: None, ttl=5.0, clock=clock
        )
        self.boxes.hearing.proved(4.5, -BACK_WITHIN)
        self.helm = SharedHelm(self.term, self.boxes, 10.0)
        self.hung_up = 0
        self.helm.hang_up = self._hang_up
        self.helm.broker_changed(BrokerState.ONLINE)
        self.disk = Disk(folder)
        self.store = TermStore(self.disk, self.helm)
        self.failures: list[StoreFailure] = []

    async def write(self) -> None:
        """Write something; how that fails is in `failures`."""
        try:
            await self.store.write(Batch())
        except StoreFailure as failure:
            self.failures.append(failure)

    def _hang_up(self) -> None:
        self.hung_up += 1

    def holds(self) -> bool:
        return self.helm.holds

    def hears(self) -> None:
        """What the others say comes to us: our own word has come back."""
        self.boxes.hearing.proved(self.term.now + 4.5, self.term.now)

    def hears_long_since(self) -> None:
        """The same, for so long that whoever there is has been heard."""
        self.hears()
        self.term.now += BACK_WITHIN
        self.hears()
        self.helm.changed()

    def run_out(self) -> None:
        """And what the others say is heard."""
        self.term.now = 6.0
        self.hears()

    def answers(self) -> None:
        """The store does, to whoever keeps the lease."""
        self.term.failure = None
        self.helm.changed()

    def other(self, state: BoxState, *, store: bool) -> None:
        self.boxes.hearing.hear("b", BoxWord(state, "bbbbbbbb", store=store), self.term.now)
        self.helm.changed()
