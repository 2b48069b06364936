"""Secrets are planted wherever they may come from, and looked for wherever they might come out.

At the level `debug`, through every way of failing that there is (R19).
"""

import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.broker_fixtures import Launch
from tests.brokers import BrokerOptions, Certificates

from .daemon import toml
from .programs import Program, run_bridge
from .site import MakeSite, Site

SECRET = 'pl4nted "horse" \\ stäple'
SPELLINGS = {
    SECRET,
    "pl4nted",
    json.dumps(SECRET)[1:-1],
    repr(SECRET)[1:-1],
    repr(SECRET.encode())[2:-1],
}
KEY_INSIDE = "MC4CAQAwBQYDK2VwBCIEIPLANTEDPLANTEDPLANTED"
"""What stands in a key file, which a complaint about that file might quote."""


class Planted(NamedTuple):
    """A password, and what leads to it."""

    mqtt: Mapping[str, Any]
    environment: Mapping[str, str]
    arguments: Sequence[str]


def plant(where: str, folder: Path) -> Planted:
    """The password in the file, the environment, the secrets directory, or the command line."""
    match where:
        case "file":
            return Planted({"password": SECRET}, {}, ())
        case "environment":
            return Planted({}, {"HMP_BRIDGE_MQTT__PASSWORD": SECRET}, ())
        case "secrets":
            secrets = folder / "secrets"
            secrets.mkdir(exist_ok=True)
            (secrets / "mqtt__password").write_text(f"{SECRET}\n", encoding="utf-8")
            return Planted({}, {"CREDENTIALS_DIRECTORY": str(secrets)}, ())
    return Planted({}, {}, ("--set", f"mqtt.password={SECRET}"))


def is_clean(*texts: object) -> None:
    """None of `texts` has the secret, however it is spelt, nor anything of a key."""
    for text in map(str, texts):
        for spelling in (*SPELLINGS, KEY_INSIDE):
            assert spelling not in text


PLACES = pytest.mark.parametrize("where", ["file", "environment", "secrets", "command line"])


def planted_site(make: MakeSite, where: str, folder: Path, **mqtt: Any) -> Site:
    """A site at level debug whose daemon knows the secret."""
    planted = plant(where, folder)
    site = make(start=False)
    port = mqtt.pop("broker_port", site.broker.port)
    site.configure(broker_port=port, mqtt={"username": "bridge"} | dict(planted.mqtt) | mqtt)
    site.tables["bridge"]["log_level"] = "debug"
    site.tables["metrics"] = {"listen": "127.0.0.1:0"}
    site.add_daemon(environment=planted.environment, arguments=planted.arguments)
    return site


@PLACES
def test_while_everything_works(site: MakeSite, tmp_path: Path, where: str) -> None:
    """Info, health, results, errors and the log of a daemon that is kept busy."""
    s = planted_site(site, where, tmp_path)
    s.wait_ready()
    s.panel.press("r0", "record")
    s.panel.wait_for("room/r0/ack", "record ok")
    for payload in ('{"action":', '{"action":"fly"}', '{"action":"mark","title":7}', ""):
        s.panel.publish("room/r0/set", payload)
    s.panel.publish("room/nowhere/set", "record")
    s.panel.wait_for("bridge/response/error")
    recordings = s.hmp.kill()
    s.panel.wait_for_newest("server/main/state", "refused")
    s.panel.press("r1", "record")
    s.hmp.start(recordings)
    s.panel.wait_for("room/r1/ack", "record ok")
    s.panel.wait_for("bridge/info")
    s.panel.wait_for("bridge/health")
    assert s.daemon.stop() == 0
    s.daemon.wait_for_line("level=debug", "command done", "startRecording")
    s.daemon.wait_for_line("level=debug", "message received")
    is_clean(s.daemon.output, *s.panel.seen.since())
    is_clean((s.daemon.state / "journal.db").read_bytes())


@PLACES
@pytest.mark.mqtt5
def test_while_the_broker_refuses(
    site: MakeSite, launch: Launch, tmp_path: Path, where: str
) -> None:
    guarded = launch(BrokerOptions(users={"bridge": "another password"}))
    s = planted_site(site, where, tmp_path, broker_port=guarded.port)
    s.daemon.wait_for_line("mqtt connection failed", "level=warning")
    s.daemon.wait_for_line("mqtt connection failed", "level=debug")
    assert s.daemon.stop() == 0
    is_clean(s.daemon.output)


@pytest.mark.parametrize(
    "how",
    [
        {"broker_port": 9},  # nobody listens there
        {"host": "no-such-host.invalid"},
        {"tls": {}},  # at a port without
        {"transport": "websockets"},  # at a port without
    ],
    ids=str,
)
def test_while_there_is_no_broker(site: MakeSite, tmp_path: Path, how: Mapping[str, Any]) -> None:
    s = planted_site(site, "environment", tmp_path, **how)
    s.daemon.wait_for_line("mqtt connection failed", "level=warning")
    s.daemon.wait_for_line("mqtt connection failed", "level=debug")
    assert s.daemon.stop() == 0
    is_clean(s.daemon.output)


@pytest.mark.mqtt5
def test_while_a_key_is_no_key(
    site: MakeSite, launch: Launch, certificates: Certificates, tmp_path: Path
) -> None:
    secured = launch(BrokerOptions(tls=certificates, client_certificates=True))
    key = tmp_path / "key.pem"
    for content in (
        KEY_INSIDE,
        f"-----BEGIN PRIVATE KEY-----\n{KEY_INSIDE}\n-----END PRIVATE KEY-----\n",
    ):
        key.write_text(content)
        tls = {"ca": str(certificates.ca), "cert": str(certificates.cert), "key": str(key)}
        port = secured.tls_port
        s = planted_site(site, "file", tmp_path, broker_port=port, host="localhost", tls=tls)
        s.daemon.wait_for_line("mqtt connection failed", "level=debug")
        assert s.daemon.stop() == 0
        is_clean(s.daemon.output)


A_BUG = """
import sys
from bridge.cli.main import run
from bridge.mqtt.link import BrokerLink

async def broken(link):
    raise RuntimeError("cannot go on with", link.settings, link.settings.password)

BrokerLink.run = broken
sys.exit(run(sys.argv[1:]))
"""


@pytest.mark.parametrize(
    ("where", "form"),
    [("file", "text"), ("environment", "json"), ("secrets", "text"), ("command line", "json")],
)
def test_in_the_traceback_of_a_bug(site: MakeSite, tmp_path: Path, where: str, form: str) -> None:
    """A bug that has the password in its message: one line, the traceback, exit code 70."""
    s = site(start=False)
    planted = plant(where, tmp_path)
    s.configure(mqtt={"username": "bridge"} | dict(planted.mqtt))
    s.tables["bridge"] = {"log_level": "debug", "state_dir": str(tmp_path / "state")}
    file = tmp_path / "bridge.toml"
    file.write_text(toml(s.tables), encoding="utf-8")
    command = [sys.executable, "-c", A_BUG, "run", "--config", str(file)]
    command += ["--set", f"bridge.log_format={form}", *planted.arguments]
    with closing(Program(command, environment=planted.environment)) as program:
        assert program.wait() == 70
    is_clean(program.output)
    lines = program.lines.since()
    [internal] = program.lines_with("internal error")
    assert "RuntimeError: " in internal
    assert "(hidden)" in internal
    assert "report it" in internal
    after = "\n".join(lines[lines.index(internal) + 1 :])
    assert "Traceback" in after
    assert "in broken" in after
    if form == "json":
        assert all(json.loads(line)["event"] for line in lines)


A_BUG_BEFORE_THE_LOG = """
import sys
from bridge.cli import main, operator
from bridge.cli.options import load_configuration

def broken(options):
    raise KeyError(load_configuration(options).mqtt.password.get_secret_value())

operator.check = broken
sys.exit(main.run(sys.argv[1:]))
"""


def test_in_the_traceback_of_a_command_without_a_log(site: MakeSite, tmp_path: Path) -> None:
    s = planted_site(site, "file", tmp_path)
    command = [sys.executable, "-c", A_BUG_BEFORE_THE_LOG, "check", "--config", str(s.daemon.file)]
    with closing(Program(command)) as program:
        assert program.wait() == 70
    is_clean(program.output)
    assert program.lines.since()[0].startswith("hmp-bridge: internal error: KeyError: ")
    assert "Traceback" in program.output


@pytest.mark.parametrize(
    "mistake",
    [
        {"mqtt": {"username": "bridge", "pasword": SECRET}},
        {"mqtt": {"username": "bridge", "password": [SECRET]}},
        {"mqtt": {"password": SECRET}},
        {"mqtt": {"username": "bridge", "protocol": SECRET}},
        {"mqtt": {"host": f"bridge:{SECRET}@broker.example.edu"}},
        {"mqtt": {"host": f"mqtt://bridge:{SECRET}@broker.example.edu:1883"}},
        {"mqtt": {"username": "bridge", "password": SECRET, "port": SECRET}},
        {"servers": {"main": {"host": f"admin:{SECRET}@hmp.example.edu"}}},
        {"metrics": {"listen": f"admin:{SECRET}@127.0.0.1:9464"}},
        {
            "mqtt": {"username": "bridge", "password": SECRET},
            "bridge": {"state_dir": 7, "log_level": SECRET, "log_levels": {"hmp": SECRET}},
        },
    ],
)
def test_in_what_is_said_of_a_configuration(
    site: MakeSite, mistake: dict[str, dict[str, Any]]
) -> None:
    """Also where a password has been written into an address, or into the wrong line."""
    s = site(start=False)
    for table, keys in mistake.items():
        s.tables[table] = s.tables.get(table, {}) | keys
    s.add_daemon(configured_state=False)
    assert s.daemon.wait() == 78
    is_clean(s.daemon.output)


def test_in_what_is_said_of_the_surroundings(site: MakeSite, tmp_path: Path) -> None:
    """Misspelt variables and secrets, and values of the command line."""
    s = site()
    config = ["--config", str(s.daemon.file)]
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "mqt__password").write_text(SECRET)
    for arguments, environment in (
        ([], {"HMP_BRIDGE_MQTT_PASSWORD": SECRET}),
        ([], {"HMP_BRIDGE_MQTT": f'{{"password": "{SECRET}"'}),
        ([], {"HMP_BRIDGE_MQTT": SECRET}),
        ([], {"CREDENTIALS_DIRECTORY": str(secrets)}),
        (["--set", f"mqtt.pasword={SECRET}"], {}),
        (["--set", f"mqtt.password={SECRET}", "--set", f"mqtt.port={SECRET}"], {}),
    ):
        done = run_bridge("check", *config, *arguments, environment=environment)
        assert done.returncode == 78, (arguments, environment)
        is_clean(done.stdout, done.stderr)
