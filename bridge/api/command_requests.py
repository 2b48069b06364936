"""Commands that somebody gives HMP by name: ``hmp/server/<server>/request/<command>`` (R18).

::

    request ─▶ server, command, allowed? ─▶ checked and typed ─┬─▶ queue ─▶ server link ─▶ HMP
                     │                            │            └─▶ room, to record its session
                     ▼                            ▼                     │
                   failed                       failed                  ▼
                     └────────────────────────────┴───────────────▶ one answer

A `startRecording` for a session that belongs to a room is that room's to carry out (R5): it is
journalled, started and known there like a press, and its result is the answer. With ``force`` a
second recording is started beside it, which no room knows. Commands about a recording that a room
holds go straight to HMP; the room hears at once what came of them.

When a request is acknowledged, and what a kill makes of it, stands in `ledger`.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import outcome
import trio

from ..hmp.client import ServerLink
from ..hmp.commands import (
    Command,
    Repeat,
    SessionId,
    StartRecording,
    StopRecording,
    StopRestreamRecording,
)
from ..hmp.errors import LinkDown
from ..hmp.link import LinkState, Priority
from ..mqtt.acknowledgements import Part
from ..mqtt.api_topics import Answer, Asked, Caller, CommandTopic
from ..process.lifetime import Lifetime
from ..room.delivery import Delivery
from ..room.facts.values import Now, Request
from ..room.facts.vocabulary import Action, State
from ..room.worker import Room
from . import answers
from .checks import ServerRules, check_command
from .ledger import Entry, Ledger, Save, ledger_name
from .replies import Replies
from .request_queue import Call, Downtime, Finish, RequestQueue

__all__ = ["CommandRequests"]

_COUNT_HOWEVER_OLD = (StopRecording, StopRestreamRecording)
"""Stops always count (R16)."""


class _Server:
    """The requests that wait for one server."""

    def __init__(self, link: ServerLink, ledger: Ledger, finish: Finish) -> None:
        self.ledger = ledger
        self.lifetime = Lifetime()
        self.retired = False
        self.downtime = Downtime()
        self.requests = RequestQueue(link, Priority.REQUEST, self.downtime, ledger, finish)
        self.stops = RequestQueue(link, Priority.STOP, self.downtime, ledger, finish)

    @property
    def due_at(self) -> float:
        """By when every loop goes on by itself (`Progress`)."""
        queues = min(self.requests.due_at, self.stops.due_at)
        return min(queues, self.ledger.progress.due_at)

    def queue_for(self, command: Command[object]) -> RequestQueue:
        """A stop never waits behind anything else (R22)."""
        return self.stops if isinstance(command, StopRecording) else self.requests

    async def run(self) -> None:
        """Carry out requests until cancelled."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.ledger.run)
            nursery.start_soon(self.requests.run)
            nursery.start_soon(self.stops.run)


class CommandRequests:
    """The requests to all servers.

    `rules` says what may be asked of each, and is kept up to date here for all who hold it.
    `documents` are the ledgers' as the journal has them.
    """

    def __init__(
        self,
        rules: dict[str, ServerRules],
        links: Mapping[str, ServerLink],
        rooms: Mapping[str, Room],
        replies: Replies,
        *,
        documents: Mapping[str, str],
        save: Save,
        clock: Callable[[], Now],
    ) -> None:
        self.rules = rules
        self._rooms = rooms
        self._replies = replies
        self._save = save
        self._clock = clock
        self._nursery: trio.Nursery | None = None
        self._servers: dict[str, _Server] = {}
        for name, link in links.items():
            self.add_server(name, rules[name], link, documents.get(ledger_name(name)))
        #: Of servers that were taken out while the bridge was down.
        self._orphans = [
            Ledger(name, save, document)
            for name, document in documents.items()
            if name.startswith(ledger_name("")) and name not in map(ledger_name, links)
        ]

    @property
    def due_at(self) -> dict[str, float]:
        """By when the requests to each server go on (`Progress`)."""
        return {f"requests to {name}": server.due_at for name, server in self._servers.items()}

    async def run(self) -> None:
        """Answer what the process before left behind, then carry out requests until cancelled."""
        async with trio.open_nursery() as self._nursery:
            for server in self._servers.values():
                self._begin(server)
            for ledger in self._orphans:
                await self._wind_up(ledger, self._nursery)
            await trio.sleep_forever()

    async def tidy(self) -> None:
        """Return once it is written down which answers the broker has."""
        ledgers = [*(server.ledger for server in self._servers.values()), *self._orphans]
        async with trio.open_nursery() as nursery:
            for ledger in ledgers:
                nursery.start_soon(ledger.tidy)

    def add_server(
        self, name: str, rules: ServerRules, link: ServerLink, document: str | None
    ) -> None:
        """One more server can be asked; `document` is its ledger as the journal has it."""
        ledger = Ledger(ledger_name(name), self._save, document)
        self.rules[name] = rules
        self._servers[name] = _Server(link, ledger, self._finish)
        if self._nursery is not None:
            self._begin(self._servers[name])

    def change_server(self, name: str, rules: ServerRules) -> None:
        """Something else may be asked of a server; what was asked already goes on."""
        self.rules[name] = rules

    def retire_server(self, name: str) -> Lifetime:
        """A server can be asked no more; what waits is answered until the stay has ended."""
        del self.rules[name]
        server = self._servers.pop(name)
        server.retired = True
        server.lifetime.end()
        return server.lifetime

    def link_changed(self, name: str, state: LinkState) -> None:
        """A server link has changed."""
        server = self._servers.get(name)
        if server is None:
            return  # it is being taken out
        server.downtime.link_changed(ready=state is LinkState.READY)
        server.requests.wake()
        server.stops.wake()

    def take(
        self,
        caller: Caller,
        asked_on: CommandTopic,
        command_class: type[Command[Any]],
        asked: Asked,
        part: Part,
    ) -> None:
        """Have an allowed command carried out. Raises `Rejected` for its parameters."""
        command = check_command(command_class, asked)
        server, rules = self._servers[asked_on.server], self.rules[asked_on.server]
        if _too_old(command, part, rules):
            self._replies.give_unkept(caller, answers.TOO_LATE, part.place.accept)
            return
        room = None
        if isinstance(command, StartRecording):
            room = self._room_of(asked_on.server, command.session)
        if room is not None and _is_free(room):
            self._record_in(room, caller, part, rules)
        elif room is not None and not asked.force:
            self._replies.give_unkept(caller, answers.ALREADY_RECORDING, part.place.accept)
        elif server.queue_for(command).full:
            self._replies.give_unkept(caller, answers.TOO_MANY, part.place.accept)
        else:
            self._submit(caller, asked_on.server, command, part)

    def _begin(self, server: _Server) -> None:
        assert self._nursery is not None  # noqa: S101 - callers have looked
        self._answer_for_the_dead(server.ledger)
        self._nursery.start_soon(server.lifetime.of, partial(self._serve, server))

    async def _wind_up(self, ledger: Ledger, nursery: trio.Nursery) -> None:
        """Answer what was asked of a server that is gone; once nothing is left, forget it."""
        if ledger.left:
            self._answer_for_the_dead(ledger)
            nursery.start_soon(ledger.run)
        else:
            await self._save(ledger.name, "", ())

    async def _serve(self, server: _Server) -> None:
        try:
            await server.run()
        finally:
            if server.retired:
                with trio.CancelScope(shield=True):
                    await self._save(server.ledger.name, "", ())

    def _submit(self, caller: Caller, name: str, command: Command[object], part: Part) -> None:
        server = self._servers[name]
        queue = server.queue_for(command)
        message = part.message
        heard = partial(self._heard, name, command)
        call = Call(caller, command, message.received_at, heard)
        if message.expiry is None:
            call.ttl_until = server.downtime.now() + self.rules[name].ttl
        else:
            call.deadline = message.received_at + message.expiry
        if command.repeat is Repeat.SAFE:
            part.place.accept()
        else:

            def taken() -> None:
                call.taken.set()
                part.place.accept()

            call.entry = Entry(caller, command.name, sent=queue.goes_at_once)
            server.ledger.take(call.entry, part.key, taken)
        queue.submit(call)

    def _heard(
        self, server: str, command: Command[object], result: outcome.Outcome[object]
    ) -> None:
        """Tell the room: what it asks of HMP may be answered before this answer is written down."""
        if isinstance(result, outcome.Error) and isinstance(result.error, LinkDown):
            return  # nothing was sent
        for room in self._rooms.values():
            if room.server == server and room.concerned(command):
                room.commanded(command, done=isinstance(result, outcome.Value))

    def _finish(self, call: Call, answer: Answer, arrived: Callable[[], None]) -> None:
        took = trio.current_time() - call.received_at
        self._replies.give(call.caller, answer, arrived=arrived, milliseconds=took * 1000)

    def _answer_for_the_dead(self, ledger: Ledger) -> None:
        for entry in ledger.left:
            left = answers.LEFT_BEHIND if entry.sent else answers.NOT_CARRIED_OVER
            arrived = partial(ledger.arrived, entry)
            self._replies.give(entry.caller, entry.answer or left, arrived=arrived)

    def _room_of(self, server: str, session: SessionId) -> Room | None:
        """The room that records this session, or uses it now."""
        for room in self._rooms.values():
            theirs = filter(None, (room.state.policy.session, room.state.session))
            if room.server == server and session.lower() in map(str.lower, theirs):
                return room
        return None

    def _record_in(self, room: Room, caller: Caller, part: Part, rules: ServerRules) -> None:
        message = part.message
        age = trio.current_time() - message.received_at
        ttl = rules.ttl if message.expiry is None else message.expiry - age
        request = Request(
            action=Action.RECORD,
            id=caller.id,
            word=StartRecording.name,
            origin=caller.origin,
            received_at=self._clock().monotonic - age,
            ttl=max(0.0, ttl),
            reply=caller.reply,
        )
        room.submit(Delivery(request, part.key, part.place))


def _too_old(command: Command[object], part: Part, rules: ServerRules) -> bool:
    """True if it waited at the broker, or for the bridge, for longer than it keeps (R16)."""
    message = part.message
    if message.expiry is not None:
        return trio.current_time() - message.received_at >= message.expiry
    return part.waited > rules.ttl and not isinstance(command, _COUNT_HOWEVER_OLD)


def _is_free(room: Room) -> bool:
    """True if the room has no recording and cannot have one (R5)."""
    return room.state.state is State.IDLE and room.state.adopting is None
