"""What is published: every state of a room in every topic, and what became of requests."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import hypothesis.strategies as st
import pytest
from hypothesis import given

from bridge.hmp.commands import RecordingId
from bridge.mqtt.inputs import Malformed, parse
from bridge.mqtt.topics import (
    Topics,
    render_ack,
    render_result,
    render_room,
    timestamp,
)
from bridge.room.facts.state import RoomState
from bridge.room.facts.values import Problem
from bridge.room.facts.vocabulary import ALARMS, Alarm, Outcome, State

from .samples import FRESH, RECORDING_ID, RESULT, ROOMS, RUNNING, SESSION, TALLY

TOPICS = Topics()
LEAVES = {
    "availability",
    "state",
    "recording",
    "paused",
    "tally",
    "recording_id",
    "last_recording_id",
    "session_id",
    "stream_id",
    "started_at",
    "ends_at",
    "elapsed",
    "title",
    "alarm",
    "status",
}


def rendered(room: RoomState) -> dict[str, str]:
    publications = render_room(TOPICS, "boardroom", room, TALLY)
    return {topic.removeprefix("hmp/room/boardroom/"): text for topic, text in publications.items()}


def test_an_idle_room() -> None:
    values = rendered(FRESH)
    assert set(values) == LEAVES
    del values["status"]
    assert values == {
        "availability": "online",
        "state": "idle",
        "recording": "false",
        "paused": "false",
        "tally": "off",
        "recording_id": "none",
        "last_recording_id": "none",
        "session_id": SESSION,
        "stream_id": "none",
        "started_at": "none",
        "ends_at": "none",
        "elapsed": "0",
        "title": "none",
        "alarm": "none",
    }


def test_a_recording_room() -> None:
    values = rendered(replace(RUNNING, last_recording_id=RecordingId("x")))
    status = json.loads(values.pop("status"))
    assert values["state"] == "recording"
    assert values["recording"] == "true"
    assert values["tally"] == "red"
    assert values["recording_id"] == RECORDING_ID
    assert values["last_recording_id"] == "x"
    assert values["started_at"] == "2023-11-14T22:13:20Z"
    assert values["elapsed"] == "30"
    assert values["title"] == 'Weekly "é" 🎥'
    assert status["owner"] == "meeting:7"
    assert status["verified_at"] == "2023-11-14T22:13:22Z"
    assert status["target"] == "recording"
    assert status["stale"] is False
    assert status["error"] is None


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.state)
def test_scalars_and_json_say_the_same(room: RoomState) -> None:
    values = rendered(room)
    status = json.loads(values.pop("status"))
    assert set(values) < set(status)
    for leaf, text in values.items():
        value = status[leaf]
        if value is None:
            assert text == "none"
        elif isinstance(value, bool):
            assert text == ("true" if value else "false")
        else:
            assert text == str(value)
    assert status["state"] in set(State)
    assert status["stale"] == room.stale
    assert values["availability"] == ("online" if room.link_ready else "offline")
    assert set(status) - set(values) == {
        "alarms",
        "target",
        "owner",
        "verified_at",
        "revision",
        "stale",
        "error",
        "restream",
        "meetings",
        "details",
    }


def test_every_state_was_among_them() -> None:
    assert {room.state for room in ROOMS} == set(State)


def test_the_first_alarm_is_published_and_all_are_in_the_status() -> None:
    alarms = [Alarm.DETAILS_FAILED, Alarm.OUTCOME_UNKNOWN, Alarm.NO_SOURCE]
    values = rendered(replace(FRESH, alarms=frozenset(alarms)))
    assert values["alarm"] == "outcome_unknown"
    assert sorted(json.loads(values["status"])["alarms"]) == sorted(alarms)


def test_the_order_of_alarms_is_the_contracts() -> None:
    assert " ".join(ALARMS) == (
        "outcome_unknown disk_full write_error recording_error session_missing no_source "
        "shared_recording stopped_unexpectedly stopped_by_limit cut_failed journal_failing "
        "paused_too_long ending_soon details_failed"
    )


def test_a_problem_is_in_the_status_with_hmps_own_words() -> None:
    problem = Problem("070027", "Insufficient Disk Space", "Make room.")
    error = json.loads(rendered(replace(FRESH, problem=problem))["status"])["error"]
    assert error == {
        "code": "070027",
        "message": "Insufficient Disk Space",
        "explanation": "Make room.",
    }


def test_no_topic_is_longer_than_a_panel_takes() -> None:
    room = "b" * 40
    topics = [
        *TOPICS.inputs,
        *render_room(TOPICS, room, FRESH, TALLY),
        TOPICS.bridge_state,
        TOPICS.bridge_info,
        TOPICS.bridge_health,
        TOPICS.bridge_marker,
        TOPICS.error,
        TOPICS.server_state("s" * 40),
        *(TOPICS.room(room, leaf) for leaf in ("ack", "result")),
    ]
    assert all(len(topic) <= 100 for topic in topics)
    assert len(set(topics)) == len(topics)
    assert all(topic.startswith("hmp/") for topic in topics)


def test_no_publication_of_a_room_is_an_input() -> None:
    """What is published must never come back as a press."""
    for topic in [*render_room(TOPICS, "r", FRESH, TALLY), "hmp/room/r/ack", "hmp/room/r/result"]:
        with pytest.raises(Malformed):
            parse(TOPICS, topic, b"record")


@pytest.mark.parametrize("outcome", Outcome)
def test_an_ack_is_one_line_for_a_panel(outcome: Outcome) -> None:
    line = f"stop {outcome}" + (" 040001" if outcome is Outcome.FAILED else "")
    assert render_ack(replace(RESULT, outcome=outcome)) == line
    assert render_ack(replace(RESULT, outcome=outcome, problem=None)) == f"stop {outcome}"


def test_a_result() -> None:
    assert json.loads(render_result(RESULT)) == {
        "id": "e1",
        "action": "stop",
        "outcome": "failed",
        "state": "recording",
        "error": {
            "code": "040001",
            "message": "Active recording not found",
            "explanation": "It has ended.",
        },
        "origin": "hmp/room/boardroom/press/stop",
        "took_ms": 12.3,
    }
    bare = json.loads(render_result(replace(RESULT, id=7, problem=None, state=None)))
    assert (bare["id"], bare["error"], bare["state"]) == (7, None, None)


@given(st.floats(0, 4_000_000_000))
def test_timestamps_are_rfc_3339_in_utc(wall: float) -> None:
    read_back = datetime.strptime(timestamp(wall), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert -1e-6 < wall - read_back.timestamp() < 1
