"""Everything that must survive a kill, in one file of the state folder (R6).

A room's document is written, and flushed to the disk, before a command that creates something is
sent and before anything that follows from an answer is published. Commits run in a worker thread,
one at a time; whatever has come meanwhile goes into the next one, so that a hundred rooms share a
flush. They go on a few at a time, lest an answer of HMP's wait until all of them have had their
turn.

A journal that cannot be written never keeps anything from being recorded or stopped: the failure
is said, and the next commit carries what this one could not.
"""

import sqlite3
import threading
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import structlog
import trio

from .file import FILE_NAME, Batch, Entry, JournalUnusable, move_aside, open_file, write
from .inputs import InputKey
from .instant import Instant, this_instant

__all__ = ["Journal", "JournalHealth"]

log = structlog.get_logger("journal")

_GATHERING = 0.02
"""Seconds for which what nobody waits for may wait for what else is to be written."""

_GO_ON_AT_ONCE = 4
"""Of those who wait for a commit, how many go on before the event loop looks at its sockets."""


@dataclass(frozen=True, slots=True)
class JournalHealth:
    """The last commit's failure, None if it was good, and the seconds of the last good one."""

    failure: str | None
    last_commit: float | None


class Journal:
    """Documents by room, the inputs they have taken in, and the last contact with the broker."""

    def __init__(self, folder: Path) -> None:
        """Open the journal in `folder`, or begin one; an unreadable one is moved aside.

        Raises `JournalUnusable`.
        """
        self.path = folder / FILE_NAME
        #: Why the last commit failed; None while commits succeed.
        self.failure: str | None = None
        #: Seconds that the last commit took, its flush included.
        self.last_commit: float | None = None
        self.moved_aside: Path | None = None
        self._changed: Callable[[bool], None] = lambda _: None
        self._on_commit: Callable[[float], None] = lambda _: None
        #: `trio.current_time` at which the commit under way began; None while there is none.
        self.writing_since: float | None = None
        self._writer: int | None = None
        self._waiting = trio.lowlevel.ParkingLot()
        #: Those who let others go first, until a commit begins.
        self._patient = trio.lowlevel.ParkingLot()
        #: Up to where somebody waits.
        self._urgent = 0
        #: Of its own: whatever else the bridge does in threads, this never waits for it.
        self._thread = trio.CapacityLimiter(1)
        self._next = Batch()
        self._asked = self._committed = 0
        try:
            self._connection = open_file(self.path)
        except sqlite3.OperationalError as error:
            # The disk or its permissions, not the file: there may be recordings in it.
            raise JournalUnusable(
                f"the journal {self.path} cannot be opened: {error}; make it and its folder "
                "writable, and the disk not full"
            ) from error
        except sqlite3.DatabaseError as error:
            self.moved_aside = move_aside(self.path)
            log.error(  # noqa: TRY400 - where in SQLite tells nobody anything
                "journal unreadable, moved aside; rooms are taken from the retained topics",
                error=str(error),
                moved_to=str(self.moved_aside),
            )
            self._connection = open_file(self.path)

    def close(self) -> None:
        """Close the file; what was saved stays."""
        self._connection.close()

    def on_change(self, changed: Callable[[bool], None]) -> None:
        """Have `changed` told whether writing fails, whenever that changes."""
        self._changed = changed

    def on_commit(self, committed: Callable[[float], None]) -> None:
        """Have `committed` told the seconds of every commit that succeeds."""
        self._on_commit = committed

    def health(self) -> JournalHealth:
        """The health of writing."""
        return JournalHealth(self.failure, self.last_commit)

    # What was known when the bridge started.

    def rooms(self) -> dict[str, Entry]:
        """Every room's document."""
        rows = self._connection.execute("SELECT room, document, boot, monotonic, wall FROM rooms")
        return {room: Entry(document, Instant(*at)) for room, document, *at in rows}

    def inputs(self) -> set[InputKey]:
        """Inputs whose acknowledgement the broker may not have seen."""
        rows = self._connection.execute("SELECT mid, digest, part FROM inputs")
        return {InputKey(mid, bytes(digest), part) for mid, digest, part in rows}

    def contact(self) -> Instant | None:
        """The last journalled contact with the broker."""
        row = self._connection.execute("SELECT boot, monotonic, wall FROM contact").fetchone()
        return None if row is None else Instant(*row)

    def note(self, name: str) -> str:
        """The text that `save_note` wrote last under this name; empty if none."""
        row = self._connection.execute("SELECT document FROM notes WHERE name = ?", [name])
        return next((str(document) for (document,) in row), "")

    # What must be known when it starts again.

    def save(
        self, room: str, document: str, inputs: Iterable[InputKey] = (), *, patient: bool = False
    ) -> Awaitable[None]:
        """Write a room's document, with the inputs it has taken in; await it until it is durable.

        What is `patient` goes with whatever is to be written within `_GATHERING`, or then.

        What it was called with last counts, whenever that is awaited. What is not a room's has a
        slash in its name: ``server/main``. An empty document removes it.

        It ends also when it cannot be written; `failure` then says why (R6: recording comes first).
        """
        self._next.rooms[room] = Entry(document, this_instant())
        for key in inputs:
            self._next.take_in(key)
        return self._commit(patient=patient)

    async def entries(self) -> dict[str, Entry]:
        """Every room's document while the bridge runs, what is yet to be written included."""
        while self.writing_since is not None:
            await self._waiting.park()
        self._waiting.unpark()
        known = self.rooms() | self._next.rooms
        return {room: entry for room, entry in known.items() if entry.document}

    async def forget(self, room: str) -> None:
        """Remove a room's document; returns once that is durable."""
        await self.save(room, "")

    async def forget_inputs(self, session: int = 0) -> None:
        """Forget what was taken in: the broker begins afresh, and with it its packet ids (R27).

        That is one session of those that several brokers may have for us (`numbers_of`).
        """
        self._next.begin_afresh(session)
        await self._commit()

    def put_contact(self, at: Instant) -> None:
        """Have another contact written with whatever is given to be written from here on."""
        self._next.contact = at

    async def save_contact(self) -> None:
        """Write that the broker is in contact now (R16)."""
        self.put_contact(this_instant())
        await self._commit()

    def put_note(self, name: str, document: str) -> None:
        """Have a note written before, or with, whatever is given to be written from here on."""
        self._next.notes[name] = document

    async def save_note(self, name: str, document: str) -> None:
        """Write something that belongs to no room; returns once that is durable."""
        self.put_note(name, document)
        await self._commit()

    def _commit(self, *, patient: bool = False) -> Awaitable[None]:
        """Wait, when awaited, until all that has been given so far is durable."""
        self._asked += 1
        if not patient:
            self._urgent = self._asked
            self._patient.unpark()
        return self._reach(self._asked, patient)

    async def _reach(self, ticket: int, patient: bool) -> None:
        if patient and max(self._committed, self._urgent) < ticket:
            with trio.move_on_after(_GATHERING):
                await self._patient.park()
        while self._committed < ticket and self.writing_since is not None:
            await self._waiting.park()
        if self._committed < ticket:
            await self._write()
        self._waiting.unpark()

    async def _write(self) -> None:
        self.writing_since, ticket = trio.current_time(), self._asked
        batch, self._next = self._next, Batch()
        self._patient.repark_all(self._waiting)
        try:
            # It carries what others wait for: who has begun it sees it through.
            with trio.CancelScope(shield=True):
                took = await trio.to_thread.run_sync(self._write_batch, batch, limiter=self._thread)
        except sqlite3.Error as error:
            # Nothing is forgotten: it goes with the next commit, unless newer by then.
            batch.add(self._next)
            self._next = batch
            self._fails(str(error))
        else:
            self.last_commit = took
            self._on_commit(took)
            self._fails(None)
        finally:
            self.writing_since = None
            self._committed = ticket
            self._waiting.unpark(count=_GO_ON_AT_ONCE)

    def _write_batch(self, batch: Batch) -> float:
        self._writer = threading.get_native_id()
        return write(self._connection, batch)

    def waits_for_the_disk(self) -> bool:
        """True while the commit under way waits in the kernel, where nothing can end it."""
        try:
            status = Path(f"/proc/self/task/{self._writer}/stat").read_text(errors="replace")
        except OSError:  # no Linux, or the thread has ended
            return False
        return status.rpartition(")")[2].split()[0] == "D"

    def _fails(self, failure: str | None) -> None:
        before, self.failure = self.failure, failure
        if (before is None) == (failure is None):
            return
        if failure is not None:
            log.error(
                "journal cannot be written; recording goes on, a crash now could lose an id",
                error=failure,
                file=str(self.path),
                what_to_do="free the disk, or repair it",
            )
        else:
            log.info("journal is written again", file=str(self.path))
        self._changed(failure is not None)
