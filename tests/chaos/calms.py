"""Calms at which all is as promised, made by hand: what the judge's tests break in one place."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from .observation import Asked, Observation, Room, Told, WorldRecording

__all__ = [
    "ENDED",
    "IDLE",
    "OTHER",
    "SESSION",
    "SHOWN",
    "SPARE",
    "calm",
    "document",
    "stopped",
    "told",
    "topics",
    "words",
    "world",
]

SHOWN = "0d9a2a54-6f0c-4ac3-9d0c-000000000001"
ENDED = "0d9a2a54-6f0c-4ac3-9d0c-000000000002"
SPARE = "0d9a2a54-6f0c-4ac3-9d0c-000000000003"
SESSION = "5e551017-0000-4000-8000-000000000001"
OTHER = "5e551017-0000-4000-8000-000000000002"


def topics(alarms: list[str] | None = None, **changes: Any) -> dict[str, str]:
    """The retained topics of the recording room `one`, with these values changed everywhere."""
    values: dict[str, Any] = {
        "availability": "online",
        "state": "recording",
        "recording": True,
        "paused": False,
        "tally": "red",
        "recording_id": SHOWN,
        "last_recording_id": ENDED,
        "session_id": SESSION,
        "title": None,
        "alarm": alarms[0] if alarms else None,
        "started_at": "2026-03-04T09:00:00Z",
    } | changes
    scalars = {
        f"room/one/{leaf}": "none"
        if value is None
        else json.dumps(value)
        if isinstance(value, bool)
        else str(value)
        for leaf, value in values.items()
    }
    status = json.dumps(values | {"alarms": alarms or []})
    return scalars | {
        "room/one/status": status,
        "bridge/state": "online",
        "server/main/state": "ready",
    }


def words(a: str, b: str, store_of_b: str = "reachable") -> dict[str, str]:
    """What two boxes say of themselves."""
    told = {"a": {"state": a, "store": "reachable"}, "b": {"state": b, "store": store_of_b}}
    return {f"bridge/standby/{box}": json.dumps(word) for box, word in told.items()}


def document(recording: str | None = SHOWN, last: str | None = ENDED) -> dict[str, Any]:
    """What the journal holds of a room."""
    return {
        "recording": None if recording is None else {"id": recording},
        "last_recording_id": last,
    }


IDLE = topics(
    state="idle", recording=False, recording_id=None, started_at=None, last_recording_id=SHOWN
)


def world(**states: str) -> list[WorldRecording]:
    """HMP's recordings: `shown` and `ended` unless told otherwise."""
    found = {"ended": "FINISHED", "shown": "RECORDING"} | states
    made = {"ended": (ENDED, 100.0), "shown": (SHOWN, 200.0), "spare": (SPARE, 150.0)}
    return [WorldRecording(made[n][0], SESSION, s, made[n][1]) for n, s in found.items()]


def calm(**changes: Any) -> Observation:
    """A room that records, after one recording that was stopped; all is well."""
    seen = Observation(
        rooms=[Room("one", "main", SESSION)],
        recordings=world(),
        retained=topics(),
        journal={"one": document()},
        journalled={"one": [ENDED, SHOWN]},
        published={"one": [ENDED, SHOWN]},
        sessions={ENDED: SESSION, SHOWN: SESSION},
        asked=[
            Asked("a", "one", "record", 99.0),
            Asked("b", "one", "stop", 150.0),
            Asked("c", "one", "record", 199.0),
        ],
        told={
            "a": [Told("a", "ok", "recording")],
            "b": [Told("b", "ok", "idle")],
            "c": [Told("c", "ok", "recording")],
        },
        starts={SESSION: 2},
        memory=50_000,
    )
    return replace(seen, **changes)


def stopped(**changes: Any) -> Observation:
    """The same room after its last word was a stop; all is well."""
    base = calm()
    seen = replace(
        base,
        recordings=world(shown="FINISHED"),
        retained=IDLE,
        journal={"one": document(None, SHOWN)},
        asked=[*base.asked, Asked("d", "one", "stop", 250.0)],
        told={**base.told, "d": [Told("d", "ok", "idle")]},
    )
    return replace(seen, **changes)


def told(seen: Observation, **results: list[Told]) -> Mapping[str, list[Told]]:
    """The results of `seen` with some of them replaced."""
    return {**seen.told, **results}  # type: ignore[dict-item]  # the tests' own are lists
