"""From what paho received to a message, or to a line of the log."""

import pytest
from paho.mqtt.client import MQTTMessage
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from structlog.testing import capture_logs

from bridge.mqtt.inbound import to_message
from bridge.mqtt.message import Message


def received(
    topic: bytes = b"hmp/bridge/request/info",
    payload: bytes = b"",
    response: str | None = None,
    qos: int = 1,
) -> MQTTMessage:
    """A PUBLISH of MQTT 5 as paho hands it over."""
    message = MQTTMessage(mid=qos, topic=topic)
    message.payload = payload
    message.qos = qos
    message.properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    if response is not None:
        # Past paho, which would not send what a raw client does.
        message.properties.__dict__["ResponseTopic"] = response
    return message


def understood(message: MQTTMessage) -> Message | None:
    """With a limit of 100 bytes."""
    return to_message(message, limit=100, acknowledge=lambda _: None)


@pytest.mark.parametrize("response", ["", "a/+", "#", "a/#/b", "a\0b"])
async def test_a_response_topic_that_nothing_can_be_published_to_is_said(response: str) -> None:
    """The request itself is answered where everybody is."""
    with capture_logs() as logs:
        message = understood(received(response=response))
    assert message is not None
    assert message.response_topic is None
    [line] = logs
    assert (line["event"], line["response_topic"]) == ("response topic ignored", response)
    assert line["topic"] == "hmp/bridge/request/info"


async def test_a_response_topic_as_it_should_be() -> None:
    with capture_logs() as logs:
        message = understood(received(response="panel/answers"))
    assert message is not None
    assert message.response_topic == "panel/answers"
    assert logs == []


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (received(topic=b"hmp/\xff"), "its topic is not UTF-8"),
        (received(topic=b""), "nobody can publish to its topic"),
        (received(topic=b"hmp/\0"), "nobody can publish to its topic"),
        (received(topic=b"hmp/+"), "nobody can publish to its topic"),
        (received(topic=b"#"), "nobody can publish to its topic"),
        (received(payload=b"x" * 101), "too long"),
    ],
)
def test_what_nobody_could_use_is_said_and_dropped(message: MQTTMessage, said: str) -> None:
    with capture_logs() as logs:
        assert understood(message) is None
    [line] = logs
    assert said in line["event"]


@pytest.mark.parametrize("qos", [0, 1])
async def test_what_is_exactly_as_long_as_the_limit_is_taken(qos: int) -> None:
    message = understood(received(payload=b"x" * 100, qos=qos))
    assert message is not None
    assert len(message.payload) == 100


@pytest.mark.parametrize("qos", [0, 1])
async def test_what_the_broker_does_not_wait_for_is_not_acknowledged(qos: int) -> None:
    acknowledged: list[int] = []
    message = to_message(received(qos=qos), limit=100, acknowledge=acknowledged.append)
    assert message is not None
    message.acknowledge()
    assert acknowledged == [1] * qos
    assert (message.receipt is None) == (qos == 0)
