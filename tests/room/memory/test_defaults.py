"""Defaults of what is journalled: a field that has its own is not written, so none may change."""

from collections.abc import Iterator
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, get_args, get_type_hints

from bridge.room.facts.created import NO_SESSIONS, Phase
from bridge.room.facts.detail import Fate
from bridge.room.facts.vocabulary import Stop
from bridge.room.memory.durable import Remembered

DEFAULTS: dict[str, dict[str, Any]] = {
    "Remembered": {
        "recording": None,
        "lost_start": None,
        "last_recording_id": None,
        "revision": 0,
        "not_ready_since": None,
        "pending": (),
        "deferred": (),
        "marks": (),
        "alarms": frozenset(),
        "problem": None,
        "adopting": None,
        "next_owner": "manual",
        "next_title": None,
        "next_counts_from": None,
        "intended_at": None,
        "restarted": False,
        "spare_suspected": False,
        "spare_until": None,
        "start_not_before": 0.0,
        "interrupted_at": None,
        "server_proves": False,
        "sessions": NO_SESSIONS,
        "restream": None,
        "meetings": (),
        "details": None,
        "unfinished": (),
        "texts": (),
        "live": None,
        "sent": None,
        "results": (),
    },
    "Recording": {
        "owner": "manual",
        "verified_at": None,
        "active_at": None,
        "recorded": 0.0,
        "running_since": None,
        "unsettled": False,
        "asked": False,
        "stop": Stop.NO,
        "not_before": 0.0,
        "missing_since": None,
        "remembered": False,
        "missing": False,
        "stop_answered_at": None,
        "not_found": 0,
        "witness_due": False,
        "held": False,
        "lost": False,
        "refused": None,
        "stop_taken": False,
        "failures": 0,
        "title": None,
        "began": None,
        "counts_from": None,
        "dated": True,
        "extended": 0.0,
        "paused_since": None,
        "pause_over": False,
        "marked_at": None,
        "cut_until": None,
        "stop_sent_at": None,
    },
    "Problem": {},
    "LostStart": {
        "ask_at": 0.0,
        "gone": 0,
        "inconclusive": False,
        "owner": "manual",
        "title": None,
    },
    "Pending": {
        "about": "",
    },
    "Request": {
        "title": None,
        "recording_id": None,
        "ip": None,
        "port": None,
        "seconds": None,
        "text": None,
        "meeting": None,
        "doubt": None,
        "ttl": None,
        "reply": None,
    },
    "Meeting": {
        "id": "",
        "start": None,
        "end": None,
        "title": None,
        "organizer": None,
        "length": None,
        "fields": (),
        "began": 0.0,
        "ended_at": None,
        "dismissed": False,
        "due": False,
        "retry_at": 0.0,
        "extended": 0.0,
        "until": None,
        "all_day": False,
    },
    "Reply": {
        "correlation": None,
    },
    "Mark": {
        "moved": False,
    },
    "Sessions": {
        "title": None,
        "titled": ("", 0),
        "made": None,
        "orphan": None,
        "unwanted": (),
        "remove_at": 0.0,
    },
    "MadeSession": {
        "sources": (),
        "used": False,
    },
    "UnwantedSession": {
        "refusals": 0,
    },
    "Restream": {
        "phase": Phase.WAITING,
        "wanted": True,
        "recording": None,
        "id": None,
        "doubt": False,
        "then": None,
    },
    "Details": {
        "items": (),
        "until": None,
    },
    "Detail": {
        "subject": "",
        "fate": Fate.WAITING,
        "problem": None,
        "attempts": 0,
        "not_before": 0.0,
    },
    "Result": {
        "problem": None,
        "took": 0.0,
        "recording_id": None,
        "reply": None,
    },
}

ADVICE = """A journal of before leaves out the fields that had their defaults then.

A field that is added comes into `DEFAULTS` with its own; one that is there keeps what it has: what
should begin as something else is another field."""


def journalled(hint: Any) -> Iterator[type]:
    """The classes that a document is made of."""
    if isinstance(hint, type) and is_dataclass(hint):
        yield hint
        for each in get_type_hints(hint).values():
            yield from journalled(each)
    for part in get_args(hint):
        yield from journalled(part)


def test_no_default_changes() -> None:
    found = {
        kind.__name__: {
            field.name: field.default for field in fields(kind) if field.default is not MISSING
        }
        for kind in journalled(Remembered)
    }
    assert found == DEFAULTS, ADVICE
