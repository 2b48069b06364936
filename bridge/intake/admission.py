"""What is asked of the rooms: handed to the room that is meant, or refused with the reason."""

import secrets
from collections.abc import Callable, Mapping

import trio

from ..hmp.commands import RecordingId
from ..mqtt.acknowledgements import Part
from ..mqtt.message import Message
from ..mqtt.topics import Input
from ..room.facts.problems import ALREADY_HELD, TOO_OLD
from ..room.facts.requests import NotUnderstood, outlives, request
from ..room.facts.values import Now, Problem, Request, Result
from ..room.facts.vocabulary import Action, Outcome
from ..room.worker import Delivery, Refusal, Room
from ..text.shortened import shortened

__all__ = ["Admission"]

_LONGEST_WORD = 40


class Admission:
    """The rooms, as seen by whoever asks.

    `refuse` answers what is for no room or action: it gets the result, and what to call once the
    broker has that.
    """

    def __init__(
        self,
        rooms: Mapping[str, Room],
        *,
        refuse: Callable[[Result, Callable[[], None]], None],
        clock: Callable[[], Now],
    ) -> None:
        self._rooms = rooms
        self._refuse = refuse
        self._clock = clock

    def submit(self, given: Input, part: Part) -> None:
        """Give it to its room; it has one result, here or there."""
        room = self._rooms.get(given.room)
        if room is None:
            reason = f"{given.room!r} is no room of this bridge"
            problem = Problem("unknown_room", reason, f"Its rooms are: {', '.join(self._rooms)}.")
            self.fail(part, None, given.word, given.id, problem)
            return
        try:
            asked = request(
                given.word,
                given.parameters,
                event=given.event,
                request_id=given.id,
                origin=part.message.topic,
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
            room.submit(Delivery(asked, part.key, part.place.accept))

    def fail(
        self,
        part: Part,
        room: str | None,
        word: str,
        request_id: str | int | None,
        problem: Problem,
        *,
        outcome: Outcome = Outcome.FAILED,
    ) -> None:
        """Answer that nothing was done: on the room's own topics where the room is known."""
        result = Result(
            id=secrets.token_hex(8) if request_id is None else request_id,
            # Whatever somebody sent as an action comes back, but not 64 KB of it.
            word=shortened(word, _LONGEST_WORD),
            origin=part.message.topic,
            outcome=outcome,
            state=None if room is None else self._rooms[room].state.state,
            problem=problem,
            took=_age(part.message),
        )
        if room is not None:
            refusal = Refusal(result, part.key, part.place.accept)
            self._rooms[room].submit(refusal)
        else:
            # No journal has it: until the broker has the refusal, it keeps the message.
            self._refuse(result, part.place.accept)

    def _held_elsewhere(self, recording_id: RecordingId, room: Room) -> bool:
        others = (other for other in self._rooms.values() if other is not room)
        return any(other.holds(recording_id) for other in others)


def _too_old(asked: Request, part: Part, room: Room) -> bool:
    """Whether it waited at the broker for longer than it keeps, as far as can be told (R16)."""
    policy = room.state.policy
    keeps = policy.mark_ttl if asked.action is Action.MARK else policy.action_ttl
    return part.waited > keeps and not outlives(asked)


def _age(message: Message) -> float:
    return trio.current_time() - message.received_at
