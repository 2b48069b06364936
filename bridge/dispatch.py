"""From the broker to the rooms: every message becomes one request, one refusal, or nothing.

Messages are taken in arrival order and acknowledged in that order (R27).
"""

import secrets
from collections.abc import Callable, Mapping

import structlog
import trio

from .hmp.commands import RecordingId
from .mqtt.link import BrokerLink
from .mqtt.message import Message
from .mqtt.topics import Input, Malformed, Nothing, Topics, parse
from .room.problems import ALREADY_HELD
from .room.requests import NotUnderstood, malformed, request
from .room.state import Problem, Result
from .room.vocabulary import Outcome
from .room.worker import Room

__all__ = ["Dispatcher", "Refusal"]

log = structlog.get_logger()

_MOST_TOPICS_REMEMBERED = 1000

Refusal = Callable[[str | None, Result], None]
"""Called with the room, None where neither it nor the action exists, and the result."""


class Dispatcher:
    """Hands what the broker delivers to the rooms.

    `refuse` answers what no room can decide.
    """

    def __init__(
        self, broker: BrokerLink, topics: Topics, rooms: Mapping[str, Room], refuse: Refusal
    ) -> None:
        self._broker = broker
        self._topics = topics
        self._rooms = rooms
        self._refuse = refuse
        self._retained_topics: set[str] = set()
        self.retained_dropped = 0

    async def run(self) -> None:
        """Dispatch until cancelled."""
        while True:
            message = await self._broker.receive()
            if message.retain:
                self._drop_retained(message.topic)
            else:
                self._dispatch(message)
            message.acknowledge()

    def _dispatch(self, message: Message) -> None:
        try:
            match parse(self._topics, message.topic, message.payload):
                case Input() as given:
                    self._submit(given, message)
                case Nothing():
                    pass
        except Malformed as error:
            room = error.room if error.room in self._rooms else None
            self._fail(room, error.word, error.id, message, malformed(error.reason))

    def _submit(self, given: Input, message: Message) -> None:
        room = self._rooms.get(given.room)
        if room is None:
            reason = f"{given.room!r} is no room of this bridge"
            problem = Problem("unknown_room", reason, f"Its rooms are: {', '.join(self._rooms)}.")
            self._fail(None, given.word, given.id, message, problem)
            return
        try:
            asked = request(
                given.word,
                given.parameters,
                event=given.event,
                request_id=given.id,
                origin=message.topic,
                received_at=message.received_at,
            )
        except NotUnderstood as error:
            answering = room.name if error.known else None
            self._fail(answering, given.word, given.id, message, error.problem)
            return
        if asked.recording_id is not None and self._held_elsewhere(asked.recording_id, room):
            self._fail(room.name, given.word, given.id, message, ALREADY_HELD)
            return
        room.submit(asked)

    def _fail(
        self,
        room: str | None,
        word: str,
        request_id: str | int | None,
        message: Message,
        problem: Problem,
    ) -> None:
        result = Result(
            id=secrets.token_hex(8) if request_id is None else request_id,
            word=word,
            origin=message.topic,
            outcome=Outcome.FAILED,
            state=None if room is None else self._rooms[room].state.state,
            problem=problem,
            took=trio.current_time() - message.received_at,
        )
        self._refuse(room, result)

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
