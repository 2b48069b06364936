"""The contact with the broker: what greets it, what follows when it comes and goes, how old it is.

`app` makes the one that there is, has the broker link call `greet` and `changed`, and runs
`keep_up` beside the rooms. It tells the dispatcher how old that may be which the broker delivers
(R16), and rooms that remember nothing what their retained topics say (R9).
"""

import json
import math
from collections.abc import Callable, Mapping, Sequence

import structlog
import trio

from ..intake.dispatch import Dispatcher
from ..journal.instant import Instant, this_instant
from ..journal.journal import Journal
from ..metrics.observe import Observer
from ..mqtt.broker_health import BrokerState
from ..mqtt.link import BrokerLink
from ..mqtt.retained import read_retained
from ..mqtt.session import Session
from ..mqtt.settings import Subscription
from ..mqtt.topics import Topics
from ..process.collector import loaded, started
from ..process.progress import Progress
from ..room.facts.values import Now
from ..room.worker import Room
from ..text.json_text import read_object
from .broker_sessions import NOTE, BrokerSessions
from .home_assistant import HomeAssistant
from .manifest import Manifest
from .rivals import Rivals
from .self_report import SelfReport

__all__ = ["Contact"]

log = structlog.get_logger("bridge")

_MOST_ATTEMPTS = 3
"""Connections on which rooms of the journal are looked for: some brokers hang up over a topic that
they give to nobody, and would do so again and again."""

_CONTACT_EVERY = 10.0
"""Seconds between two journalled contacts with the broker: how well a backlog's age is known."""

_AGES = 10 * 365 * 86_400.0
"""Seconds since a contact of which nothing is known."""


class Contact:
    """Speaks with the broker about everything that is not a message of somebody's."""

    def __init__(
        self,
        topics: Topics,
        *,
        broker: BrokerLink,
        dispatcher: Dispatcher,
        rooms: Mapping[str, Room],
        journal: Journal,
        rivals: Rivals,
        manifest: Manifest,
        home_assistant: HomeAssistant,
        self_report: SelfReport,
        observer: Observer,
        clock: Callable[[], Now],
    ) -> None:
        self._topics = topics
        self._broker = broker
        self._dispatcher = dispatcher
        self._rooms = rooms
        self._journal = journal
        self._rivals = rivals
        self._manifest = manifest
        self._home_assistant = home_assistant
        self._self_report = self_report
        self._observer = observer
        self._clock = clock
        self._is_online = False
        #: Of `keep_up`.
        self.progress = Progress()
        self._sessions = BrokerSessions(journal.note(NOTE))
        #: Which of them the connection has.
        self._session = 0
        #: Rooms of the journal that have not been held against their retained topics.
        self._unread = {room for room in rooms.values() if room.known}
        self._attempts = 0

    def resume(self) -> None:
        """Have the dispatcher go on from the last contact of a process before this one."""
        if all(room.known for room in self._rooms.values()):
            self._dispatcher.begin()
        self._dispatcher.away(since=trio.current_time() - self._out_of_contact())

    def _out_of_contact(self) -> float:
        """Seconds since a process before this one was in contact; infinite if none ever was."""
        return self._since(self._journal.contact())

    def _since(self, contact: Instant | None) -> float:
        if contact is None:
            return math.inf
        now = this_instant()
        shift = contact.shift_to(now, trusted=self._clock().synchronised)
        return now.monotonic - (contact.monotonic + shift)

    def numbered(self, session: Session) -> int:
        """Which of the sessions a connection has, if there are several brokers, or were (R27)."""
        if not (self._broker.nodes.several or self._sessions.known):
            return self._session
        now = this_instant()
        out_of_contact = self._dispatcher.out_of_contact
        moved = self._sessions.connected(
            session.settings.address,
            present=session.session_present,
            contact=None if math.isinf(out_of_contact) else now.before(out_of_contact),
            expired=out_of_contact > session.settings.session_expiry,
        )
        # Before the first message: what is journalled of that has the session's number in its key.
        self._journal.put_note(NOTE, self._sessions.document())
        if moved:
            contact = self._sessions.contact or now.before(_AGES)
            self._journal.put_contact(contact)
            self._dispatcher.away(since=trio.current_time() - self._since(contact))
        self._session = self._sessions.current
        return self._session

    async def greet(self, session: Session) -> None:
        """On every connection, before anything is published: who else is here, what was here?

        Raises `ForeignBridge` where another bridge is online (R26).
        """
        kept = session.session_present
        if not kept:
            # Nothing can have waited: whatever comes was published while we were connected (R16).
            self._dispatcher.afresh(self._session)
            self._dispatcher.fresh(session.accepted_at)
            await self._journal.forget_inputs(self._session)
            # So a process that ends at once leaves no message behind whose age nobody knows.
            await self._journal.save_contact()
        heard = self._rivals.topics
        # The marker comes back behind everything that was kept for us (R16).
        caught_up = self._dispatcher.fresh if kept else _nothing
        told = self._to_be_told()
        found = await self._read(
            session, "status", told, (*heard, self._topics.bridge_state), caught_up
        )
        if elsewhere := [each for each in self._rivals.states(found) if each not in found]:
            found |= await self._read(session, "status", (), elsewhere)
        self._rivals.check(found)
        session.interceptors.insert(0, self._home_assistant.hear)
        session.interceptors.insert(0, self._rivals.hear)  # asked last: others hear it too
        await session.subscribe([Subscription(e, retain_as_published=False) for e in heard])
        untold = [each for each in told if not read_object(found.get(self._status(each), b""))]
        found |= await self._read(session, "recording_id", untold)
        # Some may have been taken out meanwhile.
        there = [room for room in told if self._rooms.get(room.name) is room]
        for adopted in [room.adopt(self._told(room, found)) for room in there]:
            await adopted.wait()
        self._unread = set()
        await self._manifest.leave_bases_of_before(session)
        self._dispatcher.greeted()
        self._self_report.publish_info(session.protocol)

    def _to_be_told(self) -> list[Room]:
        """Rooms that know nothing, and once those of the journal, which may be behind."""
        self._attempts += 1
        if self._unread and self._attempts > _MOST_ATTEMPTS:
            log.warning(
                "the rooms' retained topics cannot be read; what the journal says counts",
                what_to_do=f"let the bridge subscribe to {self._topics.room('+', 'status')}",
            )
            self._unread = set()
        return [each for each in self._rooms.values() if not each.known or each in self._unread]

    async def _read(
        self,
        session: Session,
        leaf: str,
        rooms: Sequence[Room],
        others: Sequence[str] = (),
        caught_up: Callable[[], None] = lambda: None,
    ) -> dict[str, bytes]:
        """Payload by topic of what the broker retains of one leaf of the rooms, and of `others`."""
        known = [self._topics.room(each.name, leaf) for each in rooms if each.known]
        unknown = [self._topics.room(each.name, leaf) for each in rooms if not each.known]
        return await read_retained(
            session,
            [*others, *unknown],
            self._topics.bridge_marker,
            optional=known,
            caught_up=caught_up,
        )

    def _status(self, room: Room) -> str:
        return self._topics.room(room.name, "status")

    def _told(self, room: Room, found: Mapping[str, bytes]) -> bytes:
        """The room's `status`, or where that says nothing what its `recording_id` says."""
        recording = found.get(self._topics.room(room.name, "recording_id"))
        if recording is None:
            return found.get(self._status(room), b"")
        return json.dumps({"recording_id": recording.decode(errors="replace")}).encode()

    def changed(self, state: BrokerState) -> None:
        """The broker link stands otherwise."""
        self._is_online = state is BrokerState.ONLINE
        self._observer.broker(online=self._is_online)
        if self._is_online:
            started()  # every room is there, and has been announced
            self._self_report.publish_health()
            self.progress.wanted()
            self._rivals.online()
        else:
            loaded()  # it may be long until there is a broker
            self._rivals.away(self._broker.failure)
            self._dispatcher.away()

    async def keep_up(self) -> None:
        """Journal again and again that the broker is in contact: the age of a backlog (R16).

        Not before the backlog is done: what is delivered again after a kill is as old as it was.
        """
        while True:
            while not self._is_online:
                await self.progress.rest()
            self.progress.waits()  # for the dispatcher, the broker, the journal
            await self._dispatcher.caught_up()
            if await self._broker.touch(self._topics.bridge_marker):
                self._dispatcher.in_contact()
                await self._journal.save_contact()
            await self.progress.rest(trio.current_time() + _CONTACT_EVERY)


def _nothing() -> None:
    pass
