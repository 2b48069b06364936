"""Reading the journal of a daemon that is dead, alive, or never was."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from .journal import read_journal


def write(folder: Path) -> sqlite3.Connection:
    """A journal with one room, in a write-ahead log that nobody has taken over."""
    connection = sqlite3.connect(folder / "journal.db")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE rooms (room TEXT PRIMARY KEY, document TEXT)")
    connection.execute("""INSERT INTO rooms VALUES ('one', '{"target": "idle"}')""")
    connection.commit()
    return connection


def test_without_a_journal_there_is_nothing(tmp_path: Path) -> None:
    assert read_journal(tmp_path, alive=False) is None


def test_a_journal_without_its_table_holds_nothing(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "journal.db")) as connection:
        connection.execute("CREATE TABLE other (one INTEGER)")
    assert read_journal(tmp_path, alive=False) is None


@pytest.mark.parametrize("alive", [True, False])
def test_documents_are_read_past_the_writer(tmp_path: Path, alive: bool) -> None:
    with closing(write(tmp_path)):
        assert read_journal(tmp_path, alive=alive) == {"one": {"target": "idle"}}
        assert (tmp_path / "journal.db-wal").stat().st_size > 0


def test_a_broken_journal_is_said(tmp_path: Path) -> None:
    (tmp_path / "journal.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(sqlite3.DatabaseError):
        read_journal(tmp_path, alive=False)
