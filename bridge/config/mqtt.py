"""The table `[mqtt]`: the broker, and how to reach it."""

from typing import Annotated, Literal

from pydantic import Field, SecretStr

from ..mqtt.settings import BrokerSettings
from ..tls.settings import TlsSettings
from .key_types import (
    HOME_EXPANDED,
    BaseTopic,
    BrokerHosts,
    Duration,
    Port,
    Table,
    TopicFilters,
    UrlPath,
    Word,
    host_and_port,
)

__all__ = ["RESPONSE_TOPICS", "MqttTable", "TlsTable"]

_DEFAULT_PORTS = {
    ("tcp", False): 1883,
    ("tcp", True): 8883,
    ("websockets", False): 8080,
    ("websockets", True): 8081,
}


RESPONSE_TOPICS = (
    *("response/#", "responses/#", "reply/#", "answers/#", "client/#", "clients/#"),
    *("+/response/#", "+/reply/#", "+/answers/#"),
)
"""Where the clients and guides of MQTT 5 that were looked at let answers come (R31)."""


class TlsTable(Table):
    """TLS to the broker; paths of PEM files."""

    ca: Annotated[str, HOME_EXPANDED] | None = None
    """Certificates of the authorities that are trusted; left out: the system's."""
    cert: Annotated[str, HOME_EXPANDED] | None = None
    """The bridge's own certificate, where the broker asks for one."""
    key: Annotated[str, HOME_EXPANDED] | None = None
    """The private key of `cert`; left out: it is in the same file."""
    insecure: bool = False
    """Accept any certificate for any name. For a bench only."""


class MqttTable(Table):
    """The broker."""

    host: BrokerHosts = "localhost"
    """Name or address of the broker, or a list of some, with ports; any of them will do."""
    port: Port | None = None
    """Left out: 1883, with TLS 8883, over WebSockets 8080, over both 8081."""
    username: Word | None = None
    """User name at the broker."""
    password: Annotated[SecretStr, Field(min_length=1)] | None = None
    """Better as a secret: a file mqtt__password in systemd's credentials directory."""
    client_id: str | None = None
    """Left out: hmp-bridge- and the id that is kept in the state folder."""
    base_topic: BaseTopic = "hmp"
    """Every topic of the bridge begins with this."""
    protocol: Literal["auto", "5", "3.1.1"] = "auto"
    """Version of MQTT; auto: 5 first, and 3.1.1 where the broker does not speak 5."""
    transport: Literal["tcp", "websockets"] = "tcp"
    """The transport of MQTT."""
    websocket_path: UrlPath = "/mqtt"
    """The path of the URL, over WebSockets."""
    tls: TlsTable | None = None
    """TLS; an empty table trusts the system's authorities."""
    keepalive: Annotated[Duration, Field(ge=5, le=65535)] = 30.0
    """A broker that is silent for 1.5 times as long counts as lost."""
    session_expiry: Annotated[Duration, Field(ge=0, le=4294967295)] = 86400.0
    """How long the broker keeps presses for a bridge that is away (MQTT 5)."""
    connect_timeout: Annotated[Duration, Field(gt=0)] = 10.0
    """How long a connection may take to be made, and what is said on it first to come back."""
    response_topics: TopicFilters = RESPONSE_TOPICS
    """Where requests may have answers sent (MQTT 5); anything else is told and not written to."""

    def settings(self, client_id: str) -> BrokerSettings:
        """The settings of the broker link; `client_id` is for when none is configured."""
        usual = self.port or _DEFAULT_PORTS[self.transport, self.tls is not None]
        hosts = (self.host,) if isinstance(self.host, str) else self.host
        nodes = [(host, port or usual) for host, port in map(host_and_port, hosts)]
        return BrokerSettings(
            host=nodes[0][0],
            port=nodes[0][1],
            others=tuple(nodes[1:]),
            client_id=self.client_id or client_id,
            username=self.username,
            password=None if self.password is None else self.password.get_secret_value(),
            protocol=self.protocol,
            transport=self.transport,
            websocket_path=self.websocket_path,
            tls=None if self.tls is None else TlsSettings(**self.tls.model_dump()),
            keepalive=int(self.keepalive),
            session_expiry=int(self.session_expiry),
            connect_timeout=self.connect_timeout,
        )
