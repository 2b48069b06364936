"""Files that the configuration names: whether they are there, readable, and what they should be.

Looked into by ``hmp-bridge check`` only: the daemon tries again until a certificate is there, and
who sends a command to HMP need not be able to read the broker's key.
"""

import os
import ssl
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..text.paths import whole_path
from .errors import Fault

__all__ = ["faults_in_files"]


def faults_in_files(data: Mapping[str, Any]) -> Iterator[Fault]:
    """Faults of the PEM files of `[mqtt.tls]`, `[bridge.journal]` and `[web]`, as written."""
    for path in (("mqtt", "tls"), ("bridge", "journal"), ("web",)):
        table: object = data
        for name in path:
            table = table.get(name) if isinstance(table, Mapping) else None
        yield from _faults_of(table, *path)


def _faults_of(tls: object, *path: str) -> Iterator[Fault]:
    if not isinstance(tls, Mapping):
        return
    paths = {}
    for key in ("ca", "cert", "key"):
        if isinstance(value := tls.get(key), str):
            with suppress(ValueError):  # that there is no home folder is said by the key itself
                paths[key] = Path(whole_path(value))
    faults = {key: fault for key, path in paths.items() if (fault := _unreadable(path))}
    if "key" in paths and tls.get("cert") is None:
        faults["cert"] = "is missing; a key is used only together with its certificate"
    if "ca" in paths and "ca" not in faults and not _loads_authority(paths["ca"]):
        faults["ca"] = f"{paths['ca']} holds no certificate in PEM (-----BEGIN CERTIFICATE-----)"
    if "cert" in paths and not faults.keys() & {"cert", "key"}:
        faults |= _wrong_pair(paths["cert"], paths.get("key"))
    yield from (Fault((*path, key), reason) for key, reason in faults.items())


def _unreadable(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            file.read(1)
    except FileNotFoundError:
        return f"there is no file {path}"
    except OSError as error:
        fault = f"{path} cannot be read: {error.strerror}"
        return f"{fault}; let user {os.geteuid()} read it and its folder"
    return None


def _loads_authority(path: Path) -> bool:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(path)
    except ssl.SSLError:
        return False
    return True


def _wrong_pair(cert: Path, key: Path | None) -> dict[str, str]:
    """By key of the table, why OpenSSL does not take this certificate and private key."""
    asked = False

    def password() -> str:
        nonlocal asked
        asked = True
        return ""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    holder, holds_key = ("cert", cert) if key is None else ("key", key)
    try:
        context.load_cert_chain(cert, key, password)
    except (ssl.SSLError, ValueError) as error:
        if asked:
            return {holder: f"{holds_key} is encrypted; store it without a passphrase"}
        if getattr(error, "reason", None) == "KEY_VALUES_MISMATCH":
            return {"key": f"{holds_key} does not belong to the certificate {cert}"}
        if not _loads_authority(cert):
            return {"cert": f"{cert} holds no certificate in PEM (-----BEGIN CERTIFICATE-----)"}
        return {holder: f"{holds_key} holds no private key in PEM (-----BEGIN PRIVATE KEY-----)"}
    return {}
