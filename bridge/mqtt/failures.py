"""The ways in which a broker connection fails, and what a person does about each."""

import socket
import ssl
from enum import Enum

from paho.mqtt.client import WebsocketConnectionError
from paho.mqtt.reasoncodes import ReasonCode

from .settings import BrokerSettings

__all__ = [
    "LOGIN",
    "BrokerFailure",
    "FailureKind",
    "flatten",
    "from_connack",
    "from_disconnect",
    "from_exception",
]


class FailureKind(Enum):
    """Value: the advice that the log line gives."""

    REFUSED = "start the broker, or correct mqtt.host and mqtt.port"
    UNRESOLVED = "correct mqtt.host, or the name service of this machine"
    UNREACHABLE = "check network and firewall between this machine and the broker"
    CERTIFICATE = (
        "set mqtt.tls.ca to the authority that signed the broker's certificate, and mqtt.host to "
        "a name that the certificate carries"
    )
    TLS = "check that mqtt.port is the broker's TLS port and mqtt.tls.cert and key fit together"
    FILE = "correct the paths under mqtt.tls, and let the bridge's user read the files"
    WEBSOCKET = "check that mqtt.port is the broker's WebSocket port, and mqtt.websocket_path"
    NO_ANSWER = "check that mqtt.port is the broker's MQTT port, and that the broker is well"
    NOT_MQTT = "check that mqtt.port is the broker's MQTT port, and not its TLS or web port"
    CREDENTIALS = "correct mqtt.username and mqtt.password, or add the user to the broker"
    NOT_AUTHORIZED = "give the bridge's user access on the broker (mqtt.username, password, ACL)"
    CLIENT_ID = "set mqtt.client_id to one that the broker accepts"
    PROTOCOL_VERSION = 'set mqtt.protocol to "auto" or to a version that the broker speaks'
    BUSY = "the broker turns connections away; look into its log and limits"
    SUBSCRIPTION = "give the bridge's user read access to this filter on the broker (ACL)"
    PUBLICATION = "give the bridge's user write access to this topic on the broker (ACL)"
    KEEPALIVE = "the broker or the network to it hangs; look at both"
    TAKEN_OVER = "another program uses the same mqtt.client_id; give each its own"
    LOST = "the broker closed the connection; its log says why"


LOGIN = frozenset({FailureKind.CREDENTIALS, FailureKind.NOT_AUTHORIZED, FailureKind.CLIENT_ID})
"""Those that depend on who the bridge says it is."""


class BrokerFailure(Exception):
    """A connection to the broker could not be made or kept. Another attempt may succeed.

    `detail` is what was observed, `kind` what to do about it.
    """

    def __init__(self, kind: FailureKind, detail: str) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail

    @property
    def advice(self) -> str:
        """What a person can do."""
        return self.kind.value


# Names as paho spells them; both protocol versions' codes are mapped to these names by paho.
_CONNACK_KINDS = {
    "Unsupported protocol version": FailureKind.PROTOCOL_VERSION,
    "Client identifier not valid": FailureKind.CLIENT_ID,
    "Bad user name or password": FailureKind.CREDENTIALS,
    "Bad authentication method": FailureKind.CREDENTIALS,
    "Not authorized": FailureKind.NOT_AUTHORIZED,
    "Banned": FailureKind.NOT_AUTHORIZED,
    "Server unavailable": FailureKind.BUSY,
    "Server busy": FailureKind.BUSY,
    "Quota exceeded": FailureKind.BUSY,
    "Connection rate exceeded": FailureKind.BUSY,
}

_DISCONNECT_KINDS = {
    "Session taken over": FailureKind.TAKEN_OVER,
    "Keep alive timeout": FailureKind.KEEPALIVE,
    "Not authorized": FailureKind.NOT_AUTHORIZED,
    "Server busy": FailureKind.BUSY,
}


def from_connack(reason: ReasonCode, settings: BrokerSettings) -> BrokerFailure:
    """The failure that a refusing CONNACK stands for."""
    name = reason.getName()
    kind = _CONNACK_KINDS.get(name, FailureKind.LOST)
    detail = f"the broker refused the connection: {name}"
    if kind in LOGIN:
        detail += f", {settings.login}"
    return BrokerFailure(kind, detail)


def from_disconnect(reason: ReasonCode, *, from_broker: bool) -> BrokerFailure:
    """The failure that a DISCONNECT stands for, or paho's own word for a broken connection."""
    name = reason.getName()
    kind = _DISCONNECT_KINDS.get(name, FailureKind.LOST)
    if from_broker:
        return BrokerFailure(kind, f"the broker closed the connection: {name}")
    if kind is FailureKind.KEEPALIVE:
        return BrokerFailure(kind, "the broker did not answer a PINGREQ")
    if name == "Protocol error":
        return BrokerFailure(FailureKind.NOT_MQTT, "the broker sent something that is not MQTT")
    return BrokerFailure(kind, "the connection was lost")


def from_exception(error: Exception, settings: BrokerSettings) -> BrokerFailure | None:
    """The failure that an exception of connecting stands for; none for a bug."""
    where = settings.address
    match error:
        case ssl.SSLCertVerificationError():
            kind, detail = (
                FailureKind.CERTIFICATE,
                f"the certificate of {where} is not trusted: {error.verify_message}",
            )
        case ssl.SSLError():
            kind, detail = FailureKind.TLS, f"no TLS with {where}: {error.reason or error}"
        case socket.gaierror():
            kind, detail = (
                FailureKind.UNRESOLVED,
                f"the name {settings.host} has no address: {error.strerror}",
            )
        case ConnectionRefusedError():
            kind, detail = FailureKind.REFUSED, f"{where} refuses connections"
        case WebsocketConnectionError():
            kind, detail = FailureKind.WEBSOCKET, f"{where} does not speak WebSocket: {error}"
        case TimeoutError():
            kind, detail = (
                FailureKind.UNREACHABLE,
                f"{where} did not answer within {settings.connect_timeout:g} s",
            )
        case FileNotFoundError() | PermissionError() | IsADirectoryError() if error.filename:
            kind, detail = FailureKind.FILE, f"{error.filename}: {error.strerror}"
        case OSError():
            kind, detail = FailureKind.UNREACHABLE, f"{where}: {error.strerror or error}"
        case _:
            return None
    return BrokerFailure(kind, detail)


def flatten(group: BaseExceptionGroup[BrokerFailure]) -> BrokerFailure:
    """The first failure in a group that holds nothing else."""
    first = group.exceptions[0]
    return flatten(first) if isinstance(first, BaseExceptionGroup) else first
