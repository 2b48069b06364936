"""A daemon in the process of a test whose loops are frozen one by one, and systemd, which hears it.

Time goes on whenever nothing happens any more, so that a minute of patience takes a second. What an
HMP or a broker has not answered by then has not come in time; that is no loop that is stuck.
"""

import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import trio
from trio.testing import MockClock

from bridge.daemon.watchdog import Watchdog
from tests.brokers import Broker
from tests.process.daemon import configuration
from tests.process.freezer import freeze, tasks
from tests.process.hmp import Hmp
from tests.process.watched import PATIENCE

__all__ = ["READY", "STILL", "Frozen", "Systemd", "tables"]

READY = "broker online; 1 of 1 servers ready"
"""Part of the status of a daemon that is as it should be."""

WATCHDOG = 8.0
"""`WatchdogSec` of the daemon, in its own time."""

_LOOKS = 1000
"""Looks of the watchdog's within which it must have noticed."""

STILL = 0.02
"""Seconds for which nothing happens before time goes on."""


class Frozen(NamedTuple):
    """The tasks inside of `function` are frozen, and then `loop` is stuck; `wanted` asks for it."""

    function: str
    loop: str
    wanted: Callable[[], object] = lambda: None


def tables(broker: Broker, hmp: Hmp, base: str, page: int) -> dict[str, Any]:
    """The configuration of a daemon in which there is something for every loop.

    `page` is the port of its pages; a press is held on `button`, below `base`.
    """
    made = configuration(
        broker_port=broker.port,
        hmp_port=hmp.port,
        base_topic=base,
        mqtt={"keepalive": "5s"},
        server={"query_timeout": "3s", "probe_interval": "3s", "poll_interval": "9s"}
        | {"allow_commands": ["*"]},
    )
    made["bridge"] = {"health_every": "3s"}
    made["web"] = {"listen": f"127.0.0.1:{page}"}
    made["homeassistant"] = {"enabled": True, "status_topic": f"{base}/house"}
    held = {"topic": f"{base}/button", "payload": "ON", "hold": "1s", "room": "r0", "do": "record"}
    made["bindings"] = [held]
    return made


class Systemd:
    """What the daemon of this process says to its supervisor."""

    def __init__(self, folder: Path, environment: pytest.MonkeyPatch, clock: MockClock) -> None:
        path = folder / "notify"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._socket.bind(str(path))
        environment.setenv("NOTIFY_SOCKET", str(path))
        environment.setenv("WATCHDOG_USEC", str(round(WATCHDOG * 1_000_000)))
        self._clock = clock
        self._fed = 0
        self._status = ""

    def close(self) -> None:
        """Listen no more."""
        self._socket.close()

    async def until_well(self, ready: str) -> Watchdog:
        """Until the daemon is fed, and its status has this in it, as time goes on; its watchdog."""
        self._clock.rate = 1.0
        with trio.fail_after(PATIENCE):
            while not (self._fed and self._is_well(ready)):
                await trio.sleep(0.01)
                self._hear()
        self._clock.rate, self._clock.autojump_threshold = 0.0, STILL
        [watchdog] = [
            frame.f_locals["self"]
            for task in tasks(trio.lowlevel.current_root_task())
            for frame, _ in task.iter_await_frames()
            if frame.f_code.co_qualname == "Watchdog.run"
        ]
        assert isinstance(watchdog, Watchdog)
        return watchdog

    async def freeze_each(self, watchdog: Watchdog, rows: Sequence[Frozen], ready: str) -> None:
        """Each of them is stuck alone while it is frozen, and nothing is once it goes on.

        Its name is in the status, and systemd would end the process.
        """
        for row in rows:
            print(row.function)  # shown by pytest beside a failure
            thaw = freeze(row.function)
            try:
                row.wanted()
                await self._until(watchdog, row.loop)
                before = self._fed
                await trio.sleep(3 * WATCHDOG / 8)  # it is not fed at any of the next looks
                self._hear()
                assert self._fed == before
                # The status line cannot say so of itself.
                assert row.loop == "status line" or f"stuck: {row.loop};" in self._status
            finally:
                thaw()
            await self._until(watchdog)
            while self._fed == before or not self._is_well(ready):
                await self._until(watchdog)

    async def _until(self, watchdog: Watchdog, *stuck: str) -> None:
        """Until these loops are stuck, and no others, at one of the next looks."""
        for _ in range(_LOOKS):
            await trio.sleep(WATCHDOG / 8)
            self._hear()
            if watchdog.stuck.keys() == {*stuck}:
                return
        raise AssertionError(f"stuck is {watchdog.stuck}")

    def _is_well(self, ready: str) -> bool:
        return "stuck" not in self._status and ready in self._status

    def _hear(self) -> None:
        while True:
            try:
                said = self._socket.recv(4096).decode()
            except BlockingIOError:
                return
            for line in said.splitlines():
                self._fed += line == "WATCHDOG=1"
                if line.startswith("STATUS="):
                    self._status = line.removeprefix("STATUS=")
