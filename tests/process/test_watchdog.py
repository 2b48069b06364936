"""The watchdog is fed while every loop of the daemon goes on, and not when one is stuck (R29)."""

import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from tests.broker_fixtures import Launch
from tests.brokers import BrokerOptions
from tests.cluster.fixtures import in_memory

from . import freezer
from .manager import Manager
from .panel import Panel
from .site import MakeSite, Site
from .watched import PATIENCE

IMPATIENT = {"query_timeout": "1s", "probe_interval": "1s", "start_timeout": "1s"}
COUNT = (
    "SELECT count(*) FROM (WITH RECURSIVE c(x) AS"
    " (SELECT 1 UNION ALL SELECT x + 1 FROM c{limit}) SELECT x FROM c)"
)
READY = "broker online; 1 of 1 servers ready"

Trigger = Callable[[Panel], object]
"""What a loop is wanted for comes for it."""


def record(panel: Panel) -> None:
    """Somebody presses the button."""
    panel.press("r0", "record")


@pytest.fixture
def manager(tmp_path: Path, stack: ExitStack) -> Callable[[float], Manager]:
    """Make a manager with this `WatchdogSec`."""

    def make(watchdog: float) -> Manager:
        return stack.enter_context(closing(Manager(tmp_path, watchdog=watchdog)))

    return make


def started(site: MakeSite, manager: Manager, function: str = "", **how: Any) -> Site:
    """A site of one room whose daemon has said that it is ready."""
    s = site(rooms=1, start=False, **how)
    before = [sys.executable, freezer.__file__, function] if function else []
    state = s.stack.enter_context(in_memory(0))  # slow is only what a test makes slow
    s.add_daemon(environment=manager.environment, before=before, state=state)
    manager.until_well(READY)
    return s


def slow_journal(s: Site, limit: str = "") -> None:
    """Have every commit of a room's document take long, or for ever."""
    with closing(sqlite3.connect(s.daemon.state / "journal.db", timeout=PATIENCE)) as journal:
        query = COUNT.format(limit=limit)
        for event in ("INSERT ON rooms", "INSERT ON contact"):
            name = event.split()[-1]
            journal.execute(f"CREATE TRIGGER slow_{name} BEFORE {event} BEGIN {query}; END")


Row = tuple[str, str, Trigger | None]
"""A function whose tasks are frozen, the loop that is stuck then, and what it is wanted for."""

ROWS: list[Row] = [
    ("Room.run", "room r0", record),
    ("keep_status", "status line", None),
    ("PahoLoop._keep_alive", "broker link", None),
]
"""Wanted by others, and going by the clock.

All loops are frozen in the tests of the daemon, where time goes on by itself.
"""


def test_a_loop_that_is_stuck(site: MakeSite, manager: Callable[[float], Manager]) -> None:
    """Its name is in the status and in the log, and systemd would end the process.

    So it is with each of them, one after another: none leaves a trace once it goes on.
    """
    systemd = manager(5.0)  # who has no processor for an eighth of it is excused
    s = started(
        *(site, systemd, ",".join(function for function, _, _ in ROWS)),
        server=IMPATIENT,
        mqtt={"keepalive": "5s"},
    )
    for function, loop, asked in ROWS:
        print(function)
        since = len(s.daemon.lines)
        s.daemon.send_signal(signal.SIGUSR1)
        s.daemon.wait_for_line(f"frozen: {function}", since=since)
        if asked is not None:
            asked(s.panel)
        systemd.until_killed()
        s.daemon.wait_for_line("a loop of the bridge is stuck", loop)
        if function != "keep_status":  # it cannot say so itself
            systemd.until_said(f"stuck: {loop}")
        s.daemon.send_signal(signal.SIGUSR2)
        # The status may have been well all the while, and of two signals the second may come first.
        s.daemon.wait_for_line("thawed", since=since)
        systemd.until_well(READY)


def test_a_journal_that_is_stuck(site: MakeSite, manager: Callable[[float], Manager]) -> None:
    """Its thread computes for ever. Who waits for it is not what is stuck."""
    systemd = manager(2.0)
    s = started(site, systemd)
    slow_journal(s)
    s.panel.press("r0", "record")
    systemd.until_killed()
    systemd.until_said("stuck: journal;")
    assert s.daemon.lines_with("is stuck", "room") == []
    s.daemon.send_signal(signal.SIGKILL)


def test_what_is_slow_or_gone_is_not_stuck(
    site: MakeSite, manager: Callable[[float], Manager], launch: Launch
) -> None:
    """An HMP and a broker that are silent, and a disk that takes a fifth of the patience.

    The unit's `WatchdogSec` is 60 s: such a disk takes 12 s for every commit.
    """
    systemd = manager(4.5)
    s = started(
        site, systemd, server=IMPATIENT, mqtt={"keepalive": "5s"}, broker=launch(BrokerOptions())
    )
    began = time.perf_counter()
    with closing(sqlite3.connect(":memory:")) as memory:
        memory.execute(COUNT.format(limit=" LIMIT 300000"))
    a_fifth = round(300_000 * 0.9 / (time.perf_counter() - began))
    slow_journal(s, f" LIMIT {a_fifth}")
    s.panel.press("r0", "record")
    s.hmp.freeze()
    s.broker.freeze()
    said = len(s.daemon.lines)
    while not (
        s.daemon.lines_with("mqtt connection failed") and s.daemon.lines_with("HMP cannot be used")
    ):
        systemd.listen()
    s.hmp.thaw()
    s.broker.thaw()
    systemd.until(READY)
    assert not [line for line in s.daemon.lines.since(said) if "is stuck" in line]


@pytest.fixture
def frozen_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own; it thaws when the test ends."""
    image, folder = tmp_path / "disk", tmp_path / "mounted"
    folder.mkdir()
    for command in (
        ("truncate", "-s", "32M", str(image)),
        ("/sbin/mkfs.ext4", "-q", str(image)),
        ("mount", "-o", "loop", str(image), str(folder)),
    ):
        made = subprocess.run(command, capture_output=True, text=True, check=False)
        if made.returncode:
            pytest.skip(f"{command[0]} needs root and a loop device: {made.stderr.strip()}")
    yield folder
    subprocess.run(["fsfreeze", "--unfreeze", str(folder)], capture_output=True, check=False)
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_disk_that_hangs(
    site: MakeSite, manager: Callable[[float], Manager], frozen_disk: Path
) -> None:
    """Nothing is killed over it: it is said, recordings can be stopped, and then it goes on."""
    systemd = manager(2.0)
    s = site(rooms=2, start=False)
    s.add_daemon(environment=systemd.environment, state=frozen_disk / "state")
    systemd.until(READY)
    s.panel.press("r0", "record")
    s.panel.wait_for("room/r0/ack", "record ok")
    subprocess.run(["fsfreeze", "--freeze", str(frozen_disk)], check=True)
    s.panel.press("r1", "record")
    systemd.until("stuck: disk;")
    s.panel.press("r0", "stop")
    s.panel.wait_for("room/r0/state", "idle")
    for _ in range(20):
        systemd.listen()
    subprocess.run(["fsfreeze", "--unfreeze", str(frozen_disk)], check=True)
    s.panel.wait_for("room/r1/ack", "record ok")
    systemd.until(READY)
