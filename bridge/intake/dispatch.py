"""From the broker to the rooms: every message becomes one request, one refusal, or nothing.

Messages are taken in fair turns (`Sources`), and acknowledged in the order of arrival (R27).
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from itertools import count

import structlog
import trio

from ..api.service import Api
from ..bindings.binding import Verdict
from ..bindings.outcome import Failed
from ..bindings.translator import Translator
from ..journal.inputs import InputKey, numbers_of
from ..logs.log import hears
from ..mqtt.acknowledgements import Acknowledgements, Part
from ..mqtt.api_topics import request_filters
from ..mqtt.filters import matches
from ..mqtt.inputs import EmptyPress, Malformed, Nothing, parse
from ..mqtt.link import BrokerLink
from ..mqtt.message import Message
from ..mqtt.once_per_topic import OncePerTopic
from ..mqtt.topics import ALL_ROOMS, Input, Topics
from ..room.facts.requests import malformed
from ..room.facts.values import Now, Problem
from ..room.facts.vocabulary import Action
from ..room.worker import Room
from .admission import Admission, Refusals
from .advice import breaks, log_received, log_retained
from .guard import Guard
from .sources import Sources
from .suspects import Suspects

__all__ = ["Dispatcher"]

log = structlog.get_logger("mqtt")

_AT_ONCE = 10
"""Messages of a backlog that are handed on before others have their turn."""

_MOST_TOPICS = 1000
"""Topics of which it is remembered whether they are inputs."""

_LONGEST_TOPIC = 500
"""Characters of one that is remembered: a topic may have 65,535 bytes, and ours are short."""


class Dispatcher:
    """Hands what the broker delivers to the rooms.

    `refusals` answers what is for no room or action. `taken` are the inputs of before a restart
    that the broker may deliver again. `translator` has what bindings make of other topics, `save`
    writes down what they remember. `suspects` knows what processes have ended over, `sources` whose
    a message is.
    """

    def __init__(
        self,
        broker: BrokerLink,
        topics: Topics,
        rooms: Mapping[str, Room],
        *,
        api: Api,
        refusals: Refusals,
        clock: Callable[[], Now],
        taken: Iterable[InputKey] = (),
        translator: Translator,
        save: Callable[[str], Awaitable[None]],
        suspects: Suspects,
        sources: Sources,
    ) -> None:
        self._broker = broker
        self._topics = topics
        self._rooms = rooms
        self._api = api
        self._admission = Admission(rooms, refusals=refusals, clock=clock, sources=sources)
        self._clock = clock
        self._ours = sources.is_ours
        self._taken = set(taken)
        self._translator = translator
        self.acknowledgements = Acknowledgements(save)
        self._guard = Guard(suspects, self._admission, topics, rooms, self.acknowledgements)
        self._inputs = (*topics.inputs, *request_filters(topics))
        self._topics_seen: dict[str, bool] = {}
        self._retained_said = OncePerTopic()
        self._empty_said = OncePerTopic()
        self._contact_at = trio.current_time()
        self._fresh_since: float | None = None
        self._begun, self._greeted = trio.Event(), trio.Event()
        #: Retained messages that were not acted on (R16).
        self.retained_dropped = 0

    def in_contact(self) -> None:
        """The broker has just answered us."""
        self._contact_at = trio.current_time()

    def away(self, *, since: float | None = None) -> None:
        """No connection; the last contact was at `since`, or as `in_contact` said.

        Until `fresh`, what a resumed session delivers may have waited since then (R16).
        """
        if since is not None:
            self._contact_at = since
        self._fresh_since = None

    def afresh(self, session: int) -> None:
        """The broker has no session for us: its packet ids of before mean nothing any more."""
        void = numbers_of(session)
        self._taken = {each for each in self._taken if each.mid not in void}

    @property
    def out_of_contact(self) -> float:
        """Seconds since the last contact; infinite if there never was any."""
        return trio.current_time() - self._contact_at

    def fresh(self, since: float | None = None) -> None:
        """All that was kept for us is delivered: what came `since`, or comes now, is fresh."""
        self._fresh_since = trio.current_time() if since is None else since
        self.acknowledgements.advance()

    def begin(self) -> None:
        """Every room knows something by itself: what bindings keep back may be carried out."""
        self._begun.set()

    def greeted(self) -> None:
        """Every room knows what there is to know: what has come may be carried out."""
        self._begun.set()
        self._greeted.set()

    async def caught_up(self) -> None:
        """Return once everything that was kept for us has been taken in and acknowledged."""
        while not self._caught_up():
            await self.acknowledgements.advanced()
        await self._guard.clear()

    def _caught_up(self) -> bool:
        since = self._fresh_since
        if since is None or not self._broker.none_waits_from_before(since):
            return False
        return self.acknowledgements.none_before(since)

    async def run(self) -> None:
        """Dispatch until cancelled, from `begin` and `greeted` on.

        A stop that is older than this process must not find a room idle that has yet to learn from
        its retained topics that it is being recorded (R9).
        """
        await self._begun.wait()
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self.acknowledgements.run)
                nursery.start_soon(self._act_on_held)
                nursery.start_soon(self._admission.tell_unanswered)
                await self._greeted.wait()
                await self._act_on_messages()
        finally:
            self._broker.received()  # nobody will call `receive` any more

    async def _act_on_messages(self) -> None:
        for number in count(1):
            if number % _AT_ONCE == 0:
                await trio.lowlevel.checkpoint()
            message = await self._broker.receive()
            if hears("mqtt", "debug"):
                log_received(message)
            place = self.acknowledgements.place(message)
            part = Part(place, self._waited(message))
            suspect = message.duplicate and part.key is not None and part.key not in self._taken
            if suspect:
                self._broker.received()
            if not suspect or await self._guard.admits(part):
                self._guard.handle(part, partial(self._take, part))
            if suspect:
                await self._guard.see_through(place)

    def _take(self, part: Part) -> None:
        """Hand a message on, unless it is of the past, or neither an input nor bound.

        A session of before a restart may have kept our own word for us, and brokers also send
        what nobody has asked them for.
        """
        message, place = part.message, part.place
        is_input = self._is_input(message.topic)
        if not (
            self._ours(message.topic) if is_input else self._translator.is_bound(message.topic)
        ):
            place.accept()
        elif message.retain:
            self._drop_retained(message, is_input=is_input)
            place.accept()
        elif is_input:
            self._dispatch(part)
        else:
            self._dispatch_bound(part)

    def _is_input(self, topic: str) -> bool:
        """True where people ask something on this topic, whether or not it is understood."""
        known = self._topics_seen.get(topic)
        if known is None:
            if len(self._topics_seen) >= _MOST_TOPICS:
                self._topics_seen.clear()
            known = any(matches(each, topic) for each in self._inputs)
            if len(topic) <= _LONGEST_TOPIC:
                self._topics_seen[topic] = known
        return known

    def _carried_out(self, part: Part) -> bool:
        """True if it is delivered again and was journalled before the restart (R27)."""
        if not part.message.duplicate or (key := part.key) not in self._taken:
            return False
        self._taken.discard(key)
        log.info("redelivered message was carried out before", topic=part.message.topic)
        return True

    def _dispatch(self, part: Part) -> None:
        """Hand the message to its room or to the API, or refuse it.

        It is acknowledged once it, or its refusal, cannot be lost any more.
        """
        message = part.message
        if self._carried_out(part):
            part.place.accept()
            return
        if self._api.take(part, self._admission.answers):
            return
        try:
            match parse(self._topics, message.topic, message.payload):
                case Input(word=Action.STOP, event=False) as given if given.room == ALL_ROOMS:
                    self._submit_to_all(given, part)
                case Input() as given:
                    self._admission.submit(given, part)
                case EmptyPress(press):
                    self._take_empty(press, part)
                case Nothing():
                    part.place.accept()
        except Malformed as error:
            room = error.room if error.room in self._rooms else None
            self._admission.fail(part, room, error.word, error.id, malformed(error.reason))

    def _submit_to_all(self, given: Input, part: Part) -> None:
        """Give it to every room, each of which takes it in, and answers, by itself."""
        place = part.place
        parts = [
            (replace(given, room=name), its_part)
            for name in self._rooms
            if not self._carried_out(its_part := Part(place, part.waited, name))
        ]
        place.expect(len(parts))
        for each, its_part in parts:
            self._guard.handle(its_part, partial(self._admission.submit, each, its_part))

    def _take_empty(self, press: Input, part: Part) -> None:
        """Whoever clears a retained press means no press (R16)."""
        room = self._rooms.get(press.room)
        if room is not None and room.state.policy.empty_is_press:
            self._admission.submit(press, part)
            return
        part.place.accept()
        if self._empty_said.is_first(part.message.topic):
            log.warning(
                "empty press ignored",
                topic=part.message.origin,
                what_to_do=f"publish true; or set empty_is_press under [rooms.{press.room}]",
            )

    def _dispatch_bound(self, whole: Part) -> None:
        """Hand what the bindings make of the message to its rooms; it is acknowledged after all.

        Delivered again, it is heard by the bindings once more, and goes to the rooms that have not
        journalled it.
        """
        message, place, waited = whole.message, whole.place, whole.waited
        verdicts, changed = self._translator.take(message)
        if changed:
            place.remembered = self._translator.remembered
        parts = [
            (verdict, part)
            for verdict in verdicts
            if not self._carried_out(part := Part(place, waited, verdict.binding.key))
        ]
        place.expect(len(parts))
        for verdict, part in parts:
            self._guard.handle(part, partial(self._carry_out, verdict, part))

    async def _act_on_held(self) -> None:
        """A press that is held acts when its time has come, after a restart too.

        Not before what the broker kept for us is taken in: it may have been released meanwhile.
        """
        await self.caught_up()
        while True:
            verdicts = await self._translator.held()
            for verdict in verdicts:
                self._carry_out_held(verdict, last=verdict is verdicts[-1])

    def _carry_out_held(self, verdict: Verdict, *, last: bool) -> None:
        held_at = verdict.held_at or 0.0
        late = self._clock().monotonic - held_at
        # Delivered again, as it were: the process before this one may have carried it out.
        message = Message(verdict.topic, b"", 0, False, True, trio.current_time() - late)
        place = self.acknowledgements.place(message)
        if last:  # what is remembered is of all of them
            place.remembered = self._translator.remembered
        part = Part(place, late, verdict.binding.key, held_at)
        if self._carried_out(part):
            place.accept()
        else:
            self._guard.handle(part, partial(self._carry_out, verdict, part))

    def _carry_out(self, verdict: Verdict, part: Part) -> None:
        match verdict.outcome:
            case Failed(word, reason, room):
                advice = f"Correct {verdict.binding.label} in the configuration, or its sender."
                problem = Problem("binding_failed", reason, advice)
                self._admission.fail(part, room, word, None, problem)
            case Input() as given if not self._ours(self._topics.room(given.room, "")):
                part.place.accept()
            case Input() as given:
                log.info(
                    "binding acts",
                    binding=verdict.binding.label,
                    topic=verdict.topic,
                    room=given.room,
                    action=given.word,
                )
                self._admission.submit(given, part)
            case None:
                part.place.accept()

    def _waited(self, message: Message) -> float:
        """Seconds that the message may have waited at the broker for us to come back (R16)."""
        if self._fresh_since is not None and message.received_at >= self._fresh_since:
            return 0.0
        return self.out_of_contact

    def _drop_retained(self, message: Message, *, is_input: bool) -> None:
        """A retained message is of the past: acting on it would repeat it at every start (R16)."""
        self.retained_dropped += 1
        if not is_input:
            return  # a device may well keep its state, and MQTT 3.1.1 then brings it
        if self._retained_said.is_first(message.topic):
            log_retained(message, breaks(self._topics, message.topic, self._rooms))
