"""From the broker to the rooms: every message becomes one request, one refusal, or nothing.

Messages are taken, and acknowledged, in the order in which they arrived (R27).
"""

import hashlib
import secrets
from collections import deque
from collections.abc import Callable, Iterable, Mapping

import structlog
import trio

from .api.service import Api
from .bindings.binding import Verdict
from .bindings.bound import Bound
from .bindings.outcome import Failed
from .hmp.commands import RecordingId
from .journal import Input as InputKey
from .logs.log import hears
from .mqtt.api_topics import request_filters
from .mqtt.link import BrokerLink
from .mqtt.message import Message
from .mqtt.topics import Input, Malformed, Nothing, Topics, parse
from .room.problems import ALREADY_HELD, TOO_OLD
from .room.requests import NotUnderstood, malformed, outlives, request
from .room.state import Now, Problem, Request, Result
from .room.vocabulary import Action, Outcome
from .room.worker import Delivery, Refusal, Room

__all__ = ["Dispatcher"]

log = structlog.get_logger("mqtt")

_MOST_TOPICS_REMEMBERED = 1000
_LONGEST_WORD = 40


class Dispatcher:
    """Hands what the broker delivers to the rooms.

    `refuse` answers what is for no room or action: it gets the result, and what to call once the
    broker has that. `taken` are inputs that were journalled before a
    restart and that the broker may deliver again. `bound` has what bindings make of other topics.
    """

    def __init__(
        self,
        broker: BrokerLink,
        topics: Topics,
        rooms: Mapping[str, Room],
        *,
        api: Api,
        refuse: Callable[[Result, Callable[[], None]], None],
        clock: Callable[[], Now],
        taken: Iterable[InputKey] = (),
        bound: Bound,
    ) -> None:
        self._broker = broker
        self._topics = topics
        self._rooms = rooms
        self._api = api
        self._refuse = refuse
        self._clock = clock
        self._taken = set(taken)
        self._bound = bound
        self._receipts: deque[_Receipt] = deque()
        filters = (*topics.inputs, *request_filters(topics))
        self._inputs = [topic_filter.split("/") for topic_filter in filters]
        self._retained_topics: set[str] = set()
        self._contact_at = trio.current_time()
        self._live_since: float | None = None
        self._begun = trio.Event()
        self.retained_dropped = 0

    def in_contact(self) -> None:
        """The broker has just answered us."""
        self._contact_at = trio.current_time()

    def away(self, *, since: float | None = None) -> None:
        """No connection; the last contact was at `since`, or as `in_contact` said.

        Until `live`, what a resumed session delivers may have waited since then (R16).
        """
        if since is not None:
            self._contact_at = since
        self._live_since = None

    def afresh(self) -> None:
        """The broker has no session for us: its packet ids of before mean nothing any more."""
        self._taken.clear()

    def live(self) -> None:
        """What was kept for us has been delivered; what comes from now on is fresh."""
        self._live_since = trio.current_time()

    def begin(self) -> None:
        """Every room knows what there is to know: what has come may be carried out."""
        self._begun.set()

    @property
    def backlog_done(self) -> bool:
        """Whether everything that was kept for us has been taken in and acknowledged."""
        if self._live_since is None or self._broker.waiting:
            return False
        return not self._receipts or self._receipts[0].message.received_at >= self._live_since

    async def run(self) -> None:
        """Dispatch until cancelled, from `begin` on.

        A stop that is older than this process must not find a room idle that has yet to learn from
        its retained topics that it is being recorded (R9).
        """
        await self._begun.wait()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._act_on_held)
            await self._act_on_messages()

    async def _act_on_messages(self) -> None:
        while True:
            message = await self._broker.receive()
            if hears("mqtt", "debug"):
                _log_received(message)
            receipt = _Receipt(message, self._receipts)
            is_input = self._is_input(message.topic)
            if not is_input and not self._bound.is_bound(message.topic):
                pass  # our own word, kept for us by a session from before a restart
            elif message.retain and is_input:
                self._drop_retained(message.topic)
            elif message.retain:
                self.retained_dropped += 1  # a device may keep its state; MQTT 3.1.1 then brings it
            elif message.duplicate and _key(message) in self._taken:
                self._taken.discard(_key(message))
                log.info("redelivered message was carried out before", topic=message.topic)
            else:
                if is_input:
                    self._dispatch(receipt)
                else:
                    self._dispatch_bound(receipt)
                continue  # acknowledged once it, or its refusal, cannot be lost any more
            receipt.accept()

    def _is_input(self, topic: str) -> bool:
        """Whether this is for us; brokers also send what nobody has asked them for."""
        levels = topic.split("/")
        return any(
            len(wanted) == len(levels)
            and all(level in ("+", here) for level, here in zip(wanted, levels, strict=True))
            for wanted in self._inputs
        )

    def _dispatch(self, receipt: "_Receipt") -> None:
        """Hand the message to its room or to the API, or refuse it."""
        message = receipt.message
        key, waited = _journal_key(message), self._waited(message)
        if self._api.take(message, waited=waited, input_key=key, accepted=receipt.accept):
            return
        try:
            match parse(self._topics, message.topic, message.payload):
                case Input() as given:
                    self._submit(given, receipt)
                case Nothing():
                    receipt.accept()
        except Malformed as error:
            room = error.room if error.room in self._rooms else None
            self._fail(receipt, room, error.word, error.id, malformed(error.reason))

    def _dispatch_bound(self, receipt: "_Receipt") -> None:
        """Hand what the bindings make of the message to its rooms; it is acknowledged after all."""
        verdicts = self._bound.take(receipt.message)
        receipt.expect(len(verdicts))
        for verdict in verdicts:
            self._carry_out(verdict, receipt)

    async def _act_on_held(self) -> None:
        """A press that is held acts when its time has come; its message was acknowledged before."""
        while True:
            for verdict in await self._bound.held():
                message = Message(verdict.topic, b"", 0, False, False, trio.current_time())
                self._carry_out(verdict, _Receipt(message, deque()))

    def _carry_out(self, verdict: Verdict, receipt: "_Receipt") -> None:
        match verdict.outcome:
            case Failed(word, reason, room):
                advice = f"Correct {verdict.binding.label} in the configuration, or its sender."
                problem = Problem("binding_failed", reason, advice)
                self._fail(receipt, room, word, None, problem)
            case Input() as given:
                log.info(
                    "binding acts",
                    binding=verdict.binding.label,
                    topic=verdict.topic,
                    room=given.room,
                    action=given.word,
                )
                self._submit(given, receipt)
            case None:
                receipt.accept()

    def _submit(self, given: Input, receipt: "_Receipt") -> None:
        message = receipt.message
        room = self._rooms.get(given.room)
        if room is None:
            reason = f"{given.room!r} is no room of this bridge"
            problem = Problem("unknown_room", reason, f"Its rooms are: {', '.join(self._rooms)}.")
            self._fail(receipt, None, given.word, given.id, problem)
            return
        try:
            asked = request(
                given.word,
                given.parameters,
                event=given.event,
                request_id=given.id,
                origin=message.topic,
                received_at=self._clock().monotonic - _age(message),
            )
        except NotUnderstood as error:
            answering = room.name if error.known else None
            self._fail(receipt, answering, given.word, given.id, error.problem)
            return
        if asked.recording_id is not None and self._held_elsewhere(asked.recording_id, room):
            self._fail(receipt, room.name, given.word, asked.id, ALREADY_HELD)
        elif self._too_old(asked, message, room):
            self._fail(receipt, room.name, given.word, asked.id, TOO_OLD, outcome=Outcome.EXPIRED)
        else:
            room.submit(Delivery(asked, _journal_key(message), receipt.accept))

    def _too_old(self, asked: Request, message: Message, room: Room) -> bool:
        """Whether it waited at the broker for longer than it keeps, as far as can be told (R16)."""
        policy = room.state.policy
        keeps = policy.mark_ttl if asked.action is Action.MARK else policy.action_ttl
        return self._waited(message) > keeps and not outlives(asked)

    def _waited(self, message: Message) -> float:
        """Seconds that the message may have waited at the broker for us to come back (R16)."""
        if self._live_since is not None and message.received_at >= self._live_since:
            return 0.0
        return trio.current_time() - self._contact_at

    def _fail(
        self,
        receipt: "_Receipt",
        room: str | None,
        word: str,
        request_id: str | int | None,
        problem: Problem,
        *,
        outcome: Outcome = Outcome.FAILED,
    ) -> None:
        result = Result(
            id=secrets.token_hex(8) if request_id is None else request_id,
            # Whatever somebody sent as an action comes back, but not 64 KB of it.
            word=word if len(word) <= _LONGEST_WORD else f"{word[: _LONGEST_WORD - 3]}...",
            origin=receipt.message.topic,
            outcome=outcome,
            state=None if room is None else self._rooms[room].state.state,
            problem=problem,
            took=_age(receipt.message),
        )
        if room is not None:
            refusal = Refusal(result, _journal_key(receipt.message), receipt.accept)
            self._rooms[room].submit(refusal)
        else:
            # No journal has it: until the broker has the refusal, it keeps the message.
            self._refuse(result, receipt.accept)

    def _held_elsewhere(self, recording_id: RecordingId, room: Room) -> bool:
        others = (other for other in self._rooms.values() if other is not room)
        return any(other.holds(recording_id) for other in others)

    def _drop_retained(self, topic: str) -> None:
        """A retained message is of the past: acting on it would repeat it at every start (R16)."""
        self.retained_dropped += 1
        if topic in self._retained_topics or len(self._retained_topics) >= _MOST_TOPICS_REMEMBERED:
            return
        self._retained_topics.add(topic)
        log.warning(
            "retained message ignored",
            topic=topic,
            what_to_do="publish inputs without the retain flag, and clear the retained message: "
            f"mosquitto_pub -r -n -t {topic}",
        )


class _Receipt:
    """One message's place in the order of acknowledgements."""

    __slots__ = ("_expected", "_order", "message")

    def __init__(self, message: Message, order: deque["_Receipt"]) -> None:
        self.message = message
        self._order = order
        self._expected = 1
        order.append(self)

    def expect(self, times: int) -> None:
        """So many requests came of the message; each of them must be accepted."""
        self._expected = times
        self._acknowledge()

    def accept(self) -> None:
        """Acknowledge the message as soon as everything that came before it is."""
        self._expected -= 1
        self._acknowledge()

    def _acknowledge(self) -> None:
        order = self._order
        while order and order[0]._expected <= 0:  # noqa: SLF001 - its own class
            order.popleft().message.acknowledge()


def _log_received(message: Message) -> None:
    log.debug(
        "message received",
        topic=message.topic,
        bytes=len(message.payload),
        qos=message.qos,
        retain=message.retain,
        duplicate=message.duplicate,
    )


def _age(message: Message) -> float:
    return trio.current_time() - message.received_at


def _key(message: Message) -> InputKey | None:
    if message.receipt is None:
        return None
    digest = hashlib.blake2b(message.topic.encode(), digest_size=16)
    digest.update(b"\0" + message.payload)
    return InputKey(message.receipt.mid, digest.digest())


def _journal_key(message: Message) -> tuple[int, bytes] | None:
    key = _key(message)
    return None if key is None else (key.mid, key.digest)
