"""Callers: whoever asks over HTTP, and waits for the answer (R34).

What they ask goes the way of a message on the room's own topics, through `Admission`, but waits in
no queue of the broker's and needs none. Its result is published like any other; whoever asked hears
it first. An id names a request: asked again with it, also after a restart, it is not carried out
again. One that nobody waits for any more, and whose id nobody knows, is the broker's to tell.
"""

import json
import secrets
import zlib
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from hashlib import blake2b

import trio

from ..journal.inputs import InputKey
from ..mqtt.inputs import EmptyPress, Malformed, Nothing, parse
from ..mqtt.message import Message
from ..mqtt.topics import Input, Topics
from ..room.delivery import Bearer
from ..room.facts.problems import TOO_MANY
from ..room.facts.requests import malformed
from ..room.facts.values import Now, Problem, Result
from ..room.facts.vocabulary import Outcome
from ..room.worker import Room
from .admission import Admission
from .sources import Sources

__all__ = ["Asked", "Callers"]

_MOST_WAITING = 32
"""Requests of one room that callers may wait for at once."""

_MOST_REMEMBERED = 1000
"""Requests whose senders know their ids, and whose results are remembered."""

_SLOTS = 256
"""Requests that are recognised after a restart: about so many of the latest."""

_FIRST_MID = -(2**33)
"""In the place of packet ids, below all others."""

_NOT_KNOWN = Problem(
    "not_known_yet",
    "It is not known yet whether this room is being recorded",
    "The bridge is new here and looks for the room's last state at the broker. Try again soon.",
)
_ID_USED = Problem(
    "id_used_before",
    "This id was given to another request",
    "Give each request an id of its own; the same one only to the same request, sent again.",
)
_BEFORE = Problem(
    "carried_out_before",
    "A request with this id was taken before the bridge started again",
    "It is not carried out twice. The room's state says what came of it.",
)
_LEAVING = Problem("leaving", "The bridge is being stopped", "Try again when it is back.")


@dataclass(slots=True, eq=False)
class Asked:
    """A request, its result once it is there, and what it is recognised by; a `Bearer` of its own.

    `place`, `message`, `key` and `waited` are what `Admission` looks at of anything that comes.
    `named`: whoever asked knows its id, and may ask for its result by that.
    """

    id: str | int
    word: str
    message: Message
    named: bool
    key: InputKey
    content: bytes
    waited: float = 0.0
    awaited: int = 0
    result: Result | None = None
    accepted: bool = False
    done: trio.Event = field(default_factory=trio.Event)

    @property
    def place(self) -> Bearer:
        """Itself: it is told once the request is written down."""
        return self

    def accept(self) -> None:
        """The request cannot be lost any more."""
        self.accepted = True

    @contextmanager
    def awaiting(self) -> Iterator[None]:
        """Within it, somebody is there who is answered with the result."""
        self.awaited += 1
        try:
            yield
        finally:
            self.awaited -= 1

    def settle(self, result: Result) -> "Asked":
        """This is its result."""
        self.result = result
        self.done.set()
        return self


class Callers:
    """Takes what they ask, and hands them the results.

    `taken` are the inputs that the journal knows of before a restart.
    """

    def __init__(
        self,
        topics: Topics,
        rooms: Mapping[str, Room],
        *,
        clock: Callable[[], Now],
        sources: Sources,
        taken: Iterable[InputKey] = (),
    ) -> None:
        self._topics = topics
        self._rooms = rooms
        self._admission = Admission(rooms, refusals=self, clock=clock, sources=sources)
        self._taken = {key for key in taken if key.mid <= _FIRST_MID}
        self._asked: OrderedDict[tuple[str, str | int], Asked] = OrderedDict()
        self._waiting: Counter[str] = Counter()
        self._leaving = False

    def ask(self, room: str, leaf: str, body: bytes, origin: str) -> Asked:
        """Ask what a message with this body would on the room's topic `leaf`, JSON or empty.

        It is taken once this returns, whoever waits for it; `done` is set when it has its result.
        """
        message = Message(origin, body, 0, False, False, trio.current_time())
        try:
            given = self._read(room, leaf, body)
        except Malformed as error:
            asked = self._new(room, error.id, error.word, message, body.hex())
            problem = malformed(error.reason)
            self._admission.fail(asked, room, error.word, asked.id, problem)
            return self._remember(room, asked)
        asked = self._new(room, given.id, given.word, message, given.parameters)
        known = self._asked.get((room, asked.id))
        if known is not None:
            same = known.content == asked.content
            return known if same else asked.settle(self._refused(room, asked, _ID_USED))
        if (hindrance := self._hindrance(room)) is not None:
            return asked.settle(self._refused(room, asked, hindrance))
        if asked.key in self._taken:
            return self._taken_before(room, asked)
        self._admission.submit(replace(given, id=asked.id), asked)
        return self._remember(room, asked)

    def leave(self) -> None:
        """Take nothing more: the rooms are settling."""
        self._leaving = True

    def heard(self, room: str, result: Result) -> bool:
        """True if the result is a caller's who waits for it, or may ask for it by its id."""
        asked = self._asked.get((room, result.id))
        if asked is None or asked.message.origin != result.origin:
            return False
        self._waiting[room] -= 1
        if not asked.named:
            del self._asked[room, result.id]
        asked.settle(result)
        return asked.named or asked.awaited > 0

    # What `Admission` refuses without a room.

    def refusal(self, result: Result, bearer: Bearer) -> None:
        """The room has gone in between."""
        assert isinstance(bearer, Asked)  # noqa: S101 - what was submitted above
        bearer.settle(result)

    def unanswered(self, topics: str, count: int) -> None:
        """Every caller has an answer of its own."""

    # How it is taken.

    def _read(self, room: str, leaf: str, body: bytes) -> Input:
        word = leaf.removeprefix("press/")
        if body.strip()[:1] not in (b"", b"{"):
            raise Malformed("the body is neither empty nor a JSON object", room, word)
        match parse(self._topics, self._topics.room(room, leaf), body):
            case EmptyPress(given) | (Input() as given):
                return given
            case Nothing():
                raise Malformed("nothing is asked for", room, word)

    def _new(
        self, room: str, given: str | int | None, word: str, message: Message, asked: object
    ) -> Asked:
        """A request with the id that was given, or one made up; `asked` as JSON has it."""
        request_id = secrets.token_hex(8) if given is None else given
        name = f"{room} {request_id!r}".encode()
        told = json.dumps([word, asked], sort_keys=True).encode()
        content = blake2b(told, digest_size=16).digest()
        mid = _FIRST_MID - zlib.crc32(name) % _SLOTS
        key = InputKey(mid, blake2b(name + b" " + content, digest_size=16).digest())
        return Asked(request_id, word, message, given is not None, key, content)

    def _remember(self, room: str, asked: Asked) -> Asked:
        """Until its result is there; with an id that its sender knows for longer."""
        if asked.result is not None:
            return asked
        if asked.accepted:  # too many were refused: this one has no result in the room
            return asked.settle(self._refused(room, asked, TOO_MANY))
        self._waiting[room] += 1
        self._asked[room, asked.id] = asked
        settled = [key for key, each in self._asked.items() if each.result is not None]
        for key in settled[: max(0, len(self._asked) - _MOST_REMEMBERED)]:
            del self._asked[key]
        return asked

    def _hindrance(self, room: str) -> Problem | None:
        """The reason why nothing can be asked of the room now."""
        if self._leaving:
            return _LEAVING
        if not self._rooms[room].known:
            return _NOT_KNOWN
        return TOO_MANY if self._waiting[room] >= _MOST_WAITING else None

    def _taken_before(self, room: str, asked: Asked) -> Asked:
        """Wait with it for the result that is still to come, or say that there was one."""
        state = self._rooms[room].state
        waiting = [pending.request for pending in (*state.pending, *state.deferred)]
        waiting += [mark.request for mark in state.marks if mark.request is not None]
        if any(request.id == asked.id for request in waiting):
            return self._remember(room, asked)
        return asked.settle(self._refused(room, asked, _BEFORE, Outcome.IGNORED))

    def _refused(
        self, room: str, asked: Asked, problem: Problem, outcome: Outcome = Outcome.FAILED
    ) -> Result:
        state = self._rooms[room].state.state
        return Result(asked.id, asked.word, asked.message.origin, outcome, state, problem)
