"""Admission to the rooms: what is asked is handed to the room that is meant, or refused.

Refused with its reason: by the room, where that is known, so that it is journalled; else by the
outlet, and until the broker has that it keeps the message, unless there are many (R27).
"""

import secrets
from collections.abc import Callable, Mapping
from typing import Protocol

import trio

from ..hmp.commands import RecordingId
from ..journal.inputs import InputKey
from ..mqtt.message import Message
from ..mqtt.topics import Input
from ..room.delivery import Bearer, Delivery, Refusal
from ..room.facts.problems import ALREADY_HELD, TOO_OLD
from ..room.facts.requests import NotUnderstood, outlives, request
from ..room.facts.values import Now, Problem, Request, Result
from ..room.facts.vocabulary import Action, Outcome
from ..room.worker import Room
from ..text.shortened import shortened
from .pace import TELL_EVERY, Pace
from .sources import Sources

__all__ = ["Admission", "Asking", "Refusals"]

_LONGEST_WORD = 40
"""Characters that an answer says again of a word or name that is none of ours."""


class Refusals(Protocol):
    """Whoever answers for no room: the `Outlet` of ``daemon/outlet``."""

    def refusal(self, result: Result, bearer: Bearer) -> None:
        """A message was for no room or action; `bearer` is told when it need not be kept."""

    def unanswered(self, topics: str, count: int) -> None:
        """So many more on these topics were refused without an answer each."""


class Asking(Protocol):
    """As much of whatever asks as is looked at here: a `Part` of a message, or a caller's."""

    @property
    def message(self) -> Message:
        """The message, or what stands for one; its topic is the origin of the result."""

    @property
    def key(self) -> InputKey | None:
        """By this it is recognised when it comes again."""

    @property
    def waited(self) -> float:
        """Seconds for which it may have waited for the bridge (R16)."""

    @property
    def place(self) -> Bearer:
        """It is told once nothing of it can be lost any more."""


class Admission:
    """The rooms, as seen by whoever asks; `refusals` answers what is for none of them."""

    def __init__(
        self,
        rooms: Mapping[str, Room],
        *,
        refusals: Refusals,
        clock: Callable[[], Now],
        sources: Sources,
    ) -> None:
        self._rooms = rooms
        self._sources = sources
        self._pace = Pace()
        self._beyond = trio.lowlevel.ParkingLot()
        self._refusals = refusals
        self._clock = clock

    def answers(self, topic: str) -> bool:
        """True if what is refused on this topic now is answered; otherwise it is counted (R28)."""
        if self._pace.admits(self._sources.of(topic).name, trio.current_time()):
            return True
        if self._beyond:
            self._beyond.unpark_all()
        return False

    async def tell_unanswered(self) -> None:
        """Say at times how many were refused without an answer, until cancelled, and then."""
        try:
            while True:
                await self._beyond.park()
                await trio.sleep(TELL_EVERY)
                self._tell()
        finally:
            self._tell()

    def _tell(self) -> None:
        for topics, count in self._pace.untold():
            self._refusals.unanswered(topics, count)

    def submit(self, given: Input, part: Asking) -> None:
        """Give it to its room; it has one result, here or there."""
        room = self._rooms.get(given.room)
        if room is None:
            reason = f"{shortened(given.room, _LONGEST_WORD)!r} is no room of this bridge"
            problem = Problem("unknown_room", reason, f"Its rooms are: {', '.join(self._rooms)}.")
            self.fail(part, None, given.word, given.id, problem)
            return
        try:
            asked = request(
                given.word,
                given.parameters,
                event=given.event,
                request_id=given.id,
                origin=part.message.origin,
                received_at=self._clock().monotonic - _age(part.message),
                left_out=given.left_out,
            )
        except NotUnderstood as error:
            answering = room.name if error.known else None
            self.fail(part, answering, given.word, given.id, error.problem)
            return
        if asked.recording_id is not None and self._held_elsewhere(asked.recording_id, room):
            self.fail(part, room.name, given.word, asked.id, ALREADY_HELD)
        elif _too_old(asked, part, room):
            self.fail(part, room.name, given.word, asked.id, TOO_OLD, outcome=Outcome.EXPIRED)
        else:
            room.submit(Delivery(asked, part.key, part.place))

    def fail(
        self,
        part: Asking,
        room: str | None,
        word: str,
        request_id: str | int | None,
        problem: Problem,
        *,
        outcome: Outcome = Outcome.FAILED,
    ) -> None:
        """Answer that nothing was done: on the room's own topics where the room is known.

        A sender of many that can be refused without a look at the room has a few answers, and the
        rest is counted (R28); sent again, each of them comes to the same.
        """
        if problem not in (ALREADY_HELD, TOO_OLD) and not self.answers(part.message.topic):
            part.place.accept()
            return
        result = Result(
            id=secrets.token_hex(8) if request_id is None else request_id,
            # Whatever somebody sent as an action comes back, but not 64 KB of it.
            word=shortened(word, _LONGEST_WORD),
            origin=part.message.origin,
            outcome=outcome,
            state=None if room is None else self._rooms[room].state.state,
            problem=problem,
            took=_age(part.message),
        )
        if room is not None:
            self._rooms[room].submit(Refusal(result, part.key, part.place))
        else:
            # No journal has it: the broker keeps the message until it has the refusal.
            self._refusals.refusal(result, part.place)

    def _held_elsewhere(self, recording_id: RecordingId, room: Room) -> bool:
        others = (other for other in self._rooms.values() if other is not room)
        return any(other.holds(recording_id) for other in others)


def _too_old(asked: Request, part: Asking, room: Room) -> bool:
    """True where it waited at the broker for longer than it keeps, as far as can be told (R16)."""
    policy = room.state.policy
    keeps = policy.mark_ttl if asked.action is Action.MARK else policy.action_ttl
    return part.waited > keeps and not outlives(asked)


def _age(message: Message) -> float:
    return trio.current_time() - message.received_at
