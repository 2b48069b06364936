"""A room at a real server link and the simulated HMP, over memory streams, on a virtual clock.

What the disk is told, and when, is seen by a journal that notes what HMP had executed and what had
been published at that moment.
"""

import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any

import trio
import trio.testing

from bridge.hmp.client import ServerLink
from bridge.hmp.link import LinkSettings, LinkState
from bridge.journal.inputs import InputKey
from bridge.room.delivery import Delivery
from bridge.room.facts.policy import Policy
from bridge.room.facts.state import RoomState
from bridge.room.facts.values import Now, Request, Result
from bridge.room.facts.vocabulary import Action, State
from bridge.room.memory.memory import Memory
from bridge.room.stages import Stages
from bridge.room.worker import Audience, Room, ServerFacts
from bridge.simulator.server import Simulator
from bridge.simulator.wire import StreamWire
from bridge.simulator.worldfile import load_world

from .driven import POLICY, WALL

__all__ = ["Carried", "House"]


def clock() -> Now:
    """The virtual clock."""
    return Now(trio.current_time(), WALL + trio.current_time())


@dataclass(frozen=True)
class Carried:
    """A message, by the id of its request, and those whose message the broker may forget."""

    id: str
    accepted: list[str]

    def accept(self) -> None:
        """The broker may forget it."""
        self.accepted.append(self.id)


class House:
    """A room, its link, its HMP, and a disk that takes its time, one commit after the other.

    `audience` hears what the room says as well.
    """

    def __init__(
        self,
        *,
        commit: float = 0.0,
        policy: Policy = POLICY,
        faulty: bool = False,
        audience: Audience | None = None,
    ) -> None:
        world = load_world(None, now=clock_wall, ids=random.Random(1))
        self.hmp = Simulator(world)
        self.commit = commit
        self._faulty = faulty
        #: Each document with the commands HMP had executed and the states published by then.
        self.disk: list[tuple[dict[str, object], list[str], list[State]]] = []
        self.inputs: list[InputKey] = []
        self.published: list[RoomState] = []
        self.results: list[Result] = []
        self.stages: list[Stages] = []
        self.accepted: list[str] = []
        self.faults: list[tuple[type[Exception], str]] = []
        self._disk = trio.Lock()
        self._given: list[tuple[Callable[[], str], Sequence[InputKey]]] = []
        self._committed = 0
        self._audience = audience
        self._changed = trio.Event()
        self._nursery: trio.Nursery
        self.link = ServerLink(
            LinkSettings(name="main", host="hmp"), changed=self._link_changed, connect=self._connect
        )
        self.room = Room(
            "boardroom",
            RoomState(policy, not_ready_since=0.0),
            self.link,
            memory=Memory("boardroom", self._save, None),
            facts=ServerFacts(),
            audience=self,
            clock=clock,
        )

    @property
    def executed(self) -> list[str]:
        """Names of the commands that HMP has executed, probes left out."""
        lines = [entry.line for entry in self.hmp.world.log]
        return [line.split()[0] for line in lines]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[trio.CancelScope]:
        """Room and link at work; the scope is the room's, which ends before the link does."""
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            nursery.start_soon(self.link.run)
            async with trio.open_nursery() as rooms:
                rooms.start_soon(self.room.run)
                await self.until(lambda: self.room.state.link_ready)
                yield rooms.cancel_scope
                rooms.cancel_scope.cancel()
            nursery.cancel_scope.cancel()

    def press(self, action: Action, request_id: str = "1", **details: Any) -> None:
        """Ask something of the room; `details` are further fields of the request."""
        now = trio.current_time()
        request = Request(action, request_id, str(action), "topic", now, **details)
        bearer = Carried(request_id, self.accepted)
        self.room.submit(Delivery(request, InputKey(7, request_id.encode()), bearer))

    async def until(self, look: Callable[[], object]) -> None:
        """Wait for something to have been published, given or written."""
        with trio.fail_after(120):
            while not look():
                await self._changed.wait()

    async def said(self, word: str) -> None:
        """Wait until this is the state that was said last."""
        await self.until(lambda: self.published[-1].state == word)

    async def answered(self, count: int) -> None:
        """Wait until so many requests have had their results."""
        await self.until(lambda: len(self.results) == count)

    async def recording(self) -> None:
        """Record, and have it verified."""
        self.press(Action.RECORD, "start")
        await self.until(
            lambda: (
                self.room.state.recording is not None
                and self.room.state.recording.verified_at is not None
            )
        )

    def _link_changed(self, state: LinkState) -> None:
        self.room.link_changed(ready=state is LinkState.READY)

    async def _connect(self, _host: str, _port: int) -> trio.abc.Stream:
        ours, theirs = trio.testing.memory_stream_pair()
        talk = partial(self.hmp.talk, StreamWire(theirs), address="127.0.0.1", peer="link")
        self._nursery.start_soon(talk)
        return ours

    def _save(
        self, _room: str, document: Callable[[], str], inputs: Sequence[InputKey]
    ) -> Awaitable[None]:
        self._given.append((document, inputs))
        return self._written(len(self._given))

    async def _written(self, count: int) -> None:
        """As the journal's: a commit has all that was given until it began."""
        async with self._disk:
            if count <= self._committed:
                return
            given = self._given[self._committed :]
            await trio.sleep(self.commit)
            self._committed += len(given)
        states = [state.state for state in self.published]
        document, _ = given[-1]
        self.disk.append((json.loads(document()), self.executed, states))
        self.inputs += [key for _, inputs in given for key in inputs]
        self._note()

    def at_once(self) -> AbstractContextManager[None]:
        """As if the broker took everything at any time."""
        return nullcontext() if self._audience is None else self._audience.at_once()

    def state(self, room: Room) -> None:
        """The room's state is published."""
        self.published.append(room.state)
        if self._audience is not None:
            self._audience.state(room)
        self._note()

    def result(self, room: Room, result: Result, stages: Stages) -> None:
        """A result is published; where nobody else listens, the broker has it at once."""
        self.results.append(result)
        self.stages.append(stages)
        if self._audience is not None:
            self._audience.result(room, result, stages)
        else:
            room.arrived(result)
        self._note()

    def fault(self, _room: Room, error: Exception, about: str) -> None:
        """A rule has failed, which no test but one about that lets pass."""
        if not self._faulty:
            raise error
        self.faults.append((type(error), about))

    def _note(self) -> None:
        self._changed.set()
        self._changed = trio.Event()


def clock_wall() -> float:
    """The simulated HMP's clock."""
    return clock().wall
