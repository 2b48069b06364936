"""The daemon's journal, read past the daemon: SQLite, read-only."""

import json
import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

__all__ = ["read_journal"]


def read_journal(folder: Path, *, alive: bool) -> dict[str, dict[str, Any]] | None:
    """Every room's document; None when there is no journal yet.

    Of a dead daemon's journal a copy is read: what recovers a log that a kill has left behind must
    be the daemon itself. Raises `sqlite3.Error` for one that cannot be read.
    """
    journal = folder / "journal.db"
    if not journal.exists():
        return None
    if alive:
        return _documents(f"file:{journal}?mode=ro")
    with tempfile.TemporaryDirectory() as scratch:
        for name in ("journal.db", "journal.db-wal"):
            if (folder / name).exists():
                shutil.copy(folder / name, scratch)
        return _documents(f"file:{scratch}/journal.db")


def _documents(uri: str) -> dict[str, dict[str, Any]] | None:
    with closing(sqlite3.connect(uri, uri=True)) as connection:
        try:
            rows = connection.execute("SELECT room, document FROM rooms").fetchall()
        except sqlite3.OperationalError as error:
            if "no such table" in str(error):  # killed before its first commit
                return None
            raise
    return {room: json.loads(document) for room, document in rows}
