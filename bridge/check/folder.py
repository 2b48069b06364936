"""The check of the state folder: it can be used. No trace is left in it.

Whoever checks may be another user than the daemon: a file of theirs in its folder would be the very
trouble that the check is for.
"""

import fcntl
import os
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from ..journal.file import FILE_NAME, SCHEMA_VERSION
from .report import Blame, Finding, failed, noted, passed

__all__ = ["check_folder"]


def check_folder(folder: Path, *, of_user: bool = False) -> list[Finding]:
    """The findings about the state folder and the journal in it.

    `of_user`: nobody has named it, so it is that of whoever checks.
    """
    subject = f"state folder {folder}"
    if of_user:
        subject += " (this user's; under systemd the service has its own)"
    try:
        folder.stat()
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"\0" * 4096)
            file.flush()
            os.fsync(file.fileno())
    except FileNotFoundError:
        return [_not_there(subject, folder)]
    except OSError as error:
        return [_unusable(subject, error)]
    found = [passed(subject, "can be written")]
    try:
        holder = _holder(folder / "lock")
    except OSError as error:
        return [*found, _unusable(f"lock {folder / 'lock'}", error)]
    if holder is not None:
        said = f"a bridge (process {holder}) runs on this folder; its journal is left alone"
        return [*found, noted(subject, said)]
    return [*found, *_check_journal(folder / FILE_NAME)]


def _not_there(subject: str, folder: Path) -> Finding:
    parent = next(each for each in folder.absolute().parents if os.access(each, os.F_OK))
    if os.access(parent, os.W_OK | os.X_OK):
        return passed(subject, "will be made at the first start")
    return failed(
        subject,
        f"does not exist, and this user cannot make it in {parent}",
        "make it for the bridge's user, or name another: bridge.state_dir",
        Blame.UNAVAILABLE,
    )


def _unusable(subject: str, error: OSError) -> Finding:
    return failed(
        subject,
        f"cannot be used: {error.strerror}",
        "make it writable for this user and the disk not full, or name another: bridge.state_dir",
        Blame.UNAVAILABLE,
    )


def _holder(path: Path) -> str | None:
    """The process that holds the folder; None where nobody does."""
    try:
        lock = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return os.pread(lock, 32, 0).decode(errors="replace") or "unknown"
    finally:
        os.close(lock)
    return None


def _check_journal(path: Path) -> list[Finding]:
    subject = f"journal {path}"
    if not path.exists():
        return [passed(subject, "will be made at the first start")]
    try:
        # Immutable: nobody writes it now, and SQLite makes no files beside it.
        address = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
        with closing(sqlite3.connect(address, uri=True)) as connection:
            damage = connection.execute("PRAGMA quick_check").fetchone()[0]
            version = connection.execute("PRAGMA user_version").fetchone()[0]
    except sqlite3.OperationalError as error:
        return [
            failed(
                subject,
                f"cannot be opened: {error}",
                "let this user read it and write its folder",
                Blame.UNAVAILABLE,
            )
        ]
    except sqlite3.DatabaseError as error:
        damage, version = str(error), 0
    if damage != "ok":
        return [
            failed(
                subject,
                f"is damaged: {damage}",
                "check the disk; the next start moves the journal aside and takes the rooms from "
                "their retained topics",
                Blame.UNAVAILABLE,
            )
        ]
    if version > SCHEMA_VERSION:
        return [
            failed(
                subject,
                f"was written by a later hmp-bridge (schema {version}, this one knows "
                f"{SCHEMA_VERSION})",
                "install that version again, or move the file away",
                Blame.UNAVAILABLE,
            )
        ]
    return [passed(subject, "can be read")]
