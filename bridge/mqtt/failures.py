"""The ways in which a broker connection fails, and what a person does about each."""

import socket
import ssl
from collections.abc import Mapping
from enum import Enum
from typing import TypeVar

from paho.mqtt.client import WebsocketConnectionError
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from ..process.tcp import causes
from .settings import BrokerSettings

__all__ = [
    "LOGIN",
    "UNSPECIFIED",
    "BrokerFailure",
    "FailureKind",
    "WebSocketEnded",
    "advice_on",
    "flatten",
    "from_broken",
    "from_connack",
    "from_disconnect",
    "from_exception",
    "from_limits",
    "refused_publication",
    "refused_subscriptions",
    "unanswered",
    "without_an_answer",
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
    EXPIRED = "renew the broker's certificate; if it is good, this machine's clock is wrong: set it"
    NOT_YET_VALID = (
        "this machine's clock is behind, or the broker's certificate ahead of its time: correct "
        "the clock, or wait"
    )
    OWN_EXPIRED = "renew the bridge's own certificate, mqtt.tls.cert"
    TLS = "check that mqtt.port is the broker's TLS port and mqtt.tls.cert and key fit together"
    FILE = "correct the paths under mqtt.tls, and let the bridge's user read the files"
    WEBSOCKET = "check that mqtt.port is the broker's WebSocket port, and mqtt.websocket_path"
    NO_ANSWER = "check that mqtt.port is the broker's MQTT port, and that the broker is well"
    NOT_MQTT = "check that mqtt.port is the broker's MQTT port, and not its TLS or web port"
    CREDENTIALS = "correct mqtt.username and mqtt.password, or add the user to the broker"
    BYTE_ORDER_MARK = (
        "save the file that holds mqtt.username or mqtt.password as UTF-8 without a byte-order mark"
    )
    NOT_AUTHORIZED = "give the bridge's user access on the broker (mqtt.username, password, ACL)"
    CLIENT_ID = "set mqtt.client_id to one that the broker accepts"
    PROTOCOL_VERSION = 'set mqtt.protocol to "auto" or to a version that the broker speaks'
    BUSY = "the broker turns connections away; look into its log and limits"
    UNANSWERED = (
        "the broker, or a load balancer before it, closes every connection at once; their logs say "
        "why"
    )
    NO_RETAIN = (
        "have the broker retain messages (mosquitto: retain_available true), or use one that does: "
        "every state is a retained message"
    )
    NO_QOS_1 = (
        "have the broker take QoS 1 (mosquitto: max_qos 1 or 2), or use one that does: at QoS 0 a "
        "press may be lost"
    )
    TOO_LARGE = "raise the broker's maximum packet size (mosquitto: max_packet_size)"
    SUBSCRIPTION = "give the bridge's user read access to this filter on the broker (ACL)"
    PUBLICATION = "give the bridge's user write access to this topic on the broker (ACL)"
    ECHO = (
        "run hmp-bridge check, which tries each right that the bridge needs, and look into the "
        "broker's log"
    )
    DEAF = (
        "nothing: the bridge connects again; if it keeps happening, look at the broker, or for "
        "another program with this mqtt.client_id"
    )
    KEEPALIVE = "the broker or the network to it hangs; look at both"
    TAKEN_OVER = (
        "nothing, if another box of this bridge leads; else another program uses the same "
        "mqtt.client_id: give each its own"
    )
    YIELDED = "nothing: this box stands by"
    RENEWED = "nothing: the bridge connects again at once"
    LOST = "the broker closed the connection; its log says why"


LOGIN = frozenset(
    {
        FailureKind.BYTE_ORDER_MARK,
        FailureKind.CREDENTIALS,
        FailureKind.NOT_AUTHORIZED,
        FailureKind.CLIENT_ID,
    }
)
"""Those that depend on who the bridge says it is."""


class BrokerFailure(Exception):
    """A connection to the broker could not be made or kept. Another attempt may succeed.

    `detail` is what was observed, `advice` what to do about it: that of its `kind`, or better.
    """

    def __init__(self, kind: FailureKind, detail: str, advice: str = "") -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.advice = advice or kind.value


UNSPECIFIED = "Unspecified error"
"""The name of reason code 0x80, of MQTT 3.1.1's only refusal too."""

_NO_REASON = (
    "look into the broker's log: it does not say why; over MQTT 3.1.1, which has no other word, it "
    "may also be that the bridge's user lacks access"
)
_OTHER_REASON = "look into the broker's log, and at its limits"


def advice_on(kind: FailureKind, *reasons: str) -> str:
    """The advice on a refused subscription or publication, by the broker's reasons.

    Access is to be given where the broker says so: `UNSPECIFIED` is also the word of one that
    cannot at the moment, such as a cluster that has just lost a node.
    """
    if "Not authorized" in reasons:
        return kind.value
    return _NO_REASON if UNSPECIFIED in reasons else _OTHER_REASON


def refused_subscriptions(refused: Mapping[str, str]) -> BrokerFailure:
    """The failure of a SUBSCRIBE, by the broker's reason for each filter that it refused."""
    kind = FailureKind.SUBSCRIPTION
    said = ", ".join(f"{each} ({reason})" for each, reason in refused.items())
    detail = f"the broker refused the subscription to {said}"
    return BrokerFailure(kind, detail, advice_on(kind, *refused.values()))


def refused_publication(topic: str, reason: str) -> BrokerFailure:
    """The failure of a PUBLISH, by the broker's reason."""
    kind = FailureKind.PUBLICATION
    detail = f"the broker refused a publication to {topic}: {reason}"
    return BrokerFailure(kind, detail, advice_on(kind, reason))


def unanswered(seconds: float) -> BrokerFailure:
    """The failure of a broker that reads what we send, and does not answer it."""
    detail = f"the broker left a packet unanswered for {seconds:g} s"
    return BrokerFailure(FailureKind.KEEPALIVE, detail)


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
    "Retain not supported": FailureKind.NO_RETAIN,
    "QoS not supported": FailureKind.NO_QOS_1,
    "Packet too large": FailureKind.TOO_LARGE,
}

_DISCONNECT_KINDS = {
    "Session taken over": FailureKind.TAKEN_OVER,
    "Keep alive timeout": FailureKind.KEEPALIVE,
    "Not authorized": FailureKind.NOT_AUTHORIZED,
    "Server busy": FailureKind.BUSY,
    "Retain not supported": FailureKind.NO_RETAIN,
    "QoS not supported": FailureKind.NO_QOS_1,
    "Packet too large": FailureKind.TOO_LARGE,
}

_MARK = "\ufeff"
"""The byte-order mark that some editors put before the text of a file."""


def from_connack(reason: ReasonCode, settings: BrokerSettings) -> BrokerFailure:
    """The failure that a refusing CONNACK stands for."""
    name = reason.getName()
    kind = _CONNACK_KINDS.get(name, FailureKind.LOST)
    detail = f"the broker refused the connection: {name}"
    if kind in LOGIN:
        detail += f", {settings.login}"
        for what, text in (("user name", settings.username), ("password", settings.password)):
            if (text or "").startswith(_MARK):
                kind = FailureKind.BYTE_ORDER_MARK
                detail += f"; the {what} begins with a byte-order mark"
    return BrokerFailure(kind, detail)


def from_limits(properties: Properties | None) -> BrokerFailure | None:
    """The failure that an accepting CONNACK announces: what the broker does not have (MQTT 5)."""
    if getattr(properties, "RetainAvailable", 1) == 0:
        return BrokerFailure(FailureKind.NO_RETAIN, "the broker does not retain messages")
    if getattr(properties, "MaximumQoS", 2) == 0:
        return BrokerFailure(FailureKind.NO_QOS_1, "the broker takes QoS 0 only")
    return None


_LOST = "the connection was lost"


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
    return BrokerFailure(kind, _LOST)


def without_an_answer(lost: BrokerFailure, settings: BrokerSettings) -> BrokerFailure:
    """The loss of a connection on which the broker has not said a word of MQTT, told as that."""
    detail = f"{settings.address} closed the connection without an answer"
    said = "" if lost.detail == _LOST else f"; {lost.detail}"
    return BrokerFailure(FailureKind.UNANSWERED, detail + said)


class WebSocketEnded(OSError):
    """The broker closed it in good order, or not: `broken` is the rule that it did not keep."""

    def __init__(self, detail: str, *, broken: bool) -> None:
        super().__init__(detail)
        self.broken = broken


_NOT_THEIRS = "look at the broker, and at whatever stands between it and this machine"


def from_broken(error: OSError | None) -> BrokerFailure | None:
    """The failure of a connection on which reading has failed so; none where it was just lost."""
    match error:
        case WebSocketEnded(broken=True):
            kind, advice = FailureKind.WEBSOCKET, _NOT_THEIRS
            detail = f"the broker sent something that is not WebSocket: {error}"
        case WebSocketEnded():
            kind, advice = FailureKind.LOST, ""
            detail = f"the broker closed the WebSocket: {error}"
        case ssl.SSLError():
            kind = _kind_of(error)
            # What the broker has against us it says in an alert; over TLS 1.3 only now.
            advice = "" if "ALERT" in str(error.reason) else _NOT_THEIRS
            detail = f"TLS with the broker broke: {error.reason or error}"
        case _:
            return None
    return BrokerFailure(kind, detail, advice)


# OpenSSL's X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED.
_CERTIFICATE_KINDS = {9: FailureKind.NOT_YET_VALID, 10: FailureKind.EXPIRED}


def from_exception(error: Exception, settings: BrokerSettings) -> BrokerFailure | None:
    """The failure that an exception of connecting stands for; none for a bug."""
    where = settings.address
    error = _telling(error)
    match error:
        case ssl.SSLCertVerificationError():
            kind, detail = (
                _CERTIFICATE_KINDS.get(error.verify_code, FailureKind.CERTIFICATE),
                f"the certificate of {where} is not trusted: {error.verify_message}",
            )
        case ssl.SSLError():
            kind = _kind_of(error)
            detail = f"no TLS with {where}: {error.reason or error}"
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


def _kind_of(error: ssl.SSLError) -> FailureKind:
    ended = "CERTIFICATE_EXPIRED" in str(error.reason)
    return FailureKind.OWN_EXPIRED if ended else FailureKind.TLS


def _telling(error: Exception) -> Exception:
    """The failure that stands for those of all addresses: one that was reached says most."""
    reasons: list[OSError] = causes(error)
    refused = (each for each in reasons if isinstance(each, ConnectionRefusedError))
    return next(refused, reasons[0] if reasons else error)


_Error = TypeVar("_Error", bound=BaseException)


def flatten(group: BaseExceptionGroup[_Error]) -> _Error:
    """The first failure in a group that holds nothing else."""
    first = group.exceptions[0]
    return flatten(first) if isinstance(first, BaseExceptionGroup) else first
