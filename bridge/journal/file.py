"""The journal's file: a SQLite database, opened, taken forward, and written a batch at a time.

Everything here blocks, so that a running bridge calls it from a worker thread. SQLite's write-ahead
log with ``synchronous=FULL`` makes a commit one flush.
"""

import os
import sqlite3
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from functools import partial
from itertools import chain
from pathlib import Path

import structlog
import trio
from outcome import Outcome

from .inputs import InputKey, numbers_of
from .instant import Instant
from .store import Batch, Entry, JournalUnusable, StoreFailure

__all__ = ["FILE_NAME", "SCHEMA_VERSION", "FileStore", "open_file", "write"]

log = structlog.get_logger("journal")

FILE_NAME = "journal.db"

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

_ANOTHER_MESSAGE = """
    CREATE TEMP TRIGGER another_message BEFORE INSERT ON main.inputs BEGIN
        DELETE FROM inputs WHERE mid = new.mid AND digest <> new.digest;
    END
"""
"""What had a packet id before is void when another message has it. Of the connection, not the file.
"""

_MOST_ROWS = 1000
"""By one statement: with five columns far from the 32,766 parameters that SQLite allows."""


class FileStore:
    """The file as a `Store`: what is read comes from it, what is written goes by a thread.

    A file that somebody removes, or puts another one in the place of, is written anew, whole: its
    connection has all of it as long as it is open.
    """

    def __init__(self, folder: Path) -> None:
        """Open the file in `folder`, or begin one; an unreadable one is moved aside.

        Raises `JournalUnusable`.
        """
        self.path = folder / FILE_NAME
        self.moved_aside: Path | None = None
        self._writer: int | None = None
        #: To a file that is not there any more. Closing it would remove, by their names, what
        #: SQLite keeps beside the one that took its place.
        self._former: sqlite3.Connection | None = None
        try:
            self.connection = open_file(self.path)
        except sqlite3.OperationalError as error:
            # The disk or its permissions, not the file: there may be recordings in it.
            raise JournalUnusable(
                f"the journal {self.path} cannot be opened: {error}; make it and its folder "
                "writable, and the disk not full"
            ) from error
        except sqlite3.DatabaseError as error:
            self.moved_aside = _move_aside(self.path, "unreadable")
            log.error(  # noqa: TRY400 - where in SQLite tells nobody anything
                "journal unreadable, moved aside; rooms are taken from the retained topics",
                error=str(error),
                moved_to=str(self.moved_aside),
            )
            self.connection = open_file(self.path)
        self._files = _files(self.path)

    @property
    def where(self) -> str:
        """The path of the file."""
        return str(self.path)

    def close(self) -> None:
        """Close the file; what was written stays."""
        self.connection.close()

    def rooms(self) -> dict[str, Entry]:
        """Every room's document."""
        rows = self.connection.execute("SELECT room, document, boot, monotonic, wall FROM rooms")
        return {room: Entry(document, Instant(*at)) for room, document, *at in rows}

    def inputs(self) -> set[InputKey]:
        """Inputs whose acknowledgement the broker may not have seen."""
        rows = self.connection.execute("SELECT mid, digest, part FROM inputs")
        return {InputKey(mid, bytes(digest), part) for mid, digest, part in rows}

    def contact(self) -> Instant | None:
        """The last contact with the broker."""
        row = self.connection.execute("SELECT boot, monotonic, wall FROM contact").fetchone()
        return None if row is None else Instant(*row)

    def note(self, name: str) -> str:
        """The text that was written last under this name; empty if none."""
        row = self.connection.execute("SELECT document FROM notes WHERE name = ?", [name])
        return next((str(document) for (document,) in row), "")

    def write(self, batch: Batch) -> Awaitable[float]:
        """Write it in one transaction, flushed to the disk; the seconds that took."""
        return _in_thread(partial(self._write, batch))

    def _write(self, batch: Batch) -> float:
        self._writer = threading.get_native_id()
        try:
            if _files(self.path) != self._files:
                self._begin_anew()
            return write(self.connection, batch)
        except (sqlite3.Error, OSError) as error:
            raise StoreFailure(str(error), "free the disk, or repair it") from error

    def _begin_anew(self) -> None:
        """Write all that the connection still has to where its file was."""
        if self._former is not None:
            self._former.close()
            self._former = None
        # Whole before it has the name: half of it, after a kill, would pass for the journal.
        whole = self.path.with_name(f"{self.path.name}.anew")
        for suffix in ("", "-journal", "-wal", "-shm"):  # of one that was begun and not ended
            whole.with_name(whole.name + suffix).unlink(missing_ok=True)
        with closing(sqlite3.connect(whole)) as copy:
            self.connection.backup(copy)
        found = _move_aside(self.path, "foreign")
        whole.replace(self.path)
        self._former, self.connection = self.connection, open_file(self.path)
        self._files = _files(self.path)
        log.error(
            "journal was removed or replaced while it was open; it is written anew, whole",
            where=self.where,
            moved_to=str(found) if found.exists() else None,
            what_to_do="let nothing but the bridge change its state folder",
        )

    def waits_for_the_disk(self) -> bool:
        """True while the commit under way waits in the kernel, where nothing can end it."""
        try:
            status = Path(f"/proc/self/task/{self._writer}/stat").read_text(errors="replace")
        except OSError:  # no Linux, or the thread has ended
            return False
        return status.rpartition(")")[2].split()[0] == "D"


async def _in_thread(work: Callable[[], float]) -> float:
    """What `work` returns or raises, of which there is one at a time; not cancelled.

    As `trio.to_thread.run_sync`, without a limiter: whatever else the bridge does in threads, this
    never waits for it, nor takes the turn of the event loop that taking a token is.
    """
    loop, task = trio.lowlevel.current_trio_token(), trio.lowlevel.current_task()

    def deliver(outcome: Outcome[float]) -> None:
        loop.run_sync_soon(trio.lowlevel.reschedule, task, outcome)

    trio.lowlevel.start_thread_soon(work, deliver)
    result: float = await trio.lowlevel.wait_task_rescheduled(lambda _: trio.lowlevel.Abort.FAILED)
    return result


def open_file(path: Path) -> sqlite3.Connection:
    """The journal at `path`, begun where there is none, with every step taken that it lacks.

    One connection, handed from thread to thread, never used by two at once. Raises
    `sqlite3.OperationalError` where the disk or its permissions are wrong, another
    `sqlite3.DatabaseError` where the file is damaged, and `JournalUnusable`.
    """
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        damage = connection.execute("PRAGMA quick_check").fetchone()[0]
        if damage != "ok":
            raise sqlite3.DatabaseError(damage)  # noqa: TRY301 - as if SQLite had noticed
        _migrate(connection, path)
        connection.execute(_ANOTHER_MESSAGE)
    except BaseException:
        connection.close()
        raise
    return connection


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > SCHEMA_VERSION:
        raise JournalUnusable(
            f"{path} was written by a later version of hmp-bridge (schema {version}, this one "
            f"knows {SCHEMA_VERSION}); install that version again, or move the file away"
        )
    for number, script in enumerate(_MIGRATIONS[version:], version + 1):
        connection.executescript(f"BEGIN; {script} PRAGMA user_version = {number}; COMMIT;")


def _files(path: Path) -> list[tuple[int, int] | None]:
    """The journal's file and its log on the disk: which ones they are, None for one that is not."""
    found: list[tuple[int, int] | None] = []
    for name in (path, f"{path}-wal"):
        try:
            about = os.stat(name)  # noqa: PTH116 - on the way of every press
        except OSError:
            found.append(None)
        else:
            found.append((about.st_dev, about.st_ino))
    return found


def _move_aside(path: Path, why: str) -> Path:
    """Give a file, and what SQLite keeps beside it, another name that says why; which."""
    kept = path.with_name(f"{path.name}.{why}-{time.strftime('%Y%m%dT%H%M%S')}")
    for suffix in ("", "-wal", "-shm"):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.replace(kept.with_name(kept.name + suffix))
    return kept


def write(connection: sqlite3.Connection, batch: Batch) -> float:
    """Write it in one transaction, flushed to the disk; the seconds that took.

    Raises `sqlite3.Error`, and then nothing of it is written.
    """
    began = time.perf_counter()
    with closing(connection.cursor()) as cursor:
        cursor.execute("BEGIN IMMEDIATE")
        try:
            _write_all(cursor, batch)
            cursor.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                cursor.execute("ROLLBACK")
            raise
    return time.perf_counter() - began


def _write_all(cursor: sqlite3.Cursor, batch: Batch) -> None:
    kept = [
        (room, entry.document, entry.at.boot, entry.at.monotonic, entry.at.wall)
        for room, entry in batch.rooms.items()
        if entry.document
    ]
    gone = [(room,) for room, entry in batch.rooms.items() if not entry.document]
    taken_in = [(key.mid, key.part, key.digest) for key in batch.taken_in()]
    _write_rows(cursor, "INSERT OR REPLACE INTO rooms VALUES {rows}", kept)
    _write_rows(cursor, "DELETE FROM rooms WHERE room IN (VALUES {rows})", gone)
    for void in map(numbers_of, batch.afresh):
        cursor.execute("DELETE FROM inputs WHERE mid >= ? AND mid < ?", (void.start, void.stop))
    _write_rows(cursor, "INSERT OR REPLACE INTO inputs VALUES {rows}", taken_in)
    _write_rows(cursor, "INSERT OR REPLACE INTO notes VALUES {rows}", list(batch.notes.items()))
    if (at := batch.contact) is not None:
        contact = [(1, at.boot, at.monotonic, at.wall)]
        _write_rows(cursor, "INSERT OR REPLACE INTO contact VALUES {rows}", contact)


def _write_rows(cursor: sqlite3.Cursor, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
    """As many rows by one statement as it takes.

    After every step of SQLite's its thread waits for the interpreter, which a busy event loop lets
    go of only every few milliseconds; of a statement per row that would make a second for hundreds.
    """
    for first in range(0, len(rows), _MOST_ROWS):
        some = rows[first : first + _MOST_ROWS]
        places = ", ".join(f"({', '.join('?' * len(row))})" for row in some)
        cursor.execute(statement.format(rows=places), list(chain.from_iterable(some)))
