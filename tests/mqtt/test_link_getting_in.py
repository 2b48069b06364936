"""What it takes to be let in by a real broker, and what is said where that fails."""

from typing import Any

import pytest
from structlog.testing import capture_logs

from bridge.mqtt.broker_health import BrokerState
from bridge.mqtt.settings import Protocol
from bridge.tls.settings import TlsSettings
from tests.broker_fixtures import Launch
from tests.brokers import Broker, BrokerOptions, Certificates, free_port

from .connections import BOTH, peer
from .running_link import running


@pytest.mark.mqtt5
@pytest.mark.parametrize("transport", ["tcp", "websockets"])
async def test_tls_and_websockets(
    launch: Launch, certificates: Certificates, transport: str
) -> None:
    broker = launch(BrokerOptions(tls=certificates))
    port = broker.tls_port if transport == "tcp" else broker.websocket_port
    tls = TlsSettings(ca=str(certificates.ca)) if transport == "tcp" else None
    async with running(broker, filters=("in/#",), port=port, tls=tls, transport=transport) as run:
        run.image.set("in/a", b"z" * 100_000)
        await run.image.settled()
        async with peer(broker) as other:
            for number in range(300):
                other.session.post("in/b", str(number).encode(), qos=0, retain=False)
            await other.session.drained()
        for number in range(300):
            message = await run.link.receive()
            while message.topic == "in/a":
                message.acknowledge()
                message = await run.link.receive()
            assert message.payload == str(number).encode()


async def failing(broker: Broker, **settings: Any) -> list[Any]:
    """The log of a link that fails at least three times in a row."""
    with capture_logs() as logs:
        async with running(broker, **settings) as run:
            for _ in range(3):
                await run.until(BrokerState.DOWN)
                await run.until(BrokerState.CONNECTING)
    return [line for line in logs if line["log_level"] == "warning"]


@pytest.mark.mqtt5
@pytest.mark.parametrize(
    ("changes", "error", "hint"),
    [
        ({"tls": TlsSettings()}, "not trusted", "mqtt.tls.ca"),
        ({"tls": TlsSettings(ca="/nowhere/ca.pem")}, "/nowhere/ca.pem", "paths under mqtt.tls"),
        ({"tls": "ca", "host": "127.0.0.2"}, "refuses connections", "mqtt.port"),
        ({"port": "plain", "tls": "ca"}, "", "mqtt.tls|network"),
        ({"port": "plain", "transport": "websockets"}, "WebSocket", "websocket_path"),
        ({"port": "websocket"}, "lost|MQTT|closed|answer", ""),
    ],
)
async def test_ways_to_fail_before_mqtt_are_said_once_with_what_to_do(
    launch: Launch, certificates: Certificates, changes: dict[str, Any], error: str, hint: str
) -> None:
    broker = launch(BrokerOptions(tls=certificates))
    settings: dict[str, Any] = {"port": broker.tls_port, "connect_timeout": 60.0} | changes
    if settings.get("tls") == "ca":
        settings["tls"] = TlsSettings(ca=str(certificates.ca))
    ports = {"plain": broker.port, "websocket": broker.websocket_port}
    settings["port"] = ports.get(settings["port"], settings["port"])
    logs = await failing(broker, **settings)
    assert len(logs) == 1
    assert any(each in logs[0]["error"] for each in error.split("|"))
    assert any(each in logs[0]["what_to_do"] for each in hint.split("|"))


async def test_a_broker_that_is_not_there_is_said_once(broker: Broker) -> None:
    logs = await failing(broker, port=free_port())
    assert len(logs) == 1
    assert "refuses connections" in logs[0]["error"]


async def test_a_name_without_an_address_is_said_once(broker: Broker) -> None:
    logs = await failing(broker, host="broker.invalid")
    assert len(logs) == 1
    assert "broker.invalid" in logs[0]["error"]


@pytest.mark.mqtt5
@pytest.mark.parametrize("password", ["wrong", None])
@BOTH
async def test_a_wrong_password_is_said_once(
    launch: Launch, protocol: Protocol, password: str | None
) -> None:
    broker = launch(BrokerOptions(users={"bridge": "right"}))
    user = None if password is None else "bridge"
    logs = await failing(broker, username=user, password=password, protocol=protocol)
    assert len(logs) == 1
    assert "Not authorized" in logs[0]["error"]
    assert "mqtt.username" in logs[0]["what_to_do"]
    assert "wrong" not in str(logs)
    async with running(broker, username="bridge", password="right", protocol=protocol) as run:
        await run.until(BrokerState.ONLINE)


@pytest.mark.mqtt5
async def test_a_client_certificate_is_presented(
    launch: Launch, certificates: Certificates
) -> None:
    broker = launch(BrokerOptions(tls=certificates, client_certificates=True))
    tls = TlsSettings(
        ca=str(certificates.ca), cert=str(certificates.cert), key=str(certificates.key)
    )
    async with running(broker, port=broker.tls_port, tls=tls) as run:
        await run.until(BrokerState.ONLINE)


@pytest.mark.mqtt5
async def test_insecure_tls_takes_any_certificate(
    launch: Launch, certificates: Certificates
) -> None:
    broker = launch(BrokerOptions(tls=certificates))
    async with running(broker, port=broker.tls_port, tls=TlsSettings(insecure=True)) as run:
        await run.until(BrokerState.ONLINE)


async def test_a_broker_of_3_1_1_only_is_found_out(launch: Launch) -> None:
    pytest.importorskip("amqtt")
    broker = launch(kind="embedded")
    async with running(broker, filters=("in",)) as run:
        await run.until(BrokerState.ONLINE)
        assert run.link.health().protocol == "3.1.1"
        async with peer(broker) as other:
            await other.publish("in", b"x")
        assert (await run.link.receive()).payload == b"x"
