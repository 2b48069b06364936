"""The API as a whole: what a message asks for, who asks, and where that is carried out."""

import secrets
from collections.abc import Callable

import trio

from ..mqtt.acknowledgements import Part
from ..mqtt.api_topics import (
    Answer,
    Asked,
    Caller,
    CommandTopic,
    MalformedRequest,
    VerbTopic,
    answer_topic,
    parse_command_payload,
    parse_topic,
    parse_verb_payload,
    reply_of,
)
from ..mqtt.message import Message
from ..mqtt.topics import Topics
from ..room.facts.vocabulary import Outcome
from .bridge_requests import BridgeRequests, Verb, verb_called
from .checks import Rejected, check_topic, how_to_ask, malformed
from .command_requests import CommandRequests
from .replies import Replies

__all__ = ["Api", "read_request"]


class Api:
    """Takes requests from the dispatcher; every one is answered exactly once."""

    def __init__(
        self,
        topics: Topics,
        replies: Replies,
        commands: CommandRequests,
        bridge: BridgeRequests,
    ) -> None:
        self._topics = topics
        self._replies = replies
        self.commands = commands
        self.bridge = bridge

    @property
    def due_at(self) -> dict[str, float]:
        """By when each queue of requests goes on (`Progress`)."""
        return {"requests to the bridge": self.bridge.progress.due_at} | self.commands.due_at

    async def run(self) -> None:
        """Carry out what is asked until cancelled."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.commands.run)
            nursery.start_soon(self.bridge.run)

    def take(self, part: Part, answers: Callable[[str], bool]) -> bool:
        """Take the message if it is a request; True if it was.

        `answers` says whether a request on this topic that is refused is answered, or counted.
        """
        message = part.message
        asked_on = parse_topic(self._topics, message.topic)
        if asked_on is None:
            return False
        asked, unreadable = read_request(asked_on, message.payload)
        try:
            if isinstance(asked_on, CommandTopic):
                self._take_command(asked_on, asked, unreadable, part)
            else:
                self._take_verb(asked_on, asked, unreadable, part)
        except Rejected as rejected:
            if not answers(message.topic):
                part.place.accept()
                return True
            answer = Answer(Outcome.FAILED, problem=rejected.problem)
            caller = self._caller(asked_on, asked, message)
            self._replies.give_unkept(caller, answer, part.place.accept)
        return True

    def _caller(self, asked_on: CommandTopic | VerbTopic, asked: Asked, message: Message) -> Caller:
        return Caller(
            id=secrets.token_hex(8) if asked.id is None else asked.id,
            origin=message.origin,
            topic=answer_topic(self._topics, asked_on, self.commands.rules),
            reply=reply_of(message),
        )

    def _take_command(
        self, asked_on: CommandTopic, asked: Asked, unreadable: str | None, part: Part
    ) -> None:
        command = check_topic(asked_on, self.commands.rules)
        if unreadable is not None:
            raise Rejected(malformed(unreadable, how_to_ask(command)))
        caller = self._caller(asked_on, asked, part.message)
        self.commands.take(caller, asked_on, command, asked, part)

    def _take_verb(
        self, asked_on: VerbTopic, asked: Asked, unreadable: str | None, part: Part
    ) -> None:
        verb = verb_called(asked_on.verb)
        if unreadable is not None:
            raise Rejected(malformed(unreadable, "Send a JSON object, or nothing."))
        self.bridge.take(self._caller(asked_on, asked, part.message), verb, asked, part)


def read_request(asked_on: CommandTopic | VerbTopic, payload: bytes) -> tuple[Asked, str | None]:
    """The request in the payload, and why it cannot be read, or None where it can."""
    try:
        match asked_on:
            case CommandTopic(command=name):
                return parse_command_payload(payload, takes_force=name == "startRecording"), None
            case VerbTopic(verb=name):
                word = "level" if name == Verb.LOG_LEVEL else None
                force = name == Verb.RELOAD
                return parse_verb_payload(payload, word=word, takes_force=force), None
    except MalformedRequest as error:
        return Asked(id=error.id), error.reason
