"""A client of paho's, or ours, at one end of a pair of sockets; the test is the broker."""

import select
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from bridge.mqtt.paho_client import PahoClient

__all__ = ["VERSIONS", "CountingSocket", "Paho", "Wire", "wire"]

VERSIONS = [MQTTProtocolVersion.MQTTv311, MQTTProtocolVersion.MQTTv5]

T = TypeVar("T", bound=Client)


class CountingSocket(socket.socket):
    """Counts what is asked of the kernel."""

    receives = sends = 0

    def recv(self, *arguments: Any) -> bytes:
        self.receives += 1
        return super().recv(*arguments)

    def send(self, *arguments: Any) -> int:
        self.sends += 1
        return super().send(*arguments)


class Paho(Client):
    """paho as it is, but for whose socket it speaks over."""

    tcp: socket.socket

    def _create_socket_connection(self) -> socket.socket:
        return self.tcp


class Wire:
    """A client that has been accepted; `said` is what it has told its callbacks."""

    def __init__(self, client: Client, near: CountingSocket, far: socket.socket) -> None:
        self.client, self.near, self.far = client, near, far
        self.said: list[tuple[Any, ...]] = []

    def receive(self, data: bytes) -> None:
        """The broker sends this, and the client reads for as long as there is something."""
        self.far.sendall(data)
        while self.client.socket() is not None and self._has_more():
            self.client.loop_read()

    def _has_more(self) -> bool:
        held = isinstance(self.client, PahoClient) and self.client.has_received
        return held or bool(select.select([self.near], [], [], 0)[0])

    def sent(self) -> bytes:
        """What the client has to say, all of it."""
        data = b""
        while self.client.want_write() and self.client.socket() is not None:
            self.client.loop_write()
            data += self._arrived()
        return data + self._arrived()

    def _arrived(self) -> bytes:
        data = b""
        while select.select([self.far], [], [], 0)[0] and (more := self.far.recv(1 << 20)):
            data += more
        return data

    def listen(self) -> None:
        """Note what paho says from here on, in a form that can be compared."""
        client, said = self.client, self.said
        client.on_message = lambda _c, _u, message: said.append(
            (
                *(_topic(message), bytes(message.payload), message.qos, message.retain),
                *(message.dup, message.mid, getattr(message.properties, "json", dict)()),
            )
        )
        client.on_publish = lambda _c, _u, mid, reason, _p: said.append(
            ("answered", mid, reason.value, reason.getName())
        )
        client.on_subscribe = lambda _c, _u, mid, reasons, _p: said.append(
            ("subscribed", mid, [reason.value for reason in reasons])
        )
        client.on_disconnect = lambda _c, _u, flags, reason, _p: said.append(
            ("ended", flags.is_disconnect_packet_from_server, reason.value)
        )


def _topic(message: MQTTMessage) -> str:
    try:
        return message.topic
    except UnicodeDecodeError as error:
        return repr(error.object)


@contextmanager
def wire(
    kind: type[Paho] | type[PahoClient], version: MQTTProtocolVersion, *, manual_ack: bool = True
) -> Iterator[Wire]:
    """A connection for the time of the body."""
    # Of the family whose bytes have arrived when `send` returns.
    one, far = socket.socketpair()
    near = CountingSocket(fileno=one.detach())
    client = kind(
        CallbackAPIVersion.VERSION2,
        client_id="wire",
        clean_session=None if version == MQTTProtocolVersion.MQTTv5 else True,
        protocol=version,
        reconnect_on_failure=False,
        manual_ack=manual_ack,
    )
    client.tcp = near
    client.max_inflight_messages = 0
    try:
        client.connect("nowhere")
        client.on_socket_register_write = lambda *_: None
        made = Wire(client, near, far)
        far.recv(1024)
        accepted = b"\x20\x03\0\0\0" if version == MQTTProtocolVersion.MQTTv5 else b"\x20\x02\0\0"
        made.receive(accepted)
        near.receives = near.sends = 0
        made.listen()
        yield made
    finally:
        client.on_disconnect = client.on_socket_register_write = None
        near.close()
        far.close()
        client.loop_read()
