"""Every check can fail: each gets an observation with one thing wrong, made by hand.

`calm()` is a calm at which all is as promised; every test breaks it in one place, and the judge
must name it.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from .judge import MOST_MEMORY, NAMES, judge
from .observation import Asked, Observation, Room, Told, WorldRecording

_SHOWN = "0d9a2a54-6f0c-4ac3-9d0c-000000000001"
_ENDED = "0d9a2a54-6f0c-4ac3-9d0c-000000000002"
_SPARE = "0d9a2a54-6f0c-4ac3-9d0c-000000000003"
_SESSION = "5e551017-0000-4000-8000-000000000001"
_OTHER = "5e551017-0000-4000-8000-000000000002"


def topics(alarms: list[str] | None = None, **changes: Any) -> dict[str, str]:
    """The retained topics of the recording room `one`, with these values changed everywhere."""
    values: dict[str, Any] = {
        "availability": "online",
        "state": "recording",
        "recording": True,
        "paused": False,
        "tally": "red",
        "recording_id": _SHOWN,
        "last_recording_id": _ENDED,
        "session_id": _SESSION,
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


def document(recording: str | None = _SHOWN, last: str | None = _ENDED) -> dict[str, Any]:
    """What the journal holds of a room."""
    return {
        "recording": None if recording is None else {"id": recording},
        "last_recording_id": last,
    }


IDLE = topics(
    state="idle", recording=False, recording_id=None, started_at=None, last_recording_id=_SHOWN
)


def world(**states: str) -> list[WorldRecording]:
    """HMP's recordings: `shown` and `ended` unless told otherwise."""
    found = {"ended": "FINISHED", "shown": "RECORDING"} | states
    made = {"ended": (_ENDED, 100.0), "shown": (_SHOWN, 200.0), "spare": (_SPARE, 150.0)}
    return [WorldRecording(made[n][0], _SESSION, s, made[n][1]) for n, s in found.items()]


def calm(**changes: Any) -> Observation:
    """A room that records, after one recording that was stopped; all is well."""
    seen = Observation(
        rooms=[Room("one", "main", _SESSION)],
        recordings=world(),
        retained=topics(),
        journal={"one": document()},
        journalled={"one": [_ENDED, _SHOWN]},
        published={"one": [_ENDED, _SHOWN]},
        sessions={_ENDED: _SESSION, _SHOWN: _SESSION},
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
        starts={_SESSION: 2},
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
        journal={"one": document(None, _SHOWN)},
        asked=[*base.asked, Asked("d", "one", "stop", 250.0)],
        told={**base.told, "d": [Told("d", "ok", "idle")]},
    )
    return replace(seen, **changes)


def told(seen: Observation, **results: list[Told]) -> Mapping[str, list[Told]]:
    """The results of `seen` with some of them replaced."""
    return {**seen.told, **results}  # type: ignore[dict-item]  # the tests' own are lists


def names(seen: Observation) -> set[str]:
    """The names of what the judge finds."""
    return {violation.name for violation in judge(seen)}


def test_nothing_is_wrong_with_a_calm() -> None:
    assert judge(calm()) == []
    assert judge(stopped()) == []


UNKNOWN = topics(["outcome_unknown"], recording_id=None)

WRONG: list[tuple[str, Observation]] = [
    ("forgotten_recording", calm(recordings=world(ended="RECORDING"), starts={_SESSION: 2})),
    ("forgotten_recording", calm(recordings=world(ended="PAUSED"), published={"one": [_SHOWN]})),
    ("unreported_spare", calm(recordings=world(spare="RECORDING"))),
    (
        "unreported_spare",  # told once, and an HMP that can prove it is still recording
        calm(recordings=world(spare="RECORDING"), reported={"one": 500.0}),
    ),
    (
        "unreported_spare",  # told of an earlier one only
        calm(
            rooms=[Room("one", "main", _SESSION, proves=False)],
            recordings=world(spare="RECORDING"),
            reported={"one": 149.0},
        ),
    ),
    ("wrong_room", calm(sessions={_ENDED: _OTHER, _SHOWN: _SESSION})),
    ("stop_not_done", calm(told=told(calm()), recordings=world(ended="RECORDING"))),
    (
        "stop_refused",
        stopped(told=told(stopped(), d=[Told("d", "failed", "idle", "not_recording")])),
    ),
    ("stop_refused", stopped(told=told(stopped(), d=[Told("d", "expired", "idle", "expired")]))),
    ("stop_refused", stopped(told=told(stopped(), d=[Told("d", "unknown", "idle", "")]))),
    ("started_too_often", calm(starts={_SESSION: 3})),
    ("started_too_often", calm(told=told(calm(), c=[Told("c", "ignored", "recording")]))),
    ("started_too_often", calm(told=told(calm(), c=[Told("c", "failed", "idle", "070027")]))),
    ("wrong_state", calm(recordings=world(shown="PAUSED"))),
    ("wrong_state", calm(recordings=world(shown="FINISHED"))),
    ("wrong_state", calm(recordings=world(shown="ERROR"))),
    ("wrong_state", calm(recordings=world(shown="forgotten"))),
    ("wrong_state", calm(retained=topics(state="stopping"))),
    ("wrong_state", calm(retained=topics(state="paused", paused=True, tally="amber"))),
    (
        "wrong_state",  # unknown, and nobody is told
        calm(retained=topics(state="unknown"), recordings=world(shown="forgotten")),
    ),
    (
        "wrong_state",  # a recording without an id, and nobody is told
        calm(retained=topics(recording_id=None, last_recording_id=_SHOWN)),
    ),
    (
        "wrong_state",  # a recording without an id, and HMP records nothing
        stopped(retained=UNKNOWN | {"room/one/last_recording_id": _SHOWN}),
    ),
    ("wrong_state", stopped(retained=IDLE | {"room/one/state": "starting"})),
    ("wrong_last", calm(retained=topics(last_recording_id=None))),
    ("wrong_last", calm(retained=topics(last_recording_id=_SHOWN))),
    ("wrong_last", stopped(retained=IDLE | {"room/one/last_recording_id": _ENDED})),
    ("json_disagrees", calm(retained=topics() | {"room/one/tally": "off"})),
    ("json_disagrees", calm(retained=topics() | {"room/one/title": "Lecture"})),
    ("json_disagrees", calm(retained=topics() | {"room/one/status": "not JSON"})),
    ("not_online", calm(retained=topics(availability="offline"))),
    ("not_online", calm(retained=topics() | {"bridge/state": "offline"})),
    ("not_online", calm(retained=topics() | {"server/main/state": "down"})),
    ("topic_missing", calm(retained={k: v for k, v in topics().items() if "paused" not in k})),
    ("no_result", calm(told=told(calm(), b=[]))),
    (
        "results_differ",
        calm(told=told(calm(), b=[Told("b", "ok", "idle"), Told("b", "ignored", "idle")])),
    ),
    (
        "results_differ",
        stopped(
            told=told(
                stopped(),
                d=[
                    Told("d", "failed", "idle", "id_unknown"),
                    Told("d", "failed", "idle", "070001"),
                ],
            )
        ),
    ),
    ("result_repeated", calm(told=told(calm(), b=[Told("b", "ok", "idle")] * 2))),
    ("journal_missing", calm(journal=None)),
    ("journal_missing", calm(journal={})),
    ("journal_disagrees", calm(journal={"one": document(_ENDED)})),
    ("journal_disagrees", calm(journal={"one": document(None)})),
    ("journal_disagrees", stopped(journal={"one": document(None, _ENDED)})),
    ("second_in_flight", calm(seen=[("second_in_flight", "two at once")])),
    ("daemon_ended", calm(seen=[("daemon_ended", "exit status 70")])),
    ("no_clean_end", calm(seen=[("no_clean_end", "still there")])),
    ("traceback", calm(seen=[("traceback", "KeyError")])),
    ("memory", calm(memory=MOST_MEMORY + 1)),
]


@pytest.mark.parametrize(("name", "seen"), WRONG)
def test_what_is_wrong_is_named(name: str, seen: Observation) -> None:
    assert name in names(seen)


def test_a_lost_stop_is_found() -> None:
    lost = stopped(recordings=world(), retained=topics(), journal={"one": document()})
    assert names(lost) == {"stop_lost", "stop_not_done"}
    ignored = replace(lost, told=told(lost, d=[Told("d", "ignored", "recording")]))
    assert names(ignored) == {"stop_lost"}


def test_every_name_has_a_test_that_finds_it() -> None:
    assert {name for name, _ in WRONG} | {"stop_lost"} == set(NAMES)


RIGHT: list[tuple[str, Observation]] = [
    (
        "the one restart of a start whose reply was lost",
        calm(told=told(calm(), c=[Told("c", "unknown", "unknown", "outcome_unknown")]))
        and calm(
            told=told(calm(), c=[Told("c", "unknown", "unknown", "outcome_unknown")]),
            starts={_SESSION: 3},
        ),
    ),
    (
        "a spare file that the alarm tells of",
        calm(recordings=world(spare="RECORDING"), retained=topics(["outcome_unknown"])),
    ),
    (
        "a spare file that was told of, at an HMP that can prove nothing",
        calm(
            rooms=[Room("one", "main", _SESSION, proves=False)],
            recordings=world(spare="RECORDING"),
            reported={"one": 151.0},
        ),
    ),
    (
        "a recording without an id, alarmed",
        calm(
            recordings=world(shown="FINISHED", spare="RECORDING"),
            retained=topics(["outcome_unknown"], recording_id=None, last_recording_id=_SHOWN),
            journal={"one": document(None, _SHOWN)},
        ),
    ),
    (
        "a stop that cannot be done without the id",
        calm(
            asked=[*calm().asked, Asked("d", "one", "stop", 250.0)],
            told=told(calm(), d=[Told("d", "failed", "recording", "id_unknown")]),
            recordings=world(shown="FINISHED", spare="RECORDING"),
            retained=topics(["outcome_unknown"], recording_id=None, last_recording_id=_SHOWN),
            journal={"one": document(None, _SHOWN)},
        ),
    ),
    (
        "a restart of a recording that HMP lost",
        calm(starts={_SESSION: 3}, restarts_allowed={_SESSION: 1}),
    ),
    (
        "a recording in ERROR that the room's policy holds",
        calm(recordings=world(shown="ERROR"), retained=topics(state="error", tally="fault")),
    ),
    (
        "a recording that HMP never knew, alarmed",
        calm(
            recordings=world(shown="forgotten"),
            retained=topics(["outcome_unknown"], state="unknown", tally="fault"),
        ),
    ),
    (
        "a press that the broker never took over",
        calm(
            asked=[*calm().asked, Asked("d", "one", "pause", 201.0, acked=False)],
        ),
    ),
    (
        "a press that was lost with the broker",
        calm(
            asked=[*calm().asked, Asked("d", "one", "record", 201.0, excused=True)],
        ),
    ),
    (
        "a stop that a later press may have overtaken",
        calm(
            asked=[
                Asked("b", "one", "stop", 199.0),
                Asked("c", "one", "record", 199.5, acked=False),
            ],
            told={"b": [Told("b", "ignored", "recording")], "c": [Told("c", "ok", "recording")]},
            starts={_SESSION: 1},
        ),
    ),
    (
        "a result that came again after a kill",
        calm(
            asked=[replace(each, may_repeat=True) for each in calm().asked],
            told=told(calm(), b=[Told("b", "ok", "idle")] * 2),
        ),
    ),
    (
        "a newer last recording than any that was published",
        stopped(
            recordings=[
                *world(shown="FINISHED"),
                WorldRecording(_SPARE, _SESSION, "FINISHED", 300.0),
            ],
            retained=IDLE
            | {
                key: value.replace(_SHOWN, _SPARE)
                for key, value in IDLE.items()
                if key in ("room/one/last_recording_id", "room/one/status")
            },
            journal={"one": document(None, _SPARE)},
        ),
    ),
]


@pytest.mark.parametrize("seen", [seen for _, seen in RIGHT], ids=[what for what, _ in RIGHT])
def test_what_is_allowed_is_not_called_wrong(seen: Observation) -> None:
    assert judge(seen) == []


def test_a_toggle_that_stopped_has_started_nothing() -> None:
    seen = calm(
        asked=[*calm().asked[:2], Asked("c", "one", "toggle", 199.0)],
        told=told(calm(), c=[Told("c", "ok", "idle")]),
    )
    assert names(seen) == {"started_too_often"}
