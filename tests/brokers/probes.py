"""Questions to a broker, each answered by trying: what the bridge can count on there."""

import itertools
from collections.abc import Callable
from contextlib import suppress
from socket import SHUT_RDWR
from socket import socket as Socket  # noqa: N812
from typing import Any, Self

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from tests.process.watched import PATIENCE, Watched

from . import Broker

__all__ = ["PROBES", "SILENCE"]

SILENCE = 3.0
"""Seconds after which something that a broker would send at once is taken for not sent."""

_names = itertools.count()


class _Client:
    """A paho client with its thread, its messages and how it was refused or put out."""

    def __init__(
        self,
        broker: Broker,
        *,
        mqtt5: bool = False,
        name: str | None = None,
        keep: bool = False,
        will: str | None = None,
    ) -> None:
        version = MQTTProtocolVersion.MQTTv5 if mqtt5 else MQTTProtocolVersion.MQTTv311
        clean = {} if mqtt5 else {"clean_session": not keep}
        self.mqtt5 = mqtt5
        self.messages: Watched[MQTTMessage] = Watched()
        self.connected: Watched[bool] = Watched()
        self.granted: Watched[bool] = Watched()
        self.ended: Watched[str] = Watched()
        self.paho = Client(
            CallbackAPIVersion.VERSION2,
            client_id=name or f"probe{next(_names)}",
            protocol=version,
            reconnect_on_failure=False,
            **clean,  # type: ignore[arg-type]  # which version takes which, paho checks itself
        )
        if will is not None:
            self.paho.will_set(will, "gone")
        self.paho.on_connect = lambda *given: self.connected.add(not given[3].is_failure)
        self.paho.on_disconnect = lambda *given: self._end(str(given[3]))
        self.paho.on_subscribe = lambda *_: self.granted.add(True)
        self.paho.on_message = lambda *given: self.messages.add(given[2])
        how: dict[str, Any] = {}
        if mqtt5:
            lasting = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            lasting.SessionExpiryInterval = 3600 if keep else 0
            how = {"clean_start": not keep, "properties": lasting}
        self.paho.connect(broker.host, broker.port, **how)
        self.paho.loop_start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()

    def leave(self) -> None:
        """DISCONNECT."""
        self.paho.disconnect()
        self.paho.loop_stop()
        paho = self.paho
        paho.on_connect = paho.on_disconnect = paho.on_subscribe = paho.on_message = None

    def _end(self, reason: str) -> None:
        self.ended.add(reason)
        self.connected.add(False)  # who waits for a CONNACK waits no longer

    def accepted(self, patience: float = PATIENCE) -> bool:
        """CONNACK said yes; no, an end without one, and silence is no."""
        with suppress(AssertionError):
            return self.connected.first(lambda _: True, "a CONNACK", timeout=patience)
        return False

    def subscribe(self, topic_filter: str) -> None:
        """At QoS 1, and granted."""
        assert self.accepted()
        options = SubscribeOptions(qos=1, retainAsPublished=True)
        if self.mqtt5:
            self.paho.subscribe(topic_filter, options=options)
        else:
            self.paho.subscribe(topic_filter, 1)
        self.granted.until(bool, "a SUBACK")

    def publish(self, topic: str, payload: str, *, retain: bool = False) -> None:
        """At QoS 1, and acknowledged."""
        self.paho.publish(topic, payload, qos=1, retain=retain).wait_for_publish(PATIENCE)

    def hears(self, payload: str, patience: float, *, retained: bool | None = None) -> bool:
        """A message with this payload comes, with the retain flag where that matters."""
        wanted = payload.encode()
        return _seen(
            self.messages,
            lambda each: each.payload == wanted and retained in (None, bool(each.retain)),
            patience,
        )


def _seen(watched: Watched[Any], match: Callable[[Any], bool], patience: float) -> bool:
    with suppress(AssertionError):
        watched.first(match, "it", timeout=patience)
        return True
    return False


def _speaks_mqtt5(broker: Broker, patience: float = SILENCE) -> bool:
    with _Client(broker, mqtt5=True) as client:
        return client.accepted(patience)


def _keeps_for(topic: str, topic_filter: str, broker: Broker, patience: float) -> bool:
    with _Client(broker) as writer, _Client(broker) as reader:
        writer.publish(topic, "kept", retain=True)
        reader.subscribe(topic_filter)
        return reader.hears("kept", patience, retained=True)


def _keeps_exact(broker: Broker, patience: float) -> bool:
    return _keeps_for("probe/exact/a", "probe/exact/a", broker, patience)


def _keeps_wildcard(broker: Broker, patience: float) -> bool:
    return _keeps_for("probe/wild/a", "probe/wild/+", broker, patience)


def _shows_retain_flag(broker: Broker, patience: float) -> bool:
    if not _speaks_mqtt5(broker):
        return False
    with _Client(broker) as writer, _Client(broker, mqtt5=True) as reader:
        reader.subscribe("probe/flag")
        writer.publish("probe/flag", "now", retain=True)
        return reader.hears("now", patience, retained=True)


def _keeps_session(broker: Broker, patience: float) -> bool:
    mqtt5 = _speaks_mqtt5(broker)
    name = f"stays{next(_names)}"
    with _Client(broker, mqtt5=mqtt5, name=name, keep=True) as first:
        first.subscribe("probe/session")
    with _Client(broker) as writer:
        writer.publish("probe/session", "meanwhile")
    with _Client(broker, mqtt5=mqtt5, name=name, keep=True) as again:
        return again.hears("meanwhile", patience)


def _publishes_will(broker: Broker, patience: float) -> bool:
    with _Client(broker) as reader:
        reader.subscribe("probe/will")
        lost = _Client(broker, will="probe/will")
        assert lost.accepted()
        socket = lost.paho.socket()
        assert isinstance(socket, Socket)
        # Neither DISCONNECT nor anything else; `close` ends nothing before paho's thread lets go.
        socket.shutdown(SHUT_RDWR)
        heard = reader.hears("gone", patience)
        lost.leave()
        return heard


def _says_taken_over(broker: Broker, patience: float) -> bool:
    if not _speaks_mqtt5(broker):
        return False
    name = f"twin{next(_names)}"
    with _Client(broker, mqtt5=True, name=name) as first:
        assert first.accepted()
        with _Client(broker, mqtt5=True, name=name) as second:
            assert second.accepted()
            return _seen(first.ended, lambda reason: "taken over" in reason.lower(), patience)


PROBES: dict[str, Callable[[Broker, float], bool]] = {
    "MQTT 5": _speaks_mqtt5,
    "retained values of an exact topic": _keeps_exact,
    "retained values of a filter with `+` or `#`": _keeps_wildcard,
    "a live message's retain flag": _shows_retain_flag,
    "what comes while the bridge restarts": _keeps_session,
    "the will, when the connection is lost": _publishes_will,
    "the reason, when another client takes over": _says_taken_over,
}
"""A column of the table in config/README.md, and how it is found out.

A probe is given the broker and the seconds after which what has not come is taken for not sent.
"""
