"""Everything that must survive a kill: what is written, and who waits for it (R6).

A room's document is written, and flushed to the disk, before a command that creates something is
sent and before anything that follows from an answer is published. Commits go to the store one at a
time; whatever has come meanwhile goes into the next one, so that a hundred rooms share a flush.
They go on a few at a time, lest an answer of HMP's wait until all of them have had their turn.

A journal that cannot be written never keeps anything from being recorded or stopped: the failure
is said, and the next commit carries what this one could not. But what another box has taken over
is not ours to record: whoever waits for a commit then has `Fenced` raised, and goes no further
(R35).
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

import structlog
import trio

from .inputs import InputKey
from .instant import Instant, this_instant
from .store import Batch, Entry, Fenced, Store, StoreFailure

__all__ = ["Document", "Journal", "JournalHealth"]

log = structlog.get_logger("journal")

_GO_ON_AT_ONCE = 4
"""Of those who wait for a commit, how many go on before the event loop looks at its sockets."""


Document: TypeAlias = str | Callable[[], str]
"""A text, or what makes it: once for each commit, however often it was saved since the last."""


@dataclass(frozen=True, slots=True)
class JournalHealth:
    """The last commit's failure, None if it was good, and the seconds of the last good one."""

    failure: str | None
    last_commit: float | None


class Journal:
    """Documents by room, the inputs they have taken in, and the last contact with the broker."""

    def __init__(self, store: Store) -> None:
        self._store = store
        #: Why the last commit failed; None while commits succeed.
        self.failure: str | None = None
        #: Seconds that the last commit took, its flush included.
        self.last_commit: float | None = None
        self._changed: Callable[[bool], None] = lambda _: None
        self._on_commit: Callable[[float], None] = lambda _: None
        #: `trio.current_time` at which the commit under way began; None while there is none.
        self.writing_since: float | None = None
        self._waiting = trio.lowlevel.ParkingLot()
        self._next = Batch()
        self._drafts: dict[str, tuple[Document, Instant]] = {}
        self._asked = self._committed = 0
        self._fenced: Fenced | None = None
        # What was known when the bridge started.
        self.rooms = store.rooms
        self.inputs = store.inputs
        self.contact = store.contact
        self.note = store.note
        self.waits_for_the_disk = store.waits_for_the_disk
        self.close = store.close

    def on_change(self, changed: Callable[[bool], None]) -> None:
        """Have `changed` told whether writing fails, whenever that changes."""
        self._changed = changed

    def on_commit(self, committed: Callable[[float], None]) -> None:
        """Have `committed` told the seconds of every commit that succeeds."""
        self._on_commit = committed

    def health(self) -> JournalHealth:
        """The health of writing."""
        return JournalHealth(self.failure, self.last_commit)

    # What must be known when it starts again.

    def save(
        self, room: str, document: Document, inputs: Iterable[InputKey] = ()
    ) -> Awaitable[None]:
        """Write a room's document, with the inputs it has taken in; await it until it is durable.

        It goes with whatever is written next, and is written at the latest when it is awaited.
        What it was called with last counts, whenever that is awaited. What is not a room's has a
        slash in its name: ``server/main``. An empty document removes it.

        It ends also when it cannot be written; `failure` then says why (R6: recording comes first).
        Raises `Fenced` where another box has the journal.
        """
        self._drafts[room] = document, this_instant()
        for key in inputs:
            self._next.take_in(key)
        return self._commit()

    async def entries(self) -> dict[str, Entry]:
        """Every room's document while the bridge runs, what is yet to be written included."""
        while self.writing_since is not None:
            await self._waiting.park()
        self._waiting.unpark()
        known = self.rooms() | self._next.rooms | self._drafted()
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

    async def try_again(self) -> None:
        """Write what could not be written before; returns once that was tried."""
        await self._commit()

    def _drafted(self) -> dict[str, Entry]:
        """What rooms have saved since the last commit, as it is to be written."""
        return {
            room: Entry(draft if isinstance(draft, str) else draft(), at)
            for room, (draft, at) in self._drafts.items()
        }

    def _commit(self) -> Awaitable[None]:
        """Wait, when awaited, until all that has been given so far is durable."""
        self._asked += 1
        return self._reach(self._asked)

    async def _reach(self, ticket: int) -> None:
        while self._committed < ticket and self.writing_since is not None:
            await self._waiting.park()
        if self._committed < ticket and self._fenced is None:
            await self._write()
        self._waiting.unpark()
        if self._fenced is not None and self._committed < ticket:
            raise self._fenced

    async def _write(self) -> None:
        drafted = self._drafted()  # before anything is taken: one that cannot be made loses nothing
        self._drafts.clear()
        batch, self._next = self._next, Batch()
        batch.rooms |= drafted
        self.writing_since, ticket = trio.current_time(), self._asked
        try:
            # It carries what others wait for: who has begun it sees it through.
            with trio.CancelScope(shield=True):
                took = await self._store.write(batch)
        except Fenced as error:
            self._fenced, self.failure = error, str(error)
            log.error(  # noqa: TRY400 - where in this program tells nobody anything
                "another box has the journal; this one commands nothing any more",
                error=str(error),
                what_to_do=error.what_to_do,
            )
        except StoreFailure as error:
            # Nothing is forgotten: it goes with the next commit, unless newer by then.
            batch.add(self._next)
            self._next = batch
            self._fails(error)
        else:
            self.last_commit = took
            self._on_commit(took)
            self._fails(None)
        finally:
            self.writing_since = None
            if self._fenced is None:
                self._committed = ticket
            self._waiting.unpark(count=_GO_ON_AT_ONCE)

    def _fails(self, failure: StoreFailure | None) -> None:
        before, self.failure = self.failure, None if failure is None else str(failure)
        if (before is None) == (failure is None):
            return
        if failure is not None:
            log.error(
                "journal cannot be written; recording goes on, a crash now could lose an id",
                error=self.failure,
                where=self._store.where,
                what_to_do=failure.what_to_do,
            )
        else:
            log.info("journal is written again", where=self._store.where)
        self._changed(failure is not None)
