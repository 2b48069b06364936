"""Every payload of discovery, for configurations that nobody thought of."""

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.client import topic_matches_sub

from bridge.hmp.link import LinkState
from bridge.homeassistant.discovery import Announcement, Presentation, RoomToShow, announcements
from bridge.homeassistant.names import DeviceName
from bridge.mqtt.catalogue import ROWS, Direction
from bridge.mqtt.inputs import parse
from bridge.mqtt.topics import ALL_ROOMS, Input, Topics
from bridge.room.facts.vocabulary import ALARMS, Happening, Outcome, State

from .accepted import CONFIG_TOPIC, ENTITY_ID, complaints_about

TOPICS = Topics("site/hmp")
EVERYTHING = Presentation("homeassistant", entity_ids=True, all_rooms=True)

KEYS = st.text("abz019_-", min_size=1, max_size=40)
SHOWN = st.text(max_size=30)
BASES = st.lists(st.text("abü0_-.", min_size=1, max_size=5), min_size=1, max_size=3).map("/".join)
ROOMS = st.lists(
    st.builds(RoomToShow, KEYS, SHOWN, st.booleans()), max_size=6, unique_by=lambda room: room.key
)


def shown(
    rooms: list[RoomToShow], servers: list[str] | None = None, how: Presentation = EVERYTHING
) -> dict[str, Announcement]:
    return announcements(TOPICS, rooms, servers or ["main"], how)


def device(key: str, kind: str = "room", **room: Any) -> dict[str, Any]:
    """The payload of one device, among others."""
    rooms = [RoomToShow("boardroom", "Boardroom", **room), RoomToShow("r1", "Other")]
    name = DeviceName(TOPICS.base, kind, key)
    payload: dict[str, Any] = json.loads(shown(rooms)[name.topic("homeassistant")].payload())
    return payload


ROOM = device("boardroom", restream=True)["components"]


@given(BASES, ROOMS, st.lists(KEYS, max_size=3, unique=True), st.booleans(), st.booleans())
def test_home_assistant_takes_every_payload(
    base: str, rooms: list[RoomToShow], servers: list[str], entity_ids: bool, all_rooms: bool
) -> None:
    topics, how = Topics(base), Presentation("ha/site", entity_ids, all_rooms)
    found = announcements(topics, rooms, servers, how)
    assert len(found) == 1 + len(rooms) + len(servers) + all_rooms
    unique_ids: Counter[str] = Counter()
    entity_ids_seen: Counter[str] = Counter()
    known: set[str] = set()
    for topic, announcement in found.items():
        assert CONFIG_TOPIC.fullmatch(topic)
        payload = json.loads(announcement.payload())
        assert complaints_about(payload) == []
        # Whatever a device is reached through has been announced before it.
        assert payload["device"].get("via_device", base + "/bridge") in {*known, base + "/bridge"}
        known.update(payload["device"]["identifiers"])
        for component in payload["components"].values():
            if component["platform"] != "device_automation":
                unique_ids[component["unique_id"]] += 1
            if "default_entity_id" in component:
                entity_ids_seen[component["default_entity_id"]] += 1
                assert ENTITY_ID.fullmatch(component["default_entity_id"])
                domain = component["platform"]
                assert component["default_entity_id"] == f"{domain}.{component['object_id']}"
    assert len(known) == len(found)
    assert set(unique_ids.values()) == {1}
    assert set(entity_ids_seen.values()) <= {1}
    assert bool(entity_ids_seen) is entity_ids


def test_look_alikes_side_by_side_are_told_apart() -> None:
    rooms = [
        RoomToShow(key, key) for key in ("room-1", "room_1", "room--1", "-", "_", "hmp_bridge")
    ]
    found = shown(rooms)
    ids = {
        component["default_entity_id"]
        for announcement in found.values()
        for component in announcement.components.values()
        if component.get("platform") == "switch"
    }
    assert "switch.room_1_record" in ids
    assert len(ids) == 2 * len(rooms)
    assert all(ENTITY_ID.fullmatch(each) for each in ids)


def test_no_entity_id_of_a_domain_ends_as_another_one() -> None:
    """Else those of one room could be those of another, whose key has the rest at its end."""
    for kind, key in (("room", "boardroom"), ("server", "main"), ("rooms", ""), ("bridge", "")):
        leaves = [
            (component["platform"], leaf)
            for leaf, component in device(key, kind)["components"].items()
        ]
        for domain, leaf in leaves:
            assert not [
                each for each in leaves if each[0] == domain and each[1].endswith(f"_{leaf}")
            ]


def test_ids_hang_on_keys_alone() -> None:
    """So that a replaced box, a changed name or another HMP leaves the history where it is."""
    before = shown([RoomToShow("boardroom", "Boardroom")], ["main"])
    after = shown([RoomToShow("boardroom", "Other name", restream=True)], ["main", "other"])
    name = DeviceName(TOPICS.base, "room", "boardroom")
    topic = name.topic("homeassistant")
    for leaf, component in before[topic].components.items():
        assert after[topic].components[leaf] == component
    assert before[topic].device["device"]["identifiers"] == ["site/hmp/room/boardroom"]
    assert before[topic].components["record"]["unique_id"] == "site/hmp/room/boardroom/record"
    assert name.topic("homeassistant") != DeviceName("site-hmp", "room", "boardroom").topic(
        "homeassistant"
    )


def test_names_are_peoples_and_keys_stand_in() -> None:
    for given_name, said in (("Hörsaal 🎥", "Hörsaal 🎥"), ("", "r1"), (" \n", "r1")):
        found = shown([RoomToShow("r1", given_name)])
        topic = DeviceName(TOPICS.base, "room", "r1").topic("homeassistant")
        assert found[topic].device["device"]["name"] == said


# What is shown of a room.


def test_a_room_has_what_a_dashboard_needs() -> None:
    platforms = {leaf: component["platform"] for leaf, component in ROOM.items()}
    assert platforms == {
        **dict.fromkeys(("record", "pause", "restream"), "switch"),
        **dict.fromkeys(("mark", "extend"), "button"),
        "mark_title": "text",
        **dict.fromkeys(("state", "alarm", "title", "elapsed", "started_at", "ends_at"), "sensor"),
        **dict.fromkeys(("recording_id", "last_recording", "session_id"), "sensor"),
        **dict.fromkeys(("recording", "problem", "link"), "binary_sensor"),
        "result": "event",
        **{f"on_{each}": "device_automation" for each in Happening},
    }
    assert "restream" not in device("r1")["components"]
    assert ROOM["state"]["options"] == list(map(str, State))
    assert ROOM["alarm"]["options"] == ["none", *map(str, ALARMS)]
    assert ROOM["result"]["event_types"] == list(map(str, Outcome))
    triggers = [(ROOM[f"on_{each}"]["type"], ROOM[f"on_{each}"]["subtype"]) for each in Happening]
    assert len(set(triggers)) == len(triggers)
    assert device("main", "server")["components"]["state"]["options"] == list(map(str, LinkState))


def test_a_room_is_available_while_bridge_and_hmp_are() -> None:
    both = [{"topic": "site/hmp/bridge/state"}, {"topic": "site/hmp/room/boardroom/availability"}]
    assert device("boardroom")["availability"] == both
    assert ROOM["link"]["availability"] == both[:1]  # else it would never say that there is none
    assert device("main", "server")["availability"] == both[:1]
    bridge = device("", "bridge")
    assert "availability" not in bridge
    assert {leaf for leaf, each in bridge["components"].items() if "availability" in each} == {
        "version",
        "reload",
    }


ALL = [
    pytest.param(leaf, component, id=f"{kind}-{leaf}")
    for key, kind in (("boardroom", "room"), ("main", "server"), ("", "bridge"), ("", "rooms"))
    for leaf, component in device(key, kind, restream=True)["components"].items()
]
PUBLISHED = [row for row in ROWS if row.direction is Direction.SUBSCRIBE]


@pytest.mark.parametrize(("leaf", "component"), ALL)
def test_topics_are_published_and_what_is_sent_is_understood(
    leaf: str, component: dict[str, Any]
) -> None:
    names = {"room": "boardroom", "server": "main"}
    read = [component[key] for key in ("state_topic", "topic") if key in component]
    for topic in read:
        [row] = [row for row in PUBLISHED if row.topic("site/hmp", **names) == topic]
        passing = component["platform"] in ("event", "device_automation")
        assert row.retained is not passing  # else it would happen again at every start
        if component["platform"] == "device_automation":
            assert component["payload"] in row.values.schema["enum"]
    for key in ("payload_on", "payload_off", "payload_press"):
        topic = component.get("command_topic", "")
        if key in component and topic and not topic.endswith("/request/reload"):
            assert any(topic_matches_sub(each, topic) for each in TOPICS.inputs)
            asked = parse(TOPICS, topic, component[key].encode())
            assert isinstance(asked, Input)
            assert asked.room in ("boardroom", ALL_ROOMS)


@pytest.mark.parametrize(("leaf", "component"), ALL)
def test_nothing_that_changes_by_itself_is_written_to_the_history(
    leaf: str, component: dict[str, Any]
) -> None:
    assert "json_attributes_topic" not in component
    restless = ("elapsed", "status", "health")
    if component.get("state_topic", "").rpartition("/")[2] in restless:
        assert component["enabled_by_default"] is False


def test_the_device_of_all_rooms_is_asked_for() -> None:
    assert len(shown([], how=Presentation())) == len(shown([])) - 1
    [stop] = [
        each for each in device("", "rooms")["components"].values() if "payload_press" in each
    ]
    assert (stop["enabled_by_default"], stop["payload_press"]) == (False, "stop")


def test_a_component_is_taken_back_by_its_platform_alone() -> None:
    [announcement] = [
        each
        for each in shown([RoomToShow("boardroom", "")]).values()
        if "record" in each.components
    ]
    payload = json.loads(announcement.payload({"restream": "switch"}))
    assert payload["components"]["restream"] == {"platform": "switch"}
    assert complaints_about(payload) == []
    assert announcement.platforms["record"] == "switch"
    assert "restream" not in json.loads(announcement.payload())["components"]


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ((), "~"),
        ((), "qos"),
        (("device",), "sw"),
        (("device",), "suggested_area "),
        (("origin",), "support"),
        (("components", "record"), "icon"),
        (("components", "mark_title"), "pattern"),
        (("components", "on_recording_started"), "unique_id"),
    ],
)
def test_a_key_that_does_not_belong_would_be_noticed(path: tuple[str, ...], key: str) -> None:
    payload = device("boardroom")
    table = payload
    for part in path:
        table = table[part]
    table[key] = "1"
    assert len(complaints_about(payload)) == 1


@pytest.mark.parametrize("key", ["platform", "unique_id", "state_topic", "options", "qos"])
def test_a_key_that_is_missing_would_be_noticed(key: str) -> None:
    payload = device("boardroom")
    del payload["components"]["state"][key]
    assert complaints_about(payload)
