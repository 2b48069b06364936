"""One bridge per state folder (R26): the lock, and the name that a bridge keeps for ever."""

import fcntl
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["StateFolderError", "claim_state_folder", "state_folder"]

_INSTANCE_ID = re.compile(r"[0-9a-f]{16}")


class StateFolderError(Exception):
    """The state folder cannot be used; the message says why and what to do."""


def state_folder(configured: Path | None) -> Path:
    """The folder for what must survive: as configured, systemd's, or the user's own."""
    if configured is not None:
        return configured
    if directories := os.environ.get("STATE_DIRECTORY"):
        return Path(directories.split(":")[0])
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / "hmp-bridge"


@contextmanager
def claim_state_folder(folder: Path) -> Iterator[str]:
    """Hold the folder's lock, and give the instance id that is kept in it.

    The lock is the kernel's: it ends with the process, however that ends. Raises
    `StateFolderError` when another bridge holds it or the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _unusable(folder, error) from error
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StateFolderError(
                f"another bridge runs with the state folder {folder} (process "
                f"{_holder(lock)}); stop it, or give this one a folder of its own: "
                "bridge.state_dir"
            ) from None
        try:
            os.ftruncate(lock, 0)
            os.pwrite(lock, str(os.getpid()).encode(), 0)
            instance_id = _instance_id(folder)
        except OSError as error:
            raise _unusable(folder, error) from error
        yield instance_id
    finally:
        os.close(lock)


def _instance_id(folder: Path) -> str:
    path = folder / "instance-id"
    if path.exists():
        known = path.read_text(errors="replace").strip()
        if _INSTANCE_ID.fullmatch(known):
            return known
    made = secrets.token_hex(8)
    # Replaced as a whole: half an id after a power cut would be another bridge's.
    draft = folder / "instance-id.new"
    draft.write_text(f"{made}\n")
    draft.replace(path)
    return made


def _holder(lock: int) -> str:
    return os.pread(lock, 32, 0).decode(errors="replace") or "unknown"


def _unusable(folder: Path, error: OSError) -> StateFolderError:
    return StateFolderError(
        f"the state folder {folder} cannot be used: {error.strerror}; make it writable for this "
        "user, or name another: bridge.state_dir"
    )
