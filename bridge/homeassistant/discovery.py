"""The devices that Home Assistant is to find: rooms and servers in, topics and payloads out.

Pure. What was announced before and is not any more is for the daemon to take back.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .. import __version__
from ..mqtt.topics import Topics
from .components import Components, of_all_rooms, of_bridge, of_room, of_server
from .names import DeviceName, node

__all__ = [
    "FAREWELL_STEPS",
    "Announcement",
    "Presentation",
    "RoomToShow",
    "announcements",
    "farewell",
    "remembered",
]

_ORIGIN = {"name": "hmp-bridge", "sw_version": __version__}
_MAKER = "Haivision"


@dataclass(frozen=True, slots=True)
class RoomToShow:
    """A room: its key, its name for people, and whether it has an address for re-streams."""

    key: str
    name: str
    restream: bool = False


@dataclass(frozen=True, slots=True)
class Presentation:
    """How all of it is shown.

    `entity_ids`: propose entity ids made of keys, where Home Assistant would make them of names.
    `all_rooms`: there is a device for all rooms together.
    """

    prefix: str = "homeassistant"
    entity_ids: bool = False
    all_rooms: bool = False


@dataclass(frozen=True, slots=True)
class Announcement:
    """One device: what is retained on its topic, but for components that are taken back."""

    device: Mapping[str, Any]
    components: Components

    @property
    def platforms(self) -> dict[str, str]:
        """The platform of each component, by the component's key."""
        return {key: component["platform"] for key, component in self.components.items()}

    @property
    def available(self) -> list[str]:
        """The topics that say whether the device can be used."""
        return [each["topic"] for each in self.device.get("availability", ())]

    def payload(self, taken_back: Mapping[str, str] | None = None) -> str:
        """JSON; components that are `taken_back`, by their platforms, are named by these alone."""
        stubs = {key: {"platform": platform} for key, platform in (taken_back or {}).items()}
        return self.with_others(stubs)

    def with_others(self, others: Mapping[str, Mapping[str, Any]]) -> str:
        """JSON, with other components beside its own."""
        document = {**self.device, "components": {**others, **self.components}}
        return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def announcements(
    topics: Topics, rooms: Iterable[RoomToShow], servers: Iterable[str], how: Presentation
) -> dict[str, Announcement]:
    """Every device by its topic; what others are reached through goes before these."""
    part = topics.part and node(topics.part)
    bridge = DeviceName(topics.base, "bridge", part)
    alive = [topics.bridge_state]
    called = f"hmp-bridge {topics.part}".rstrip()
    found = {bridge: _announcement(bridge, called, of_bridge(topics), how, via=None)}

    def add(name: DeviceName, shown: str, components: Components, available: list[str]) -> None:
        found[name] = _announcement(name, shown, components, how, via=bridge, available=available)

    for key in servers:
        name = DeviceName(topics.base, "server", key)
        add(name, f"HMP {key}", of_server(topics, key), alive)
    for room in rooms:
        name = DeviceName(topics.base, "room", room.key)
        components = of_room(topics, room.key, restream=room.restream)
        add(name, room.name, components, [*alive, topics.room(room.key, "availability")])
    if how.all_rooms:
        everything = f"All rooms {topics.part}".rstrip()
        add(DeviceName(topics.base, "rooms", part), everything, of_all_rooms(topics), alive)
    return {name.topic(how.prefix): announcement for name, announcement in found.items()}


_MODELS = {
    "bridge": "hmp-bridge",
    "server": "Media Platform",
    "room": "Room",
    "rooms": "All rooms",
}


def _announcement(
    name: DeviceName,
    shown: str,
    components: Components,
    how: Presentation,
    *,
    via: DeviceName | None,
    available: list[str] | None = None,
) -> Announcement:
    device: dict[str, Any] = {
        "identifiers": [name.identifier],
        "name": shown.strip() or name.key,
        "manufacturer": _MAKER if name.kind == "server" else "hmp-bridge",
        "model": _MODELS[name.kind],
    }
    if via is None:
        device["sw_version"] = __version__
    else:
        device["via_device"] = via.identifier
    document: dict[str, Any] = {"device": device, "origin": _ORIGIN}
    if available is not None:
        document["availability"] = [{"topic": topic} for topic in available]
        document["availability_mode"] = "all"
    return Announcement(
        document,
        {leaf: _whole(name, leaf, each, how) for leaf, each in components.items()},
    )


def _whole(
    name: DeviceName, leaf: str, component: Mapping[str, Any], how: Presentation
) -> dict[str, Any]:
    """With what depends on its device, and at QoS 1, which not every release takes from the top."""
    whole = {**component, "qos": 1}
    if component["platform"] == "device_automation":
        return whole
    whole["unique_id"] = name.unique_id(leaf)
    if how.entity_ids:
        whole["object_id"] = name.object_id(leaf)
        whole["default_entity_id"] = f"{component['platform']}.{whole['object_id']}"
    return whole


FAREWELL_STEPS = 3


def remembered(platforms: Mapping[str, str]) -> dict[str, str]:
    """Those components that Home Assistant has in its registry until they are taken back."""
    return {
        leaf: platform for leaf, platform in platforms.items() if platform != "device_automation"
    }


def farewell(
    step: int, name: DeviceName, gone: Mapping[str, str], shown: Announcement | None
) -> str | None:
    """What Home Assistant is told, step by step, so that it forgets what is `gone` of a device.

    It forgets only what it has heard of since it started: so all of that is shown once more, taken
    back, and left out. `shown` is what is left of the device; without it the device itself goes,
    by an empty payload, and there is no last step.
    """
    if shown is None:
        left: dict[str, Any] = {"identifiers": [name.identifier], "name": name.key or name.kind}
        nothing_else = Announcement({"device": left, "origin": _ORIGIN}, {})
        return (nothing_else.with_others(_as_they_were(name, gone)), "", None)[step]
    return (shown.with_others(_as_they_were(name, gone)), shown.payload(gone), shown.payload())[
        step
    ]


def _as_they_were(name: DeviceName, gone: Mapping[str, str]) -> Components:
    """Entities with no more than they need to be told by; nobody publishes on their topics."""
    nowhere = f"{name.identifier}/gone"
    needed: Mapping[str, dict[str, Any]] = {
        "switch": {"command_topic": nowhere},
        "button": {"command_topic": nowhere},
        "text": {"command_topic": nowhere},
        "event": {"state_topic": nowhere, "event_types": ["gone"]},
    }
    return {
        leaf: {
            "platform": platform,
            "name": leaf,
            "unique_id": name.unique_id(leaf),
            "qos": 1,
            **needed.get(platform, {"state_topic": nowhere}),
        }
        for leaf, platform in gone.items()
    }
