"""From what paho received to a `Message`."""

from collections.abc import Callable

import structlog
import trio
from paho.mqtt.client import MQTTMessage

from .message import Message, Receipt, is_topic_name

__all__ = ["to_message"]

log = structlog.get_logger("mqtt")


def to_message(
    received: MQTTMessage, *, limit: int, acknowledge: Callable[[int], None]
) -> Message | None:
    """The message, or none for one that nobody could use; that is logged, never raised.

    `limit` is the longest payload in bytes: an MQTT 3.1.1 broker cannot be told. `acknowledge`
    sends the PUBACK for a packet identifier.
    """
    try:
        topic = received.topic
    except UnicodeDecodeError:
        log.warning("mqtt message dropped: its topic is not UTF-8")
        return None
    if not is_topic_name(topic):
        log.warning("mqtt message dropped: nobody can publish to its topic", topic=topic)
        return None
    payload = bytes(received.payload)
    if len(payload) > limit:
        log.warning("mqtt message dropped: too long", topic=topic, bytes=len(payload), limit=limit)
        return None
    properties = received.properties
    response_topic = getattr(properties, "ResponseTopic", None)
    if response_topic is not None and not is_topic_name(response_topic):
        log.warning(
            "response topic ignored",
            topic=topic,
            response_topic=response_topic,
            what_to_do="name one topic, without + and #; the answer is on the usual one",
        )
        response_topic = None
    receipt = None
    if received.qos:
        receipt = Receipt(received.mid, hash((topic, payload)), acknowledge)
    return Message(
        topic=topic,
        payload=payload,
        qos=received.qos,
        retain=received.retain,
        duplicate=received.dup,
        received_at=trio.current_time(),
        expiry=getattr(properties, "MessageExpiryInterval", None),
        response_topic=response_topic,
        correlation_data=getattr(properties, "CorrelationData", None),
        receipt=receipt,
    )
