"""paho's client for one connection, made to say what a broker said, whatever that was."""

import socket
import ssl
from collections.abc import Sequence

from paho.mqtt.client import Client
from paho.mqtt.enums import MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from .settings import Protocol, Subscription

__all__ = ["PahoClient", "TlsContext", "UnlistedReason", "quick_acknowledgement"]

# Linux only; the option wears off, so it is set again after every read.
_QUICKACK: int | None = getattr(socket, "TCP_QUICKACK", None)


class UnlistedReason(ReasonCode):
    """A reason code that MQTT 5 does not list for the packet in which it came.

    mosquitto answers a message that is too long for it with PUBACK 0x95, which the standard has for
    CONNACK and DISCONNECT. The name is the one that the code has elsewhere.
    """

    def getName(self) -> str:  # noqa: N802 - paho's
        """The code's name; a number for one that has none."""
        return next(iter(self.names.get(self.value, ())), f"reason code 0x{self.value:02x}")


def _is_listed(packet_type: int, code: int) -> bool:
    return any(packet_type in packets for packets in ReasonCode.names.get(code, {}).values())


class TlsContext(ssl.SSLContext):
    """Remembers the socket it wrapped, which paho leaks when the handshake fails."""

    wrapped: ssl.SSLSocket | None = None

    def wrap_socket(  # type: ignore[override]
        self, sock: socket.socket, *, server_hostname: str, do_handshake_on_connect: bool
    ) -> ssl.SSLSocket:
        """As paho calls it."""
        self.wrapped = super().wrap_socket(
            sock,
            server_hostname=server_hostname,
            do_handshake_on_connect=do_handshake_on_connect,
        )
        return self.wrapped


class PahoClient(Client):
    """Speaks over `tcp`, a connected socket, and knows it under TLS and WebSocket."""

    tcp: socket.socket | None = None
    context: TlsContext | None = None

    def _create_socket_connection(self) -> socket.socket:
        assert self.tcp is not None  # noqa: S101 - given before connecting
        return self.tcp

    def _handle_pubackcomp(self, cmd: str) -> MQTTErrorCode:
        # paho ends the connection over a code that is not listed for this packet.
        packet = bytes(self._in_packet["packet"])
        listed = len(packet) < 3 or _is_listed(PacketTypes.PUBACK, packet[2])
        if self._protocol != MQTTProtocolVersion.MQTTv5 or cmd != "PUBACK" or listed:
            return super()._handle_pubackcomp(cmd)  # type: ignore[arg-type]
        mid = int.from_bytes(packet[:2], "big")
        if mid not in self._out_messages:
            return MQTTErrorCode.MQTT_ERR_SUCCESS
        reason = UnlistedReason(PacketTypes.PUBACK, identifier=packet[2])
        nothing = Properties(PacketTypes.PUBACK)  # type: ignore[no-untyped-call]
        return self._do_on_publish(mid, reason, nothing)

    def _handle_suback(self) -> None:
        packet = bytes(self._in_packet["packet"])
        if self._protocol == MQTTProtocolVersion.MQTTv5 and len(packet) > 2:
            properties = Properties(PacketTypes.SUBACK)  # type: ignore[no-untyped-call]
            _, length = properties.unpack(packet[2:])  # type: ignore[no-untyped-call]
            codes = packet[2 + length :]
            if not all(_is_listed(PacketTypes.SUBACK, code) for code in codes):
                mid = int.from_bytes(packet[:2], "big")
                reasons = [UnlistedReason(PacketTypes.SUBACK, identifier=code) for code in codes]
                self.on_subscribe(self, self._userdata, mid, reasons, properties)  # type: ignore
                return
        super()._handle_suback()

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
        """Close the socket without a word; for any thread, and more than once."""
        if self.transport_socket is not None:
            self.transport_socket.close()


def quick_acknowledgement(client: PahoClient) -> None:
    """Have the kernel acknowledge at once what was just read.

    A broker with Nagle's algorithm on (mosquitto's default) waits for that before its next small
    packet.
    """
    if _QUICKACK is not None and client.transport_socket is not None:
        client.transport_socket.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)
