"""Faults of a configuration between its tables, and between the keys of one room.

Found in the text as it was written, so that it can be said together with what is wrong within them.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from ..mqtt.filters import matches
from ..text.nearest import did_you_mean
from .binding_faults import faults_of_bindings, own_topics
from .errors import Fault
from .journal import faults_of_journal
from .key_types import names
from .web_faults import faults_of_web

__all__ = ["faults_between"]


def faults_between(data: Mapping[str, Any]) -> list[Fault]:
    """References to nothing, half a login, and what two rooms must not share (R5)."""
    faults = []
    servers, rooms = data.get("servers"), data.get("rooms")
    servers = servers if isinstance(servers, Mapping) else {}
    rooms = rooms if isinstance(rooms, Mapping) else {}
    for table, entries in (("servers", servers), ("rooms", rooms)):
        if isinstance(data.get(table), Mapping) and not entries:
            faults.append(Fault((table,), f"needs at least one table [{table}.<name>]"))
    faults += _topics_of_others(data)
    faults += _servers_of_ours(data, servers)
    mqtt = data.get("mqtt")
    if isinstance(mqtt, Mapping) and mqtt.get("password") and mqtt.get("username") is None:
        reason = "is missing; a password is sent only together with a user name"
        faults.append(Fault(("mqtt", "username"), reason, cause=("mqtt", "password")))
    recorded: dict[tuple[str, str], str] = {}
    for name, room in rooms.items():
        if not isinstance(room, Mapping):
            continue
        server, session = room.get("server"), room.get("session")
        # Without any server there is one thing to say, not one for each room.
        if isinstance(server, str) and servers and server not in servers:
            hint = did_you_mean(server, servers, f"configured are: {', '.join(servers)}")
            reason = f"{server!r} is no server; {hint}"
            faults.append(Fault(("rooms", name, "server"), reason))
        faults += [Fault(("rooms", name, *path), reason) for path, reason in _what_it_records(room)]
        if isinstance(session, str) and isinstance(server, str):
            other = recorded.setdefault((server, session.lower()), name)
            if other != name:
                reason = f"room {other!r} records this session already; give each room its own"
                faults.append(Fault(("rooms", name, "session"), reason))
    return [
        *faults,
        *faults_of_journal(data),
        *faults_of_web(data),
        *faults_of_bindings(data),
    ]


def _servers_of_ours(data: Mapping[str, Any], servers: Mapping[str, Any]) -> Iterator[Fault]:
    bridge = data.get("bridge")
    ours = names(bridge.get("servers")) if isinstance(bridge, Mapping) else None
    for name in ours if isinstance(ours, list | tuple) else ():
        if isinstance(name, str) and name not in servers:
            hint = did_you_mean(name, servers, f"configured are: {', '.join(servers)}")
            yield Fault(("bridge", "servers"), f"{name!r} is no server; {hint}")


def _topics_of_others(data: Mapping[str, Any]) -> Iterator[Fault]:
    """What Home Assistant says must not be what we say, or are told."""
    table = data.get("homeassistant")
    status = table.get("status_topic") if isinstance(table, Mapping) else None
    if isinstance(status, str) and any(matches(own, status) for own in own_topics(data)):
        reason = f"{status!r} is a topic of the bridge itself; write Home Assistant's"
        yield Fault(("homeassistant", "status_topic"), reason)


def _what_it_records(room: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
    """A session that there is, or sources that each recording gets a session of."""
    session, sources = room.get("session"), room.get("sources")
    if session is None and sources is None:
        yield ("session",), "is missing; or write sources = [...] to have one made per recording"
    elif session is not None and sources is not None:
        yield ("sources",), "cannot stand beside session; keep one of the two"
    if session is not None and room.get("delete_session") is True:
        yield ("delete_session",), "is for rooms with sources; a session that is given is kept"
