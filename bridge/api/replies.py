"""Answers on their way back: our own topic, the sender's, and one line in the log."""

from collections.abc import Callable, Collection

import structlog

from ..mqtt.api_topics import (
    Answer,
    Caller,
    CommandTopic,
    answer_topic,
    may_answer_on,
    parse_topic,
    render_answer,
)
from ..mqtt.image import Image
from ..mqtt.outbox import A_TURN
from ..mqtt.topics import Topics
from ..room.facts.values import Result
from ..room.facts.vocabulary import Outcome
from .answers import from_room

__all__ = ["Replies"]

log = structlog.get_logger("bridge")

_MOST_KEPT = A_TURN
"""Answers for which the broker keeps the messages that asked: what leaves in one turn."""


class Replies:
    """Publishes answers; `listens` says whether the bridge has subscribed to a topic.

    `response_topics` are the topic filters of the Response Topics that senders may choose (R31).
    """

    def __init__(
        self,
        topics: Topics,
        image: Image,
        listens: Callable[[str], bool],
        response_topics: Collection[str],
    ) -> None:
        self._topics = topics
        self._image = image
        self._listens = listens
        self._response_topics = response_topics
        #: Answers on their way that no journal has.
        self._unkept = 0

    def give(
        self,
        caller: Caller,
        answer: Answer,
        *,
        arrived: Callable[[], None] | None = None,
        milliseconds: float | None = None,
        room: str = "",
    ) -> None:
        """Give the one answer of a request; `arrived` is called once the broker has it.

        That of a `room` leaves after what the room has said before.
        """
        text = render_answer(
            answer,
            caller,
            with_raw=isinstance(parse_topic(self._topics, caller.origin), CommandTopic),
            origin=caller.topic == self._topics.error,
        )
        self._note(caller, answer, milliseconds)
        reply, correlation = caller.reply, None
        if reply is not None and reply.correlation is not None:
            correlation = bytes.fromhex(reply.correlation)
        same = reply is not None and reply.topic == caller.topic
        if reply is not None and not same and self._may_answer_on(reply.topic, caller):
            self._image.send(reply.topic, text, correlation_data=correlation, share=room)
        self._image.send(
            caller.topic,
            text,
            correlation_data=correlation if same else None,
            arrived=arrived,
            share=room,
        )

    def give_unkept(self, caller: Caller, answer: Answer, accept: Callable[[], None]) -> None:
        """Give an answer that no journal has: until the broker has it, it keeps what asked for it.

        `accept` lets it forget that.
        """
        self.give(caller, answer, arrived=self.until_arrived(accept))

    def until_arrived(self, accept: Callable[[], None]) -> Callable[[], None]:
        """To be called once the broker has an answer that no journal has; `accept` is called then.

        Until then the broker keeps the message that asked, and with it all that came behind, whose
        PUBACKs have to wait. So beside `_MOST_KEPT` others on their way, `accept` is called at
        once: a kill may then lose the answer, and nothing else (R27).
        """
        kept = self._unkept < _MOST_KEPT
        self._unkept += 1
        if not kept:
            accept()

        def arrived() -> None:
            self._unkept -= 1
            if kept:
                accept()

        return arrived

    def give_result(
        self, room: str, result: Result, servers: Collection[str], *, arrived: Callable[[], None]
    ) -> bool:
        """Give a `room`'s result as the answer, where it was asked for by name; True if it was.

        `servers` are the names that may be asked.
        """
        asked_on = parse_topic(self._topics, result.origin)
        if asked_on is None:
            return False
        topic = answer_topic(self._topics, asked_on, servers)
        caller = Caller(result.id, result.origin, topic, result.reply)
        took = result.took * 1000
        self.give(caller, from_room(result), arrived=arrived, milliseconds=took, room=room)
        return True

    def _may_answer_on(self, topic: str, caller: Caller) -> bool:
        own = self._listens(topic) or self._image.get(topic) is not None
        if not own and may_answer_on(self._topics, topic, self._response_topics):
            return True
        log.warning(
            "response topic ignored",
            topic=caller.origin,
            id=caller.id,
            response_topic=topic,
            what_to_do="use one that mqtt.response_topics allows and that the bridge neither "
            f"publishes nor subscribes to; the answer is on {caller.topic}",
        )
        return False

    def _note(self, caller: Caller, answer: Answer, milliseconds: float | None) -> None:
        report = log.info if answer.outcome is Outcome.OK else log.warning
        report(
            "request answered",
            topic=caller.origin,
            id=caller.id,
            outcome=str(answer.outcome),
            **({} if milliseconds is None else {"ms": round(milliseconds, 1)}),
            **({} if answer.problem is None else {"error": answer.problem.message}),
        )
