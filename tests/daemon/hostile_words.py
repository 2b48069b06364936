"""What a broker says that breaks the rules of MQTT, and what comes of it."""

from typing import NamedTuple

from tests.mqtt.hostile_broker import packet, text

__all__ = [
    "BASE",
    "CONNACKS_3_1_1",
    "CONNACKS_5",
    "IN_3_1_1",
    "IN_5",
    "IN_BOTH",
    "NOT_MQTT",
    "PRESS",
    "TOO_FEW",
    "Said",
]

BASE = "hostile/hmp"
PRESS = f"{BASE}/room/r0/press/mark"
LONG = 400_000
"""Bytes, more than the bridge takes."""

NOT_MQTT = "the broker sent something that is not MQTT"
NO_TOPIC = "nobody can publish to its topic"
TOO_FEW = "the broker answered for too few filters"


class Said(NamedTuple):
    """What the broker says, and what is in the log of it; `ends` the connection, or does not."""

    data: bytes
    ends: bool = False
    log: str = ""


def _publish(topic: bytes | str, rest: bytes = b"\0\1", first: int = 0x32) -> bytes:
    return packet(first, text(topic) + rest)


MALFORMED = Said(b"", ends=True, log=NOT_MQTT)


def malformed(data: bytes) -> Said:
    """Over which the connection is ended."""
    return MALFORMED._replace(data=data)


IN_BOTH = {
    "topic that is no UTF-8": Said(_publish(b"\xff\xfe", b"\0\1\0x"), log="is not UTF-8"),
    "half a surrogate": Said(_publish(b"\xed\xa0\x80", b"\0\1\0x"), log="is not UTF-8"),
    "topic with NUL": Said(_publish(f"{BASE}/room/r0/press/\0", b"\0\1\0x"), log=NO_TOPIC),
    "wildcard +": Said(_publish(f"{BASE}/room/+/press/record", b"\0\1\0true"), log=NO_TOPIC),
    "wildcard #": Said(_publish(f"{BASE}/room/#", b"\0\1\0true"), log=NO_TOPIC),
    "packet identifier 0": Said(_publish(PRESS, b"\0\0\0x")),
    "QoS 2": malformed(_publish(PRESS, b"\0\7\0true", 0x34)),
    "QoS 3": malformed(_publish(PRESS, b"\0\7\0true", 0x36)),
    "topic longer than its packet": malformed(packet(0x32, b"\xff\xffab")),
    "no packet identifier": malformed(packet(0x32, text("a"))),
    "a PUBLISH of nothing": malformed(packet(0x30, b"")),
    "remaining length of five bytes": malformed(b"\x30\xff\xff\xff\xff\x01"),
    "remaining length too short": malformed(b"\x30\x03" + text(PRESS) + b"true"),
    "PUBACK never asked for": Said(packet(0x40, b"\x7f\xff")),
    "PUBACK for 0": Said(packet(0x40, b"\0\0")),
    "PUBACK of one byte": malformed(packet(0x40, b"\0")),
    "SUBACK never asked for": Said(packet(0x90, b"\x7f\xff\0\1")),
    "SUBACK without codes": Said(packet(0x90, b"\x7f\xff\0")),
    "SUBACK of one byte": malformed(packet(0x90, b"\0")),
    "UNSUBACK of one byte": malformed(packet(0xB0, b"\0")),
    "PUBREC never asked for": Said(packet(0x50, b"\x7f\xff")),
    "PUBREL never asked for": Said(packet(0x62, b"\x7f\xff")),
    "PUBCOMP never asked for": Said(packet(0x70, b"\x7f\xff")),
    "PINGRESP never asked for": Said(b"\xd0\0"),
    "PINGRESP with a body": malformed(b"\xd0\1x"),
    "PINGREQ of a broker": Said(b"\xc0\0"),
    "CONNECT of a broker": malformed(packet(0x10, text("MQTT") + b"\5\2\0\0\0" + text("x"))),
    "SUBSCRIBE of a broker": malformed(packet(0x82, b"\0\1\0" + text("#") + b"\1")),
    "kind 0": malformed(b"\0\0"),
    "zeroes": malformed(bytes(64)),
    # It says that it is longer: what follows is taken for the rest, or nothing follows.
    "a web server": Said(b"HTTP/1.1 400 Bad Request\r\n\r\n", ends=True),
}

IN_5 = {
    "no topic, no alias": Said(_publish("", b"\0\1\0x"), log=NO_TOPIC),
    "unknown alias": Said(_publish("", b"\0\1\3\x23\0\5x"), log=NO_TOPIC),
    "alias 0": malformed(_publish("", b"\0\1\3\x23\0\0x")),
    "alias beyond the maximum": Said(_publish(f"{BASE}/x", b"\0\1\3\x23\xff\xffx")),
    "properties longer than the packet": malformed(_publish(PRESS, b"\0\1\x7f\x26x")),
    "property of no number": malformed(_publish(PRESS, b"\0\1\2\x7f\0x")),
    "property of another packet": malformed(_publish(PRESS, b"\0\1\2\x24\1x")),
    "property twice": malformed(_publish(PRESS, b"\0\1\4\1\1\1\1x")),
    "half a property": malformed(_publish(PRESS, b"\0\1\3\x26\0\5x")),
    "property that is no UTF-8": malformed(_publish(PRESS, b"\0\1\5\x08\0\2\xff\xfex")),
    "length of properties without end": malformed(_publish(PRESS, b"\0\1\xff\xff\xff\xff\xff")),
    "PUBACK with a code of no meaning": Said(packet(0x40, b"\x7f\xff\x55")),
    "SUBACK with a code of no meaning": Said(packet(0x90, b"\x7f\xff\0\x55")),
    "AUTH": malformed(packet(0xF0, b"\x18\0")),
    "DISCONNECT with half a code": Said(packet(0xE0, b""), ends=True, log="closed the connection"),
    "DISCONNECT without a meaning": malformed(packet(0xE0, b"\x55")),
    "longer than we take": Said(
        _publish(PRESS, b"\0\1\0" + bytes(LONG)), log="mqtt message dropped: too long"
    ),
}

IN_3_1_1 = {
    "no topic": malformed(_publish("", b"\0\1x")),
    "AUTH": malformed(packet(0xF0, b"")),
    "longer than we take": Said(
        _publish(PRESS, b"\0\1" + bytes(LONG)), log="mqtt message dropped: too long"
    ),
}

CONNACKS_5 = {
    "Receive Maximum 0": malformed(b"\0\0\3\x21\0\0"),
    "Maximum Packet Size 0": malformed(b"\0\0\5\x27\0\0\0\0"),
    "Server Keep Alive 0": Said(b"\0\0\3\x13\0\0"),
    "Server Keep Alive 65535": Said(b"\0\0\3\x13\xff\xff"),
    "a client identifier that nobody asked for": Said(b"\0\0\6\x12\0\3a#+"),
    "a client identifier of nothing": Said(b"\0\0\3\x12\0\0"),
    "a client identifier that is no UTF-8": malformed(b"\0\0\5\x12\0\2\xff\xfe"),
    "a session that cannot be": Said(b"\1\0\0"),
    "flags that are reserved": Said(b"\xfe\0\0"),
    "properties of a PUBLISH": malformed(b"\0\0\3\x23\0\1"),
    "half of its properties": malformed(b"\0\0\x20\x21"),
    "no properties": malformed(b"\0\0"),
    "a code of no meaning": malformed(b"\0\x55\0"),
    "no code": malformed(b"\0"),
    "nothing": malformed(b""),
}
CONNACKS_3_1_1 = {
    "a session that cannot be": Said(b"\1\0"),
    "flags that are reserved": Said(b"\xfe\0"),
    "a code of no meaning": Said(b"\0\x55", ends=True, log="the broker refused the connection"),
    "too long": malformed(b"\0\0\0"),
    "nothing": malformed(b""),
}
