"""One bridge per state folder (R26): the lock, and the name that a bridge keeps for ever.

The name is bound to the machine as well. A disk can be cloned, and two bridges of one name would
take the broker's session from each other for ever.
"""

import fcntl
import hashlib
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog

__all__ = [
    "INSTANCE_ID",
    "StateFolderError",
    "claim_state_folder",
    "client_id",
    "state_folder",
    "this_machine",
]

log = structlog.get_logger("journal")

_CONTAINER_FILES = ("/run/.containerenv", "/.dockerenv")
_CONTAINER_NAMES = {"container", "KUBERNETES_SERVICE_HOST"}
"""Files and variables that tell a process that it is in a container."""

INSTANCE_ID = re.compile(r"[0-9a-f]{16}")


class StateFolderError(Exception):
    """The state folder cannot be used; the message says why and what to do."""


def state_folder(configured: Path | None) -> Path:
    """The folder for what must survive: as configured, systemd's, or the user's own.

    Raises `StateFolderError` where none of them is known.
    """
    if configured is not None:
        return configured
    if directories := os.environ.get("STATE_DIRECTORY"):
        return Path(directories.split(":")[0])
    try:
        base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    except RuntimeError:
        raise StateFolderError(
            "this process has no home folder for its state; name a state folder by "
            "bridge.state_dir, or by StateDirectory= in the unit"
        ) from None
    return Path(base) / "hmp-bridge"


def this_machine() -> str:
    """The machine in 16 hexadecimal digits; empty where nothing tells, and in a container.

    A container is made anew from its image, and has no machine id or everybody's: what it keeps is
    its volume. The machine's id itself is nobody's business (machine-id(5)).
    """
    if any(Path(mark).exists() for mark in _CONTAINER_FILES) or _CONTAINER_NAMES & {*os.environ}:
        return ""
    try:
        known = Path("/etc/machine-id").read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""
    return _digest(f"hmp-bridge {known}")[:16] if re.fullmatch(r"[0-9a-f]{32}", known) else ""


def client_id(instance_id: str, base_topic: str) -> str:
    """The MQTT client identifier of this bridge on this base topic: that of no other one (R26)."""
    return f"hmp-bridge-{instance_id}-{_digest(base_topic)[:6]}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@contextmanager
def claim_state_folder(folder: Path, machine: str | None = None) -> Iterator[str]:
    """Hold the folder's lock, and give the instance id that is kept in it.

    A folder that was made on another machine than `machine` (this one) gets a new instance id.

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
            instance_id = _instance_id(folder, this_machine() if machine is None else machine)
        except OSError as error:
            raise _unusable(folder, error) from error
        yield instance_id
    finally:
        os.close(lock)


def _instance_id(folder: Path, machine: str) -> str:
    kept_id, kept_machine = folder / "instance-id", folder / "machine"
    known, made_for = _read(kept_id), _read(kept_machine)
    moved = machine and made_for and made_for != machine
    if not INSTANCE_ID.fullmatch(known) or moved:
        before, known = known, secrets.token_hex(8)
        _write(kept_id, known)
        if moved:
            log.warning(
                "the state folder is from another machine: this bridge takes a name of its own",
                before=before,
                instance=known,
                what_to_do="nothing, if that machine is gone; if it runs, each needs base topic "
                "and sessions of its own: the recordings in this journal are its",
            )
    # After the name: a power cut in between only has another name made.
    if machine and made_for != machine:
        _write(kept_machine, machine)
    return known


def _read(path: Path) -> str:
    return path.read_text(errors="replace").strip() if path.exists() else ""


def _write(path: Path, text: str) -> None:
    # Replaced as a whole: half an id after a power cut would be another bridge's.
    draft = path.with_name(f"{path.name}.new")
    draft.write_text(f"{text}\n")
    draft.replace(path)


def _holder(lock: int) -> str:
    return os.pread(lock, 32, 0).decode(errors="replace") or "unknown"


def _unusable(folder: Path, error: OSError) -> StateFolderError:
    return StateFolderError(
        f"the state folder {folder} cannot be used: {error.strerror}; make it writable for this "
        "user, or name another: bridge.state_dir"
    )
