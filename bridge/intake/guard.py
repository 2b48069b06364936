"""A guard against messages that end the process over them, and every one after it.

A reader that has forgotten something raises; what hangs, or kills the process in another way,
comes again to the next one (`suspects`). Either way the message is answered with `failed` and
acknowledged, and the rooms go on.
"""

from collections.abc import Callable, Mapping

import structlog
import trio

from ..logs.internal_error import OVER_A_MESSAGE, report_internal_error
from ..mqtt.acknowledgements import Acknowledgements, Part, Place
from ..mqtt.once_per_topic import OncePerTopic
from ..mqtt.topics import Topics
from ..room.facts.problems import INTERNAL_ERROR
from ..room.facts.values import Problem
from ..room.worker import Room
from .admission import Admission
from .suspects import Suspects

__all__ = ["Guard"]

log = structlog.get_logger("mqtt")

_WAIT = 10.0
"""Seconds for which, in all, messages that came again hold up what came behind them."""

_SET_ASIDE = Problem(
    "set_aside",
    "Two processes in a row have ended while they handled this message",
    "It was not handled. Look at the log from before the last two starts, and at the sender.",
)


class Guard:
    """Stands between what the broker delivers and what is made of it."""

    def __init__(
        self,
        suspects: Suspects,
        admission: Admission,
        topics: Topics,
        rooms: Mapping[str, Room],
        acknowledgements: Acknowledgements,
    ) -> None:
        self._suspects = suspects
        self._admission = admission
        self._topics = topics
        self._rooms = rooms
        self._acknowledgements = acknowledgements
        self._said = OncePerTopic()
        self._wait = _WAIT

    def handle(self, part: Part, act: Callable[[], None]) -> None:
        """Have `act` handle a message, or as much of it as `part` is."""
        try:
            act()
        except Exception as error:  # noqa: BLE001
            # What strangers send reaches every reader there is. Where one of them has forgotten
            # something, the message would end this process and, not acknowledged, every one after
            # it, and all rooms with them. No room has changed yet: each decides by itself, later,
            # and guards itself (`room.guarded`).
            topic = part.message.topic
            first = self._said.is_first(topic)
            report_internal_error(error, OVER_A_MESSAGE, where=first, topic=topic)
            self._give_up(part, INTERNAL_ERROR)

    async def admits(self, part: Part) -> bool:
        """True if a message that comes again may be handled; else it is answered."""
        if await self._suspects.is_safe(part.message):
            return True
        log.error(
            "message set aside: two processes in a row have ended over it",
            topic=part.message.origin,
            bytes=len(part.message.payload),
            what_to_do="look at the log from before the last two starts, and at the sender",
        )
        self._give_up(part, _SET_ASIDE)
        return False

    async def see_through(self, place: Place) -> None:
        """Return once a message that came again is done with, or has had its time.

        Nothing else is handled meanwhile: should the process end, it is this one that is named.
        """
        began = trio.current_time()
        with trio.move_on_after(self._wait):
            while not place.accepted:
                await self._acknowledgements.advanced()
        self._wait = max(0.0, self._wait - (trio.current_time() - began))

    async def clear(self) -> None:
        """Everything that came again is done with."""
        await self._suspects.clear()

    def _give_up(self, part: Part, problem: Problem) -> None:
        """Answer, and acknowledge, what is not handled; nothing but its topic is looked at."""
        topic = part.message.topic
        room, _, leaf = topic.removeprefix(f"{self._topics.base}/room/").partition("/")
        word = leaf.removeprefix("press/") or topic
        self._admission.fail(part, room if room in self._rooms else None, word, None, problem)
