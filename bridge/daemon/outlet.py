"""The outlet: all that rooms say, on its way to the broker, the log and the metrics.

::

    Room ─────▶ state ───▶ RoomLog, render_values ─▶ Image.set, Happenings
    Room ─────▶ result ──▶ Observer ─┬─▶ asked for by name: Replies ─▶ Image.send
                                     └─▶ ack and result ─────────────▶ Image.send ─▶ Room.arrived
    both ──────────────────▶ Onlookers
    Room ─────▶ fault ───▶ the log
    Admission ▶ refusal ─▶ Observer ───▶ the topic of errors ────────▶ Image.send ─▶ Place.accept

`app` makes the one that there is. `site` hands it to each room as its `Audience`, the dispatcher to
`Admission`; it hears of rooms that come and go from `site`.
"""

import secrets
from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

import structlog

from ..api.replies import Replies
from ..intake.admission import Refusals
from ..logs.internal_error import OVER_A_MESSAGE, report_internal_error
from ..logs.request_lines import Line
from ..logs.room_lines import RoomLog
from ..metrics.observe import Observer
from ..mqtt.image import Image
from ..mqtt.once_per_topic import OncePerTopic
from ..mqtt.topics import Topics, render_ack, render_result, render_values, room_values
from ..room.delivery import Bearer
from ..room.facts.values import Problem, Result
from ..room.facts.vocabulary import Outcome, State
from ..room.stages import Stages
from ..room.worker import Audience, Room
from .happenings import Happenings
from .shared_recordings import SharedRecordings

__all__ = ["Onlookers", "Outlet"]

log = structlog.get_logger("bridge")


@dataclass(frozen=True, slots=True)
class _OnItsWay:
    """A result that the broker does not have yet."""

    room: Room
    result: Result
    line: Line
    observer: Observer

    def arrived(self) -> None:
        """The broker has it: its line is due, and the room need not give it again."""
        self.observer.result_arrived(self.line)
        self.room.arrived(self.result)


class Onlookers(Protocol):
    """Whoever looks at rooms without the broker: the `Web` of ``daemon/web``."""

    def changed(self, room: str) -> None:
        """The topics of a room say something else."""

    def result(self, room: str, result: Result, document: str) -> bool:
        """A request has its result; True if whoever asked hears it here, or can ask for it."""


class Outlet(Audience, Refusals):
    """Says it. `servers` are the names that commands may be asked of, as they are at any time."""

    def __init__(
        self,
        topics: Topics,
        image: Image,
        observer: Observer,
        replies: Replies,
        *,
        servers: Collection[str],
        happenings: Happenings,
    ) -> None:
        self._topics = topics
        self._image = image
        self._observer = observer
        self._replies = replies
        self._servers = servers
        self._logs: dict[Room, RoomLog] = {}
        self._tally: dict[str, Mapping[State, str]] = {}
        #: What each room's topics say, in values.
        self._said: dict[Room, Mapping[str, object]] = {}
        self._shared = SharedRecordings()
        self._faults = OncePerTopic()
        self._happenings = happenings
        self.onlookers: Onlookers | None = None

    # Which rooms there are.

    def room_added(self, room: Room, tally: Mapping[State, str]) -> None:
        """A room will speak; `tally` has the words of its tally light."""
        self._logs[room] = RoomLog(room.name)
        self._tally[room.name] = tally

    def room_changed(self, name: str, tally: Mapping[State, str]) -> None:
        """The words of its tally light are others."""
        self._tally[name] = tally

    def room_removed(self, room: Room, *, replaced: bool) -> None:
        """A room has said its last word; `replaced`: another one of its name speaks on."""
        del self._logs[room]
        self._said.pop(room, None)
        self._shared.forget(room)
        self._happenings.forget(room)
        if not replaced:
            del self._tally[room.name]

    # What they say.

    def at_once(self) -> AbstractContextManager[None]:
        """Have what is said within leave by its end, with the PUBACKs given within."""
        return self._image.at_once()

    def state(self, room: Room) -> None:
        """Have the room's retained topics say how it stands."""
        self._logs[room].note(room.state)
        tally = self._tally[room.name]
        before, values = self._said.get(room, {}), room_values(room.state, tally)
        for topic, payload in render_values(self._topics, room.name, values, before).items():
            self._image.set(topic, payload)
        self._said[room] = values
        self._happenings.note(room)
        self._shared.note(room)
        if self.onlookers is not None:
            self.onlookers.changed(room.name)

    def said(self, room: Room) -> Mapping[str, object] | None:
        """The members of the room's `status` as it was said last; None before the first time."""
        return self._said.get(room)

    def result(self, room: Room, result: Result, stages: Stages) -> None:
        """Send a request's result to whoever asked."""
        line = self._observer.request_done(room.name, result, stages)
        sent = _OnItsWay(room, result, line, self._observer)
        if self._replies.give_result(room.name, result, self._servers, arrived=sent.arrived):
            return
        self._image.send(self._topics.room(room.name, "ack"), render_ack(result))
        topic, document = self._topics.room(room.name, "result"), render_result(result)
        if self.onlookers is not None and self.onlookers.result(room.name, result, document):
            self._image.send(topic, document)
            sent.arrived()  # where it was asked, it is: the broker is told besides
        else:
            self._image.send(topic, document, arrived=sent.arrived)

    def fault(self, room: Room, error: Exception, about: str) -> None:
        """Report a bug; of what comes again from the same topic, or for a command, once where."""
        where = self._faults.is_first(f"{room.name} {about}")
        fields = {"room": room.name} | ({"about": about} if about else {})
        report_internal_error(error, OVER_A_MESSAGE, where=where, **fields)

    def refusal(self, result: Result, bearer: Bearer) -> None:
        """Send the result of what was for no room or action to the topic of errors."""
        error = "" if result.problem is None else result.problem.message
        self._observer.request_refused(result)
        log.warning("request refused", topic=result.origin, id=result.id, error=error)
        arrived = self._replies.until_arrived(bearer.accept)
        self._image.send(self._topics.error, render_result(result), arrived=arrived)

    def unanswered(self, topics: str, count: int) -> None:
        """Send to the topic of errors how many more were refused."""
        problem = Problem(
            "too_many_refused",
            f"{count:,} more messages on {topics} were refused without an answer each",
            "Look for a program or a button that sends again and again what is refused.",
        )
        log.warning(
            "more requests refused", topics=topics, count=count, what_to_do=problem.explanation
        )
        result = Result(secrets.token_hex(8), "refused", topics, Outcome.FAILED, None, problem)
        self._image.send(self._topics.error, render_result(result))
