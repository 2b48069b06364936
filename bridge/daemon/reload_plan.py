"""The plan of a reload, decided before anything is done; pure. `reload` makes and applies it.

What is added, changed and removed is told by comparing tables. What cannot be done without losing
sight of a recording is refused, all of it at once; what only a restart can do is named, and
`Plan.in_force` goes on with what was.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from ..bindings.binding import Binding
from ..config.bindings import make_bindings
from ..config.configuration import Configuration
from ..config.server import ServerTable

__all__ = ["Difference", "Plan", "plan_reload"]

T = TypeVar("T")

_TIED_TO_THE_START = {
    "bridge": ("state_dir", "servers", "journal", "box", "clock"),
    "metrics": ("listen",),
    "web": ("listen", "cert", "key"),
}
"""Keys that are read at the start only; of `mqtt` all are."""

_STOP_OR_FORCE = (
    'stop it first, or reload by {"force": true} on bridge/request/reload: what it records then '
    "runs on at HMP"
)


@dataclass(frozen=True, slots=True)
class Difference:
    """Names of what is there now only, in both and different, and was there before only."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    def as_lists(self, *kinds: str) -> dict[str, list[str]]:
        """The names by kind, for JSON."""
        return {kind: list(getattr(self, kind)) for kind in kinds}


@dataclass(frozen=True, slots=True)
class Plan:
    """All that is to be done. With `refused`, which says why and what to do, nothing is."""

    in_force: Configuration
    rooms: Difference
    servers: Difference
    bindings: Difference
    #: Keys of single settings that take effect at once.
    settings: tuple[str, ...] = ()
    #: Keys that take effect at the next start, with what else would do where there is something.
    needs_restart: tuple[str, ...] = ()
    #: Changed rooms that begin anew, for what they are on HMP is another thing now.
    replaced: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()

    @property
    def report(self) -> dict[str, object]:
        """The changes, as JSON says it to whoever asked."""
        return {
            "rooms": self.rooms.as_lists("added", "changed", "removed"),
            "servers": self.servers.as_lists("added", "changed", "removed"),
            "bindings": self.bindings.as_lists("added", "removed"),
            "settings": list(self.settings),
            "needs_restart": list(self.needs_restart),
        }

    @property
    def changes(self) -> dict[str, str]:
        """The changes, as a line of the log says it: only what there is."""
        parts = {"rooms": self.rooms, "servers": self.servers, "bindings": self.bindings}
        said = {
            f"{part}_{kind}": ", ".join(names)
            for part, difference in parts.items()
            for kind, names in difference.as_lists("added", "changed", "removed").items()
            if names
        }
        return said | ({"settings": ", ".join(self.settings)} if self.settings else {})


def plan_reload(
    before: Configuration,
    after: Configuration,
    in_use: Mapping[str, str],
    *,
    force: bool = False,
) -> Plan:
    """The way from the configuration in force to another one.

    `in_use` says of rooms what they are doing that must not be left behind. `force` leaves it
    behind all the same.
    """
    rooms = _difference(before.rooms, after.rooms)
    refused = list(_refusals(before, after, rooms, in_use)) if not force else []
    replaced = [
        name
        for name in rooms.changed
        if before.rooms[name].server != after.rooms[name].server
        or (name in in_use and _records_otherwise(before, after, name))
    ]
    servers, kept_addresses = _servers_in_force(before, after, {} if force else in_use)
    bridge, web = (
        getattr(after, table).model_copy(
            update={key: getattr(getattr(before, table), key) for key in _TIED_TO_THE_START[table]}
        )
        for table in ("bridge", "web")
    )
    in_force = after.model_copy(
        update={
            "mqtt": before.mqtt,
            "metrics": before.metrics,
            "bridge": bridge,
            "web": web,
            "servers": servers,
        }
    )
    return Plan(
        in_force,
        rooms,
        _difference(before.servers, servers),
        _bindings_difference(make_bindings(before.bindings), make_bindings(after.bindings)),
        settings=tuple(
            f"{table}.{key}"
            for table in ("bridge", "homeassistant", "web")
            for key in _changed_keys(getattr(before, table), getattr(in_force, table))
        ),
        needs_restart=(*_tied_to_the_start(before, after), *sorted(kept_addresses)),
        replaced=tuple(replaced),
        refused=tuple(refused),
    )


def _servers_in_force(
    before: Configuration, after: Configuration, in_use: Mapping[str, str]
) -> tuple[dict[str, ServerTable], list[str]]:
    """The servers, at their old address as long as a room of theirs is in use, and which keys wait.

    A link that connects anew loses sight of what the room records for a while.
    """
    servers, waiting = dict(after.servers), []
    for name in before.servers.keys() & after.servers.keys():
        old, new = before.servers[name], after.servers[name]
        moved = [key for key in ("host", "port") if getattr(old, key) != getattr(new, key)]
        busy = sorted(room for room in in_use if before.rooms[room].server == name)
        if moved and busy:
            servers[name] = new.model_copy(update={"host": old.host, "port": old.port})
            hint = f"or a reload once {_listed(busy)} no longer records, or with force"
            waiting += [f"servers.{name}.{key} ({hint})" for key in moved]
    return servers, waiting


def _refusals(
    before: Configuration, after: Configuration, rooms: Difference, in_use: Mapping[str, str]
) -> Iterator[str]:
    for name, doing in in_use.items():
        if name in rooms.removed:
            yield (f"[rooms.{name}] is removed, but the room {doing}; {_STOP_OR_FORCE}")
        elif name in rooms.changed and (keys := _records_otherwise(before, after, name)):
            yield (
                f"[rooms.{name}] {_listed(keys)}: cannot change while the room {doing}; "
                f"{_STOP_OR_FORCE}"
            )


def _records_otherwise(before: Configuration, after: Configuration, room: str) -> list[str]:
    """The keys of the room that say what it records and that are different."""
    keys = _changed_keys(before.rooms[room], after.rooms[room])
    return [key for key in keys if key in ("server", "session", "sources")]


def _tied_to_the_start(before: Configuration, after: Configuration) -> list[str]:
    found = [f"mqtt.{key}" for key in _changed_keys(before.mqtt, after.mqtt)]
    for table, keys in _TIED_TO_THE_START.items():
        changed = _changed_keys(getattr(before, table), getattr(after, table))
        found += [f"{table}.{key}" for key in changed if key in keys]
    return found


def _changed_keys(before: Any, after: Any) -> list[str]:
    return [key for key, value in before if getattr(after, key) != value]


def _difference(before: Mapping[str, T], after: Mapping[str, T]) -> Difference:
    return Difference(
        added=tuple(name for name in after if name not in before),
        changed=tuple(name for name in after if name in before and after[name] != before[name]),
        removed=tuple(name for name in before if name not in after),
    )


def _bindings_difference(before: Iterable[Binding], after: Iterable[Binding]) -> Difference:
    """By what they say: the place in the file makes no difference."""
    return Difference(added=_without(after, before), removed=_without(before, after))


def _without(bindings: Iterable[Binding], others: Iterable[Binding]) -> tuple[str, ...]:
    left = Counter(other.key for other in others)
    found = []
    for binding in bindings:
        left[binding.key] -= 1
        if left[binding.key] < 0:
            found.append(binding.label)
    return tuple(found)


def _listed(words: Iterable[str]) -> str:
    return " and ".join(words)
