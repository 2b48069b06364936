"""Between the daemon and HMP: sees every command and reply, and hurts them when told to.

It also proves R20 from outside: a command that arrives while the reply to another is still out on
the same connection is written down as a violation.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import trio

from .lines import LineReader
from .tcp_proxy import TcpProxy

__all__ = ["ARMS", "CHANGING", "Arm", "HmpProxy"]

ARMS: Final = {
    "cut_before_request": "the command arrives, the connection ends, HMP never sees it",
    "cut_after_request": "HMP executes the command, the connection ends before the reply",
    "cut_in_reply": "HMP executes the command, the connection ends after `value` bytes of reply",
    "delay_reply": "the reply comes `value` seconds late",
    "delay_request": "the command reaches HMP `value` seconds late",
    "split_reply": "the reply arrives byte by byte",
    "split_request": "the command arrives at HMP byte by byte",
    "kill_before_request": "kill -9 of the daemon: command written, HMP never sees it",
    "kill_after_request": "kill -9 of the daemon when HMP has executed the command",
    "kill_after_reply": "kill -9 of the daemon `value` seconds after the reply was handed over",
    "stop_after_request": "SIGSTOP of the daemon for `value` seconds, the reply on its way",
}

CHANGING: Final = frozenset(
    {"startRecording", "stopRecording", "pauseRecording", "resumeRecording"}
)
"""What only the box that leads may send."""

LATEST: Final = 1.7
"""Seconds after which a command that was held up is dropped.

What HMP executes later than `start_timeout` (2 s here) after the write, nobody can know about (R7).
"""


@dataclass(frozen=True, slots=True)
class Arm:
    """What happens to the next command whose name is in `commands` (empty: to the next one)."""

    kind: str
    value: float = 0.0
    commands: frozenset[str] = frozenset()


@dataclass(slots=True)
class _Exchange:
    command: str
    arm: Arm | None


@dataclass(kw_only=True)
class HmpProxy(TcpProxy):
    """A proxy for one HMP. `kill` and `freeze` act on the daemon, at once.

    `happened` is called with the kind of every fault that took place.
    """

    name: str
    kill: Callable[[str], object]
    freeze: Callable[[str, float], object]
    happened: Callable[[str], None]
    violations: list[str] = field(default_factory=list)
    commands: int = 0
    #: Unix time and name of every command that changes something.
    sent: list[tuple[float, str]] = field(default_factory=list)
    _arms: list[Arm] = field(default_factory=list)

    def arm(self, arm: Arm) -> None:
        """Let it happen to the next command that fits."""
        self._arms.append(arm)

    def calm(self) -> None:
        """Lift everything."""
        self._arms.clear()
        super().calm()

    def between(
        self, nursery: trio.Nursery, client: trio.SocketStream, server: trio.SocketStream
    ) -> None:
        """Commands one way, replies the other, matched in order."""
        waiting: list[_Exchange] = []
        nursery.start_soon(self._requests, client, server, waiting, nursery.cancel_scope)
        nursery.start_soon(self._replies, client, server, waiting, nursery.cancel_scope)

    async def _requests(
        self,
        client: trio.SocketStream,
        server: trio.SocketStream,
        waiting: list[_Exchange],
        connection: trio.CancelScope,
    ) -> None:
        async for line in LineReader(client):
            command = line.split(b" ", 1)[0].strip().decode(errors="replace")
            self.commands += 1
            if command in CHANGING:
                self.sent.append((time.time(), command))
            if waiting:
                self.violations.append(
                    f"{self.name}: {command} while {waiting[0].command} is in flight"
                )
            arm = self._take(command)
            kind = "" if arm is None else arm.kind
            if arm is not None and not kind.startswith(("kill", "stop")):
                self.happened(kind)  # what is done to the daemon counts where it succeeds
            if kind == "kill_before_request":
                self.kill(kind)
            if kind in ("kill_before_request", "cut_before_request"):
                break
            waiting.append(_Exchange(command, arm))
            came = trio.current_time()
            await self.while_silent()
            if arm is not None and kind == "delay_request":
                await trio.sleep(arm.value)
            if trio.current_time() - came > LATEST:
                break
            if arm is not None and kind == "stop_after_request":
                self.freeze(kind, arm.value)
            await _send(server, line, split=kind == "split_request")
        connection.cancel()

    async def _replies(
        self,
        client: trio.SocketStream,
        server: trio.SocketStream,
        waiting: list[_Exchange],
        connection: trio.CancelScope,
    ) -> None:
        async for line in LineReader(server):
            await self.while_silent()
            arm = waiting[0].arm if waiting else None
            kind = "" if arm is None else arm.kind
            if kind == "kill_after_request":
                self.kill(kind)
            if kind in ("kill_after_request", "cut_after_request"):
                break
            if arm is not None and kind == "cut_in_reply":
                await client.send_all(line[: max(1, min(int(arm.value), len(line) - 1))])
                break
            if arm is not None and kind == "delay_reply":
                await trio.sleep(arm.value)
            if waiting:
                waiting.pop(0)
            await _send(client, line, split=kind == "split_reply")
            if arm is not None and kind == "kill_after_reply":
                await trio.sleep(arm.value)
                self.kill(kind)
        connection.cancel()

    def _take(self, command: str) -> Arm | None:
        for arm in self._arms:
            if not arm.commands or command in arm.commands:
                self._arms.remove(arm)
                return arm
        return None


async def _send(stream: trio.SocketStream, data: bytes, *, split: bool) -> None:
    if not split:
        await stream.send_all(data)
        return
    for byte in data:
        await stream.send_all(bytes([byte]))
        await trio.sleep(0.001)
