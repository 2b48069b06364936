"""Who hears what is published: a paho client in a thread of its own."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from paho.mqtt.client import Client, ConnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from .watched import Watched

__all__ = ["Listener"]


class Listener(ABC):
    """Subscribed to `filters` once it is made, and again whenever the broker comes back.

    `login` is a user's name and password.
    """

    def __init__(
        self,
        port: int,
        filters: Sequence[str],
        *,
        mqtt5: bool,
        login: tuple[str, str] | None = None,
    ) -> None:
        self._filters = filters
        self._subscribed: Watched[bool] = Watched()
        version = MQTTProtocolVersion.MQTTv5 if mqtt5 else MQTTProtocolVersion.MQTTv311
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=version)
        self._client.reconnect_delay_set(0.05, 0.2)  # type: ignore[arg-type]  # any number will do
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = lambda _client, _userdata, message: self.received(message)
        if login is not None:
            self._client.username_pw_set(*login)
        self._client.connect_async("127.0.0.1", port)
        self._client.loop_start()
        self._subscribed.until(bool, f"a subscription to {', '.join(filters)}")

    def wait_subscribed(self, times: int) -> None:
        """Until it has been subscribed so often: when it was made, and whenever it came back."""
        self._subscribed.until(lambda seen: len(seen) >= times, f"{times} subscriptions")

    def close(self) -> None:
        """Leave the broker."""
        client = self._client
        client.disconnect()
        client.loop_stop()
        # Without the cycle through these, paho closes its sockets before anybody misses them.
        client.on_connect = client.on_subscribe = client.on_message = None

    @abstractmethod
    def received(self, message: MQTTMessage) -> None:
        """A message came; called by the client's thread."""

    def _on_connect(
        self,
        client: Client,
        _userdata: Any,
        _flags: ConnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        assert not reason.is_failure, reason
        self._subscribe(client)

    def _subscribe(self, client: Client) -> None:
        client.subscribe([(each, 1) for each in self._filters])

    def _on_subscribe(
        self,
        client: Client,
        _userdata: Any,
        _mid: int,
        reasons: list[ReasonCode],
        _properties: Properties | None,
    ) -> None:
        """A cluster that has just lost a node may refuse what it takes a moment later.

        Where something else is granted, the rest is refused by an ACL.
        """
        if all(each.is_failure for each in reasons):
            self._subscribe(client)
        else:
            self._subscribed.add(True)
