"""Doors that a configuration leaves open: worth a warning, and no reason not to start (R19)."""

import stat
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from .configuration import Configuration
from .sources import secret_files

__all__ = ["Exposure", "exposures"]


class Exposure(NamedTuple):
    """Something that others can do, and what keeps them from it."""

    what: str
    what_to_do: str


def exposures(configuration: Configuration, file: Path) -> Iterator[Exposure]:
    """Those of a configuration that was read from `file`, its secrets and its private key."""
    tls = configuration.mqtt.tls
    if tls is not None and tls.insecure:
        yield Exposure(
            "mqtt.tls.insecure is set: anybody between here and the broker can read and change all",
            "set mqtt.tls.ca to the authority that signed the broker's certificate, and leave "
            "insecure out",
        )
    secrets = list(secret_files(type(configuration).model_fields))
    if tls is not None and tls.key is not None:
        secrets.append(Path(tls.key))
    if _holds_a_password(file):
        secrets.append(file)
    for path in secrets:
        if _others_read(path):
            yield Exposure(
                f"every user of this machine can read {path}, and what is secret in it",
                f"chmod o-rwx {path}",
            )


def _holds_a_password(file: Path) -> bool:
    with suppress(OSError, ValueError):
        return "password" in tomllib.loads(file.read_text(encoding="utf-8")).get("mqtt", {})
    return False


def _others_read(path: Path) -> bool:
    """True if neither the file nor a folder above it keeps others out."""
    with suppress(OSError):
        path = path.resolve()
        ways = (above.stat().st_mode & stat.S_IXOTH for above in path.parents)
        return bool(path.stat().st_mode & stat.S_IROTH) and all(ways)
    return False
