"""What Home Assistant shows of a room, a server, the bridge, and of all rooms: a component each.

A component is a mapping as discovery has it, without what depends on its device. Its topics are
those that everybody has; templates make of a payload what Home Assistant wants to hear. What
changes by itself every few seconds is disabled by default: each change is a row of its history.
Pure.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from ..hmp.link import LinkState
from ..mqtt.topics import ALL_ROOMS, Topics
from ..room.facts.vocabulary import ALARMS, Happening, Outcome, State

__all__ = ["Components", "of_all_rooms", "of_bridge", "of_room", "of_server"]

Components = dict[str, dict[str, Any]]
"""By leaf: the last part of the unique id."""

_NONE_IS_UNKNOWN = "{{ None if value == 'none' else value }}"
_NONE_IS_FALSE = "{{ 'false' if value == 'none' else 'true' }}"
_RESULT = (
    "{{ {'event_type': value_json.outcome, 'action': value_json.action, 'id': value_json.id,"
    " 'state': value_json.state, 'origin': value_json.origin, 'took_ms': value_json.took_ms,"
    " 'code': value_json.error.code if value_json.error else None,"
    " 'message': value_json.error.message if value_json.error else None} | to_json }}"
)
_TRUTH = {"payload_on": "true", "payload_off": "false"}
_PRESENCE = {"payload_on": "online", "payload_off": "offline"}
_DIAGNOSTIC = {"entity_category": "diagnostic"}
_DISABLED = {"enabled_by_default": False}
_LONGEST_TITLE = 255


def of_room(topics: Topics, room: str, *, restream: bool) -> Components:
    """One room; `restream`: it has an address that a re-stream goes to."""

    def topic(leaf: str) -> str:
        return topics.room(room, leaf)

    components: Components = {
        "record": _switch("Record", topic("set"), "record", "stop", topic("recording")),
        "pause": _switch("Pause", topic("set"), "pause", "resume", topic("paused")),
        "mark": _button("Mark", topic("press/mark"), "true"),
        "mark_title": {
            "platform": "text",
            "name": "Mark title",
            "command_topic": topic("mark"),
            "min": 1,
            "max": _LONGEST_TITLE,
        },
        "extend": _button("Extend", topic("press/extend"), "true"),
        "state": _words("State", topic("state"), State),
        "recording_id": _nullable("Recording ID", topic("recording_id"), _DIAGNOSTIC | _DISABLED),
        "last_recording": _nullable(
            "Last recording ID", topic("last_recording_id"), _DIAGNOSTIC | _DISABLED
        ),
        "session_id": _nullable("Session ID", topic("session_id"), _DIAGNOSTIC | _DISABLED),
        "started_at": _nullable("Started at", topic("started_at"), {"device_class": "timestamp"}),
        "ends_at": _nullable("Ends at", topic("ends_at"), {"device_class": "timestamp"}),
        "elapsed": _sensor(
            "Elapsed",
            topic("elapsed"),
            {"device_class": "duration", "unit_of_measurement": "s"} | _DISABLED,
        ),
        "title": _nullable("Title", topic("title"), {}),
        "alarm": _words("Alarm", topic("alarm"), ["none", *ALARMS]),
        "recording": _binary("Recording", topic("recording"), "running", _TRUTH),
        "problem": _binary(
            "Problem", topic("alarm"), "problem", _TRUTH | {"value_template": _NONE_IS_FALSE}
        ),
        "link": _binary("Link", topic("availability"), "connectivity", _PRESENCE | _DIAGNOSTIC)
        | _available(topics.bridge_state),  # else it would never say that there is none
        "result": {
            "platform": "event",
            "name": "Result",
            "state_topic": topic("result"),
            "event_types": list(map(str, Outcome)),
            "value_template": _RESULT,
        },
        **{f"on_{each}": _trigger(topic("happened"), each) for each in Happening},
    }
    if restream:
        components["restream"] = _switch(
            "Re-stream", topic("set"), "restream_start", "restream_stop", topic("stream_id")
        ) | {"value_template": _NONE_IS_FALSE}
    return components


def of_server(topics: Topics, server: str) -> Components:
    """One HMP."""
    ready = f"{{{{ 'true' if value == '{LinkState.READY}' else 'false' }}}}"
    round_trip = f"{{{{ value_json.servers.get('{server}', {{}}).get('round_trip_ms') }}}}"
    return {
        "connected": _binary(
            "Connection",
            topics.server_state(server),
            "connectivity",
            _TRUTH | {"value_template": ready},
        ),
        "state": _words("State", topics.server_state(server), LinkState),
        "round_trip": _measured(
            "Round trip", topics.bridge_health, round_trip, {"suggested_display_precision": 1}
        ),
    }


def of_bridge(topics: Topics) -> Components:
    """The bridge itself."""
    there = _available(topics.bridge_state)
    return {
        "connected": _binary(
            "Connection", topics.bridge_state, "connectivity", _PRESENCE | _DIAGNOSTIC
        ),
        "version": _sensor(
            "Version",
            topics.bridge_info,
            {"value_template": "{{ value_json.version }}"} | _DIAGNOSTIC | there,
        ),
        "reload": _button("Reload configuration", topics.request("reload"), "{}")
        | {"entity_category": "config"}
        | there,
    }


def of_all_rooms(topics: Topics) -> Components:
    """All rooms together."""
    return {
        "recording": _sensor("Rooms recording", topics.bridge_rooms_recording, _COUNT),
        "alarms": _sensor("Rooms with an alarm", topics.bridge_rooms_alarm, _COUNT),
        "stop": _button("Stop all", topics.room(ALL_ROOMS, "set"), "stop") | _DISABLED,
    }


_COUNT = {"state_class": "measurement"}


def _available(*topics: str) -> dict[str, Any]:
    return {"availability": [{"topic": topic} for topic in topics], "availability_mode": "all"}


def _switch(name: str, command: str, on: str, off: str, state: str) -> dict[str, Any]:
    return {
        "platform": "switch",
        "name": name,
        "command_topic": command,
        "payload_on": on,
        "payload_off": off,
        "state_topic": state,
        "state_on": "true",
        "state_off": "false",
    }


def _button(name: str, command: str, press: str) -> dict[str, Any]:
    return {
        "platform": "button",
        "name": name,
        "command_topic": command,
        "payload_press": press,
    }


def _sensor(name: str, state: str, more: Mapping[str, Any]) -> dict[str, Any]:
    return {"platform": "sensor", "name": name, "state_topic": state, **more}


def _nullable(name: str, state: str, more: Mapping[str, Any]) -> dict[str, Any]:
    return _sensor(name, state, {"value_template": _NONE_IS_UNKNOWN, **more})


def _words(name: str, state: str, options: Iterable[object]) -> dict[str, Any]:
    return _sensor(name, state, {"device_class": "enum", "options": list(map(str, options))})


def _measured(name: str, state: str, template: str, more: Mapping[str, Any]) -> dict[str, Any]:
    """Milliseconds, of which there are others every half minute."""
    milliseconds = {"device_class": "duration", "unit_of_measurement": "ms"}
    measured = milliseconds | {"state_class": "measurement", "value_template": template}
    return _sensor(name, state, {**measured, **_DIAGNOSTIC, **_DISABLED, **more})


def _binary(name: str, state: str, device_class: str, more: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "platform": "binary_sensor",
        "name": name,
        "state_topic": state,
        "device_class": device_class,
        **more,
    }


def _trigger(topic: str, happening: Happening) -> dict[str, Any]:
    thing, _, what = happening.partition("_")
    return {
        "platform": "device_automation",
        "automation_type": "trigger",
        "topic": topic,
        "payload": str(happening),
        "type": what,
        "subtype": thing,
    }
