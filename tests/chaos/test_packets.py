"""The panel's MQTT codec: whole packets out of any pieces, lengths of every size."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from . import packets
from .packets import Packet, Packets, Publish


@pytest.mark.parametrize("size", [0, 100, 127, 128, 16_383, 16_384, 70_000])
def test_a_publish_of_any_length_is_read_as_it_was_written(size: int) -> None:
    written = packets.publish(7, "hmp/room/é/set", b"x" * size)
    (packet,) = Packets().feed(written)
    assert packet.kind == packets.PUBLISH
    assert Publish.read(packet) == Publish("hmp/room/é/set", b"x" * size, 1, False, False, 7)


@given(st.lists(st.integers(0, 60), max_size=6), st.lists(st.integers(1, 9), max_size=200))
def test_packets_come_whole_out_of_any_pieces(sizes: list[int], pieces: list[int]) -> None:
    stream = b"".join(packets.publish(1, "t", bytes(size)) for size in sizes) + packets.pingreq()
    reader, found = Packets(), list[Packet]()
    for piece in pieces:
        found += reader.feed(stream[:piece])
        stream = stream[piece:]
    found += reader.feed(stream)
    assert [len(each.body) - 5 for each in found[:-1]] == sizes
    assert (found[-1].kind, found[-1].body) == (12, b"")


def test_flags_and_ids_are_read() -> None:
    (publish,) = Packets().feed(bytes([0x3B]) + b"\x06\x00\x01t\x01\x02!")
    assert Publish.read(publish) == Publish("t", b"!", 1, True, True, 258)
    (retained,) = Packets().feed(bytes([0x31]) + b"\x04\x00\x01t!")
    assert Publish.read(retained) == Publish("t", b"!", 0, True, False, 0)
    (puback,) = Packets().feed(packets.puback(513))
    assert (puback.kind, puback.packet_id) == (packets.PUBACK, 513)


def test_a_publish_cut_short_is_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        Publish.read(Packet(packets.PUBLISH, 2, b"\x00\x01t\x00"))


def test_what_a_client_says_first() -> None:
    assert packets.connect("me", clean=True) == b"\x10\x0e\x00\x04MQTT\x04\x02\x00\x3c\x00\x02me"
    assert packets.connect("me", clean=False)[9] == 0
    assert packets.subscribe(1, ["a", "bc"], 1) == b"\x82\x0b\x00\x01\x00\x01a\x01\x00\x02bc\x01"
    assert packets.disconnect() == b"\xe0\x00"
