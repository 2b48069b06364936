"""The table `[homeassistant]`: whether and how rooms and servers appear in Home Assistant."""

import re
from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema

from ..homeassistant.discovery import Presentation
from .key_types import Table

__all__ = ["HomeAssistantTable"]

_LONGEST_TOPIC = 200


def _topic(value: str) -> str:
    levels = value.split("/")
    if len(value) > _LONGEST_TOPIC or not all(levels) or re.search(r"[+#\s\0]", value):
        raise ValueError(
            "is no topic; write it as in Home Assistant's settings, such as homeassistant or "
            "homeassistant/status, without + # or white space"
        )
    return value


PlainTopic = Annotated[
    str,
    AfterValidator(_topic),
    WithJsonSchema(
        {"type": "string", "minLength": 1, "maxLength": _LONGEST_TOPIC, "pattern": r"^[^+#\s]+$"}
    ),
]


class HomeAssistantTable(Table):
    """Home Assistant."""

    enabled: bool = False
    """Have every room and server appear in Home Assistant by itself."""
    discovery_prefix: PlainTopic = "homeassistant"
    """The discovery prefix of Home Assistant's MQTT integration."""
    status_topic: PlainTopic = "homeassistant/status"
    """The topic on which Home Assistant says that it has started: its birth message."""
    default_entity_id: bool = False
    """Propose entity ids made of the keys of rooms; else Home Assistant makes them of names."""
    all_rooms: bool = False
    """A device for all rooms together: how many record, how many have an alarm, stop all."""

    @property
    def heard(self) -> list[str]:
        """Topics that the bridge is to hear: of the birth, where anything is shown."""
        return [self.status_topic] if self.enabled else []

    @property
    def written(self) -> list[str]:
        """Topic filters of the devices that the bridge announces."""
        return [f"{self.discovery_prefix}/device/+/+/config"] if self.enabled else []

    @property
    def presentation(self) -> Presentation:
        """How all of it is shown."""
        return Presentation(self.discovery_prefix, self.default_entity_id, self.all_rooms)
