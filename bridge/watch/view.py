"""The broker's words so far, as somebody who watches wants to see them. Pure.

`View` takes messages in and is asked for rows; how they are drawn is for `watch.screen`, and
`message_line` is a message by itself, for a pipe or a log.
"""

import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ..text.json_text import read_object
from ..text.visible import visible

__all__ = ["Event", "RoomView", "View", "message_line", "result_text"]

_MOST_EVENTS = 100

_NOT_SHOWN = ("status", "info", "health", "marker")
"""Last levels of topics that only repeat what others say, or say nothing to a person."""


def message_line(topic: str, payload: bytes, at: float) -> str | None:
    """A message as a line; None for one that is not worth a line. `at` is wall time."""
    if topic.rpartition("/")[2] in _NOT_SHOWN:
        return None
    clock = time.strftime("%H:%M:%S", time.localtime(at))
    return visible(f"{clock}  {topic:<40} {payload.decode(errors='replace')}")


@dataclass(slots=True)
class RoomView:
    """A room's newest `status`, and when it came (monotonic)."""

    status: dict[str, Any] = field(default_factory=dict)
    came_at: float = 0.0
    last_result: dict[str, Any] = field(default_factory=dict)

    def elapsed(self, now: float) -> int:
        """Seconds recorded, counted on between two words of the bridge while it records."""
        said = _whole(self.status.get("elapsed"))
        running = self.status.get("state") == "recording" and not self.status.get("stale")
        return said + int(now - self.came_at) if running else said


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened: wall time, whose it is, and what."""

    at: float
    subject: str
    text: str
    #: nothing to worry about
    good: bool = True


class View:
    """Everything below one base topic. `rooms` and `servers` are shown first, in their order."""

    def __init__(self, base: str, servers: Iterable[str], rooms: Iterable[str]) -> None:
        self.base = base
        self.bridge = "unknown"
        self.info: dict[str, Any] = {}
        self.health: dict[str, Any] = {}
        self.servers: dict[str, str] = dict.fromkeys(servers, "unknown")
        self.rooms: dict[str, RoomView] = {name: RoomView() for name in rooms}
        self.events: deque[Event] = deque(maxlen=_MOST_EVENTS)
        #: why there is no connection to the broker; empty while there is one
        self.failure = "connecting"

    @property
    def filters(self) -> tuple[str, ...]:
        """The filters of the topics that it needs to hear."""
        leaves = ("bridge/state", "bridge/info", "bridge/health", "bridge/response/error")
        rooms = ("server/+/state", "room/+/status", "room/+/result")
        return tuple(f"{self.base}/{each}" for each in (*leaves, *rooms))

    def take(self, topic: str, payload: bytes, *, monotonic: float, wall: float) -> None:
        """A message that matches one of `filters`."""
        match visible(topic).removeprefix(f"{self.base}/").split("/"):
            case ["bridge", "state"]:
                self._bridge_says(_word(payload), wall)
            case ["bridge", "info"]:
                self.info = _object(payload)
            case ["bridge", "health"]:
                self.health = _object(payload)
            case ["bridge", "response", "error"]:
                refused = _object(payload)
                origin = str(refused.get("origin", "")).removeprefix(f"{self.base}/")
                self._happened(wall, origin or "bridge", refused)
            case ["server", name, "state"]:
                self._server_says(name, _word(payload), wall)
            case ["room", name, "status"]:
                self._room_says(name, _object(payload), monotonic)
            case ["room", name, "result"]:
                result = _object(payload)
                self.rooms.setdefault(name, RoomView()).last_result = result
                self._happened(wall, name, result)

    def round_trip(self, server: str) -> float | None:
        """Milliseconds of the server's last answer, as far as the bridge has said."""
        known = self.health.get("servers")
        said = known.get(server) if isinstance(known, dict) else None
        took = said.get("round_trip_ms") if isinstance(said, dict) else None
        return took if isinstance(took, int | float) else None

    def _bridge_says(self, state: str, wall: float) -> None:
        if self.bridge not in (state, "unknown"):
            self.events.append(Event(wall, "bridge", state, state == "online"))
        self.bridge = state

    def _server_says(self, name: str, state: str, wall: float) -> None:
        if not state:  # the retained topic was emptied: the server is gone
            self.servers.pop(name, None)
            return
        before = self.servers.get(name, "unknown")
        self.servers[name] = state
        if before not in (state, "unknown"):
            self.events.append(Event(wall, f"server {name}", state, state == "ready"))

    def _room_says(self, name: str, status: dict[str, Any], monotonic: float) -> None:
        if not status:  # the retained topic was emptied: the room is gone
            self.rooms.pop(name, None)
            return
        room = self.rooms.setdefault(name, RoomView())
        room.status, room.came_at = status, monotonic

    def _happened(self, wall: float, subject: str, result: dict[str, Any]) -> None:
        self.events.append(
            Event(wall, subject, result_text(result), result.get("outcome") in ("ok", "ignored"))
        )


def result_text(result: dict[str, Any]) -> str:
    """One result in words: ``stop failed 040001 Active recording not found (12 ms)``."""
    words = [str(result.get("action", "?")), str(result.get("outcome", "?"))]
    error = result.get("error")
    if isinstance(error, dict):
        words += [str(error.get("code", "")), str(error.get("message", ""))]
    took = result.get("took_ms")
    if isinstance(took, int | float):
        words.append(f"({took:.0f} ms)")
    return " ".join(filter(None, words))


def _object(payload: bytes) -> dict[str, Any]:
    shown: dict[str, Any] = _shown(read_object(payload))
    return shown


def _shown(value: Any) -> Any:
    """The value with every text in it as it may be shown."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, list):
        return [_shown(each) for each in value]
    if isinstance(value, dict):
        return {visible(key): _shown(each) for key, each in value.items()}
    return value


def _word(payload: bytes) -> str:
    return visible(payload.decode(errors="replace"))


def _whole(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
