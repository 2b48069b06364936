"""A program that asks the bridge by name and keeps every answer, over MQTT 5 or 3.1.1."""

import itertools
import json
import uuid
from collections.abc import Callable
from typing import Any, NamedTuple

from paho.mqtt.client import MQTTMessage
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from .listener import Listener
from .watched import PATIENCE, Watched

__all__ = ["Ask", "Heard", "Requester"]


class Heard(NamedTuple):
    """An answer as it came."""

    topic: str
    payload: str
    correlation: bytes | None
    retained: bool

    @property
    def answer(self) -> dict[str, Any]:
        """The payload, decoded."""
        decoded: dict[str, Any] = json.loads(self.payload)
        return decoded


class Requester(Listener):
    """Listens on our response topics and, over MQTT 5, on `inbox`, a topic of its own."""

    def __init__(self, port: int, base: str, *, mqtt5: bool) -> None:
        self.base = base
        self.mqtt5 = mqtt5
        self.inbox = f"client/{uuid.uuid4()}"
        self.heard: Watched[Heard] = Watched()
        self._numbers = itertools.count(1)
        ours = (f"{base}/server/+/response/#", f"{base}/bridge/response/#")
        super().__init__(port, [*ours, f"{self.inbox}/#"], mqtt5=mqtt5)

    def received(self, message: MQTTMessage) -> None:
        """An answer."""
        correlation = getattr(message.properties, "CorrelationData", None)
        self.heard.add(Heard(message.topic, message.payload.decode(), correlation, message.retain))

    def send(
        self,
        leaf: str,
        payload: object = b"",
        *,
        response_topic: str | None = None,
        correlation: bytes | None = None,
        expiry: int | None = None,
        retain: bool = False,
        wait: bool = True,
    ) -> None:
        """Publish below the base topic; `payload` is text, bytes, or what becomes JSON.

        Returns when the broker has it, unless told not to wait.
        """
        properties = None
        if self.mqtt5:
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            if response_topic is not None:
                properties.ResponseTopic = response_topic
            if correlation is not None:
                properties.CorrelationData = correlation
            if expiry is not None:
                properties.MessageExpiryInterval = expiry
        data = payload if isinstance(payload, (str, bytes)) else json.dumps(payload)
        sent = self._client.publish(
            f"{self.base}/{leaf}", data, qos=1, retain=retain, properties=properties
        )
        if wait:
            sent.wait_for_publish(PATIENCE)
            assert sent.is_published()

    def answers(self, request_id: object) -> list[Heard]:
        """Everything that came with this id."""
        return [each for each in self.heard.since() if each.answer["id"] == request_id]

    def ask(
        self, command: str, *values: object, server: str = "main", **parameters: Any
    ) -> dict[str, Any]:
        """A command and its answer: by name where there are `parameters`, else by position."""
        given: object = parameters or list(values)
        return self.request(f"server/{server}/request/{command}", {"parameters": given})

    def request(self, leaf: str, payload: dict[str, Any] | None = None) -> dict[str, Any]:
        """Send with an id of one's own; the first answer that has it."""
        request_id = f"q{next(self._numbers)}"
        since = len(self.heard)
        self.send(leaf, {"id": request_id, **(payload or {})})
        return self.heard.until(
            lambda heard: next((h.answer for h in heard if h.answer["id"] == request_id), None),
            f"an answer to {leaf}",
            since=since,
        )

    def wait_for(self, topic: str, count: int = 1, *, since: int = 0) -> list[Heard]:
        """The answers on one topic, once there are so many."""

        def look(heard: list[Heard]) -> list[Heard]:
            found = [each for each in heard if each.topic == topic]
            return found if len(found) >= count else []

        return self.heard.until(look, f"{count} answers on {topic}", since=since)


Ask = Callable[..., Requester]
"""The fixture `asking`."""
