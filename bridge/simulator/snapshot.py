"""The whole world as plain values for JSON, and the log of executed commands."""

from dataclasses import asdict, fields
from itertools import islice
from typing import Any

from .world import World

__all__ = ["log_since", "snapshot"]


def snapshot(world: World, log: int = 1000) -> dict[str, Any]:
    """Everything the world holds; of the log the newest `log` entries.

    Times are Unix time in seconds; a recording's `recorded` is seconds without pauses, and the
    keys of its `hotmarks` are such seconds as text.
    """
    now = world.now()
    recordings = []
    for recording in world.recordings.values():
        recording.settle(now)
        row = asdict(recording)
        for internal in ("running_since", "recorded_before", "before_stop"):
            del row[internal]
        row["hotmarks"] = {str(second): title for second, title in recording.hotmarks.items()}
        row["recorded"] = round(recording.recorded(now), 3)
        recordings.append(row)
    return {
        "now": now,
        "access": {"enabled": world.access.enabled, "allowed": list(world.access.listing())},
        "knobs": {each.name: getattr(world.knobs, each.name) for each in fields(world.knobs)},
        "faults": world.faults.listing(),
        "sessions": [asdict(each) for each in world.sessions.values()],
        "sources": [asdict(each) for each in world.sources.values()],
        "recordings": recordings,
        "streams": [asdict(each) for each in world.streams.values()],
        "users": [asdict(each) for each in world.users.values()],
        "groups": [asdict(each) for each in world.groups.values()],
        "permissions": [asdict(each) for each in world.permissions.values()],
        "categories": [asdict(each) for each in world.categories.values()],
        "executed": world.executed,
        "log": log_since(world, max(0, world.executed - log))["log"],
    }


def log_since(world: World, number: int) -> dict[str, Any]:
    """The kept entries from the `number`-th executed command on (counted from 0), and the next.

    Asked again with ``next`` it gives what came in between; entries that the log no longer keeps
    are left out, so ``first`` may be above `number`.
    """
    oldest = world.executed - len(world.log)
    first = min(max(number, oldest, 0), world.executed)
    entries = islice(world.log, first - oldest, None)
    return {
        "first": first,
        "next": world.executed,
        "log": [entry._asdict() for entry in entries],
    }
