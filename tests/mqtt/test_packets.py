"""PUBLISH and PUBACK without properties: byte for byte as paho has them, in both versions."""

import struct
import tracemalloc
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from paho.mqtt import _packet
from paho.mqtt.enums import MQTTProtocolVersion
from paho.mqtt.exception import MalformedPacket
from paho.mqtt.packettypes import PacketTypes

from bridge.mqtt.packets import (
    Incoming,
    Unreadable,
    plain_answer,
    plain_puback,
    plain_publish,
    puback,
    publish,
)
from bridge.mqtt.reasons import is_listed, reason_of

VERSIONS = st.sampled_from([MQTTProtocolVersion.MQTTv311, MQTTProtocolVersion.MQTTv5])
MIDS = st.integers(1, 65_535)


def taken_apart(
    data: bytes, size: int, incoming: Incoming | None = None
) -> list[tuple[int, bytes]]:
    """Packets in data that comes in pieces of so many bytes."""
    incoming = incoming or Incoming()
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    return [packet for piece in pieces for packet in incoming.packets(piece)]


@given(st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=300))), st.integers(1, 1000))
def test_packets_are_found_however_they_come(packets: list[tuple[int, bytes]], size: int) -> None:
    data = b"".join(_framed(first, body) for first, body in packets)
    assert taken_apart(data, size) == packets


def _framed(first: int, body: bytes) -> bytes:
    low, high = len(body) & 0x7F, len(body) >> 7
    return bytes([first, low | 0x80, high]) + body if high else bytes([first, low]) + body


def test_what_is_missing_is_known_once_the_length_is() -> None:
    incoming = Incoming()
    assert list(incoming.packets(b"\x30")) == []
    assert incoming.missing == 0
    assert list(incoming.packets(b"\x90\x4eab")) == []
    assert incoming.missing == 9998
    assert list(incoming.packets(b"c" * 9000)) == []
    assert incoming.missing == 998
    [(first, body)] = incoming.packets(b"c" * 998 + b"\xd0")
    assert (first, len(body)) == (0x30, 10_000)
    assert list(incoming.packets(b"\0")) == [(0xD0, b"")]
    assert incoming.missing == 0


@given(
    st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=300))),
    st.integers(1, 200),
    st.integers(1, 1000),
)
def test_of_a_packet_that_is_too_long_the_beginning_is_kept(
    packets: list[tuple[int, bytes]], longest: int, size: int
) -> None:
    data = b"".join(_framed(first, body) for first, body in packets)
    kept = [(first, body[:longest]) for first, body in packets]
    assert taken_apart(data, size, Incoming(longest)) == kept


def test_the_longest_packet_that_there_can_be_takes_no_memory() -> None:
    incoming, piece = Incoming(1000), bytes(1 << 20)
    tracemalloc.start()
    try:
        packets = [*incoming.packets(b"\x30\xff\xff\xff\x7f")]
        for _ in range(255):
            packets += incoming.packets(piece)
        packets += incoming.packets(piece[:-1] + b"\xd0\0")
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert packets == [(0x30, bytes(1000)), (0xD0, b"")]
    assert most < 3 * len(piece)


def test_a_length_of_five_bytes_comes_behind_what_could_be_read() -> None:
    packets = Incoming().packets(b"\xd0\0\x30\xff\xff\xff\xff\x01")
    assert next(packets) == (0xD0, b"")
    with pytest.raises(Unreadable):
        next(packets)


@given(
    st.integers(0x30, 0x3F),
    st.one_of(
        st.binary(max_size=40),
        st.builds(
            lambda topic, rest: struct.pack("!H", len(topic)) + topic + rest,
            st.binary(max_size=5),
            st.binary(max_size=8),
        ),
    ),
    VERSIONS,
)
@example(0x32, b"\0\1a\0\7\0", MQTTProtocolVersion.MQTTv5)
@example(0x32, b"\0\1a\0\7", MQTTProtocolVersion.MQTTv311)
@example(0x31, b"\0\1a", MQTTProtocolVersion.MQTTv311)
def test_a_publish_is_read_as_paho_reads_it_or_left_to_it(
    first: int, body: bytes, version: MQTTProtocolVersion
) -> None:
    mqtt5 = version == MQTTProtocolVersion.MQTTv5
    plain = plain_publish(first, body, mqtt5=mqtt5)
    try:
        theirs = _packet.decode_publish(first, bytearray(body), version)
    except MalformedPacket:
        assert plain is None
        return
    has_properties = theirs.properties is not None and not theirs.properties.isEmpty()  # type: ignore[no-untyped-call]
    if theirs.qos > 1 or has_properties or not theirs.topic:
        assert plain is None
    elif plain is not None:
        assert plain == (
            *(theirs.topic, bytes(theirs.payload), theirs.qos, theirs.retain),
            *(theirs.dup, theirs.mid),
        )
    else:
        # A length of the properties that takes more bytes than it must.
        assert mqtt5
        assert 0x80 in body


@given(st.integers(0x40, 0x4F), st.binary(max_size=6), VERSIONS)
def test_a_puback_is_read_as_paho_reads_it_or_left_to_it(
    first: int, body: bytes, version: MQTTProtocolVersion
) -> None:
    answer = plain_puback(body, mqtt5=version == MQTTProtocolVersion.MQTTv5)
    try:
        theirs = _packet.decode_puback(first, bytearray(body), version)
    except MalformedPacket:
        # A code that MQTT 5 does not list here, over which paho ends the connection.
        assert answer is None or (answer[1] and len(body) == 3)
        return
    assert answer == (theirs.mid, theirs.reason.value) if len(body) < 4 else answer is None


@given(
    st.sampled_from(["suback", "unsuback"]),
    st.one_of(st.binary(max_size=8), st.binary(max_size=8).map(lambda codes: b"\0\1\0" + codes)),
    VERSIONS,
)
def test_an_answer_to_a_subscription_is_read_as_paho_reads_it_or_left_to_it(
    kind: str, body: bytes, version: MQTTProtocolVersion
) -> None:
    answer = plain_answer(body, mqtt5=version == MQTTProtocolVersion.MQTTv5)
    if answer is None:
        return
    mid, codes = answer
    packet_type = PacketTypes.SUBACK if kind == "suback" else PacketTypes.UNSUBACK
    try:
        theirs = getattr(_packet, f"decode_{kind}")(packet_type << 4, bytearray(body), version)
    except MalformedPacket:
        assert not all(is_listed(packet_type, code) for code in codes)
        return
    assert theirs.properties.isEmpty()
    assert (mid, list(codes)) == (theirs.mid, [each.value for each in theirs.reason_codes])
    assert theirs.reason_codes == [reason_of(packet_type, code) for code in codes]


@given(MIDS)
def test_a_puback_is_four_bytes(mid: int) -> None:
    assert puback(mid) == struct.pack("!BBH", 0x40, 2, mid)


@given(
    st.binary(min_size=1, max_size=30),
    st.one_of(st.binary(max_size=60), st.integers(0, 20_000).map(bytes)),
    st.sampled_from([{"qos": 0, "mid": 0}, {"qos": 1, "mid": 1}, {"qos": 1, "mid": 65_535}]),
    st.booleans(),
    st.booleans(),
)
def test_what_is_written_is_read_again(
    topic: bytes, payload: bytes, how: dict[str, int], retain: bool, mqtt5: bool
) -> None:
    packet = publish(topic, payload, **how, retain=retain, properties=b"\0" if mqtt5 else b"")
    [(first, body)] = Incoming().packets(packet)
    expected = (topic, payload, how["qos"], retain, False, how["mid"])
    assert plain_publish(first, body, mqtt5=mqtt5) == expected


def test_what_is_longer_than_a_packet_can_be_is_refused() -> None:
    longest = bytes(268_435_455 - 5)
    how: dict[str, Any] = {"qos": 1, "retain": False, "mid": 1, "properties": b""}
    assert publish(b"a", longest, **how)[:5] == b"\x32\xff\xff\xff\x7f"
    with pytest.raises(ValueError, match="too large"):
        publish(b"a", longest + b"x", **how)
