"""Worlds as TOML: what an HMP holds when it starts. ``world.toml`` beside this file is the example.

Everything that is wrong with a file is reported at once, each with its table and key and with what
would be accepted.
"""

import random
import tomllib
from collections.abc import Callable, Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

from .access import plain_address
from .checks import is_uuid
from .faults import Fault, FaultError
from .knobs import KnobError
from .objects import (
    Category,
    Group,
    Permission,
    Recording,
    RecordingState,
    Session,
    Source,
    Stream,
    User,
)
from .world import World

__all__ = ["WorldFileError", "load_world", "parse_world"]


class WorldFileError(ValueError):
    """A world that cannot be loaded. `problems` has one sentence each, the message all of them."""

    def __init__(self, name: str, problems: list[str]) -> None:
        super().__init__("\n".join(f"{name}: {problem}" for problem in problems))
        self.problems = problems


class _Kind(NamedTuple):
    """A kind of value: what people call it, and whether a value is one."""

    name: str
    accepts: Callable[[Any], bool]


def _is_address(value: Any) -> bool:
    try:
        return isinstance(value, str) and plain_address(value) is not None and value != "*"
    except ValueError:
        return False


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0


_ID = _Kind("a UUID", lambda value: isinstance(value, str) and is_uuid(value))
_IDS = _Kind(
    "a list of UUIDs", lambda value: isinstance(value, list) and all(map(_ID.accepts, value))
)
_TEXT = _Kind("text", lambda value: isinstance(value, str))
_NAME = _Kind("a name", lambda value: isinstance(value, str) and bool(value))
_NAMES = _Kind(
    "a list of names", lambda value: isinstance(value, list) and all(map(_NAME.accepts, value))
)
_FLAG = _Kind("true or false", lambda value: isinstance(value, bool))
_SECONDS = _Kind("a number of seconds", _is_number)
_ADDRESS = _Kind("an IP address", _is_address)
_PORT = _Kind("a port (0 to 65535)", lambda value: type(value) is int and 0 <= value <= 65535)
_STATE = _Kind(" or ".join(RecordingState), lambda value: value in list(RecordingState))

# Per table: the keys that must be there, and those that may.
_TABLES: Mapping[str, tuple[Mapping[str, _Kind], Mapping[str, _Kind]]] = {
    "sources": (
        {"id": _ID},
        {"title": _TEXT, "address": _ADDRESS, "port": _PORT, "broken": _FLAG},
    ),
    "sessions": (
        {"id": _ID, "title": _NAME},
        {
            "description": _TEXT,
            "createdby": _TEXT,
            "live": _FLAG,
            "sources": _IDS,
            "broken": _FLAG,
        },
    ),
    "groups": ({"name": _NAME}, {"roles": _NAMES, "broken": _FLAG}),
    "users": ({"name": _NAME}, {"roles": _NAMES, "groups": _NAMES, "broken": _FLAG}),
    "permissions": ({"id": _ID}, {"name": _TEXT, "grantable": _FLAG}),
    "categories": ({"id": _ID}, {"name": _TEXT}),
    "recordings": (
        {"id": _ID, "session": _ID},
        {
            "title": _TEXT,
            "state": _STATE,
            "recorded": _SECONDS,
            "broken": _FLAG,
            "no_results": _FLAG,
        },
    ),
    "streams": (
        {"id": _ID, "recording": _ID, "address": _ADDRESS, "port": _PORT},
        {"broken": _FLAG},
    ),
}


def load_world(
    path: Path | None,
    *,
    now: Callable[[], float],
    ids: random.Random,
) -> World:
    """The world of a file, or the example. Raises `WorldFileError`; a missing file is one too."""
    if path is None:
        example = resources.files(__package__).joinpath("world.toml").read_text(encoding="utf-8")
        return parse_world(example, "world.toml", now=now, ids=ids)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise WorldFileError(str(path), [f"cannot be read: {error}"]) from error
    return parse_world(text, str(path), now=now, ids=ids)


def parse_world(
    text: str,
    name: str,
    *,
    now: Callable[[], float],
    ids: random.Random,
) -> World:
    """The world that the text describes; `name` is what its errors call it."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise WorldFileError(name, [f"is not TOML: {error}"]) from error
    world = World(now=now, ids=ids)
    problems = list(_check_tables(tables))
    problems += _set_up(world, tables)
    if not problems:
        problems += _fill(world, tables)
    if problems:
        raise WorldFileError(name, problems)
    return world


def _check_tables(tables: Mapping[str, Any]) -> Iterator[str]:
    accepted = [*_TABLES, "access", "knobs", "faults"]
    for table, rows in tables.items():
        if table not in accepted:
            yield f"unknown table {table}; tables are {', '.join(accepted)}"
        elif table in _TABLES:
            if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
                yield f"{table} must be written as [[{table}]]"
                continue
            for number, row in enumerate(rows, 1):
                yield from _check_row(f"[[{table}]] number {number}", row, *_TABLES[table])


def _check_row(
    place: str, row: Mapping[str, Any], needed: Mapping[str, _Kind], optional: Mapping[str, _Kind]
) -> Iterator[str]:
    keys = {**needed, **optional}
    for key in needed:
        if key not in row:
            yield f"{place}: {key} is missing ({needed[key].name})"
    for key, value in row.items():
        if key not in keys:
            yield f"{place}: unknown key {key}; keys are {', '.join(keys)}"
        elif not keys[key].accepts(value):
            yield f"{place}: {key} must be {keys[key].name}, not {value!r}"


def _set_up(world: World, tables: Mapping[str, Any]) -> Iterator[str]:
    """Access, knobs and faults."""
    for name in ("access", "knobs"):
        if not isinstance(tables.get(name, {}), dict):
            yield f"{name} must be a table, written as [{name}]"
            return
    access = tables.get("access", {})
    kinds = {"enabled": _FLAG, "allowed": _NAMES}
    wrong = list(_check_row("[access]", access, {}, kinds))
    yield from wrong
    if not wrong:
        world.access.enabled = access.get("enabled", True)
        try:
            world.access.allowed = {plain_address(each) for each in access.get("allowed", ["*"])}
        except ValueError as error:
            yield f'[access]: allowed must hold IP addresses or "*": {error}'
    for name, value in tables.get("knobs", {}).items():
        try:
            world.knobs = world.knobs.with_value(name, value)
        except KnobError as error:
            yield f"[knobs]: {error}"
    faults = tables.get("faults", [])
    if not _NAMES.accepts(faults):
        yield "faults must be a list of faults as text"
        return
    for text in faults:
        try:
            world.faults.add(Fault.from_text(text))
        except FaultError as error:
            yield f"faults: {error}"


def _fill(world: World, tables: Mapping[str, Any]) -> Iterator[str]:
    """Put the checked rows into the world, and check what they say of each other."""
    shelves: tuple[tuple[str, dict[str, Any], Callable[..., Any]], ...] = (
        ("sources", world.sources, Source),
        ("sessions", world.sessions, Session),
        ("groups", world.groups, Group),
        ("users", world.users, User),
        ("permissions", world.permissions, Permission),
        ("categories", world.categories, Category),
        ("recordings", world.recordings, lambda **row: _recording(world, **row)),
        ("streams", world.streams, Stream),
    )
    for table, shelf, make in shelves:
        for number, row in enumerate(tables.get(table, []), 1):
            place = f"[[{table}]] number {number}"
            name = row.get("id", row.get("name")).lower()
            if name in shelf:
                yield f"{place}: {name} is there twice"
            unknown = list(_unknown_references(world, place, row))
            yield from unknown
            if not unknown:
                shelf[name] = make(**{key: _plain(key, value) for key, value in row.items()})


def _plain(key: str, value: Any) -> Any:
    """Ids in lower case, addresses in their one spelling; everything else as it was written."""
    if key in ("id", "session", "recording"):
        return value.lower()
    if key == "sources":
        return [each.lower() for each in value]
    return plain_address(value) if key == "address" else value


def _unknown_references(world: World, place: str, row: Mapping[str, Any]) -> Iterator[str]:
    references: tuple[tuple[str, Mapping[str, Any], str], ...] = (
        ("sources", world.sources, "[[sources]]"),
        ("groups", world.groups, "[[groups]]"),
        ("session", world.sessions, "[[sessions]]"),
        ("recording", world.recordings, "[[recordings]]"),
    )
    for key, shelf, table in references:
        names = row.get(key, [])
        for name in names if isinstance(names, list) else [names]:
            if name.lower() not in shelf:
                yield f"{place}: {key}: {name} is not in {table}"


def _recording(
    world: World, *, session: str, state: str = "FINISHED", recorded: float = 0.0, **row: Any
) -> Recording:
    now = world.now()
    of = world.sessions[session]
    recording = Recording(
        session=session,
        title=row.pop("title", of.title),
        started_at=now - recorded,
        sources=tuple(of.sources),
        running_since=now - recorded,
        **row,
    )
    if state == RecordingState.PAUSED:
        recording.pause(now)
    elif state == RecordingState.FINISHED:
        recording.stop(now)
    elif state == RecordingState.ERROR:
        recording.fail(now)
    if recording.active:
        of.recordings.append(recording.id)
    return recording
