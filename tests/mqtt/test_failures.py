"""Every way to fail has its own advice, and a bug is not mistaken for one."""

import socket
import ssl
from dataclasses import replace

import pytest
from paho.mqtt.client import WebsocketConnectionError
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from bridge.mqtt.failures import LOGIN, FailureKind, from_connack, from_disconnect, from_exception
from bridge.mqtt.settings import BrokerSettings


def of_openssl(
    error: ssl.SSLError, *, code: int = 20, reason: str = "CERTIFICATE_VERIFY_FAILED"
) -> ssl.SSLError:
    """With what OpenSSL fills in beside errno and text."""
    error.reason = reason
    if isinstance(error, ssl.SSLCertVerificationError):
        error.verify_code = code
        error.verify_message = "certificate has expired"
    return error


SETTINGS = BrokerSettings(host="::1", port=1883, client_id="x", username="u", password="secret")


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ConnectionRefusedError(111, "Connection refused"), FailureKind.REFUSED),
        (socket.gaierror(-2, "Name or service not known"), FailureKind.UNRESOLVED),
        (TimeoutError(), FailureKind.UNREACHABLE),
        (OSError(113, "No route to host"), FailureKind.UNREACHABLE),
        (of_openssl(ssl.SSLCertVerificationError(1, "unknown")), FailureKind.CERTIFICATE),
        (of_openssl(ssl.SSLCertVerificationError(1, "early"), code=9), FailureKind.NOT_YET_VALID),
        (of_openssl(ssl.SSLCertVerificationError(1, "late"), code=10), FailureKind.EXPIRED),
        (
            of_openssl(ssl.SSLError(1, "alert"), reason="SSLV3_ALERT_CERTIFICATE_EXPIRED"),
            FailureKind.OWN_EXPIRED,
        ),
        (of_openssl(ssl.SSLError(1, "wrong version number")), FailureKind.TLS),
        (WebsocketConnectionError("handshake"), FailureKind.WEBSOCKET),
        (FileNotFoundError(2, "No such file", "ca.pem"), FailureKind.FILE),
        (PermissionError(13, "Permission denied", "key.pem"), FailureKind.FILE),
    ],
)
def test_exceptions_of_connecting(error: OSError, kind: FailureKind) -> None:
    failure = from_exception(error, SETTINGS)
    assert failure is not None
    assert failure.kind is kind
    assert failure.advice == kind.value


def test_a_bug_is_no_failure() -> None:
    assert from_exception(TypeError("bug"), SETTINGS) is None


def test_an_ipv6_address_is_written_in_brackets() -> None:
    failure = from_exception(ConnectionRefusedError(), SETTINGS)
    assert str(failure) == "[::1]:1883 refuses connections"


def test_settings_do_not_show_the_password() -> None:
    assert "secret" not in repr(SETTINGS)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Unsupported protocol version", FailureKind.PROTOCOL_VERSION),
        ("Client identifier not valid", FailureKind.CLIENT_ID),
        ("Bad user name or password", FailureKind.CREDENTIALS),
        ("Not authorized", FailureKind.NOT_AUTHORIZED),
        ("Server busy", FailureKind.BUSY),
        ("Use another server", FailureKind.LOST),
    ],
)
def test_refusals(name: str, kind: FailureKind) -> None:
    failure = from_connack(ReasonCode(PacketTypes.CONNACK, name), SETTINGS)
    assert failure.kind is kind
    assert name in str(failure)
    assert (", as u" in str(failure)) is (kind in LOGIN)
    assert "secret" not in str(failure)


def test_a_byte_order_mark_in_a_password_is_what_is_wrong_with_it() -> None:
    settings = replace(SETTINGS, password="\ufeffsecret")
    failure = from_connack(ReasonCode(PacketTypes.CONNACK, "Not authorized"), settings)
    assert failure.kind is FailureKind.BYTE_ORDER_MARK
    assert "the password begins with a byte-order mark" in str(failure)
    assert "secret" not in str(failure)


@pytest.mark.parametrize(
    ("name", "from_broker", "kind"),
    [
        ("Session taken over", True, FailureKind.TAKEN_OVER),
        ("Server shutting down", True, FailureKind.LOST),
        ("Keep alive timeout", False, FailureKind.KEEPALIVE),
        ("Unspecified error", False, FailureKind.LOST),
        ("Protocol error", False, FailureKind.NOT_MQTT),
    ],
)
def test_ends_of_a_connection(name: str, kind: FailureKind, *, from_broker: bool) -> None:
    reason = ReasonCode(PacketTypes.DISCONNECT, name)
    assert from_disconnect(reason, from_broker=from_broker).kind is kind
