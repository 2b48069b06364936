"""What HMP and broker refuse, as an operator meets it: a state, a log line, and what to do."""

import json
from pathlib import Path

import pytest

from tests.broker_fixtures import Launch
from tests.brokers import Broker, BrokerOptions, Certificates

from .site import MakeSite


def test_hmp_does_not_know_this_box(site: MakeSite) -> None:
    """Not on HMP's list: `unauthorized`, which address to add, and ready once it has been."""
    s = site(start=False)
    s.hmp.do("allow", address="10.1.2.3")
    s.hmp.do("deny", address="*")
    daemon = s.add_daemon()
    s.panel.wait_for("server/main/state", "unauthorized")
    s.panel.wait_for("room/r0/availability", "offline")
    line = daemon.wait_for_line("HMP cannot be used")
    assert "127.0.0.1" in line
    assert "API Access" in line
    s.panel.press("r0", "record")
    s.panel.wait_for("room/r0/state", "starting")
    mark = s.panel.mark()
    assert daemon.stop() == 0
    s.hmp.do("allow", address="*")
    # A fresh start does not wait the ten seconds that a refused one must.
    s.add_daemon()
    s.panel.wait_for("server/main/state", "ready", since=mark)


@pytest.mark.parametrize("style", ["bare", "eof", "reset"])
def test_other_ways_to_say_not_authorized(site: MakeSite, style: str) -> None:
    """However HMP turns the box away, the state and the advice are the same (E47)."""
    s = site(start=False, knobs=[f"unauth_style={style}"])
    s.hmp.do("allow", address="10.1.2.3")
    s.hmp.do("deny", address="*")
    s.add_daemon()
    s.panel.wait_for("server/main/state", "unauthorized")
    s.daemon.wait_for_line("HMP cannot be used", "state=unauthorized", "API Access")


def test_the_api_is_switched_off_and_on_again(site: MakeSite) -> None:
    """Refused, with where the switch is; a press waits meanwhile and expires by its time."""
    s = site(room={"action_ttl": "1s"})
    mark = s.panel.mark()
    s.hmp.do("api", enabled=False)
    s.panel.wait_for("room/r0/availability", "offline", since=mark)
    s.panel.wait_until(
        lambda _: s.panel.newest("server/main/state") in ("refused", "unauthorized"), "no entry"
    )
    s.panel.press("r0", "record")
    s.panel.wait_for("room/r0/ack", "record expired")
    assert s.panel.newest("room/r0/state") == "idle"
    [result] = s.panel.wait_for_results("r0", 1)
    assert result["error"]["explanation"]
    assert "API" in s.daemon.wait_for_line("HMP cannot be used")
    assert s.hmp.commands("startRecording") == []


def test_hmp_is_off(site: MakeSite) -> None:
    """Nobody listens; a press within its time still counts once HMP is there."""
    s = site(start=False)
    recordings = s.hmp.kill()
    daemon = s.add_daemon()
    s.panel.wait_for("server/main/state", "refused")
    line = daemon.wait_for_line("HMP cannot be used", "state=refused")
    assert "API Access" in line
    s.panel.press("r0", "record")
    s.panel.wait_for("room/r0/state", "starting")
    s.hmp.start(recordings)
    s.panel.wait_for("room/r0/ack", "record ok")
    assert len(s.hmp.commands("startRecording")) == 1


def test_health_and_info(site: MakeSite) -> None:
    """JSON for dashboards: who we are and how the links do, without any secret."""
    s = site(mqtt={"username": "somebody", "password": "hunter2-secret"})
    s.panel.wait_for("bridge/health")
    info = json.loads(s.panel.wait_for("bridge/info").payload)
    assert info["servers"] == ["main"]
    assert info["rooms"] == ["r0", "r1"]
    healthy = '"state":"ready","round_trip_ms":'
    health = json.loads(
        s.panel.wait_until(
            lambda seen: next(
                (m.payload for m in seen if healthy in m.payload and '"online"' in m.payload), ""
            ),
            "the health of two links that work",
        )
    )
    assert health["servers"]["main"]["round_trip_ms"] > 0
    assert health["broker"]["state"] == "online"
    everything = s.daemon.output + str(s.panel.seen.since())
    assert "hunter2-secret" not in everything


# The broker.


@pytest.mark.mqtt5
def test_user_and_password(site: MakeSite, launch: Launch, tmp_path: Path) -> None:
    """Wrong: said, with the keys to correct and never the password. Right: from a file."""
    guarded = launch(BrokerOptions(users={"bridge": "correct horse"}))
    s = site(start=False)
    s.configure(broker_port=guarded.port, mqtt={"username": "bridge", "password": "battery staple"})
    daemon = s.add_daemon()
    line = daemon.wait_for_line("mqtt connection failed")
    assert "mqtt.username" in line
    assert "battery staple" not in daemon.output
    assert daemon.stop() == 0
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "mqtt__password").write_text("correct horse\n")
    s.configure(broker_port=guarded.port, mqtt={"username": "bridge"})
    daemon = s.add_daemon(environment={"CREDENTIALS_DIRECTORY": str(secrets)})
    daemon.wait_for_line("mqtt connected")
    assert "correct horse" not in daemon.output


@pytest.mark.mqtt5
def test_tls_end_to_end(site: MakeSite, launch: Launch, certificates: Certificates) -> None:
    """A press over TLS; with the wrong authority the log names the key to set."""
    secured = launch(BrokerOptions(tls=certificates, client_certificates=True))
    s = site(start=False, broker=secured)
    s.configure(broker_port=secured.tls_port, mqtt={"tls": {}})
    refused = s.add_daemon()
    assert "mqtt.tls.ca" in refused.wait_for_line("mqtt connection failed")
    assert refused.stop() == 0
    tls = {"ca": str(certificates.ca), "cert": str(certificates.cert), "key": str(certificates.key)}
    s.configure(broker_port=secured.tls_port, mqtt={"tls": tls})
    s.add_daemon()
    s.wait_ready()
    s.panel.press("r0", "record")
    s.panel.wait_for("room/r0/ack", "record ok")


def test_websockets_end_to_end(site: MakeSite, broker: Broker) -> None:
    """A press over WebSockets."""
    s = site(start=False)
    s.configure(broker_port=broker.websocket_port, mqtt={"transport": "websockets"})
    s.add_daemon()
    s.wait_ready()
    s.panel.press("r0", "record")
    s.panel.wait_for("room/r0/ack", "record ok")


@pytest.mark.parametrize(
    ("mqtt", "says"),
    [
        ({"port": 1}, "start the broker, or correct mqtt.host and mqtt.port"),
        ({"host": "no-such-host.invalid"}, "correct mqtt.host"),
        ({"tls": {"ca": "/nowhere/ca.pem"}}, "mqtt.tls"),
    ],
)
def test_no_broker(site: MakeSite, mqtt: dict[str, object], says: str) -> None:
    """One line per way of failing, with the key to look at, however often it is tried."""
    s = site(start=False)
    s.configure(mqtt=mqtt)
    s.tables["bridge"]["log_level"] = "debug"
    s.add_daemon()
    s.daemon.wait_for_line("level=warning", "mqtt connection failed", says)
    s.daemon.wait_for_line("level=debug", "mqtt connection failed", says)
    s.daemon.wait_for_line("HMP is ready")
    assert len(s.daemon.lines_with("level=warning", "mqtt connection failed")) == 1
    assert s.daemon.stop() == 0
