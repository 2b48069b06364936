"""A server link that is READY, on a peer in memory, and what a test asks it to execute."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import outcome
import trio
import trio.testing

from bridge.hmp.arguments import RecordingId, SessionId
from bridge.hmp.client import ServerLink
from bridge.hmp.command import Command
from bridge.hmp.commands import (
    AddHotmark,
    GetRecordingStatus,
    PauseRecording,
    StartRecording,
    StopRecording,
)
from bridge.hmp.errors import HmpError
from bridge.hmp.link import LinkState, Priority
from tests.hmp.peer import UUID, MemoryHmp, PeerConnection, States

__all__ = ["MARK", "PAUSE", "START", "STATUS", "STOP", "Caller", "Stage", "ready"]

START = StartRecording(SessionId(UUID))
STATUS = GetRecordingStatus(RecordingId(UUID))
PAUSE = PauseRecording(RecordingId(UUID))
STOP = StopRecording(RecordingId(UUID))
MARK = AddHotmark(RecordingId(UUID), "Phase I")


class Caller:
    """A task that executes one command and keeps what came of it."""

    def __init__(self, link: ServerLink, command: Command[object], priority: Priority) -> None:
        self._link, self._command, self._priority = link, command, priority
        self.scope = trio.CancelScope()
        self._ended = trio.Event()
        self._outcome: outcome.Outcome[object] | None = None

    async def run(self) -> None:
        with self.scope:
            try:
                value = await self._link.execute(self._command, self._priority)
            except HmpError as error:
                self._outcome = outcome.Error(error)
            else:
                self._outcome = outcome.Value(value)
        self._ended.set()

    async def result(self) -> object:
        await self._ended.wait()
        assert self._outcome is not None
        return self._outcome.unwrap()

    async def wait(self) -> None:
        await self._ended.wait()


class Breakable(trio.abc.Stream):
    """A stream whose reads fail as soon as `broken` is set.

    A `stubborn` one brings what the network brought although its reader was cancelled meanwhile,
    as happens when both fall into the same instant.
    """

    def __init__(self, stream: trio.abc.Stream, broken: trio.Event, *, stubborn: bool) -> None:
        self._stream, self._broken, self._stubborn = stream, broken, stubborn
        self._first = True  # the wait for a greeting, which is always cut short

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        await self._stream.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        raise NotImplementedError

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        while self._stubborn and not self._first:
            with trio.CancelScope(shield=True, deadline=trio.current_time() + 11):
                return await self._stream.receive_some(max_bytes)
            await trio.lowlevel.checkpoint()
        self._first = False
        received: list[bytes | bytearray] = []

        async def receive(scope: trio.CancelScope) -> None:
            received.append(await self._stream.receive_some(max_bytes))
            scope.cancel()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(receive, nursery.cancel_scope)
            await self._broken.wait()
            nursery.cancel_scope.cancel()
        if not received:
            raise trio.BrokenResourceError("reset by peer")
        return received[0]

    async def aclose(self) -> None:
        await self._stream.aclose()


class Stage:
    """A link that is READY, and its peer."""

    def __init__(self, hmp: MemoryHmp, nursery: trio.Nursery, *, stubborn: bool) -> None:
        self.hmp, self.states, self._nursery = hmp, States(), nursery
        self.link = self.states.link(self.connect)
        self.peer: PeerConnection
        self.broken = trio.Event()
        self._stubborn = stubborn
        self.running = trio.CancelScope()
        self.stopped = trio.Event()

    async def run(self) -> None:
        with self.running:
            await self.link.run()
        self.stopped.set()

    async def connect(self, host: str, port: int) -> trio.abc.Stream:
        return Breakable(await self.hmp.connect(host, port), self.broken, stubborn=self._stubborn)

    def call(self, command: Command[object], priority: Priority = Priority.CONTROL) -> Caller:
        caller = Caller(self.link, command, priority)
        self._nursery.start_soon(caller.run)
        return caller


@asynccontextmanager
async def ready(*, lockstep: bool = False, stubborn: bool = False) -> AsyncIterator[Stage]:
    async with trio.open_nursery() as nursery:
        stage = Stage(MemoryHmp(lockstep=lockstep), nursery, stubborn=stubborn)
        nursery.start_soon(stage.run)
        stage.peer = await stage.hmp.accept()
        await stage.peer.alive()
        await stage.states.until(LinkState.READY)
        yield stage
        nursery.cancel_scope.cancel()
