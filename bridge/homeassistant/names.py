"""Names by which Home Assistant knows what is ours: topics, unique ids, proposals for entity ids.

Made of the base topic and the key of a room or server alone, so that a replaced box is the same
device there, with its history. Pure.
"""

import re
from collections.abc import Callable
from hashlib import sha256
from typing import NamedTuple

__all__ = ["DeviceName", "node", "room_announced"]

_PLAIN_SLUG = re.compile(r"(?!hmp_)[a-z0-9]+(?:_[a-z0-9]+)*")
"""What an entity id can have as it is, and that is not one of our own words."""


class DeviceName(NamedTuple):
    """One device: `kind` is ``room``, ``server``, ``bridge`` or ``rooms``, these without a key."""

    base: str
    kind: str
    key: str = ""

    @classmethod
    def announced(cls, base: str, topic: str) -> "DeviceName":
        """The device below `base` that is announced on this topic, as `topic` makes it."""
        kind, _, key = topic.split("/")[-2].partition("-")
        return cls(base, kind, key)

    @property
    def identifier(self) -> str:
        """What names the device to Home Assistant; no two devices of one broker have the same."""
        return "/".join(filter(None, (self.base, self.kind, self.key)))

    def unique_id(self, leaf: str) -> str:
        """What names one of its entities, for ever."""
        return f"{self.identifier}/{leaf}"

    def topic(self, prefix: str) -> str:
        """Where the device is announced, below the discovery prefix."""
        name = "-".join(filter(None, (self.kind, self.key)))
        return f"{prefix}/device/{node(self.base)}/{name}/config"

    def object_id(self, leaf: str) -> str:
        """The part of an entity id behind its domain; no two entities of a domain get the same.

        Home Assistant takes lower-case letters and digits there, with single `_` between them. A
        key that is no such text is made one, and told from its likes by a few digits.
        """
        match self.kind:
            case "room":
                return f"{_slug(self.key)}_{leaf}"
            case "server":
                return f"hmp_server_{_slug(self.key)}_{leaf}"
            case _:
                part = f"_{_slug(self.key)}" if self.key else ""
                return f"hmp_{self.kind}{part}_{leaf}"


def node(base: str) -> str:
    """The base topic as a level of a discovery topic, which has letters, digits, `-` and `_`."""
    if re.fullmatch(r"[a-zA-Z0-9_-]+", base):
        return base
    return f"{re.sub(r'[^a-zA-Z0-9_-]+', '-', base)}-{_digits(base)}"


def room_announced(base: str) -> Callable[[str], str]:
    """Says which room's device below `base` a topic announces; nothing for any other topic."""
    before = f"/device/{node(base)}/room-"

    def room_of(topic: str) -> str:
        _, found, name = topic.partition(before)
        return name.removesuffix("/config") if found else ""

    return room_of


def _slug(key: str) -> str:
    if _PLAIN_SLUG.fullmatch(key):
        return key
    words = re.findall(r"[a-z0-9]+", key)
    return "_".join([*words, _digits(key)])


def _digits(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:6]
