"""Opening a connection; TLS, WebSocket and CONNECT paho does by blocking, and so in a thread."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import trio
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from ..process.tcp import connected_socket
from ..tls.files import load_context
from .failures import BrokerFailure, FailureKind, from_exception
from .paho_client import PahoClient
from .settings import BrokerSettings, Protocol
from .tls_context import TlsContext

__all__ = ["Will", "dial"]

Will = tuple[str, bytes]
"""Topic and payload that the broker publishes, retained, when the connection is lost."""


async def dial(
    settings: BrokerSettings,
    protocol: Protocol,
    will: Will | None,
    *,
    bare: bool = False,
    reached: Callable[[str], None] = lambda _: None,
) -> PahoClient:
    """A client whose transport is open and whose CONNECT is written; no callbacks are attached.

    `bare` sends the smallest CONNECT there is: no properties, will, user or client identifier.
    `reached` is told at which address the host has taken the connection. Raises `BrokerFailure`.
    """
    call = _Call(settings, protocol, will, bare=bare)
    try:
        with trio.fail_after(settings.connect_timeout):
            tcp = await connected_socket(settings.host, settings.port, settings.avoid)
            call.take(tcp)
            reached(tcp.getpeername()[0])
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
            longest_payload=settings.maximum_packet_size,
        )
        self.kept = False
        self._lock = threading.Lock()
        self._in_thread = False
        self._left = False

    def take(self, tcp: socket.socket) -> None:
        """Go on with this connected socket, which is the call's from here on."""
        tcp.settimeout(self.settings.connect_timeout)
        # Nagle's algorithm and a delayed ACK cost 40 ms each time two small packets meet.
        tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # Trio has the kernel take 16 kB at a time; a large message over WebSockets then comes in
        # pieces, over which mosquitto 2.0 hangs.
        if (low_water := getattr(socket, "TCP_NOTSENT_LOWAT", None)) is not None:
            tcp.setsockopt(socket.IPPROTO_TCP, low_water, 0)
        self.client.tcp = tcp

    def connect(self) -> None:
        """TLS, WebSocket and the writing of CONNECT; in a worker thread."""
        with self._lock:
            if self._left:
                return
            self._in_thread = True
        try:
            self._introduce()
        except BaseException:
            with self._lock:
                self.client.hang_up()
            raise
        self._came_back()

    def _came_back(self) -> None:
        with self._lock:
            self._in_thread = False
            if self._left:
                self.client.hang_up()

    def _introduce(self) -> None:
        settings, client = self.settings, self.client
        client.connect_timeout = settings.connect_timeout
        client.max_inflight_messages = 0
        if settings.transport == "websockets":
            client.ws_set_options(path=settings.websocket_path)
        if settings.tls is not None:
            context_of = settings.tls_context or partial(load_context, settings.tls)
            client.context = TlsContext(context_of())
            client.tls_set_context(client.context)  # type: ignore[arg-type]
            client.tls_insecure_set(settings.tls.insecure)
        if not self.bare:
            if settings.username is not None:
                client.username_pw_set(settings.username, settings.password)
            if self.will is not None:
                client.will_set(self.will[0], self.will[1], qos=1, retain=True)
        # paho notices a missing PINGRESP after twice its keepalive: two thirds of what was
        # asked for make that four thirds, and leave time to act within 1.5.
        keepalive = max(1, round(settings.keepalive * 2 / 3))
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

    def leave(self) -> None:
        """The waiting task goes on; a connection that it did not keep is closed, now or later.

        Later is soon: the thread does not wait any longer for a broker that says little, and often.
        """
        with self._lock:
            self._left = True
            if not self.kept and not self._in_thread:
                self.client.hang_up()
            elif not self.kept and (sock := self.client.transport_socket) is not None:
                # Not closed, for the thread may be about to use the descriptor; past TLS's own.
                with suppress(OSError):
                    socket.socket.shutdown(sock, socket.SHUT_RDWR)


def _connect_properties(settings: BrokerSettings) -> Properties:
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = settings.session_expiry
    properties.ReceiveMaximum = settings.receive_maximum
    properties.MaximumPacketSize = settings.maximum_packet_size
    return properties
