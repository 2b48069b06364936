"""The table of topics: nothing is parsed or rendered that has no row, and rows say what is so."""

import json
from dataclasses import replace
from typing import Any

import pytest
from paho.mqtt.client import topic_matches_sub

from bridge.hmp.arguments import NAME_LIMIT, TEXT_LIMIT, TITLE_LIMIT, MetadataField
from bridge.hmp.link import LinkState
from bridge.mqtt.api_topics import Answer, Caller, render_answer
from bridge.mqtt.catalogue import ACTION_MEANINGS, ROWS, Direction, Row, tally_words
from bridge.mqtt.inputs import EmptyPress, Nothing, parse
from bridge.mqtt.topics import (
    Input,
    Topics,
    render_ack,
    render_result,
    render_room,
)
from bridge.room.facts import problems
from bridge.room.facts.created import Phase, Restream
from bridge.room.facts.requests import ACTIONS, EVENTS, NotUnderstood, request
from bridge.room.facts.state import RoomState
from bridge.room.facts.values import Problem
from bridge.room.facts.vocabulary import ALARMS, Outcome, State
from tests.room.policies import policy_of
from tests.schemas import complaints

from .samples import FRESH, RECORDING_ID, RESULT, ROOMS, RUNNING, TALLY

TOPICS = Topics("site/hmp")
NAMES = {"room": "r0", "server": "main"}
BY_TOPIC = {row.topic(TOPICS.base, **NAMES): row for row in ROWS}
PUBLISHED = {t: row for t, row in BY_TOPIC.items() if row.direction is Direction.SUBSCRIBE}
TAKEN = {t: row for t, row in BY_TOPIC.items() if row.direction is Direction.PUBLISH}

MORE_ROOMS = [
    replace(FRESH, restream=Restream("239.1.1.1", 5000, phase, recording=RECORDING_ID, doubt=doubt))
    for phase in Phase
    for doubt in (False, True)
]


def test_a_room_publishes_what_has_a_row_and_nothing_else() -> None:
    for state in [*ROOMS, *MORE_ROOMS]:
        rendered = render_room(TOPICS, "r0", state, TALLY)
        of_rooms = {t for t in PUBLISHED if t.startswith("site/hmp/room/")}
        retained = {t for t in of_rooms if PUBLISHED[t].retained}
        assert set(rendered) == retained
        passing = ("ack", "result", "happened")
        assert of_rooms - retained == {TOPICS.room("r0", leaf) for leaf in passing}


def test_the_other_topics_are_the_bridges() -> None:
    """Every name that `Topics` has for something published."""
    others = {t for t in PUBLISHED if not t.startswith("site/hmp/room/")}
    names = [n for n in vars(Topics) if n.startswith("bridge_") or n == "error"]
    assert others == {TOPICS.server_state("main"), *(getattr(TOPICS, name) for name in names)}


@pytest.mark.parametrize("state", [*ROOMS, *MORE_ROOMS], ids=lambda state: state.state)
def test_what_a_room_publishes_is_what_its_rows_say(state: RoomState) -> None:
    for topic, payload in render_room(TOPICS, "r0", state, TALLY).items():
        check(tally_words(PUBLISHED[topic], TALLY.values()), payload)


def check(row: Row, payload: str) -> None:
    value: Any = json.loads(payload) if row.values.is_json else payload
    assert not complaints(row.values.schema, value), row.path
    if row.values.longest is not None:
        assert len(payload) <= row.values.longest


def test_a_wrong_payload_would_be_noticed() -> None:
    """The schemas are no open doors."""
    status = json.loads(render_room(TOPICS, "r0", RUNNING, TALLY)[TOPICS.room("r0", "status")])
    schema = tally_words(PUBLISHED[TOPICS.room("r0", "status")], TALLY.values()).values.schema
    assert not complaints(schema, status)
    for changed in (
        status | {"more": 1},
        {key: value for key, value in status.items() if key != "owner"},
        status | {"state": "recroding"},
        status | {"tally": "green"},
        status | {"recording_id": "none"},
        status | {"elapsed": "30"},
        status | {"started_at": "yesterday"},
        status | {"alarms": ["no_source", "no_source"]},
    ):
        assert complaints(schema, changed)
    for leaf, payload in (("state", "off"), ("recording", "True"), ("session_id", "x")):
        assert complaints(PUBLISHED[TOPICS.room("r0", leaf)].values.schema, payload)


@pytest.mark.parametrize("outcome", Outcome)
def test_results_and_acks(outcome: Outcome) -> None:
    said = [value for value in vars(problems).values() if isinstance(value, Problem)]
    assert len(said) > 10
    for problem in [None, Problem("040001", "Active recording not found", "…"), *said]:
        result = replace(RESULT, outcome=outcome, problem=problem, word="w" * 40)
        check(PUBLISHED[TOPICS.room("r0", "result")], render_result(result))
        check(PUBLISHED[TOPICS.room("r0", "ack")], render_ack(result))
        check(PUBLISHED[TOPICS.error], render_result(replace(result, id=7, state=None)))


@pytest.mark.parametrize("of_a_command", [True, False])
def test_answers_that_have_no_topic_of_their_own(of_a_command: bool) -> None:
    """A request to a server that does not exist, or by a name that no topic takes."""
    answer = Answer(Outcome.FAILED, problem=Problem("unknown_server", "…", "…"))
    caller = Caller("a", "site/hmp/server/nosuch/request/startRecording", TOPICS.error)
    check(
        PUBLISHED[TOPICS.error], render_answer(answer, caller, with_raw=of_a_command, origin=True)
    )


def test_a_servers_states_are_its_links() -> None:
    [row] = [row for row in ROWS if row.path == "server/{server}/state"]
    assert row.values.schema["enum"] == list(map(str, LinkState))


# What is taken in.


def test_every_topic_that_is_subscribed_to_has_a_row_and_every_row_is_subscribed_to() -> None:
    for topic_filter in TOPICS.inputs:
        assert any(topic_matches_sub(topic_filter, topic) for topic in TAKEN), topic_filter
    for topic in TAKEN:
        assert any(topic_matches_sub(each, topic) for each in TOPICS.inputs), topic
    pressed = {topic.rpartition("/")[2] for topic in TAKEN if "/press/" in topic}
    assert pressed == set(ACTIONS)


def test_nothing_is_both_taken_and_published() -> None:
    assert len(BY_TOPIC) == len(ROWS) == len(TAKEN) + len(PUBLISHED)


EDGES = [
    "",
    "true",
    "1",
    "on",
    "press",
    "TRUE",
    "On",
    " press\n",
    "false",
    "0",
    "Off",
    "release",
    "yes",
    "1.0",
    '"on"',
]
LIMITS = {"title": TITLE_LIMIT, "description": TEXT_LIMIT, "createdby": NAME_LIMIT}
PAYLOADS: list[tuple[str, str, bool]] = [
    *((f"press/{word}", edge, True) for word in ("record", "stop", "toggle") for edge in EDGES),
    *(("press/record", edge, False) for edge in ("maybe", "2", "null", "-")),
    *(("set", word, True) for word in ACTIONS if word != "adopt"),
    *(("set", word, False) for word in ("explode", "meeting_start")),
    *(("event", word, True) for word in EVENTS),
    ("event", "explode", False),
    *((f"metadata/{field}", text, True) for field in MetadataField for text in ("", "Weekly é")),
    *((f"metadata/{field}", "x" * limit, True) for field, limit in LIMITS.items()),
    *((f"metadata/{field}", "x" * (limit + 1), False) for field, limit in LIMITS.items()),
    ("mark", "", True),
    ("mark", "Vote é", True),
]
OBJECTS: list[tuple[str, dict[str, object], bool]] = [
    ("press/record", {"id": "a", "title": "Weekly"}, True),
    ("press/record", {"action": "stop"}, False),
    ("press/stop", {"title": "x"}, False),
    ("press/mark", {"title": None}, True),
    ("press/extend", {"minutes": 5}, True),
    ("press/extend", {"minutes": 0}, False),
    ("press/adopt", {}, False),
    ("press/adopt", {"recording_id": RECORDING_ID}, True),
    ("press/adopt", {"recording_id": "x"}, False),
    ("press/restream_start", {"ip": "239.1.1.1", "port": 5000}, True),
    ("press/restream_start", {"ip": "nowhere"}, False),
    ("press/restream_start", {"port": 0}, False),
    ("set", {"action": "record", "id": 7, "title": "Weekly"}, True),
    ("set", {"action": "record", "title": ""}, False),
    ("set", {"action": "record", "minutes": 5, "more": 1}, False),
    ("set", {"action": "adopt"}, False),
    ("set", {"title": "x"}, False),
    ("set", {"action": "explode"}, False),
    ("event", {"event": "meeting_start", "id": "42", "title": "Weekly", "room": "x"}, True),
    ("event", {"id": "42"}, False),
    ("event", {"event": "meeting_end", "id": [1]}, False),
]


@pytest.mark.parametrize(("leaf", "text", "taken"), PAYLOADS, ids=str)
def test_texts_that_are_taken_are_those_of_the_row(leaf: str, text: str, taken: bool) -> None:
    row = TAKEN[TOPICS.room("r0", leaf)]
    assert understood(leaf, text) is taken
    assert bool(complaints(row.values.schema, text)) is not taken


@pytest.mark.parametrize(("leaf", "value", "taken"), OBJECTS, ids=str)
def test_objects_that_are_taken_are_those_of_the_row(
    leaf: str, value: dict[str, object], taken: bool
) -> None:
    row = TAKEN[TOPICS.room("r0", leaf)]
    schema = row.values.schema if row.values.is_json else row.as_json
    assert schema is not None
    assert understood(leaf, json.dumps(value)) is taken
    assert bool(complaints(schema, value)) is not taken


def understood(leaf: str, payload: str) -> bool:
    try:
        given = parse(TOPICS, TOPICS.room("r0", leaf), payload.encode())
        if isinstance(given, Nothing | EmptyPress):
            return True
        assert isinstance(given, Input)
        request(
            given.word,
            given.parameters,
            event=given.event,
            request_id=given.id,
            origin="",
            received_at=0.0,
        )
    except (NotUnderstood, ValueError):
        return False
    return True


def test_every_action_has_a_meaning() -> None:
    assert set(ACTIONS) <= set(ACTION_MEANINGS)
    assert len({row.meaning for row in ROWS if "/press/" in row.path}) == len(ACTIONS)


def test_words_are_those_of_the_code() -> None:
    def shown(leaf: str) -> list[str]:
        words: list[str] = PUBLISHED[TOPICS.room("r0", leaf)].values.schema["enum"]
        return words

    assert shown("state") == list(map(str, State))
    assert shown("alarm") == ["none", *map(str, ALARMS)]
    row = PUBLISHED[TOPICS.room("r0", "tally")]
    own = tally_words(row, (TALLY | {State.PAUSED: "on hold"}).values())
    assert own.values.schema["enum"] == ["off", "blink", "red", "on hold"]
    assert own.values.longest == len("on hold")
    assert tally_words(PUBLISHED[TOPICS.bridge_state], ["x"]) is PUBLISHED[TOPICS.bridge_state]


def test_no_topic_is_longer_than_a_panel_takes() -> None:
    names = {"room": "b" * 40, "server": "s" * 40}
    assert all(len(row.topic("hmp", **names)) <= 100 for row in ROWS)


def test_policy_defaults_name_no_session() -> None:
    """A room without a session of its own says so in words that the rows know."""
    state = RoomState(policy_of(None))
    for topic, payload in render_room(TOPICS, "r0", state, TALLY).items():
        check(tally_words(PUBLISHED[topic], TALLY.values()), payload)
