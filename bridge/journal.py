"""What must survive a kill: one SQLite file in the state folder (R6).

A room's document is written, and flushed to the disk, before a command that creates something is
sent and before anything that follows from an answer is published. SQLite's write-ahead log with
``synchronous=FULL`` makes a commit one flush. Commits run in a worker thread, one at a time;
whatever has come meanwhile goes into the next one, so that a hundred rooms share a flush.

A journal that cannot be written never keeps anything from being recorded or stopped: the failure
is said, and the next commit carries what this one could not.
"""

import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import structlog
import trio

from .inputs import Input

__all__ = [
    "SCHEMA_VERSION",
    "Entry",
    "Journal",
    "JournalHealth",
    "JournalUnusable",
    "Stamp",
    "stamp",
]

log = structlog.get_logger("journal")

_MIGRATIONS = (
    """
    CREATE TABLE rooms (room TEXT PRIMARY KEY, document TEXT NOT NULL, boot TEXT NOT NULL,
                        monotonic REAL NOT NULL, wall REAL NOT NULL) WITHOUT ROWID;
    CREATE TABLE inputs (mid INTEGER PRIMARY KEY, digest BLOB NOT NULL);
    CREATE TABLE contact (one INTEGER PRIMARY KEY CHECK (one = 1), boot TEXT NOT NULL,
                          monotonic REAL NOT NULL, wall REAL NOT NULL);
    """,
    "CREATE TABLE notes (name TEXT PRIMARY KEY, document TEXT NOT NULL) WITHOUT ROWID;",
    """
    ALTER TABLE inputs RENAME TO whole;
    CREATE TABLE inputs (mid INTEGER, part TEXT, digest BLOB NOT NULL, PRIMARY KEY (mid, part));
    INSERT INTO inputs SELECT mid, '', digest FROM whole; DROP TABLE whole;
    """,
)
"""One step per schema version; a journal is taken forward through those it lacks."""

SCHEMA_VERSION = len(_MIGRATIONS)
"""The latest that this program reads."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """An instant that can be understood after a restart: `monotonic` counts within `boot`."""

    boot: str
    monotonic: float
    wall: float

    def shift_to(self, now: "Stamp", *, trusted: bool = True) -> float:
        """What to add to a monotonic time of then to have it on the clock of now.

        Across boots the wall clock is all there is; what it says is bounded to *not in the future*,
        and taken for *no time has passed* where it is not to be trusted.
        """
        if self.boot == now.boot:
            return 0.0
        passed = max(0.0, now.wall - self.wall) if trusted else 0.0
        return now.monotonic - self.monotonic - passed


def stamp() -> Stamp:
    """This instant, on the clock that goes on while the machine sleeps."""
    return Stamp(_boot_id(), time.clock_gettime(time.CLOCK_BOOTTIME), time.time())


@dataclass(frozen=True, slots=True)
class Entry:
    """A room's document as it was written, and when."""

    document: str
    at: Stamp


@dataclass(frozen=True, slots=True)
class JournalHealth:
    """Why the last commit failed, None if it did not, and the seconds the last good one took."""

    failure: str | None
    last_commit: float | None


class JournalUnusable(Exception):
    """The journal cannot be opened and must not be replaced; the message says what to do."""


class Journal:
    """Documents by room, the inputs they have taken in, and the last contact with the broker."""

    def __init__(self, folder: Path) -> None:
        """Open the journal in `folder`, or begin one; an unreadable one is moved aside.

        Raises `JournalUnusable`.
        """
        self.path = folder / "journal.db"
        #: Why the last commit failed; None while commits succeed.
        self.failure: str | None = None
        #: Seconds that the last commit took, its flush included.
        self.last_commit: float | None = None
        self.moved_aside: Path | None = None
        self._changed: Callable[[bool], None] = lambda _: None
        self._on_commit: Callable[[float], None] = lambda _: None
        self._lock = trio.Lock()
        self._rooms: dict[str, Entry] = {}
        self._inputs: dict[tuple[int, str], Input] = {}
        self._afresh = False
        self._contact: Stamp | None = None
        self._notes: dict[str, str] = {}
        self._asked = self._committed = 0
        try:
            self._connection = _open(self.path)
        except sqlite3.OperationalError as error:
            # The disk or its permissions, not the file: there may be recordings in it.
            raise JournalUnusable(
                f"the journal {self.path} cannot be opened: {error}; make it and its folder "
                "writable, and the disk not full"
            ) from error
        except sqlite3.DatabaseError as error:
            self.moved_aside = _move_aside(self.path)
            log.error(  # noqa: TRY400 - where in SQLite tells nobody anything
                "journal unreadable, moved aside; rooms are taken from the retained topics",
                error=str(error),
                moved_to=str(self.moved_aside),
            )
            self._connection = _open(self.path)

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
        """How writing does."""
        return JournalHealth(self.failure, self.last_commit)

    # What was known when the bridge started.

    def rooms(self) -> dict[str, Entry]:
        """Every room's document."""
        rows = self._connection.execute("SELECT room, document, boot, monotonic, wall FROM rooms")
        return {room: Entry(document, Stamp(*at)) for room, document, *at in rows}

    def inputs(self) -> set[Input]:
        """Inputs whose acknowledgement the broker may not have seen."""
        rows = self._connection.execute("SELECT mid, digest, part FROM inputs")
        return {Input(mid, bytes(digest), part) for mid, digest, part in rows}

    def contact(self) -> Stamp | None:
        """The last journalled contact with the broker."""
        row = self._connection.execute("SELECT boot, monotonic, wall FROM contact").fetchone()
        return None if row is None else Stamp(*row)

    def note(self, name: str) -> str:
        """What `save_note` wrote last under this name; empty if nothing."""
        row = self._connection.execute("SELECT document FROM notes WHERE name = ?", [name])
        return next((str(document) for (document,) in row), "")

    # What must be known when it starts again.

    async def save(self, room: str, document: str, inputs: Iterable[Input] = ()) -> None:
        """Write a room's document, with the inputs it has taken in; returns once that is durable.

        What is not a room's has a slash in its name: ``server/main``. An empty one is removed.

        Returns also when it cannot be written; `failure` then says why (R6: recording comes first).
        """
        self._rooms[room] = Entry(document, stamp())
        for item in inputs:
            self._inputs.pop((item.mid, item.part), None)  # what came last stands last
            self._inputs[item.mid, item.part] = item
        await self._commit()

    async def entries(self) -> dict[str, Entry]:
        """Every room's document while the bridge runs, what is yet to be written included."""
        async with self._lock:
            known = self.rooms() | self._rooms
        return {room: entry for room, entry in known.items() if entry.document}

    async def forget(self, room: str) -> None:
        """Remove a room's document; returns once that is durable."""
        await self.save(room, "")

    async def forget_inputs(self) -> None:
        """Forget what was taken in: the broker begins afresh, and with it its packet ids (R27)."""
        self._inputs = _held(self._inputs)
        self._afresh = True
        await self._commit()

    async def save_contact(self) -> None:
        """Write that the broker is in contact now (R16)."""
        self._contact = stamp()
        await self._commit()

    async def save_note(self, name: str, document: str) -> None:
        """Write something that belongs to no room; returns once that is durable."""
        self._notes[name] = document
        await self._commit()

    async def _commit(self) -> None:
        self._asked += 1
        ticket = self._asked
        async with self._lock:
            if self._committed >= ticket:
                return  # whoever held the lock before has taken ours along
            ticket = self._asked
            rooms, self._rooms = self._rooms, {}
            inputs, self._inputs = self._inputs, {}
            contact, self._contact = self._contact, None
            afresh, self._afresh = self._afresh, False
            notes, self._notes = self._notes, {}
            try:
                # It carries what others wait for: whoever holds the lock sees it through.
                with trio.CancelScope(shield=True):
                    took = await trio.to_thread.run_sync(
                        _write, self._connection, rooms, inputs.values(), contact, afresh, notes
                    )
            except sqlite3.Error as error:
                # Nothing is forgotten: it goes with the next commit, unless newer by then.
                self._rooms = rooms | self._rooms
                self._inputs = (_held(inputs) if self._afresh else inputs) | self._inputs
                self._contact = self._contact or contact
                self._afresh = self._afresh or afresh
                self._notes = notes | self._notes
                self._fails(str(error))
            else:
                self.last_commit = took
                self._on_commit(took)
                self._fails(None)
            self._committed = ticket

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


def _held(inputs: dict[tuple[int, str], Input]) -> dict[tuple[int, str], Input]:
    """Those of presses that were held, which no broker has ever numbered."""
    return {key: item for key, item in inputs.items() if item.mid < 0}


def _open(path: Path) -> sqlite3.Connection:
    # One connection, handed from thread to thread, never used by two at once (the lock).
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        damage = connection.execute("PRAGMA quick_check").fetchone()[0]
        if damage != "ok":
            raise sqlite3.DatabaseError(damage)  # noqa: TRY301 - as if SQLite had noticed
        _migrate(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > len(_MIGRATIONS):
        raise JournalUnusable(
            f"{path} was written by a later version of hmp-bridge (schema {version}, this one "
            f"knows {len(_MIGRATIONS)}); install that version again, or move the file away"
        )
    for number, script in enumerate(_MIGRATIONS[version:], version + 1):
        connection.executescript(f"BEGIN; {script} PRAGMA user_version = {number}; COMMIT;")


def _move_aside(path: Path) -> Path:
    kept = path.with_name(f"{path.name}.unreadable-{time.strftime('%Y%m%dT%H%M%S')}")
    for suffix in ("", "-wal", "-shm"):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.replace(kept.with_name(kept.name + suffix))
    return kept


def _write(  # noqa: PLR0917 - it is handed to a thread with what belongs to one transaction
    connection: sqlite3.Connection,
    rooms: Mapping[str, Entry],
    inputs: Iterable[Input],
    contact: Stamp | None,
    afresh: bool,
    notes: Mapping[str, str],
) -> float:
    """One transaction, in a worker thread; seconds it took."""
    began = time.perf_counter()
    with closing(connection.cursor()) as cursor:
        cursor.execute("BEGIN IMMEDIATE")
        try:
            cursor.executemany(
                "INSERT OR REPLACE INTO rooms VALUES (?, ?, ?, ?, ?)",
                [
                    (room, entry.document, entry.at.boot, entry.at.monotonic, entry.at.wall)
                    for room, entry in rooms.items()
                ],
            )
            cursor.execute("DELETE FROM rooms WHERE document = ''")
            if afresh:
                cursor.execute("DELETE FROM inputs WHERE mid >= 0")
            for item in inputs:
                row = [item.mid, item.part, item.digest]
                cursor.execute("DELETE FROM inputs WHERE mid = ? AND digest != ?", row[::2])
                cursor.execute("INSERT OR REPLACE INTO inputs VALUES (?, ?, ?)", row)
            cursor.executemany("INSERT OR REPLACE INTO notes VALUES (?, ?)", notes.items())
            if contact is not None:
                cursor.execute(
                    "INSERT OR REPLACE INTO contact VALUES (1, ?, ?, ?)",
                    (contact.boot, contact.monotonic, contact.wall),
                )
            cursor.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                cursor.execute("ROLLBACK")
            raise
    return time.perf_counter() - began


@cache
def _boot_id() -> str:
    path = Path("/proc/sys/kernel/random/boot_id")
    return path.read_text().strip() if path.exists() else "unknown"
