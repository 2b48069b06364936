"""Doors that a configuration leaves open: worth a warning, and no reason not to start (R19)."""

import stat
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from .configuration import Configuration
from .sources import secret_files
from .web_faults import is_this_box, may_hold_secrets, written_secrets

__all__ = ["Exposure", "exposures"]

_APART = (
    "keep it in a file of its own, named after its key, in the folder that CREDENTIALS_DIRECTORY "
    "names (LoadCredential= of the unit): a service that is a user of its own must read the rest"
)


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
    web = configuration.web
    if web.listen is not None and web.cert is None and not is_this_box(web.listen[0]):
        yield Exposure(
            "web.listen is open without TLS: whoever is in between reads secrets and presses",
            "set web.cert and web.key, or have a proxy speak TLS and listen on 127.0.0.1",
        )
    keys = [] if web.cert is None else [Path(web.key or web.cert)]
    keys += [
        Path(table.key)
        for table in (tls, configuration.bridge.journal)
        if table is not None and table.key is not None
    ]
    secrets = secret_files(type(configuration).model_fields)
    ways = [(path, f"chmod o-rwx {path}") for path in secrets]
    ways += [(path, f"chmod o-rwx {path}, and give it a group of the service") for path in keys]
    if _others_read(file) and _holds_a_secret(file):
        ways.append((file, _APART))
    for path, what_to_do in ways:
        if _others_read(path):
            yield Exposure(
                f"every user of this machine can read {path}, and what is secret in it", what_to_do
            )


def _holds_a_secret(file: Path) -> bool:
    with suppress(OSError, ValueError):
        text = file.read_text(encoding="utf-8")
        # Most have none, and to read a thousand rooms once more takes long.
        return may_hold_secrets(text) and any(written_secrets(tomllib.loads(text)))
    return False


def _others_read(path: Path) -> bool:
    """True if neither the file nor a folder above it keeps others out."""
    with suppress(OSError):
        path = path.resolve()
        ways = (above.stat().st_mode & stat.S_IXOTH for above in path.parents)
        return bool(path.stat().st_mode & stat.S_IROTH) and all(ways)
    return False
