"""paho's client for one connection: made quicker, and made to say what a broker said.

All that is overridden of paho is in this file. Nearly every packet is a PUBLISH or a PUBACK without
properties; these are written and read here, many with one system call, and answers to subscriptions
are read, thousands at a start. Every other packet, and every one of these that is not of the plain
form, goes paho's way. It relies on a client being driven by one task, and connecting once.
"""

import socket
import struct
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any

from paho.mqtt.client import Client, MQTTMessage, MQTTMessageInfo
from paho.mqtt.enums import MessageType, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.exception import MalformedPacket, MQTTException
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from .packets import (
    LONGEST,
    PUBACK,
    PUBLISH,
    Incoming,
    Plain,
    Unreadable,
    plain_answer,
    plain_puback,
    plain_publish,
    puback,
    publish,
)
from .reasons import UnlistedReason, is_listed, reason_of
from .settings import Protocol, Subscription
from .tls_context import TlsContext

__all__ = ["PahoClient"]

# Bytes: a dozen of the longest presses by one system call.
_READ_AT_ONCE = 65_536

# Packets. More at once would keep other tasks waiting; fewer would leave a flood in the socket,
# where nobody has turns, and the broker's PUBACKs stand behind it as every press does (R28). The
# rest is handled before more is read: what is received and not handled is one reading at most.
_HANDLED_AT_ONCE = 100

_CONNACK, _SUBACK, _UNSUBACK = 0x20, 0x90, 0xB0
_QOS_2 = 0x04  # the bit of a PUBLISH above QoS 1

# Bytes of a PUBLISH before its payload, without properties: topic, its length, packet identifier.
_MOST_BEFORE_A_PAYLOAD = 65_539


class _Received(MQTTMessage):
    """One of the broker's, without what paho has for whoever waits until his own is sent."""

    __slots__ = ()

    def __init__(self, plain: Plain, at: float) -> None:
        self._topic, self.payload, self.qos, self.retain, self.dup, self.mid = plain
        self.timestamp = at
        self.properties = None


class PahoClient(Client):
    """Speaks over `tcp`, a connected socket, and knows it under TLS and WebSocket.

    Of a payload that is longer than `longest_payload`, in bytes, no more is kept than shows it. A
    broker that does what no broker may is left: a packet before CONNACK, a second one, a PUBLISH at
    QoS 2, which nothing was subscribed at, and SUBACK or UNSUBACK for a PUBLISH.
    """

    tcp: socket.socket | None = None
    context: TlsContext | None = None

    def __init__(self, *arguments: Any, longest_payload: int = LONGEST, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._mqtt5 = self._protocol == MQTTProtocolVersion.MQTTv5
        self._incoming = Incoming(_MOST_BEFORE_A_PAYLOAD + longest_payload + 1)
        self._answered = False
        self._received: Iterator[tuple[int, bytes]] = iter(())
        #: Packets may have been received that are not handled yet; no socket tells of them.
        self.has_received = False
        #: What reading failed with; none where the broker has just gone.
        self.unread: OSError | None = None
        self._unsent = bytearray()
        # What paho keeps a message for is to send it again when it reconnects.
        self._posted = MQTTMessage()
        self._posted.qos = 1
        self._nothing = Properties(PacketTypes.PUBACK)  # type: ignore[no-untyped-call]

    def post(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: int,
        retain: bool,
        properties: Properties | None = None,
    ) -> int:
        """Queue a PUBLISH at QoS 0 or 1; its packet identifier.

        `on_publish` is called when PUBACK has come, and not for QoS 0. Nothing is written before
        `loop_write`. Raises `ValueError` for a topic that has wildcards, or is too long, and for a
        payload that is too long.
        """
        name = topic.encode()
        self._raise_for_invalid_topic(name)
        while (mid := self._mid_generate()) in self._out_messages:
            pass
        packed = b""
        if self._mqtt5:
            packed = b"\0" if properties is None else properties.pack()  # type: ignore[no-untyped-call]
        packet = publish(name, payload, qos=qos, retain=retain, mid=mid, properties=packed)
        if qos:
            self._out_messages[mid] = self._posted
            self._inflight_messages += 1
        # Of what is at QoS 0 paho would tell `on_publish` when it has written it.
        self._packet_queue(PUBLISH, packet, mid, 1)
        return mid

    def want_write(self) -> bool:
        """True while something waits to be written."""
        return bool(self._unsent) or super().want_write()

    def loop_read(self, max_packets: int = 1) -> MQTTErrorCode:  # noqa: ARG002 - paho's
        """Handle what was received before, or else receive once and handle what is complete then.

        No more than `_HANDLED_AT_ONCE`: while there may be more, it `has_received`.
        """
        if self._sock is None:
            return MQTTErrorCode.MQTT_ERR_NO_CONN
        if not self.has_received and (result := self._receive()) is not None:
            return result
        handled = 0
        try:
            for first, body in islice(self._received, _HANDLED_AT_ONCE):
                handled += 1
                result = self._handle(first, body)
                if result > 0:
                    return self._loop_rc_handle(result)
                if self.socket() is None:
                    return MQTTErrorCode.MQTT_ERR_NO_CONN
        except (Unreadable, MalformedPacket):
            return self._loop_rc_handle(MQTTErrorCode.MQTT_ERR_PROTOCOL)
        self.has_received = handled == _HANDLED_AT_ONCE
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    def _receive(self) -> MQTTErrorCode | None:
        """What ends this reading, None where something has come."""
        assert self._sock is not None  # noqa: S101 - `loop_read` has looked
        try:
            data = self._sock_recv(max(_READ_AT_ONCE, self._incoming.missing))
        except BlockingIOError:
            return MQTTErrorCode.MQTT_ERR_SUCCESS
        except OSError as error:
            self.unread, data = error, b""
        if not data:
            return self._loop_rc_handle(MQTTErrorCode.MQTT_ERR_CONN_LOST)
        self._last_bytes_received = time.monotonic()
        self._received = self._incoming.packets(data)
        return None

    def _handle(self, first: int, body: bytes) -> MQTTErrorCode:
        kind = first & 0xF0
        if (kind == _CONNACK) is self._answered:
            return MQTTErrorCode.MQTT_ERR_PROTOCOL
        if kind == PUBACK and (answer := plain_puback(body, mqtt5=self._mqtt5)) is not None:
            return self._acknowledged(*answer)
        if kind == PUBLISH and (plain := plain_publish(first, body, mqtt5=self._mqtt5)) is not None:
            return self._arrived(plain)
        if self._is_out_of_place(kind, first, body):
            return MQTTErrorCode.MQTT_ERR_PROTOCOL
        if kind in (_SUBACK, _UNSUBACK) and self._is_answer(kind, body):
            return MQTTErrorCode.MQTT_ERR_SUCCESS
        self._answered = True
        self._in_packet["command"] = first
        self._in_packet["packet"] = bytearray(body)
        self._in_packet["remaining_length"] = len(body)
        return self._packet_handle()

    def _is_out_of_place(self, kind: int, first: int, body: bytes) -> bool:
        if kind in (_SUBACK, _UNSUBACK):
            return int.from_bytes(body[:2], "big") in self._out_messages
        return kind == PUBLISH and bool(first & _QOS_2)

    def _is_answer(self, kind: int, body: bytes) -> bool:
        """True for one of the plain form; it has been told."""
        if (answer := plain_answer(body, mqtt5=self._mqtt5)) is None:
            return False
        reasons = [reason_of(kind >> 4, code) for code in answer[1]]
        heard = self.on_subscribe if kind == _SUBACK else self.on_unsubscribe
        if heard is None or any(isinstance(each, UnlistedReason) for each in reasons):
            return False
        heard(self, self._userdata, answer[0], reasons, self._nothing)  # type: ignore[arg-type, call-arg]
        return True

    def _acknowledged(self, mid: int, code: int) -> MQTTErrorCode:
        if self._out_messages.pop(mid, None) is not None:
            self._inflight_messages -= 1
            reason = reason_of(PacketTypes.PUBACK, code)
            if (published := self.on_publish) is not None:
                published(self, self._userdata, mid, reason, self._nothing)  # type: ignore[call-arg]
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    def _arrived(self, plain: Plain) -> MQTTErrorCode:
        if self.on_message is not None:
            self.on_message(self, self._userdata, _Received(plain, self._last_bytes_received))
        if plain.qos and not self._manual_ack:
            return self._send_puback(plain.mid)
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    def _send_puback(self, mid: int) -> MQTTErrorCode:
        return self._packet_queue(PUBACK, puback(mid), mid, 1)

    def _packet_queue(
        self,
        command: int,
        packet: bytes | bytearray,
        mid: int,
        qos: int,
        info: MQTTMessageInfo | None = None,
    ) -> MQTTErrorCode:
        if self._sock is None:
            return MQTTErrorCode.MQTT_ERR_NO_CONN  # it connects once: nothing is kept for another
        # paho does more when it has written one of these. mosquitto hangs over a WebSocket frame
        # that comes in pieces, so that a frame had better be one packet. Before the connection is
        # ours paho writes for itself.
        own_way = command == MessageType.DISCONNECT or info is not None
        ours = self._transport == "tcp" and self._on_socket_register_write is not None
        if own_way or not ours or self._out_packet:
            return super()._packet_queue(command, packet, mid, qos, info)
        if not self._unsent:  # else whoever writes knows
            self._call_socket_register_write()
        self._unsent += packet
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    def _packet_write(self) -> MQTTErrorCode:
        if self._unsent:
            try:
                # After a refusal TLS wants the same bytes again, and takes more behind them.
                sent = self._sock_send(self._unsent)
            except BlockingIOError:
                return MQTTErrorCode.MQTT_ERR_AGAIN
            except OSError:
                return MQTTErrorCode.MQTT_ERR_CONN_LOST
            del self._unsent[:sent]
            self._last_msg_out = time.monotonic()
        if self._unsent:
            return MQTTErrorCode.MQTT_ERR_SUCCESS
        return super()._packet_write()

    def _create_socket(self) -> Any:
        assert self.tcp is not None  # noqa: S101 - given before connecting
        sock = self._ssl_wrap_socket(self.tcp) if self._ssl else self.tcp
        if self._transport != "websockets":
            return sock
        from .websocket import WebSocket

        # paho's own keeps all of a frame, however long it says it is.
        return WebSocket(sock, self._host, self._port, self._websocket_path)

    def _handle_pubackcomp(self, cmd: str) -> MQTTErrorCode:
        # paho ends the connection over a code that is not listed for this packet.
        packet = bytes(self._in_packet["packet"])
        listed = len(packet) < 3 or is_listed(PacketTypes.PUBACK, packet[2])
        if not self._mqtt5 or cmd != "PUBACK" or listed:
            return super()._handle_pubackcomp(cmd)  # type: ignore[arg-type]
        return self._acknowledged(int.from_bytes(packet[:2], "big"), packet[2])

    def _handle_suback(self) -> None:
        packet = bytes(self._in_packet["packet"])
        properties = Properties(PacketTypes.SUBACK)  # type: ignore[no-untyped-call]
        codes = b""
        if self._mqtt5:
            # What is malformed paho finds out for itself.
            with suppress(struct.error, IndexError, KeyError, ValueError, MQTTException):
                _, length = properties.unpack(packet[2:])  # type: ignore[no-untyped-call]
                codes = packet[2 + length :]
        if all(is_listed(PacketTypes.SUBACK, code) for code in codes):
            super()._handle_suback()
            return
        mid = int.from_bytes(packet[:2], "big")
        reasons = [UnlistedReason(PacketTypes.SUBACK, identifier=code) for code in codes]
        self.on_subscribe(self, self._userdata, mid, reasons, properties)  # type: ignore

    def subscribe_each(
        self, subscriptions: Sequence[Subscription], protocol: Protocol
    ) -> tuple[object, int | None]:
        """SUBSCRIBE to all at once; paho's return code and the packet identifier."""
        if protocol == "3.1.1":
            pairs: list[tuple[str, int]] = [(each.topic_filter, each.qos) for each in subscriptions]
            return self.subscribe(pairs)
        return self.subscribe(
            [
                (
                    each.topic_filter,
                    SubscribeOptions(
                        qos=each.qos,
                        noLocal=each.no_local,
                        retainAsPublished=each.retain_as_published,
                        retainHandling=each.retain_handling,
                    ),
                )
                for each in subscriptions
            ]
        )

    @property
    def transport_socket(self) -> socket.socket | None:
        """The innermost socket that still owns the file descriptor."""
        if self.context is not None and self.context.wrapped is not None:
            return self.context.wrapped
        return self.tcp

    def hang_up(self) -> None:
        """Close the socket without a word, and handle nothing more; for any thread, and again."""
        self.has_received = False
        if self.transport_socket is not None:
            self.transport_socket.close()
