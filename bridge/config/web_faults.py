"""Faults of `[web]` beside other tables, and the secrets that a configuration has, as written."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import SecretStr

from .errors import Fault

__all__ = ["faults_of_web", "is_this_box", "may_hold_secrets", "written_secrets"]

_TABLES = ("mqtt", "web")

_KEYS = ("password", "operate_secret", "look_secret")
"""Keys of all tables that hold a secret."""


def written_secrets(data: Any) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every secret with where it stands, whatever else is wrong."""
    if not isinstance(data, Mapping):
        return
    rooms, bridge = data.get("rooms"), data.get("bridge")
    tables: list[tuple[tuple[str, ...], Any]] = [((name,), data.get(name)) for name in _TABLES]
    if isinstance(rooms, Mapping):
        tables += [(("rooms", name), room) for name, room in rooms.items()]
    if isinstance(bridge, Mapping):
        tables.append((("bridge", "journal"), bridge.get("journal")))
    for path, table in tables:
        for key in _KEYS:
            secret = table.get(key) if isinstance(table, Mapping) else None
            secret = secret.get_secret_value() if isinstance(secret, SecretStr) else secret
            if isinstance(secret, str):
                yield (*path, key), secret


def may_hold_secrets(text: str) -> bool:
    """False where no key of `written_secrets` is in a file of this text; a key may be escaped."""
    return "\\" in text or any(key in text for key in _KEYS)


def faults_of_web(data: Mapping[str, Any]) -> Iterator[Fault]:
    """A page that everybody in the network could operate, and half a certificate."""
    web = data.get("web")
    if not isinstance(web, Mapping):
        return
    listen = web.get("listen")
    secrets = any(path[-1] != "password" and secret for path, secret in written_secrets(data))
    if isinstance(listen, str) and not secrets and not is_this_box(listen.rpartition(":")[0]):
        yield Fault(
            ("web", "listen"),
            "opens the rooms to everybody who reaches this box; set web.operate_secret, or "
            "operate_secret of rooms, or listen on 127.0.0.1",
        )
    if web.get("key") is not None and web.get("cert") is None:
        reason = "is missing; a key is used only together with its certificate"
        yield Fault(("web", "cert"), reason, cause=("web", "key"))


def is_this_box(host: str) -> bool:
    """True where only this box itself reaches an address to listen on."""
    host = host.strip("[]").lower()
    return host in ("localhost", "::1") or host.startswith("127.")
