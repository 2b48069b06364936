"""Every check can fail: each gets an observation with one thing wrong, made by hand.

`calm()` is a calm at which all is as promised; every test breaks it in one place, and the judge
must name it.
"""

from dataclasses import replace

import pytest

from .calms import (
    ENDED,
    IDLE,
    OTHER,
    SESSION,
    SHOWN,
    SPARE,
    calm,
    document,
    stopped,
    told,
    topics,
    words,
    world,
)
from .judge import MOST_MEMORY, NAMES, judge
from .observation import Asked, Observation, Room, Told, WorldRecording


def names(seen: Observation) -> set[str]:
    """The names of what the judge finds."""
    return {violation.name for violation in judge(seen)}


def test_nothing_is_wrong_with_a_calm() -> None:
    assert judge(calm()) == []
    assert judge(stopped()) == []
    assert judge(calm(boxes=["a", "b"], retained=topics() | words("leader", "standby"))) == []


UNKNOWN = topics(["outcome_unknown"], recording_id=None)
LATER = {"one": [ENDED, SPARE]}
"""Ids that were published: another one has ended since the last one that is shown."""

WRONG: list[tuple[str, Observation]] = [
    ("forgotten_recording", calm(recordings=world(ended="RECORDING"), starts={SESSION: 2})),
    ("forgotten_recording", calm(recordings=world(ended="PAUSED"), published={"one": [SHOWN]})),
    ("unreported_spare", calm(recordings=world(spare="RECORDING"))),
    (
        "unreported_spare",  # told once, and an HMP that can prove it is still recording
        calm(recordings=world(spare="RECORDING"), reported={"one": 500.0}),
    ),
    (
        "unreported_spare",  # told of an earlier one only
        calm(
            rooms=[Room("one", "main", SESSION, proves=False)],
            recordings=world(spare="RECORDING"),
            reported={"one": 149.0},
        ),
    ),
    ("wrong_room", calm(sessions={ENDED: OTHER, SHOWN: SESSION})),
    ("stop_not_done", calm(told=told(calm()), recordings=world(ended="RECORDING"))),
    (
        "stop_refused",
        stopped(told=told(stopped(), d=[Told("d", "failed", "idle", "not_recording")])),
    ),
    ("stop_refused", stopped(told=told(stopped(), d=[Told("d", "expired", "idle", "expired")]))),
    ("stop_refused", stopped(told=told(stopped(), d=[Told("d", "unknown", "idle", "")]))),
    ("started_too_often", calm(starts={SESSION: 3})),
    ("started_too_often", calm(told=told(calm(), c=[Told("c", "ignored", "recording")]))),
    (
        "started_too_often",  # the policy is hold
        calm(
            rooms=[Room("one", "main", SESSION, restarts_lost=False)],
            told=told(calm(), c=[Told("c", "unknown", "unknown", "outcome_unknown")]),
            starts={SESSION: 3},
        ),
    ),
    (
        "started_too_often",  # the policy is hold
        calm(
            rooms=[Room("one", "main", SESSION, restarts_interrupted=False)],
            starts={SESSION: 3},
            interruptions={SESSION: 1},
        ),
    ),
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
        calm(retained=topics(recording_id=None, last_recording_id=SHOWN)),
    ),
    (
        "wrong_state",  # a recording without an id, and HMP records nothing
        stopped(retained=UNKNOWN | {"room/one/last_recording_id": SHOWN}),
    ),
    ("wrong_state", stopped(retained=IDLE | {"room/one/state": "starting"})),
    ("wrong_last", calm(retained=topics(last_recording_id=None))),
    ("wrong_last", calm(retained=topics(last_recording_id=SHOWN))),
    ("wrong_last", calm(recordings=world(spare="FINISHED"), published=LATER)),
    ("wrong_last", stopped(retained=IDLE | {"room/one/last_recording_id": ENDED})),
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
    ("journal_disagrees", calm(journal={"one": document(ENDED)})),
    ("journal_disagrees", calm(journal={"one": document(None)})),
    ("journal_disagrees", stopped(journal={"one": document(None, ENDED)})),
    ("second_in_flight", calm(seen=[("second_in_flight", "two at once")])),
    ("daemon_ended", calm(seen=[("daemon_ended", "exit status 70")])),
    ("no_clean_end", calm(seen=[("no_clean_end", "still there")])),
    ("traceback", calm(seen=[("traceback", "KeyError")])),
    ("written_out_of_turn", calm(seen=[("written_out_of_turn", "a commit of a term before")])),
    ("sent_out_of_turn", calm(seen=[("sent_out_of_turn", "a has sent startRecording")])),
    ("not_one_leader", calm(boxes=["a", "b"])),
    ("not_one_leader", calm(boxes=["a", "b"], retained=topics() | words("leader", "leader"))),
    ("not_one_leader", calm(boxes=["a", "b"], retained=topics() | words("standby", "standby"))),
    (
        "not_one_leader",
        calm(boxes=["a", "b"], retained=topics() | words("leader", "standby", "unreachable")),
    ),
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
        "what a box has done without being able to write it, answered again by the next one",
        calm(
            asked=[replace(each, unwritten=True, may_repeat=True) for each in calm().asked],
            told=told(calm(), b=[Told("b", "ok", "idle"), Told("b", "ignored", "idle")]),
        ),
    ),
    (
        "a recording that a box could not write before it was killed",
        calm(recordings=world(spare="FINISHED"), published=LATER, unwritten={SPARE}),
    ),
    (
        "the restart of what such a box had stopped",
        calm(
            asked=[*calm().asked, Asked("d", "one", "stop", 198.0, excused=True, gone=True)],
            starts={SESSION: 3},
        ),
    ),
    (
        "one that such a box started, and nobody else ever heard of",
        calm(recordings=world(spare="RECORDING"), unwritten={SPARE}),
    ),
    (
        "the one restart of a start whose reply was lost",
        calm(
            told=told(calm(), c=[Told("c", "unknown", "unknown", "outcome_unknown")]),
            starts={SESSION: 3},
        ),
    ),
    (
        "a spare file that the alarm tells of",
        calm(recordings=world(spare="RECORDING"), retained=topics(["outcome_unknown"])),
    ),
    (
        "a spare file that was told of, at an HMP that can prove nothing",
        calm(
            rooms=[Room("one", "main", SESSION, proves=False)],
            recordings=world(spare="RECORDING"),
            reported={"one": 151.0},
        ),
    ),
    (
        "a recording without an id, alarmed",
        calm(
            recordings=world(shown="FINISHED", spare="RECORDING"),
            retained=topics(["outcome_unknown"], recording_id=None, last_recording_id=SHOWN),
            journal={"one": document(None, SHOWN)},
        ),
    ),
    (
        "a stop that cannot be done without the id",
        calm(
            asked=[*calm().asked, Asked("d", "one", "stop", 250.0)],
            told=told(calm(), d=[Told("d", "failed", "recording", "id_unknown")]),
            recordings=world(shown="FINISHED", spare="RECORDING"),
            retained=topics(["outcome_unknown"], recording_id=None, last_recording_id=SHOWN),
            journal={"one": document(None, SHOWN)},
        ),
    ),
    (
        "a restart of a recording that HMP lost",
        calm(starts={SESSION: 3}, interruptions={SESSION: 1}),
    ),
    (
        "a restart that the round before has left to this one",
        calm(starts={SESSION: 3}, restarts_allowed={SESSION: 1}),
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
            starts={SESSION: 1},
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
                WorldRecording(SPARE, SESSION, "FINISHED", 300.0),
            ],
            retained=IDLE
            | {
                key: value.replace(SHOWN, SPARE)
                for key, value in IDLE.items()
                if key in ("room/one/last_recording_id", "room/one/status")
            },
            journal={"one": document(None, SPARE)},
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
