"""A real etcd as a process, and all that is written to it."""

import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import trio

from tests.cluster.servers import Members

from .history import Change, History, changes_of
from .lines import LineReader

__all__ = ["Store", "StoreAway"]

_PATIENCE: Final = 15.0
_ENVIRONMENT: Final = os.environ | {"ETCDCTL_API": "3"}


class StoreAway(Exception):
    """It could not be asked in time."""


@dataclass(slots=True)
class Store:
    """One member, with its log kept over kills."""

    members: Members
    history: History
    _is_up: bool = False
    _seen: int = 0
    _one_at_a_time: trio.Lock = field(default_factory=trio.Lock, repr=False)

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.members[0].port

    async def start(self) -> None:
        """Start it unless it runs, and wait until it can be asked."""
        async with self._one_at_a_time:
            if not self._is_up:
                self._is_up = True
                with trio.CancelScope(shield=True):
                    await trio.to_thread.run_sync(self.members.start)

    async def kill(self) -> None:
        """SIGKILL: what it has acknowledged is on disk."""
        async with self._one_at_a_time:
            self.members[0].kill()
            self._is_up = False

    async def catch_up(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Go on in `history`; the documents written since this was asked last, by room.

        Raises `StoreAway`.
        """
        changes: list[Change] = []
        with trio.move_on_after(_PATIENCE) as patience:
            newest = await self._revision()
            if newest > self._seen:
                changes = await self._changes(newest)
        if patience.cancelled_caught:
            raise StoreAway("etcd has not answered")
        taken = [self.history.take(each) for each in changes]
        return (each for each in taken if each is not None)

    async def _revision(self) -> int:
        """The newest one."""
        command = self._command("get", "nothing", "--write-out=fields")
        done = await trio.run_process(
            command, capture_stdout=True, stderr=subprocess.DEVNULL, check=False, env=_ENVIRONMENT
        )
        fields = dict(
            line.split(" : ", 1) for line in done.stdout.decode().splitlines() if " : " in line
        )
        if done.returncode or '"Revision"' not in fields:
            raise StoreAway("etcd cannot be asked")
        return int(fields['"Revision"'])

    async def _changes(self, newest: int) -> list[Change]:
        """All after `_seen`, until this revision."""
        command = self._command(
            "watch", "--prefix", "", f"--rev={self._seen + 1}", "--write-out=json"
        )
        process = await trio.lowlevel.open_process(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=_ENVIRONMENT
        )
        changes: list[Change] = []
        try:
            assert process.stdout is not None
            async for line in LineReader(process.stdout):
                changes += changes_of(line.decode())
                if changes and changes[-1].revision >= newest:
                    self._seen = changes[-1].revision
                    return changes
        finally:
            process.kill()
            with trio.CancelScope(shield=True):
                await process.wait()
        raise StoreAway("etcd has ended while it was asked")

    def _command(self, *arguments: str) -> list[str]:
        return ["etcdctl", f"--endpoints={self.members[0].endpoint}", *arguments]
