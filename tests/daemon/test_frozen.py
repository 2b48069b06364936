"""Whichever loop of the daemon is stuck, systemd is told of it, and would end the process (R29)."""

import socket
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from bridge.config.configuration import Configuration
from bridge.daemon.app import Bridge, ForeignBridge
from bridge.daemon.clock import Clock
from bridge.daemon.parts import Parts
from bridge.daemon.watchdog import Watchdog
from bridge.journal.file import FileStore
from bridge.journal.journal import Journal
from bridge.web.turns import Turns
from tests.brokers import Broker, free_port
from tests.cluster.fixtures import in_memory
from tests.process.freezer import freeze
from tests.process.hmp import Hmp
from tests.process.panel import Panel
from tests.process.watched import PATIENCE

from .freezing import READY, STILL, Frozen, Systemd, tables

ALONE = frozenset(
    {
        *("room r0", "room r1", "server main", "broker link", "subscriptions", "own topics"),
        *("publications", "dispatcher", "held presses", "acknowledgements", "contact", "clock"),
        *("requests to the bridge", "requests to main", "health report", "status line"),
        *("manifest", "home assistant", "rivals", "repeated lines", "reload"),
        *("web feed", "web answers", "web listeners"),
    }
)
"""The loops of a daemon that has no other box beside it."""

ELSEWHERE = {"room r1", "rivals", "clock", "web answers"}
"""One as r0; those whose end, or whose answer, needs another world: each has a test below."""


class Alone:
    """A daemon alone, in the process of the test."""

    def __init__(self, stack: ExitStack, broker: Broker, hmp: Hmp, base: str) -> None:
        self.page = free_port()
        self.panel = stack.enter_context(closing(Panel(broker.port, base)))
        folder = stack.enter_context(in_memory(0))  # slow is only what a test makes slow
        journal = stack.enter_context(closing(Journal(FileStore(folder))))
        self.settings = Configuration.model_validate(tables(broker, hmp, base, self.page))
        self.bridge = Bridge(Parts(self.settings, "x", journal, lambda: self.settings))

    def published(self, leaf: str, payload: str = "") -> Callable[[], object]:
        return lambda: self.panel.publish(leaf, payload)

    def visited(self) -> None:
        """Somebody asks for a page, and waits for no answer."""
        socket.create_connection(("127.0.0.1", self.page), timeout=PATIENCE).close()

    def loses_a_room(self) -> None:
        rooms = {"r0": self.settings.rooms["r0"]}
        self.settings = self.settings.model_copy(update={"rooms": rooms})
        self.bridge.reload()


@pytest.fixture
def clock() -> MockClock:
    return MockClock()


async def test_each_loop(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    clock: MockClock,
    broker: Broker,
    hmp: Hmp,
) -> None:
    """One after another: none leaves a trace once it goes on."""
    with ExitStack() as stack:
        systemd = stack.enter_context(closing(Systemd(tmp_path, monkeypatch, clock)))
        alone = Alone(stack, broker, hmp, "frozen/alone")
        published = alone.published
        record = published("room/r0/press/record", "true")
        ask = published("bridge/request/info")
        create = published("server/main/request/createSession", '{"parameters": ["title"]}')
        rows = [
            Frozen("ServerLink._read", "server main"),
            Frozen("ServerLink._probe_when_silent", "server main"),
            Frozen("PahoLoop._keep_alive", "broker link"),
            Frozen("PahoLoop._read", "broker link", record),
            Frozen("Contact.keep_up", "contact"),
            Frozen("RequestQueue._carry_out_in_order", "requests to main", create),
            Frozen("RequestQueue._expire", "requests to main", create),
            Frozen("Ledger.run", "requests to main", create),
            Frozen("BridgeRequests.run", "requests to the bridge", ask),
            Frozen("Dispatcher._act_on_messages", "dispatcher", record),
            Frozen("Room.run", "room r0", record),
            Frozen("Writings.run", "room r0", record),
            Frozen("Image.flush", "publications", record),
            Frozen("Feed.run", "web feed", record),
            Frozen("SelfReport._publish_health_every", "health report"),
            Frozen("keep_status", "status line"),
            Frozen("HomeAssistant._answer_births", "home assistant", published("house", "online")),
            Frozen("OwnTopics.keep", "own topics", published("room/r0/title", "not ours")),
            Frozen("_serve_one_listener", "web listeners", alone.visited),
            Frozen("tell_repeats", "repeated lines"),
            Frozen("Subscriptions.keep", "subscriptions"),
            Frozen("Acknowledgements.run", "acknowledgements", published("button", "ON")),
            Frozen("Dispatcher._act_on_held", "held presses", published("button", "OFF")),
            Frozen("Reloader.run", "reload", alone.bridge.reload),
            Frozen("Manifest.run", "manifest", alone.loses_a_room),
        ]
        async with trio.open_nursery() as nursery:
            nursery.start_soon(alone.bridge.run)
            watchdog = await systemd.until_well(READY)
            assert watchdog.loops == ALONE == {row.loop for row in rows} | ELSEWHERE
            await systemd.freeze_each(watchdog, rows, READY)
            alone.bridge.stop()


async def test_one_that_does_not_leave_to_an_earlier_bridge(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    clock: MockClock,
    broker: Broker,
    hmp: Hmp,
) -> None:
    """Once it goes on, it leaves: its process ends."""
    earlier = '{"instance": "earlier", "started_at": "2001-01-01T00:00:00Z"}'
    with ExitStack() as stack:
        systemd = stack.enter_context(closing(Systemd(tmp_path, monkeypatch, clock)))
        alone = Alone(stack, broker, hmp, "frozen/rival")
        other_is_heard = alone.published("bridge/info", earlier)
        rivals = Frozen("Rivals.leave_to_an_earlier_one", "rivals", other_is_heard)
        with pytest.RaisesGroup(ForeignBridge, flatten_subgroups=True):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(alone.bridge.run)
                watchdog = await systemd.until_well(READY)
                await systemd.freeze_each(watchdog, [rivals], READY)


async def test_a_clock_that_is_not_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nursery: trio.Nursery, clock: MockClock
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))  # where there is no systemd to be asked
    asked = Clock(ask=lambda: None)
    watchdog = Watchdog(lambda: {"clock": asked.progress.due_at})
    nursery.start_soon(asked.keep_asking)
    nursery.start_soon(watchdog.run)
    clock.autojump_threshold = STILL
    await trio.sleep(100)
    assert watchdog.stuck == {}
    thaw = freeze("Clock.keep_asking")
    await trio.sleep(60)
    assert list(watchdog.stuck) == ["clock"]
    thaw()
    await trio.sleep(60)
    assert watchdog.stuck == {}


async def test_an_answer_that_is_not_made(nursery: trio.Nursery, clock: MockClock) -> None:
    """Whoever has his turn waits for nothing but the loop."""
    turns = Turns()
    watchdog = Watchdog(lambda: {"web answers": turns.progress.due_at})
    nursery.start_soon(watchdog.run)
    clock.autojump_threshold = 0.0
    async with turns.turn("a"):
        await trio.sleep(60)
        assert list(watchdog.stuck) == ["web answers"]
    await trio.sleep(60)
    assert watchdog.stuck == {}
