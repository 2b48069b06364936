"""What Home Assistant accepts as a device, as JSON Schema: anything else is an error here.

There an unknown key at the top, in `device` or in `origin` rejects the whole device without a word
to us, and one in a component is dropped silently. Stricter than Home Assistant where that costs
nothing: no abbreviations, and every component at QoS 1.
"""

import re
from collections.abc import Mapping
from typing import Any

from tests.schemas import complaints

__all__ = ["CONFIG_TOPIC", "ENTITY_ID", "complaints_about"]

CONFIG_TOPIC = re.compile(r"[^+#]+/device/[a-zA-Z0-9_-]+/[a-zA-Z0-9_-]+/config")
ENTITY_ID = re.compile(r"(?!.+__)(?!_)[\da-z_]+(?<!_)\.(?!_)[\da-z_]+(?<!_)")
"""An entity id, in releases that refuse what earlier ones made one of."""

TEXT = {"type": "string", "minLength": 1}
TOPIC = {"type": "string", "pattern": r"^[^+#\0]+$"}
TRUTH = {"type": "boolean"}
WORDS = {"type": "array", "items": TEXT, "minItems": 1, "uniqueItems": True}


def table(properties: Mapping[str, Any], *required: str) -> dict[str, Any]:
    """An object with these members and no others."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(required),
        "additionalProperties": False,
    }


AVAILABILITY = {
    "availability": {
        "type": "array",
        "minItems": 1,
        "items": table({"topic": TOPIC}, "topic"),
    },
    "availability_mode": {"const": "all"},
}
DEVICE = table(
    {
        "identifiers": WORDS,
        "name": {"type": "string", "pattern": r"\S"},
        "manufacturer": TEXT,
        "model": TEXT,
        "sw_version": TEXT,
        "via_device": TEXT,
    },
    "identifiers",
    "name",
)
ORIGIN = table({"name": TEXT, "sw_version": TEXT}, "name")

ENTITY = {
    **AVAILABILITY,
    "name": TEXT,
    "unique_id": TEXT,
    "qos": {"const": 1},
    "object_id": {"type": "string", "pattern": r"^[a-z0-9]+(_[a-z0-9]+)*$"},
    "default_entity_id": {"type": "string", "pattern": r"^[a-z_]+\.[a-z0-9]+(_[a-z0-9]+)*$"},
    "enabled_by_default": TRUTH,
}
DIAGNOSTIC = {"entity_category": {"const": "diagnostic"}}
STATE = {"state_topic": TOPIC, "value_template": TEXT}
COMMAND = {"command_topic": TOPIC}

PLATFORMS: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "switch": (
        ENTITY
        | STATE
        | COMMAND
        | dict.fromkeys(("payload_on", "payload_off", "state_on", "state_off"), TEXT),
        ("command_topic", "state_topic", "payload_on", "payload_off", "state_on", "state_off"),
    ),
    "button": (
        ENTITY | COMMAND | {"payload_press": TEXT, "entity_category": {"const": "config"}},
        ("command_topic", "payload_press"),
    ),
    "text": (
        ENTITY
        | COMMAND
        | {"min": {"const": 1}, "max": {"type": "integer", "minimum": 1, "maximum": 255}},
        ("command_topic", "min", "max"),
    ),
    "binary_sensor": (
        ENTITY
        | STATE
        | DIAGNOSTIC
        | {
            "device_class": {"enum": ["running", "connectivity", "problem"]},
            "payload_on": TEXT,
            "payload_off": TEXT,
        },
        ("state_topic", "device_class", "payload_on", "payload_off"),
    ),
    "event": (ENTITY | STATE | {"event_types": WORDS}, ("state_topic", "event_types")),
}

SENSOR = ENTITY | STATE | DIAGNOSTIC
SENSORS: dict[str | None, tuple[dict[str, Any], tuple[str, ...]]] = {
    "enum": ({"options": WORDS}, ("options",)),
    "timestamp": ({}, ()),
    "duration": (
        {
            "unit_of_measurement": {"enum": ["s", "ms"]},
            "state_class": {"const": "measurement"},
            "suggested_display_precision": {"type": "integer", "minimum": 0},
        },
        ("unit_of_measurement",),
    ),
    None: ({"state_class": {"const": "measurement"}}, ()),
}

TRIGGER = table(
    {
        "platform": {"const": "device_automation"},
        "automation_type": {"const": "trigger"},
        "topic": TOPIC,
        "payload": TEXT,
        "type": TEXT,
        "subtype": TEXT,
        "qos": {"const": 1},
    },
    *("platform", "automation_type", "topic", "payload", "type", "subtype", "qos"),
)


def _component(given: Mapping[str, Any]) -> dict[str, Any]:
    platform = given.get("platform")
    if platform == "device_automation":
        return TRIGGER
    if platform == "sensor":
        device_class = given.get("device_class")
        more, needed = SENSORS.get(device_class, ({}, ("a device class that there is",)))
        allowed = SENSOR | more | ({"device_class": TEXT} if device_class else {})
        required: tuple[str, ...] = ("state_topic", *needed)
    else:
        allowed, required = PLATFORMS.get(str(platform), ({}, ("a platform that there is",)))
    always = ("platform", "name", "unique_id", "qos")
    return table(allowed | {"platform": TEXT}, *always, *required)


def complaints_about(payload: Mapping[str, Any]) -> list[str]:
    """Why Home Assistant would reject this device, or drop something of it."""
    top = table(
        {**AVAILABILITY, "device": DEVICE, "origin": ORIGIN, "components": {"type": "object"}},
        *("device", "origin", "components"),
    )
    found = complaints(top, payload)
    for key, component in payload.get("components", {}).items():
        if list(component) != ["platform"]:  # else it is taken back
            found += [f"{key}: {each}" for each in complaints(_component(component), component)]
    return found
