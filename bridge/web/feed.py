"""The feed: what rooms look like and what came of requests, for readers of any speed.

A reader keeps one number, up to which it has everything. What it gets next is the newest view of
each room that has changed since, however often that was: a slow reader costs nothing, and no room
waits for it. Readers are woken a few at a time, so that hundreds of pages are no burden to a press.
"""

import json
import secrets
from collections import deque
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

import trio

from ..process.progress import Progress
from .access import Pass, Role
from .views import Standing, view

__all__ = ["Event", "Feed"]

_TOGETHER = 0.02
"""Seconds within which changes are told together: most of a press's."""

_AT_ONCE = 16
"""Readers that are woken in one turn of the loop."""

_BETWEEN = 0.002
"""Seconds that the rooms have for themselves between two such turns."""

_MOST_RESULTS = 256
"""Results that are kept for readers; one that is slower than that misses some."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something to tell: its number, name, and data as JSON."""

    number: int
    name: str
    data: bytes


class Feed:
    """Everything that there is to tell.

    `rooms` are the names of those there are at any time; `standing` looks one up, and gives None
    where it is gone.
    """

    def __init__(self, standing: Callable[[str], Standing | None], rooms: Collection[str]) -> None:
        self._standing = standing
        self.rooms = rooms
        #: Tells this process's numbers from those of one before it.
        self.life = secrets.token_hex(4)
        self.number = 0
        #: The number of each room's last change, the latest last.
        self._changed: dict[str, int] = {}
        self._views: dict[tuple[str, Role], tuple[int, bytes]] = {}
        self._results: deque[tuple[int, str, bytes]] = deque(maxlen=_MOST_RESULTS)
        self._readers = trio.lowlevel.ParkingLot()
        self.progress = Progress()
        self._told = 0
        #: Whoever reads has to show once more what it may see.
        self.generation = 0

    # What there is to tell.

    def room_changed(self, room: str) -> None:
        """A room has another view, or is gone."""
        self.number += 1
        self._changed.pop(room, None)
        self._changed[room] = self.number
        self.progress.wanted()

    def all_changed(self) -> None:
        """Something has changed that shows in every room."""
        for room in list(self.rooms):
            self.room_changed(room)

    def result(self, room: str, document: str) -> None:
        """A request has its result, in JSON."""
        self.number += 1
        data = f'{{"room":{json.dumps(room)},"result":{document}}}'.encode()
        self._results.append((self.number, room, data))
        self.progress.wanted()

    def end(self) -> None:
        """Have every reader come again."""
        self.generation += 1
        self._readers.unpark_all()

    def rights_changed(self) -> None:
        """Secrets or rooms are others: every reader is to come again, and finds other views."""
        self.end()
        for room in self._changed.keys() - set(self.rooms):
            self.room_changed(room)
        self.all_changed()

    # Who is told.

    def view(self, room: str, role: Role) -> bytes | None:
        """A room's view in JSON; None where it is gone. Rendered when somebody looks, once."""
        number = self._changed.get(room, 0)
        known = self._views.get((room, role))
        if known is not None and known[0] == number:
            return known[1]
        standing = self._standing(room)
        if standing is None:
            self._views.pop((room, role), None)
            return None
        text = json.dumps(view(standing, role), ensure_ascii=False, separators=(",", ":"))
        self._views[room, role] = (number, text.encode())
        return self._views[room, role][1]

    def present(self, rooms: Collection[str], reader: Pass) -> Iterator[Event]:
        """The views of these rooms as they are by now, for a reader that has none."""
        for room in rooms:
            if (role := reader.role(room)) is not None:
                self._views.pop((room, role), None)  # its `elapsed` has gone on since
                yield self._event(room, role, self.number)

    def since(self, number: int, room: str | None, reader: Pass) -> list[Event]:
        """What has changed since, in order: of one room, or of all that the reader may see."""
        found = []
        for name in reversed(self._changed):
            changed = self._changed[name]
            if changed <= number:
                break
            if room in (None, name) and (role := reader.role(name)) is not None:
                found.append(self._event(name, role, changed))
        for told, name, data in reversed(self._results):
            if told <= number:
                break
            if room in (None, name) and reader.role(name) is not None:
                found.append(Event(told, "result", data))
        return sorted(found, key=lambda event: event.number)

    def _event(self, room: str, role: Role, number: int) -> Event:
        shown = self.view(room, role) or b"null"
        return Event(number, "room", b'{"room":%s,"view":%s}' % (json.dumps(room).encode(), shown))

    async def wait(self) -> None:
        """Return when there may be more."""
        await self._readers.park()

    async def run(self) -> None:
        """Wake readers whenever something has changed, until cancelled."""
        while True:
            while self._told == self.number:
                await self.progress.rest()
            self.progress.within(_TOGETHER)
            await trio.sleep(_TOGETHER)
            self._told = self.number
            waiting = len(self._readers)
            while waiting > 0:
                self._readers.unpark(count=_AT_ONCE)
                waiting -= _AT_ONCE
                self.progress.within(_BETWEEN)
                await trio.sleep(_BETWEEN)

    def number_of(self, event_id: str) -> int:
        """The number that an event's id has; 0 for one of another process."""
        life, _, number = event_id.partition("-")
        if life != self.life or not number.isdecimal() or len(number) > 18:
            return 0
        return min(int(number), self.number)
