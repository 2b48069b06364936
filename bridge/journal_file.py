"""The journal's file: a SQLite database, opened, taken forward, and written a batch at a time.

Everything here blocks, so that a running bridge calls it from a worker thread. SQLite's write-ahead
log with ``synchronous=FULL`` makes a commit one flush.
"""

import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from .inputs import InputKey
from .stamp import Stamp

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


@dataclass(frozen=True, slots=True)
class Entry:
    """A room's document as it was written, and when."""

    document: str
    at: Stamp


class JournalUnusable(Exception):
    """The journal cannot be opened and must not be replaced; the message says what to do."""


@dataclass(slots=True)
class Batch:
    """What one transaction writes; rooms whose document is empty are removed.

    `afresh`: the broker's packet ids of before mean nothing any more, those in `inputs` do.
    """

    rooms: dict[str, Entry] = field(default_factory=dict)
    inputs: dict[tuple[int, str], InputKey] = field(default_factory=dict)
    afresh: bool = False
    contact: Stamp | None = None
    notes: dict[str, str] = field(default_factory=dict)

    def take_in(self, key: InputKey) -> None:
        """An input was taken in; the last one with a packet id makes those before it void."""
        self.inputs.pop((key.mid, key.part), None)
        self.inputs[key.mid, key.part] = key

    def begin_afresh(self) -> None:
        """Forget what the broker has numbered; a press that was held is not its."""
        self.inputs = {at: key for at, key in self.inputs.items() if key.mid < 0}
        self.afresh = True

    def add(self, later: "Batch") -> None:
        """Take in what was to be written after this."""
        if later.afresh:
            self.begin_afresh()
        for key in later.inputs.values():
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
    cursor.executemany(
        "INSERT OR REPLACE INTO rooms VALUES (?, ?, ?, ?, ?)",
        [
            (room, entry.document, entry.at.boot, entry.at.monotonic, entry.at.wall)
            for room, entry in batch.rooms.items()
            if entry.document
        ],
    )
    gone = [(room,) for room, entry in batch.rooms.items() if not entry.document]
    cursor.executemany("DELETE FROM rooms WHERE room = ?", gone)
    if batch.afresh:
        cursor.execute("DELETE FROM inputs WHERE mid >= 0")
    for key in batch.inputs.values():
        row = (key.mid, key.part, key.digest)
        cursor.execute("DELETE FROM inputs WHERE mid = ? AND digest != ?", (key.mid, key.digest))
        cursor.execute("INSERT OR REPLACE INTO inputs VALUES (?, ?, ?)", row)
    cursor.executemany("INSERT OR REPLACE INTO notes VALUES (?, ?)", batch.notes.items())
    if (at := batch.contact) is not None:
        cursor.execute(
            "INSERT OR REPLACE INTO contact VALUES (1, ?, ?, ?)", (at.boot, at.monotonic, at.wall)
        )
