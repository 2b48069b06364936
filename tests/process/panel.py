"""A panel: an MQTT client of its own that sees what everybody on the broker sees."""

import json
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

from paho.mqtt.client import MQTTMessage

from .listener import Listener
from .watched import PATIENCE, Watched

__all__ = ["Panel", "Seen"]

R = TypeVar("R")


class Seen(NamedTuple):
    """A message as it came, at `at` seconds of the monotonic clock."""

    at: float
    topic: str
    payload: str
    retained: bool


class Panel(Listener):
    """Subscribes to everything below `base`; keeps what it is sent."""

    def __init__(self, port: int, base: str = "hmp", *, mqtt5: bool = False) -> None:
        self.base = base
        self.seen: Watched[Seen] = Watched()
        self._newest: dict[str, str] = {}
        super().__init__(port, [f"{base}/#"], mqtt5=mqtt5)

    def received(self, message: MQTTMessage) -> None:
        """Kept, unless it says again what was heard already."""
        payload = message.payload.decode(errors="replace")
        if message.retain and self._newest.get(message.topic) == payload:
            return  # the embedded broker sends what it retains again whenever anybody connects
        self._newest[message.topic] = payload
        self.seen.add(Seen(time.monotonic(), message.topic, payload, message.retain))

    # Asking.

    def publish(self, leaf: str, payload: str | bytes = "", *, retain: bool = False) -> None:
        """Publish below the base topic; returns when the broker has it."""
        self.publish_many([(leaf, payload)], retain=retain)

    def publish_many(
        self, messages: Sequence[tuple[str, str | bytes]], *, retain: bool = False
    ) -> None:
        """The same for many, all on the way at once."""
        sent = [
            self._client.publish(f"{self.base}/{leaf}", payload, qos=1, retain=retain)
            for leaf, payload in messages
        ]
        for each in sent:
            each.wait_for_publish(PATIENCE)
            assert each.is_published()

    def press(self, room: str, action: str) -> None:
        """A button: pressed and let go."""
        button = f"room/{room}/press/{action}"
        self.publish_many([(button, "true"), (button, "false")])

    # Looking.

    def mark(self) -> int:
        """Here and now, for `since`."""
        return len(self.seen)

    def messages(self, leaf: str, since: int = 0) -> list[Seen]:
        """Everything that came on one topic."""
        topic = f"{self.base}/{leaf}"
        return [seen for seen in self.seen.since(since) if seen.topic == topic]

    def payloads(self, leaf: str, since: int = 0) -> list[str]:
        """What was said on one topic, in order."""
        return [seen.payload for seen in self.messages(leaf, since)]

    def wait_for_results(self, room: str, count: int, since: int = 0) -> list[dict[str, Any]]:
        """The room's results, decoded, once there are so many."""
        topic = f"{self.base}/room/{room}/result"

        def look(seen: list[Seen]) -> list[dict[str, Any]]:
            found = [json.loads(each.payload) for each in seen if each.topic == topic]
            return found if len(found) >= count else []

        return self.seen.until(look, f"{count} results of {room}", since=since)

    def newest(self, leaf: str) -> str | None:
        """What the topic said last."""
        return self._newest.get(f"{self.base}/{leaf}")

    def status(self, room: str) -> dict[str, Any]:
        """The room's JSON, decoded."""
        decoded: dict[str, Any] = json.loads(self.newest(f"room/{room}/status") or "{}")
        return decoded

    def wait_for(
        self, leaf: str, payload: str | None = None, *, since: int = 0, timeout: float = PATIENCE
    ) -> Seen:
        """The first message from `since` on with this topic, and payload where one is given."""
        topic = f"{self.base}/{leaf}"

        def match(seen: Seen) -> bool:
            return seen.topic == topic and payload in (None, seen.payload)

        return self.seen.first(match, (topic, payload), since=since, timeout=timeout)

    def wait_until(
        self,
        look: Callable[[list[Seen]], R | None],
        wanted: object,
        *,
        since: int = 0,
        timeout: float = PATIENCE,
    ) -> R:
        """What `look` finds in the messages from `since` on, once that is true."""
        return self.seen.until(look, wanted, since=since, timeout=timeout)

    def wait_for_newest(self, leaf: str, payload: str, *, timeout: float = PATIENCE) -> None:
        """Until the newest word on the topic is this one."""
        wanted = (f"{self.base}/{leaf}", payload)
        self.seen.until(lambda _: self.newest(leaf) == payload, wanted, timeout=timeout)
