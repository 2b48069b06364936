"""The journal's file: a SQLite database, opened, taken forward, and written a batch at a time.

Everything here blocks, so that a running bridge calls it from a worker thread. SQLite's write-ahead
log with ``synchronous=FULL`` makes a commit one flush.
"""

import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from .inputs import InputKey, numbers_of
from .instant import Instant

__all__ = [
    "FILE_NAME",
    "SCHEMA_VERSION",
    "Batch",
    "Entry",
    "JournalUnusable",
    "move_aside",
    "open_file",
    "write",
]

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

_MOST_ROWS = 1000
"""By one statement: with five columns far from the 32,766 parameters that SQLite allows."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A room's document as it was written, and when."""

    document: str
    at: Instant


class JournalUnusable(Exception):
    """The journal cannot be opened and must not be replaced; the message says what to do."""


@dataclass(slots=True)
class Batch:
    """The content of one transaction; rooms whose document is empty are removed.

    `inputs`: by packet id and part. `afresh`: sessions of the broker of which the packet ids of
    before mean nothing any more, those in `inputs` do.
    """

    rooms: dict[str, Entry] = field(default_factory=dict)
    inputs: dict[int, dict[str, InputKey]] = field(default_factory=dict)
    afresh: set[int] = field(default_factory=set)
    contact: Instant | None = None
    notes: dict[str, str] = field(default_factory=dict)

    def take_in(self, key: InputKey) -> None:
        """An input was taken in; what had its packet id before is void."""
        parts = self.inputs.setdefault(key.mid, {})
        if any(known.digest != key.digest for known in parts.values()):
            parts.clear()
        parts[key.part] = key

    def taken_in(self) -> list[InputKey]:
        """All inputs."""
        return [key for parts in self.inputs.values() for key in parts.values()]

    def begin_afresh(self, session: int = 0) -> None:
        """Forget what the broker has numbered in a session; a press that was held is not its."""
        void = numbers_of(session)
        self.inputs = {mid: parts for mid, parts in self.inputs.items() if mid not in void}
        self.afresh.add(session)

    def add(self, later: "Batch") -> None:
        """Take in what was to be written after this."""
        for session in later.afresh:
            self.begin_afresh(session)
        for key in later.taken_in():
            self.take_in(key)
        self.rooms |= later.rooms
        self.contact = later.contact or self.contact
        self.notes |= later.notes


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


def move_aside(path: Path) -> Path:
    """Give a damaged file, and what SQLite keeps beside it, another name; which."""
    kept = path.with_name(f"{path.name}.unreadable-{time.strftime('%Y%m%dT%H%M%S')}")
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
    _write_rows(
        cursor,
        "WITH newest (mid, digest) AS (VALUES {rows}) DELETE FROM inputs WHERE mid IN"
        " (SELECT mid FROM newest) AND (mid, digest) NOT IN (SELECT mid, digest FROM newest)",
        list({mid: (mid, digest) for mid, _, digest in taken_in}.values()),
    )
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
