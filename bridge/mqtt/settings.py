"""The settings of a connection to the broker."""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from ..tls.settings import TlsSettings

__all__ = ["SERVICE", "BrokerSettings", "Node", "Protocol", "Subscription"]

Protocol = Literal["5", "3.1.1"]


Node = tuple[str, int]
"""Host and port of one of the brokers."""

SERVICE = re.compile(r"_[A-Za-z0-9-]+\._tcp\.\S+")
"""A name in the place of a host that stands for what its service records list (RFC 2782)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerSettings:
    """One broker and how to talk to it. Times are seconds, sizes bytes.

    `others` are further brokers, any of which will do: see `Nodes`. `avoid` are addresses of `host`
    that are left while there is another.

    `keepalive`: a broker that is silent for 1.5 times as long, or leaves one of our messages
    unacknowledged for as long, counts as lost. `receive_maximum`: how many QoS 1 messages the
    broker may have delivered to us and not yet seen acknowledged, which is also how many wait
    for `BrokerLink.receive`. `max_inflight`: the same the other way; the broker's own Receive
    Maximum lowers it. `maximum_packet_size`: longer messages are not accepted. `tls_context`:
    makes, by blocking, the `ssl.SSLContext` of `tls`; without it each connection reads the files.
    """

    host: str
    port: int
    client_id: str
    others: tuple[Node, ...] = ()
    avoid: frozenset[str] = frozenset()
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    protocol: Literal["auto", "5", "3.1.1"] = "auto"
    transport: Literal["tcp", "websockets"] = "tcp"
    websocket_path: str = "/mqtt"
    tls: TlsSettings | None = None
    tls_context: Callable[[], Any] | None = field(default=None, repr=False, compare=False)
    keepalive: int = 30
    session_expiry: int = 86_400
    connect_timeout: float = 10.0
    farewell_timeout: float = 5.0
    receive_maximum: int = 256
    max_inflight: int = 100
    maximum_packet_size: int = 262_144

    @property
    def address(self) -> str:
        """Host and port as a person writes them."""
        return _written(self.host, self.port)

    @property
    def addresses(self) -> str:
        """The same of all brokers."""
        return ", ".join(_written(*node) for node in self.nodes)

    @property
    def nodes(self) -> tuple[Node, ...]:
        """All brokers, in the order of the configuration."""
        return ((self.host, self.port), *self.others)

    def at(self, node: Node, avoid: Collection[str] = ()) -> "BrokerSettings":
        """The settings for this broker alone."""
        host, port = node
        return replace(self, host=host, port=port, others=(), avoid=frozenset(avoid))

    @property
    def login(self) -> str:
        """As whom the bridge comes, as a person says it."""
        if self.username is None:
            return "without a user name"
        return f"as {self.username}" if self.password else f"as {self.username} without a password"


@dataclass(frozen=True, slots=True)
class Subscription:
    """A topic filter, and how it is subscribed to; inputs are at QoS 1.

    `retain_handling` 2: nothing retained is sent at subscription. `retain_as_published`: a message
    that was published retained while we were subscribed says so (R16). `no_local`: what we publish
    ourselves does not come back. MQTT 3.1.1 has none of these.
    `essential`: without it the bridge is of no use; the others the broker may refuse (R24).
    """

    topic_filter: str
    retain_handling: Literal[0, 1, 2] = 2
    retain_as_published: bool = True
    qos: Literal[0, 1] = 1
    essential: bool = True
    no_local: bool = False


def _written(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
