"""WebSocket as MQTT uses it (RFC 6455, and MQTT 5, 6.0): one stream of bytes each way. Pure.

A message's parts and its end mean nothing to MQTT, so payloads are handed on as they come: of a
frame, however long it says it is, no more is kept than what is received of it at a time.
"""

import base64
import hashlib

from ..text.shortened import shortened
from ..text.visible import visible

__all__ = ["BINARY", "LONGEST_HEAD", "Frames", "frame", "refusal", "request"]

_CONTINUATION, _TEXT, BINARY, _CLOSE, _PING, _PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
_FINAL, _RESERVED, _MASKED, _IS_CONTROL = 0x80, 0x70, 0x80, 0x08

_LONGEST_CONTROL = 125
"""Bytes of payload (5.5)."""

LONGEST_HEAD = 16_384
"""Bytes of a server's answer to the request, which is some 200 of them."""

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

_SHOWN = 60
"""Characters of a server's own words."""


def request(authority: str, origin: str, path: str, key: bytes) -> bytes:
    """The request that asks for WebSocket; `key` is sixteen random bytes, in base64."""
    lines = (
        f"GET {path} HTTP/1.1",
        f"Host: {authority}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Origin: {origin}",
        f"Sec-WebSocket-Key: {key.decode()}",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Protocol: mqtt",
    )
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode()


def refusal(head: bytes, key: bytes) -> str | None:
    """Why this answer to a `request` with `key` is none to go on with (4.1); None where it is."""
    status, *lines = head.decode("latin-1").split("\r\n")
    if status.split(" ")[1:2] != ["101"]:
        return f"it answers {visible(shortened(status, _SHOWN)) or 'nothing'}"
    said: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        before = said.get(name.lower())
        said[name.lower()] = value.strip() if before is None else f"{before}, {value.strip()}"
    if said.get("upgrade", "").lower() != "websocket":
        return "it upgrades to something else"
    if "upgrade" not in [each.strip().lower() for each in said.get("connection", "").split(",")]:
        return "it does not upgrade the connection"
    # What RFC 6455 uses SHA-1 for needs no strength.
    digest = hashlib.sha1(key + _GUID, usedforsecurity=False).digest()
    if said.get("sec-websocket-accept") != base64.b64encode(digest).decode():
        return "its answer belongs to another request"
    if said.get("sec-websocket-protocol", "mqtt").lower() != "mqtt":
        return "it speaks another protocol over WebSocket than MQTT"
    return None


def frame(kind: int, payload: bytes | bytearray, mask: bytes) -> bytes:
    """A whole message of this kind; `mask` is four random bytes."""
    size = len(payload)
    if size < 126:
        length = bytes((_MASKED | size,))
    elif size < 0x1_0000:
        length = bytes((_MASKED | 126,)) + size.to_bytes(2, "big")
    else:
        length = bytes((_MASKED | 127,)) + size.to_bytes(8, "big")
    pattern = (mask * (size // 4 + 1))[:size]
    # As numbers: a loop over the bytes takes a hundred times as long.
    hidden = int.from_bytes(payload, "big") ^ int.from_bytes(pattern, "big")
    return b"".join((bytes((_FINAL | kind,)), length, mask, hidden.to_bytes(size, "big")))


class Frames:
    """What a server says, taken apart.

    What breaks the rules of WebSocket (5.1, 5.2, 5.4, 5.5) or is no binary message (MQTT 5, 6.0.0)
    ends it, and so does a close: nothing after that is looked at.
    """

    def __init__(self) -> None:
        self._head = bytearray()
        # Bytes to come of the frame under way.
        self._left = 0
        self._control: tuple[int, bytearray] | None = None
        # A message whose last frame has not begun.
        self._in_message = False
        #: Kind and payload of what the server is owed: to the newest of its pings, or its close.
        self.owed: tuple[int, bytes] | None = None
        #: The rule that it broke, as it may be shown.
        self.broken: str | None = None
        #: What it said when it closed, likewise.
        self.closed: str | None = None

    @property
    def over(self) -> bool:
        """True once nothing more can come."""
        return self.broken is not None or self.closed is not None

    def payload(self, data: bytes) -> bytes:
        """What there is for MQTT in the next bytes that are received."""
        parts, at = [], 0
        while at < len(data) and not self.over:
            if self._left:
                part = data[at : at + self._left]
                at += len(part)
                self._left -= len(part)
                if self._control is None:
                    parts.append(part)
                else:
                    self._control[1].extend(part)
            else:
                self._head.append(data[at])
                at += 1
                self._begin()
            if self._control is not None and not self._left:
                self._end_control(*self._control)
        return b"".join(parts)

    def _begin(self) -> None:
        """Begin the frame whose header is complete, if it is."""
        head = self._head
        kind = head[0] & 0x0F
        self.broken = self._rule_broken(head[0], kind)
        if self.broken is not None or len(head) < 2:
            return
        size = head[1] & 0x7F
        if head[1] & _MASKED:
            self.broken = "a masked frame"
            return
        if kind & _IS_CONTROL and size > _LONGEST_CONTROL:
            self.broken = "a control frame that is too long"
            return
        more = {126: 2, 127: 8}.get(size, 0)
        if len(head) < 2 + more:
            return
        self._left = int.from_bytes(head[2:], "big") if more else size
        if self._left >> 63:
            self.broken = "a frame of a length that cannot be"
            return
        if kind & _IS_CONTROL:
            self._control = (kind, bytearray())
        else:
            self._in_message = not head[0] & _FINAL
        head.clear()

    def _rule_broken(self, first: int, kind: int) -> str | None:
        if first & _RESERVED:
            return "a frame with bits that mean nothing"
        if kind in (_CLOSE, _PING, _PONG):
            return None if first & _FINAL else "a control frame in pieces"
        if kind == _TEXT:
            return "a text, where MQTT is binary"
        if kind not in (_CONTINUATION, BINARY):
            return "a frame of no kind that there is"
        if (kind == _CONTINUATION) is not self._in_message:
            return "a message inside of another" if self._in_message else "the middle of no message"
        return None

    def _end_control(self, kind: int, payload: bytearray) -> None:
        self._control = None
        if kind == _PING:
            self.owed = (_PONG, bytes(payload))
        elif kind == _CLOSE:
            self.owed = (_CLOSE, bytes(payload[:2]))
            code = int.from_bytes(payload[:2], "big") if len(payload) > 1 else "no code"
            why = visible(shortened(payload[2:].decode(errors="replace"), _SHOWN))
            self.closed = f"{code}, {why}" if why else f"{code}"
