"""The settings of a connection to the broker."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

__all__ = ["BrokerSettings", "Protocol", "Subscription", "TlsSettings"]

Protocol = Literal["5", "3.1.1"]


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """Paths of PEM files; `ca` of none means the system's certificate authorities.

    `insecure` accepts any certificate for any name, and is for a bench only.
    """

    ca: str | None = None
    cert: str | None = None
    key: str | None = None
    insecure: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerSettings:
    """One broker and how to talk to it. Times are seconds, sizes bytes.

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
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

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
