"""The loops of one box of several: frozen while it leads, and while it stands by (R29)."""

import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from bridge.cluster.etcd import Etcd
from bridge.cluster.lease import Leadership
from bridge.cluster.settings import EtcdSettings
from bridge.config.configuration import Configuration
from bridge.daemon.standby import run_beside_others
from tests.brokers import Broker, free_port
from tests.cluster.servers import Members
from tests.process.hmp import Hmp
from tests.process.panel import Panel
from tests.process.watched import PATIENCE

from .freezing import READY, Frozen, Systemd, tables
from .test_frozen import ALONE

STANDING_BY = "standby; another leads"


class Box:
    """A box in the process of the test; its base topic, the panel's, is its place in the store."""

    def __init__(self, panel: Panel, broker: Broker, hmp: Hmp, etcd: Members, ttl: str) -> None:
        self._panel = panel
        self.page = free_port()
        made = tables(broker, hmp, panel.base, self.page)
        made["bridge"] |= {"box": "a", "journal": {"etcd": list(etcd.endpoints), "ttl": ttl}}
        self.settings = Configuration.model_validate(made)
        store = self.settings.etcd("a")
        assert store is not None
        self.store: EtcdSettings = store
        self.run = partial(
            run_beside_others, self.settings, lambda: self.settings, self.store, "0" * 16
        )

    def contradicted(self) -> None:
        """Somebody says something else of the box."""
        self._panel.publish("bridge/standby/a", "nothing")

    def visited(self) -> None:
        """Somebody asks for a page, and waits for no answer."""
        socket.create_connection(("127.0.0.1", self.page), timeout=PATIENCE).close()


@pytest.fixture
def clock() -> MockClock:
    return MockClock()


@pytest.fixture
def panel(broker: Broker, request: pytest.FixtureRequest) -> Iterator[Panel]:
    """On a base topic of the test's own."""
    with closing(Panel(broker.port, f"frozen/{request.node.name}")) as made:
        yield made


MakeBox = Callable[[str], Box]


@pytest.fixture
def make_box(panel: Panel, broker: Broker, hmp: Hmp, etcd: Members) -> MakeBox:
    """Make a box whose lease lasts for so long: its clock is the machine's."""
    return partial(Box, panel, broker, hmp, etcd)


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: MockClock) -> Iterator[Systemd]:
    with closing(Systemd(tmp_path, monkeypatch, clock)) as manager:
        yield manager


async def test_a_box_that_leads(systemd: Systemd, make_box: MakeBox, nursery: trio.Nursery) -> None:
    box = make_box("30s")
    rows = [
        Frozen("Leadership.keep", "lease"),
        Frozen("leave_when_asked", "wish for the lease"),
        Frozen("Boxes._keep_said", "words of the boxes", box.contradicted),
    ]
    nursery.start_soon(box.run)
    watchdog = await systemd.until_well(READY)
    assert watchdog.loops - ALONE == {row.loop for row in rows}
    await systemd.freeze_each(watchdog, rows, READY)
    nursery.cancel_scope.cancel()


async def test_a_box_that_stands_by(
    systemd: Systemd, make_box: MakeBox, nursery: trio.Nursery
) -> None:
    """One that would not take over is as bad as none."""
    box = make_box("6s")
    async with Etcd(replace(box.store, box="another", ttl=3600.0)) as other:
        await Leadership(other).campaign()
    rows = [
        Frozen("Leadership.campaign", "campaign"),
        Frozen("look_at_servers", "look at servers"),
        Frozen("ask_for_the_lease", "question for the lease"),
        Frozen("Boxes._keep_said", "words of the boxes", box.contradicted),
        Frozen("_Box._reload_when_asked", "reload", partial(signal.raise_signal, signal.SIGHUP)),
        Frozen("keep_status", "status line"),
        Frozen("_serve_one_listener", "web listeners", box.visited),
    ]
    nursery.start_soon(box.run)
    watchdog = await systemd.until_well(STANDING_BY)
    assert watchdog.loops == {row.loop for row in rows} | {"web answers"}
    await systemd.freeze_each(watchdog, rows, STANDING_BY)
    nursery.cancel_scope.cancel()
