"""What is shipped for dashboards: entities, topics and payloads in it are those that there are."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from paho.mqtt.client import topic_matches_sub

from bridge.homeassistant.discovery import Presentation, RoomToShow, announcements
from bridge.mqtt.api_topics import request_filters
from bridge.mqtt.catalogue import ROWS, Direction
from bridge.mqtt.inputs import parse
from bridge.mqtt.topics import Input, Topics
from bridge.room.facts.vocabulary import State

ROOT = Path(__file__).parents[2] / "config"
TOPICS = Topics()
FLOWS = sorted((ROOT / "node-red").glob("*.json"))
BLUEPRINTS = ["blueprints/record_with_a_calendar", "blueprints/tell_me_about_alarms"]


class Loader(yaml.SafeLoader):
    """YAML with Home Assistant's ``!input``."""


Loader.add_constructor("!input", lambda _, node: f"!input {node.value}")


def load(name: str) -> Any:
    return yaml.load((ROOT / f"homeassistant/{name}.yaml").read_text(encoding="utf-8"), Loader)  # noqa: S506


def values(node: Any, key: str) -> list[Any]:
    """Every value under this key, however deep."""
    if isinstance(node, dict):
        found = [node[key]] if key in node else []
        return found + [each for value in node.values() for each in values(value, key)]
    return [each for item in node for each in values(item, key)] if isinstance(node, list) else []


def test_the_dashboard_shows_entities_that_there_are_and_every_state() -> None:
    dashboard = load("dashboard")
    shown = announcements(
        TOPICS, [RoomToShow("boardroom", "Boardroom")], [], Presentation(entity_ids=True)
    )
    enabled = {
        component["default_entity_id"]
        for announcement in shown.values()
        for component in announcement.components.values()
        if component.get("enabled_by_default", True) and "default_entity_id" in component
    }
    named = set(values(dashboard, "entity"))
    assert len(named) > 8
    assert named <= enabled
    tally: list[str] = []
    for card in dashboard["views"][0]["cards"]:
        for condition in card.get("conditions", ()):
            if condition["entity"] == "sensor.boardroom_state":
                tally += condition["state"]
    assert sorted(tally) == sorted([*map(str, State), "unavailable"])


@pytest.mark.parametrize("name", BLUEPRINTS)
def test_a_blueprint_uses_the_inputs_that_it_has(name: str) -> None:
    text = (ROOT / f"homeassistant/{name}.yaml").read_text(encoding="utf-8")
    blueprint = load(name)
    assert blueprint["blueprint"]["domain"] == "automation"
    assert set(re.findall(r"!input (\w+)", text)) == set(blueprint["blueprint"]["input"])
    assert blueprint["triggers"]
    assert blueprint["actions"]


def test_a_calendar_s_event_is_an_event_of_a_room() -> None:
    [action] = load("blueprints/record_with_a_calendar")["actions"]
    assert action["data"]["topic"].endswith("/event")
    for word in ("start", "end"):
        payload = {"event": f"meeting_{word}", "id": "a", "title": "Weekly"}
        given = parse(TOPICS, TOPICS.room("boardroom", "event"), json.dumps(payload).encode())
        assert isinstance(given, Input)
        assert given.word == f"meeting_{word}"
    assert set(re.findall(r'"(\w+)":', action["data"]["payload"])) == {
        *("event", "id", "title", "start", "end"),
    }


@pytest.mark.parametrize("path", FLOWS, ids=lambda path: path.stem)
def test_a_flow_hangs_together_and_uses_topics_that_there_are(path: Path) -> None:
    nodes = json.loads(path.read_text(encoding="utf-8"))
    by_id = {node["id"]: node for node in nodes}
    assert len(by_id) == len(nodes)
    for node in nodes:
        assert {target for wire in node.get("wires", ()) for target in wire} <= set(by_id)
        for other in ("broker", "z"):
            assert node.get(other, "") in {"", "localhost", *by_id}
    names = {"room": "boardroom", "server": "main"}
    said = {row.topic("hmp", **names) for row in ROWS if row.direction is Direction.SUBSCRIBE}
    taken = [*TOPICS.inputs, *request_filters(TOPICS)]
    for node in nodes:
        if node["type"] == "mqtt in":
            assert node["topic"] in said or "/response/" in node["topic"]
        if node["type"] == "mqtt out":
            assert any(topic_matches_sub(each, node["topic"]) for each in taken)
            assert (node["qos"], node["retain"]) == ("1", "false")
