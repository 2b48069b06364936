"""The examples of `config/examples`, with the messages that devices of these makers really send."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bridge.bindings.binding import Memory, due, take, tick
from bridge.bindings.outcome import Arrival, Failed
from bridge.config.bindings import make_bindings
from bridge.config.configuration import Configuration
from bridge.config.load import load
from bridge.mqtt.topics import Input
from bridge.room.facts.requests import request
from bridge.room.facts.values import Now

EXAMPLES = Path(__file__).parents[2] / "config" / "examples"
#: 2024-01-15T10:00:05Z, five seconds after the Zoom meeting of the payloads began.
WALL = 1_705_312_805.0


@dataclass
class Player:
    """Plays messages through the bindings of an example, on a clock of its own."""

    configuration: Configuration
    clock: float = 0.0
    wall: float = WALL
    memory: Memory = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.bindings = make_bindings(self.configuration.bindings)

    def hear(
        self, topic: str, payload: object, *, retained: bool = False, after: float = 10.0
    ) -> list[Input]:
        """What comes of a message, `after` so many seconds, and of what was held until then."""
        found = self.wait(after)
        text = payload if isinstance(payload, str) else json.dumps(payload)
        arrival = Arrival(topic, text.encode(), retained)
        rooms = self.configuration.room_names
        self.memory, verdicts = take(self.bindings, self.memory, arrival, self.now, rooms)
        for verdict in verdicts:
            assert verdict.outcome is not None or verdict.reason, "silent, and does not say why"
        return found + self.inputs([verdict.outcome for verdict in verdicts])

    def wait(self, seconds: float) -> list[Input]:
        """Time passes, in the steps in which the daemon would look."""
        end, found = self.clock + seconds, []
        while (moment := due(self.bindings, self.memory)) is not None and moment <= end:
            self.clock = max(moment, self.clock)
            rooms = self.configuration.room_names
            self.memory, verdicts = tick(self.bindings, self.memory, self.now, rooms)
            found += self.inputs([verdict.outcome for verdict in verdicts])
        self.clock = end
        return found

    @property
    def now(self) -> Now:
        """This instant."""
        return Now(self.clock, self.wall + self.clock)

    def inputs(self, outcomes: list[Input | Failed | None]) -> list[Input]:
        """The inputs, each of which a room must understand."""
        found = []
        for outcome in outcomes:
            assert not isinstance(outcome, Failed), outcome
            if outcome is not None:
                request(
                    outcome.word,
                    outcome.parameters,
                    event=outcome.event,
                    request_id=outcome.id,
                    origin="",
                    received_at=0.0,
                )
                found.append(outcome)
        return found


def example(name: str) -> Player:
    return Player(load(EXAMPLES / f"{name}.toml"))


def words(inputs: list[Input]) -> list[str]:
    return [f"{each.room}: {each.word}" for each in inputs]


def shelly(*events: dict[str, object], ts: float = WALL) -> dict[str, object]:
    return {
        "src": "shellyplus1-a8032abe54dc",
        "dst": "shellyplus1-a8032abe54dc/events",
        "method": "NotifyEvent",
        "params": {"ts": ts, "events": list(events)},
    }


def pushed(component: str, event: str) -> dict[str, object]:
    return {"component": component, "id": 0, "event": event, "ts": WALL}


BOXED = "Event.UserInterface.Extensions"


def boxed(path: str, value: object) -> object:
    for key in reversed(path.split(".")):
        value = {key: value}
    return value


def zoom(event: str, ts: int = 1_705_312_800_000, **more: object) -> dict[str, object]:
    meeting = {
        "id": "123456789",
        "uuid": "cS69…==",
        "host_id": "x",
        "topic": "Project Meeting",
        "type": 2,
        "start_time": "2024-01-15T10:00:00Z",
        "duration": 60,
        "timezone": "UTC",
    } | more
    return {"event": event, "payload": {"account_id": "a", "object": meeting}, "event_ts": ts}


Z = "zigbee2mqtt/boardroom-button"
REMOTE = "zigbee2mqtt/boardroom-remote"
BUTTON1 = "shellies/shellybutton1-A4CF12F45301/input_event/0"
RPC = "shellyplus1-a8032abe54dc/events/rpc"
RESULT = "stat/boardroom/RESULT"
NOTHING: list[str] = []


@pytest.mark.parametrize(
    ("name", "topic", "payload", "asked"),
    [
        ("zigbee2mqtt", Z, {"action": "single", "battery": 100, "linkquality": 39}, ["toggle"]),
        ("zigbee2mqtt", Z, {"action": "SINGLE"}, ["toggle"]),
        ("zigbee2mqtt", Z, {"action": "double", "battery": 100}, ["mark"]),
        ("zigbee2mqtt", Z, {"action": "hold", "battery": 100}, ["toggle_pause"]),
        ("zigbee2mqtt", Z, {"action": ""}, NOTHING),
        ("zigbee2mqtt", Z, {"action": None, "battery": 100}, NOTHING),
        ("zigbee2mqtt", Z, {"battery": 97, "voltage": 2900, "linkquality": 120}, NOTHING),
        ("zigbee2mqtt", Z, {"action": "release"}, NOTHING),
        ("zigbee2mqtt", Z, {"action": "1_single"}, NOTHING),
        ("zigbee2mqtt", Z + "/availability", {"state": "online"}, NOTHING),
        ("zigbee2mqtt", Z + "/set", {"action": "single"}, NOTHING),
        ("zigbee2mqtt", "zigbee2mqtt/bridge/state", {"state": "online"}, NOTHING),
        ("zigbee2mqtt", REMOTE, {"action": "on", "battery": 74}, ["record"]),
        ("zigbee2mqtt", REMOTE, {"action": "off", "battery": 74}, ["stop"]),
        ("zigbee2mqtt", REMOTE, {"action": "brightness_move_up", "action_rate": 83}, NOTHING),
        ("zigbee2mqtt", REMOTE, {"action": "brightness_stop"}, NOTHING),
        ("zigbee2mqtt", REMOTE, {"action": "arrow_left_click"}, NOTHING),
        ("zigbee2mqtt", REMOTE, {"action": "on_press", "action_duration": 0.1}, ["record"]),
        ("zigbee2mqtt", REMOTE, {"action": "on_press_release"}, NOTHING),
        ("zigbee2mqtt", "zigbee2mqtt/boardroom-desk/action", "1_hold", ["stop"]),
        ("zigbee2mqtt", "zigbee2mqtt/boardroom-desk/action", "1_single", NOTHING),
        ("zigbee2mqtt", "zigbee2mqtt/boardroom-desk/action", "", NOTHING),
        ("shelly-gen1", BUTTON1, {"event": "S", "event_cnt": 7}, ["toggle"]),
        ("shelly-gen1", BUTTON1, {"event": "SS", "event_cnt": 8}, ["mark"]),
        ("shelly-gen1", BUTTON1, {"event": "L", "event_cnt": 9}, ["stop"]),
        ("shelly-gen1", BUTTON1, {"event": "", "event_cnt": 0}, NOTHING),
        ("shelly-gen1", "shellies/announce", {"id": "shellyht-1", "model": "SHHT-1"}, NOTHING),
        ("shelly-gen1", "shellies/shellyht-1/sensor/temperature", "21.5", NOTHING),
        ("shelly-gen1", "shellies/shelly1-B929CC/input/0", "1", ["record"]),
        ("shelly-gen1", "shellies/shelly1-B929CC/relay/0", "on", NOTHING),
        ("shelly-gen2", RPC, shelly(pushed("input:0", "single_push")), ["toggle"]),
        ("shelly-gen2", RPC, shelly(pushed("input:0", "double_push")), ["mark"]),
        ("shelly-gen2", RPC, shelly(pushed("input:0", "long_push")), ["stop"]),
        ("shelly-gen2", RPC, shelly(pushed("input:0", "btn_down")), NOTHING),
        ("shelly-gen2", RPC, shelly(pushed("input:0", "btn_up")), NOTHING),
        ("shelly-gen2", RPC, shelly(pushed("input:1", "double_push")), NOTHING),
        (
            "shelly-gen2",
            RPC,
            shelly(pushed("input:1", "double_push"), pushed("input:0", "btn_down")),
            NOTHING,
        ),
        (
            "shelly-gen2",
            RPC,
            shelly(pushed("input:1", "btn_up"), pushed("input:0", "double_push")),
            ["mark"],
        ),
        ("shelly-gen2", RPC, shelly(pushed("input:0", "double_push"), ts=1646945882.47), NOTHING),
        (
            "shelly-gen2",
            RPC,
            shelly({"component": "sys", "event": "config_changed", "restart_required": False}),
            NOTHING,
        ),
        (
            "shelly-gen2",
            RPC,
            {
                "src": "shellyplusht-08b61fcb7f3c",
                "method": "NotifyFullStatus",
                "params": {"temperature:0": {"tC": 21.5}, "humidity:0": {"rh": 44}},
            },
            NOTHING,
        ),
        (
            "shelly-gen2",
            RPC,
            {"method": "NotifyStatus", "params": {"ts": WALL, "input:0": {"state": True}}},
            NOTHING,
        ),
        (
            "shelly-gen2",
            "shelly-blu/events",
            {
                "encryption": False,
                "BTHome_version": 2,
                "pid": 12,
                "battery": 100,
                "Button": 1,
                "rssi": -49,
                "addr": "0c:ae:5f:62:b0:ea",
            },
            ["toggle"],
        ),
        ("shelly-gen2", "shelly-blu/events", {"pid": 3, "Button": 1, "addr": "0c:00"}, NOTHING),
        (
            "shelly-gen2",
            "shelly-blu/events",
            {"pid": 4, "Button": 254, "addr": "0c:ae:5f:62:b0:ea"},
            NOTHING,
        ),
        (
            "shelly-gen2",
            "shellyplus1-a8032abe54dc/status/input:1",
            {"id": 1, "state": True},
            ["toggle"],
        ),
        (
            "shelly-gen2",
            "shellyplus1-a8032abe54dc/status/input:1",
            {"id": 1, "state": None},
            NOTHING,
        ),
        ("tasmota", RESULT, {"Button1": {"Action": "SINGLE"}}, ["toggle"]),
        ("tasmota", RESULT, {"Button2": {"Action": "HOLD"}}, ["stop"]),
        ("tasmota", RESULT, {"Button1": {"Action": "DOUBLE"}}, NOTHING),
        ("tasmota", RESULT, {"Switch1": {"Action": "TOGGLE"}}, ["toggle"]),
        ("tasmota", RESULT, {"Switch1": {"Action": "OFF"}}, NOTHING),
        ("tasmota", RESULT, {"POWER": "ON"}, NOTHING),
        ("tasmota", RESULT, {"Command": "Unknown"}, NOTHING),
        ("tasmota", "stat/projector/POWER", "ON", ["record"]),
        ("tasmota", "stat/projector/POWER", "OFF", NOTHING),
        ("tasmota", "tele/projector/STATE", {"POWER": "ON"}, NOTHING),
        ("esphome", "boardroom-panel/binary_sensor/mark/state", "ON", ["mark"]),
        ("esphome", "boardroom-panel/binary_sensor/mark/state", "OFF", NOTHING),
        ("esphome", "boardroom-panel/binary_sensor/presence/state", "OFF", NOTHING),
        ("esphome", "boardroom-panel/status", "online", NOTHING),
        (
            "esphome",
            "boardroom-panel/event/keypad/state",
            {"event_type": "double_click"},
            ["mark"],
        ),
        ("crestron", "crestron/boardroom/record", "true", ["record"]),
        ("crestron", "crestron/boardroom/record", "1", ["record"]),
        ("crestron", "crestron/boardroom/record", "ON", ["record"]),
        ("crestron", "crestron/boardroom/record", "false", NOTHING),
        ("crestron", "crestron/boardroom/record", "0", NOTHING),
        ("crestron", "crestron/boardroom/stop", '"true"', ["stop"]),
        ("crestron", "crestron/boardroom/command", "start", ["record"]),
        ("crestron", "crestron/boardroom/command", "Stop\r\n", ["stop"]),
        ("crestron", "crestron/boardroom/command", "starting", NOTHING),
        ("crestron", "crestron/boardroom/mark", 'Say "hi" | 😀', ["mark"]),
        ("crestron", "crestron/boardroom/mark", "x" * 10_000, ["mark"]),
        ("crestron", "crestron/boardroom/mark", "", NOTHING),
        (
            "crestron",
            "crestron/joins",
            {"data_type": 0, "data_id": 12, "value": "true"},
            ["toggle"],
        ),
        ("crestron", "crestron/joins", {"data_type": 0, "data_id": 12, "value": "false"}, NOTHING),
        ("crestron", "crestron/joins", {"data_type": 0, "data_id": 13, "value": "true"}, NOTHING),
        ("crestron", "crestron/joins", {"data_type": 1, "data_id": 12, "value": "1"}, NOTHING),
        ("roomos", "roomos/boardroom/event", {"PanelId": "panel_record"}, ["toggle"]),
        ("roomos", "roomos/boardroom/event", {"PanelId": "panel_other"}, NOTHING),
        (
            "roomos",
            "roomos/boardroom/event",
            {"WidgetId": "rec", "Type": "pressed", "Value": ""},
            ["toggle"],
        ),
        (
            "roomos",
            "roomos/boardroom/event",
            {"WidgetId": "rec", "Type": "released", "Value": ""},
            NOTHING,
        ),
        (
            "roomos",
            "roomos/boardroom/event",
            {"WidgetId": "rec_switch", "Type": "changed", "Value": "on"},
            ["record"],
        ),
        (
            "roomos",
            "roomos/boardroom/event",
            {"WidgetId": "volume", "Type": "changed", "Value": "255"},
            NOTHING,
        ),
        (
            "roomos",
            "roomos/boardroom/feedback",
            boxed(f"{BOXED}.Panel.Clicked.PanelId", {"Value": "panel_record"}),
            ["toggle"],
        ),
        (
            "roomos",
            "roomos/boardroom/feedback",
            boxed(f"{BOXED}.Panel.Clicked.PanelId", "panel_record"),
            ["toggle"],
        ),
        (
            "roomos",
            "roomos/boardroom/feedback",
            boxed(
                f"{BOXED}.Widget.Action",
                {
                    "Type": {"Value": "clicked"},
                    "Value": {"Value": ""},
                    "WidgetId": {"Value": "rec"},
                    "id": 1,
                },
            ),
            ["toggle"],
        ),
        (
            "roomos",
            "roomos/boardroom/feedback",
            boxed(f"{BOXED}.Widget.LayoutUpdated", {"id": 1}),
            NOTHING,
        ),
        ("roomos", "roomos/boardroom/bookings/Start", {"Id": "b1"}, ["meeting_start"]),
        ("roomos", "roomos/boardroom/bookings/End", {"Id": {"Value": "b1"}}, ["meeting_end"]),
        ("zoom", "zoom/webhook", zoom("meeting.started"), ["meeting_start"]),
        ("zoom", "zoom/webhook", zoom("meeting.started", id=123456789), ["meeting_start"]),
        ("zoom", "zoom/webhook", zoom("meeting.started", id="987"), NOTHING),
        ("zoom", "zoom/webhook", zoom("meeting.started", ts=1_705_300_000_000), NOTHING),
        ("zoom", "zoom/webhook", zoom("meeting.ended"), ["meeting_end"]),
        ("zoom", "zoom/webhook", zoom("meeting.ended", ts=1_705_300_000_000), ["meeting_end"]),
        (
            "zoom",
            "zoom/webhook",
            zoom("meeting.participant_joined", participant={"user_name": "Jill", "id": ""}),
            NOTHING,
        ),
        (
            "zoom",
            "zoom/webhook",
            {"event": "endpoint.url_validation", "payload": {"plainToken": "q"}, "event_ts": 1},
            NOTHING,
        ),
        ("home-assistant", "homeassistant/input_boolean/record/state", "on", ["record"]),
        ("home-assistant", "homeassistant/input_boolean/record/state", "unavailable", NOTHING),
        (
            "home-assistant",
            "homeassistant/event/door_button/state",
            "2026-03-01T09:05:00.123+00:00",
            ["toggle"],
        ),
        ("home-assistant", "homeassistant/event/door_button/state", "unknown", NOTHING),
    ],
)
def test_a_message(name: str, topic: str, payload: object, asked: list[str]) -> None:
    assert words(example(name).hear(topic, payload)) == [f"boardroom: {word}" for word in asked]
    assert example(name).hear(topic, payload, retained=True) == []


def test_every_maker_has_an_example_with_all_its_bindings_asked() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.toml")} == {
        "crestron",
        "esphome",
        "home-assistant",
        "roomos",
        "shelly-gen1",
        "shelly-gen2",
        "tasmota",
        "zigbee2mqtt",
        "zoom",
    }


def test_a_button_that_sends_twice_and_then_nothing() -> None:
    player = example("zigbee2mqtt")
    assert words(player.hear(Z, {"action": "single"})) == ["boardroom: toggle"]
    assert player.hear(Z, {"action": "single"}, after=0.05) == []
    assert player.hear(Z, {"action": ""}, after=0.05) == []
    assert words(player.hear(Z, {"action": "single"}, after=0.5)) == ["boardroom: toggle"]


def test_the_topic_says_which_room() -> None:
    player = example("zigbee2mqtt")
    assert words(player.hear("zigbee2mqtt/lab-desk/action", "3_hold")) == ["lab: stop"]


def test_a_press_that_is_published_again_and_again() -> None:
    player = example("shelly-gen1")
    assert words(player.hear(BUTTON1, {"event": "S", "event_cnt": 7})) == ["boardroom: toggle"]
    for _ in range(3):
        assert player.hear(BUTTON1, {"event": "S", "event_cnt": 7}, after=30) == []
    assert words(player.hear(BUTTON1, {"event": "S", "event_cnt": 8})) == ["boardroom: toggle"]
    assert words(player.hear(BUTTON1, {"event": "L", "event_cnt": 9})) == ["boardroom: stop"]
    assert player.hear(BUTTON1, {"event": "L", "event_cnt": 9}, after=30) == []


def test_a_device_that_restarts_counts_from_the_beginning() -> None:
    player = example("shelly-gen1")
    assert words(player.hear(BUTTON1, {"event": "S", "event_cnt": 1})) == ["boardroom: toggle"]
    assert player.hear(BUTTON1, {"event": "", "event_cnt": 0}) == []
    assert words(player.hear(BUTTON1, {"event": "S", "event_cnt": 1})) == ["boardroom: toggle"]


def test_a_bluetooth_press_that_two_gateways_hear() -> None:
    player = example("shelly-gen2")
    press = {"addr": "0c:ae:5f:62:b0:ea", "Button": 1, "pid": 255}
    assert words(player.hear("shelly-blu/events", press)) == ["boardroom: toggle"]
    assert player.hear("shelly-blu/events", press | {"rssi": -80}, after=0.1) == []
    again = words(player.hear("shelly-blu/events", press | {"pid": 0}))
    assert again == ["boardroom: toggle"]


@pytest.mark.parametrize(
    ("name", "topic", "on", "off"),
    [
        ("crestron", "crestron/boardroom/recording_fb", "true", "false"),
        ("tasmota", "stat/projector/POWER", "ON", "OFF"),
        ("shelly-gen1", "shellies/shelly1-B929CC/input/0", "1", "0"),
        ("home-assistant", "homeassistant/input_boolean/record/state", '"on"', '"off"'),
        (
            "roomos",
            "roomos/boardroom/status",
            {"MicrosoftTeams": {"Calling": {"InCall": "True"}}},
            {"MicrosoftTeams": {"Calling": {"InCall": {"Value": "False"}}}},
        ),
    ],
)
def test_a_level_acts_when_it_changes(name: str, topic: str, on: object, off: object) -> None:
    player = example(name)
    assert player.hear(topic, off) == []
    assert words(player.hear(topic, on)) == ["boardroom: record"]
    assert player.hear(topic, on) == []
    assert player.hear(topic, {"other": 1}) == []
    assert words(player.hear(topic, off)) == ["boardroom: stop"]
    assert player.hear(topic, off) == []


def test_a_latching_switch() -> None:
    player, topic = example("shelly-gen2"), "shellyplus1-a8032abe54dc/status/input:1"
    states = [False, True, True, False, False, True]
    acted = [len(player.hear(topic, {"id": 1, "state": state})) for state in states]
    assert acted == [0, 1, 0, 1, 0, 1]


def test_a_short_press_and_a_long_one() -> None:
    player, topic = example("esphome"), "boardroom-panel/binary_sensor/record/state"
    assert player.hear(topic, "ON") == []
    assert words(player.hear(topic, "OFF", after=0.3)) == ["boardroom: toggle"]
    assert player.hear(topic, "ON") == []
    assert player.wait(0.7) == []
    assert words(player.wait(0.2)) == ["boardroom: toggle_pause"]
    assert player.hear(topic, "ON", after=1) == []
    assert player.wait(60) == []
    assert player.hear(topic, "OFF") == []
    assert player.hear(topic, "OFF") == []


def test_a_webhook_that_is_delivered_again() -> None:
    player = example("zoom")
    (start,) = player.hear("zoom/webhook", zoom("meeting.started"))
    assert start.id == "cS69…=="
    assert start.parameters == {
        "id": "cS69…==",
        "title": "Project Meeting",
        "start": "2024-01-15T10:00:00Z",
    }
    ended = zoom("meeting.ended", ts=1_705_312_815_000)
    assert player.hear("zoom/webhook", zoom("meeting.participant_joined")) == []
    assert words(player.hear("zoom/webhook", ended)) == ["boardroom: meeting_end"]
    assert player.hear("zoom/webhook", ended) == []
    assert player.hear("zoom/webhook", zoom("meeting.started")) == []
    again = player.hear("zoom/webhook", zoom("meeting.ended", ts=1_705_312_890_000))
    assert words(again) == ["boardroom: meeting_end"]


def test_a_booking_with_all_that_is_known_of_it() -> None:
    booking = {
        "Id": "b1",
        "Title": 'He said "hi" | 😀\n' + "x" * 10_000,
        "Organizer": {"Email": "jdoe@example.edu"},
        "Time": {"EndTime": "2026-03-01T11:00:00Z"},
    }
    (start,) = example("roomos").hear("roomos/boardroom/bookings/Start", booking)
    assert start.parameters["organizer"] == "jdoe@example.edu"
    assert start.parameters["end"] == "2026-03-01T11:00:00Z"
    title = start.parameters["title"]
    assert isinstance(title, str)
    assert len(title) == 255
    assert title.startswith('He said "hi" | 😀\nxxx')
    assert title.endswith("…")
