"""Opening a connection: the one thing that paho does by blocking, and so in a thread."""

import socket
import ssl
import threading
from collections.abc import Sequence
from pathlib import Path

import trio
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from .failures import BrokerFailure, FailureKind, from_exception
from .settings import BrokerSettings, Protocol, Subscription, TlsSettings

__all__ = ["PahoClient", "Will", "dial", "quick_acknowledgement"]

Will = tuple[str, bytes]
"""Topic and payload that the broker publishes, retained, when the connection is lost."""

# Linux only; the option wears off, so it is set again after every read.
_QUICKACK: int | None = getattr(socket, "TCP_QUICKACK", None)


class _Context(ssl.SSLContext):
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
    """paho's client for one connection, which knows the socket under TLS and WebSocket."""

    tcp: socket.socket | None = None
    context: _Context | None = None

    def _create_socket_connection(self) -> socket.socket:
        self.tcp = super()._create_socket_connection()
        # Nagle's algorithm and a delayed ACK cost 40 ms each time two small packets meet.
        self.tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self.tcp

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


async def dial(
    settings: BrokerSettings, protocol: Protocol, will: Will | None, *, bare: bool = False
) -> PahoClient:
    """A client whose transport is open and whose CONNECT is written; no callbacks are attached.

    `bare` sends the smallest CONNECT of MQTT 5: no properties, will, user or client identifier.
    Raises `BrokerFailure`.
    """
    call = _Call(settings, protocol, will, bare=bare)
    try:
        with trio.fail_after(settings.connect_timeout):
            await trio.to_thread.run_sync(call.connect, abandon_on_cancel=True)
    except trio.TooSlowError:
        raise BrokerFailure(
            FailureKind.UNREACHABLE,
            f"{settings.address} could not be reached within {settings.connect_timeout:g} s",
        ) from None
    except Exception as error:
        failure = from_exception(error, settings)
        if failure is None:
            raise
        raise failure from error
    else:
        call.kept = True
        return call.client
    finally:
        call.leave()


class _Call:
    """A blocking connect that may be abandoned by the task that waits for it."""

    def __init__(
        self, settings: BrokerSettings, protocol: Protocol, will: Will | None, *, bare: bool
    ) -> None:
        self.settings = settings
        self.protocol = protocol
        self.will = will
        self.bare = bare
        self.client = PahoClient(
            CallbackAPIVersion.VERSION2,
            client_id="" if bare else settings.client_id,
            clean_session=None if protocol == "5" else True,
            protocol=MQTTProtocolVersion.MQTTv5
            if protocol == "5"
            else MQTTProtocolVersion.MQTTv311,
            transport=settings.transport,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        self.kept = False
        self._lock = threading.Lock()
        self._connected = False
        self._left = False

    def connect(self) -> None:
        """DNS, TCP, TLS, WebSocket and the writing of CONNECT; in a worker thread."""
        settings, client = self.settings, self.client
        client.connect_timeout = settings.connect_timeout
        client.max_inflight_messages = 0
        if settings.transport == "websockets":
            client.ws_set_options(path=settings.websocket_path)
        if settings.tls is not None:
            client.context = _tls_context(settings.tls)
            client.tls_set_context(client.context)
            client.tls_insecure_set(settings.tls.insecure)
        if not self.bare:
            if settings.username is not None:
                client.username_pw_set(settings.username, settings.password)
            if self.will is not None:
                client.will_set(self.will[0], self.will[1], qos=1, retain=True)
        # paho notices a missing PINGRESP after twice its keepalive: two thirds of what was
        # asked for make that four thirds, and leave time to act within 1.5.
        keepalive = max(1, round(settings.keepalive * 2 / 3))
        try:
            if self.protocol == "5" and not self.bare:
                client.connect(
                    settings.host,
                    settings.port,
                    keepalive,
                    clean_start=False,
                    properties=_connect_properties(settings),
                )
            else:
                client.connect(settings.host, settings.port, keepalive)
        except BaseException:
            client.hang_up()
            raise
        with self._lock:
            self._connected = True
            if self._left:
                client.hang_up()

    def leave(self) -> None:
        """The waiting task goes on; a connection that it did not keep is closed, now or later."""
        with self._lock:
            self._left = True
            if self._connected and not self.kept:
                self.client.hang_up()


def _connect_properties(settings: BrokerSettings) -> Properties:
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = settings.session_expiry
    properties.ReceiveMaximum = settings.receive_maximum
    properties.MaximumPacketSize = settings.maximum_packet_size
    return properties


def _tls_context(tls: TlsSettings) -> _Context:
    for path in filter(None, (tls.ca, tls.cert, tls.key)):
        # OpenSSL's own complaint does not say which file it misses.
        with Path(path).open("rb"):
            pass
    context = _Context(ssl.PROTOCOL_TLS_CLIENT)
    if tls.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif tls.ca is not None:
        context.load_verify_locations(tls.ca)
    else:
        context.load_default_certs()
    if tls.cert is not None:
        context.load_cert_chain(tls.cert, tls.key)
    return context
