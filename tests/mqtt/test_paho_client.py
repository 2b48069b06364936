"""Our client beside paho's own, on real sockets: the same bytes, the same callbacks, less work."""

import struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from paho.mqtt.enums import MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from bridge.mqtt.packets import publish
from bridge.mqtt.paho_client import PahoClient

from .wire import VERSIONS, Paho, Wire, wire

LISTED = [code for code, names in ReasonCode.names.items() for each in names.values() if 4 in each]
PROPERTIES: dict[str, st.SearchStrategy[Any]] = {
    "MessageExpiryInterval": st.integers(0, 1000),
    "ResponseTopic": st.text(st.characters(min_codepoint=32, max_codepoint=500), max_size=5),
    "CorrelationData": st.binary(max_size=5),
    "UserProperty": st.just(("name", "value")),
}


def properties(values: dict[str, Any]) -> Properties:
    made = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    for name, value in values.items():
        setattr(made, name, value)
    return made


def post(wired: Wire, topic: str, payload: bytes = b"x", **how: Any) -> int:
    how = {"qos": 1, "retain": True} | how
    if isinstance(wired.client, PahoClient):
        return wired.client.post(topic, payload, **how)
    return wired.client.publish(topic, payload, **how).mid


def framed(first: int, body: bytes) -> bytes:
    assert len(body) < 128
    return bytes([first, len(body)]) + body


def answer(mid: int, rest: bytes) -> bytes:
    # What is not listed, and paho ends the connection over, is for tests of its own.
    return framed(0x40, struct.pack("!H", mid) + rest)


topics = st.text(st.characters(min_codepoint=48, max_codepoint=0x7FF), min_size=1, max_size=8)
outgoing = st.fixed_dictionaries(
    {
        "topic": topics,
        "payload": st.one_of(st.binary(max_size=20), st.integers(0, 20_000).map(bytes)),
        "qos": st.integers(0, 1),
        "retain": st.booleans(),
        "properties": st.one_of(
            st.none(), st.fixed_dictionaries({}, optional=PROPERTIES).map(properties)
        ),
    }
)
whole = st.builds(
    lambda first, topic, body: framed(first, struct.pack("!H", len(topic)) + topic + body),
    st.sampled_from([0x30 | flags for flags in range(16) if flags & 6 != 4]),
    st.binary(max_size=6),
    st.one_of(st.binary(max_size=12), st.binary(max_size=6).map(lambda rest: b"\0\7\0" + rest)),
)
answers = st.builds(
    answer,
    st.integers(0, 6),
    st.one_of(
        st.just(b""),
        st.sampled_from(LISTED).map(lambda code: bytes([code])),
        st.sampled_from(LISTED).map(lambda code: bytes([code, 0])),
        st.tuples(st.sampled_from(LISTED), st.binary(max_size=5)).map(
            lambda both: bytes([both[0]]) + both[1]
        ),
    ),
)
others = st.sampled_from(
    [
        *(b"\xd0\0", b"\xc0\0", b"\x62\2\0\7", b"\x50\2\0\1", b"\x70\2\0\1"),
        *(
            b"\x90\3\7\1\0",
            b"\x90\4\7\1\0\1",
            b"\x90\4\7\1\1\x7f",
            b"\x90\1\0",
            b"\xb0\2\7\1",
            b"\xe0\0",
            b"\xe0\1\x8e",
            b"\xf0\0",
        ),
        *(b"\1\0", b"\x10\0", b"\x40\1\0", b"\x40\0", b"\x30\0", b"\x32\xff\xff\xff\xff\xff\1"),
    ]
)
incoming = st.lists(st.one_of(whole, answers, others), max_size=8)


@pytest.mark.parametrize("manual_ack", [True, False])
@pytest.mark.parametrize("version", VERSIONS)
@settings(max_examples=60)
@given(st.lists(outgoing, max_size=5), incoming, st.integers(1, 200))
def test_the_same_as_paho_whatever_comes(
    version: MQTTProtocolVersion,
    manual_ack: bool,
    posted: list[Any],
    received: list[bytes],
    size: int,
) -> None:
    """In whatever pieces it comes."""
    seen = []
    for kind in (Paho, PahoClient):
        with wire(kind, version, manual_ack=manual_ack) as wired:
            mids = [post(wired, **each) for each in posted]
            first = wired.sent()
            # paho tells of what was written at QoS 0, which nobody here asks.
            wired.said.clear()
            data = b"".join(received)
            for at in range(0, len(data), size):
                if wired.client.socket() is not None:
                    wired.receive(data[at : at + size])
            ended = wired.client.socket() is None
            seen.append((mids, first, wired.said, ended, b"" if ended else wired.sent()))
    assert seen[0] == seen[1]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    "said",
    [b"\x20\3\0\0\0", b"\x34\7\0\1a\0\7\0x", b"\x90\3\0\1\0", b"\xb0\4\0\1\0\0"],
    ids=["a second CONNACK", "QoS 2", "SUBACK for a PUBLISH", "UNSUBACK for a PUBLISH"],
)
def test_a_broker_that_does_what_none_may_is_left(
    version: MQTTProtocolVersion, said: bytes
) -> None:
    with wire(PahoClient, version) as wired:
        assert post(wired, "a") == 1
        wired.receive(said)
        assert wired.said == [("ended", False, 0x82)]


@pytest.mark.parametrize("version", VERSIONS)
def test_many_packets_are_received_at_once(version: MQTTProtocolVersion) -> None:
    press = publish(
        b"hmp/room/r0/press/record",
        b"true",
        qos=1,
        retain=False,
        mid=9,
        properties=b"\0" if version == MQTTProtocolVersion.MQTTv5 else b"",
    )
    with wire(PahoClient, version) as wired:
        mids = [post(wired, "a") for _ in range(50)]
        wired.receive(b"".join(answer(mid, b"") for mid in mids) + press * 10)
        assert wired.said[:50] == [("answered", mid, 0, "Success") for mid in mids]
        assert len(wired.said) == 60
        assert wired.near.receives == 1


def press(number: int, length: int) -> bytes:
    payload = b"x" * length
    return publish(b"a", payload, qos=1, retain=False, mid=number + 1, properties=b"\0")


def test_long_messages_are_received_many_at_once() -> None:
    with wire(PahoClient, MQTTProtocolVersion.MQTTv5) as wired:
        wired.receive(b"".join(press(number, 5000) for number in range(12)))
        assert len(wired.said) == 12
        assert wired.near.receives == 1


def test_no_more_packets_are_handled_at_once_than_others_can_wait_for() -> None:
    """The rest is kept, and nothing more is received until it is handled."""
    with wire(PahoClient, MQTTProtocolVersion.MQTTv5) as wired:
        wired.far.sendall(b"".join(press(number, 1) for number in range(240)))
        assert isinstance(wired.client, PahoClient)
        handled = []
        for _ in range(3):
            wired.client.loop_read()
            handled.append(len(wired.said))
        assert handled == [100, 200, 240]
        assert wired.near.receives == 1
        assert not wired.client.has_received


def test_what_is_queued_is_sent_at_once_in_its_order() -> None:
    with wire(PahoClient, MQTTProtocolVersion.MQTTv311) as wired:
        post(wired, "a")
        wired.client.subscribe("s", 1)
        post(wired, "b", b"y", qos=0, retain=False)
        wired.client.ack(5, 1)
        assert wired.sent() == (
            b"\x33\6\0\1a\0\1x" + b"\x82\6\0\2\0\1s\1" + b"\x30\4\0\1by" + b"\x40\2\0\5"
        )
        assert wired.near.sends == 1
        post(wired, "c", b"z", qos=0, retain=False)
        wired.client.disconnect()
        assert wired.sent() == b"\x30\4\0\1cz" + b"\xe0\0"
        assert wired.client.socket() is None


def test_a_full_socket_takes_the_rest_later() -> None:
    payload = bytes(range(256)) * 400
    with wire(PahoClient, MQTTProtocolVersion.MQTTv5) as wired:
        expected = b""
        for _ in range(20):
            # More is queued behind what the socket has refused.
            mid = post(wired, "heavy", payload)
            expected += publish(b"heavy", payload, qos=1, retain=True, mid=mid, properties=b"\0")
            wired.client.loop_write()
        assert wired.client.want_write()
        assert wired.sent() == expected


@pytest.mark.parametrize(
    ("code", "name"), [(0x95, "Packet too large"), (0x02, "Granted QoS 2"), (0x55, "0x55")]
)
@pytest.mark.parametrize("rest", [b"", b"\0"])
def test_a_code_that_is_not_listed_is_an_answer_too(code: int, name: str, rest: bytes) -> None:
    with wire(PahoClient, MQTTProtocolVersion.MQTTv5) as wired:
        mid = post(wired, "a")
        wired.receive(answer(mid, bytes([code]) + rest))
        [(what, answered, value, said)] = wired.said
        assert (what, answered, value) == ("answered", mid, code)
        assert name in said


def test_nothing_is_kept_for_a_connection_that_has_ended() -> None:
    """A message may be acknowledged long after its connection, and by thousands."""
    with wire(PahoClient, MQTTProtocolVersion.MQTTv5) as wired:
        wired.far.close()
        assert wired.client.loop_read() == MQTTErrorCode.MQTT_ERR_CONN_LOST
        wired.client.ack(1, 1)
        assert not wired.client.want_write()


def test_an_identifier_that_is_still_out_is_not_used_again() -> None:
    with wire(PahoClient, MQTTProtocolVersion.MQTTv5) as wired:
        first = post(wired, "a")
        for _ in range(65_534):
            post(wired, "b", qos=0)
        assert post(wired, "a") == first + 1


@pytest.mark.parametrize("topic", ["a/+", "#", "a" * 65_536])
def test_a_topic_that_nothing_can_be_published_to_is_refused(topic: str) -> None:
    with wire(PahoClient, MQTTProtocolVersion.MQTTv5) as wired:
        with pytest.raises(ValueError, match="topic"):
            post(wired, topic)
        assert not wired.client.want_write()
