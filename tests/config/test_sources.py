"""Where the configuration comes from: which file, and names around it that nobody would miss."""

import os
from pathlib import Path

import pytest

from bridge.config.errors import ConfigurationError
from bridge.config.load import load
from bridge.config.sources import find_file, misnamed_sources

from .files import GOOD, SOURCE, SOURCES, complaints, loaded

RIGHT = "HMP_BRIDGE_MQTT__HOST"


def test_where_the_file_is_looked_for(folder: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"bridge\.toml, config/bridge\.toml, /etc/"):
        find_file(None)
    with pytest.raises(ConfigurationError, match=r"at other\.toml; name one with --config"):
        find_file(Path("other.toml"))
    os.environ["HMP_BRIDGE_CONFIG"] = "third.toml"
    with pytest.raises(ConfigurationError, match=r"third\.toml, which \$HMP_BRIDGE_CONFIG names"):
        find_file(None)
    del os.environ["HMP_BRIDGE_CONFIG"]
    (folder / "config").mkdir()
    (folder / "config" / "bridge.toml").touch()
    assert find_file(None) == Path("config/bridge.toml")
    (folder / "bridge.toml").touch()
    assert find_file(None) == Path("bridge.toml")
    os.environ["HMP_BRIDGE_CONFIG"] = "config/bridge.toml"
    assert find_file(None) == Path("config/bridge.toml")
    assert find_file(Path("bridge.toml")) == Path("bridge.toml")


def test_a_place_where_nobody_can_look(folder: Path) -> None:
    """As behind a folder of another user: said, and not taken for a file that is not there."""
    loop = folder / "loop"
    loop.symlink_to(loop)
    with pytest.raises(
        ConfigurationError, match=r"loop/bridge\.toml: cannot be read: .*; let user \d"
    ):
        find_file(loop / "bridge.toml")


def test_a_file_that_cannot_be_read() -> None:
    """Whoever runs the tests may read any file; of this one the kernel refuses the first byte."""
    with pytest.raises(ConfigurationError) as caught:
        load(Path("/proc/self/mem"))
    assert str(caught.value) == (
        f"/proc/self/mem: cannot be read: Input/output error; let user {os.geteuid()} read it"
    )


def test_what_cannot_be_read(folder: Path) -> None:
    (folder / "bridge.toml").write_bytes(b"# caf\xe9\n")
    with pytest.raises(ConfigurationError) as caught:
        load(Path("bridge.toml"))
    assert str(caught.value) == "bridge.toml: is not UTF-8 text, from byte 5 on; save it as UTF-8"


def test_precedence(folder: Path) -> None:
    """Command line, environment, secrets, file: each hides the next, key by key."""
    text = (
        f'[mqtt]\nhost = "file"\nusername = "file"\npassword = "file"\nbase_topic = "file"\n{GOOD}'
    )
    secrets = folder / "secrets"
    secrets.mkdir()
    for name in ("host", "username", "password"):
        (secrets / f"mqtt__{name}").write_text("secret\n")
    os.environ["CREDENTIALS_DIRECTORY"] = str(secrets)
    os.environ["HMP_BRIDGE_MQTT__HOST"] = "environment"
    os.environ["HMP_BRIDGE_MQTT__USERNAME"] = "environment"
    mqtt = loaded(folder, text, mqtt={"host": "command-line"}).mqtt
    assert mqtt.host == "command-line"
    assert mqtt.username == "environment"
    assert mqtt.password is not None
    assert mqtt.password.get_secret_value() == "secret"
    assert mqtt.base_topic == "file"


def test_environment_reaches_every_table(folder: Path) -> None:
    os.environ["HMP_BRIDGE_SERVERS__MAIN__PORT"] = "1234"
    os.environ["HMP_BRIDGE_ROOMS__BOARDROOM__ACTION_TTL"] = "1m"
    os.environ["HMP_BRIDGE_BRIDGE__LOG_LEVEL"] = "debug"
    os.environ["HMP_BRIDGE_BRIDGE__LOG_LEVELS__HMP"] = "error"
    os.environ["HMP_BRIDGE_METRICS__LISTEN"] = "[::1]:9464"
    configuration = loaded(folder)
    assert configuration.servers["main"].port == 1234
    assert configuration.rooms["boardroom"].action_ttl == 60.0
    assert configuration.bridge.log_level == "debug"
    assert configuration.bridge.log_levels == {"hmp": "error"}
    assert configuration.metrics.listen == ("::1", 9464)


def test_a_whole_table_in_a_variable(folder: Path) -> None:
    os.environ["HMP_BRIDGE_MQTT"] = '{"host": "json"}'
    assert loaded(folder).mqtt.host == "json"
    os.environ["HMP_BRIDGE_MQTT"] = "broker"
    [said] = complaints(folder, GOOD)
    assert said.startswith("environment variable HMP_BRIDGE_MQTT: mqtt: is no JSON object; set one")
    os.environ["HMP_BRIDGE_MQTT"] = '{"port": "x"}'
    assert complaints(folder, GOOD) == [
        "environment variable HMP_BRIDGE_MQTT: [mqtt] port: must be a whole number, not 'x'"
    ]


@pytest.mark.parametrize(
    ("name", "where"),
    [
        ("HMP_BRIDGE_MQTT", "mqtt: is no JSON object"),
        ("HMP_BRIDGE_ROOMS__BOARDROOM__SOURCES", "[rooms.boardroom] sources: is no JSON"),
        ("HMP_BRIDGE_SERVERS__MAIN__ALLOW_COMMANDS", "[servers.main] allow_commands: is no JSON"),
    ],
)
@pytest.mark.parametrize("value", ["[" * 100_000, "[" * 100_000 + "]" * 100_000])
def test_what_is_nested_without_end_is_the_variables_fault(
    folder: Path, name: str, where: str, value: str
) -> None:
    os.environ[name] = value
    assert complaints(folder, GOOD)[0].startswith(f"environment variable {name}: {where}")


def test_what_is_nested_without_end_on_the_command_line(folder: Path) -> None:
    said = complaints(folder, GOOD, servers={"main": {"allow_commands": "[" * 100_000}})
    assert said[0].startswith("command line, --set servers.main.allow_commands: ")
    assert len(said[0]) < 500


def test_mistakes_are_named_where_they_were_made(folder: Path) -> None:
    """Not the file's fault: the command line's, a variable's, a secret's."""
    secrets = folder / "secrets"
    secrets.mkdir()
    (secrets / "mqtt__transport").write_text("udp")
    os.environ["CREDENTIALS_DIRECTORY"] = "secrets"
    os.environ["HMP_BRIDGE_MQTT__KEEPALIVE"] = "long"
    said = complaints(folder, f'[mqtt]\nprotocol = "4"\n{GOOD}', mqtt={"port": "x"})
    sources = sorted(line.split(": [mqtt]")[0] for line in said)
    assert sources == [
        "bridge.toml",
        "command line, --set mqtt.port",
        "environment variable HMP_BRIDGE_MQTT__KEEPALIVE",
        f"secret {Path('secrets', 'mqtt__transport')}",
    ]


@pytest.mark.parametrize(
    ("variable", "said"),
    [
        ("HMP_BRIDGE_MQT__HOST", "[mqt] host: there is no table mqt; did you mean mqtt?"),
        (
            "HMP_BRIDGE_MQTT_HOST",
            "mqtt_host: there is no table mqtt_host; two underscores follow the table: " + RIGHT,
        ),
        (
            "HMP_BRIDGE_PASSWORD",
            (
                "password: there is no table password; the tables are mqtt, bridge, metrics, "
                "web, homeassistant, servers, rooms, bindings"
            ),
        ),
        ("HMP_BRIDGE_MQQT", "mqqt: there is no table mqqt; did you mean mqtt?"),
        ("HMP_BRIDGE_CONFG", "confg: sets nothing; did you mean HMP_BRIDGE_CONFIG?"),
        ("HMP_BRIDGE_CONFIG_FILE", "config_file: sets nothing; did you mean HMP_BRIDGE_CONFIG?"),
        (
            "HMP_BRIDGE_MQTT_PORT",
            (
                "mqtt_port: there is no table mqtt_port; two underscores follow the table: "
                "HMP_BRIDGE_MQTT__PORT"
            ),
        ),
    ],
)
def test_a_misspelt_variable_is_not_passed_over(folder: Path, variable: str, said: str) -> None:
    os.environ[variable] = "hunter2"
    assert complaints(folder, GOOD) == [f"environment variable {variable}: {said}"]


KUBERNETES = {
    "{}_SERVICE_HOST": "10.0.171.239",
    "{}_SERVICE_PORT": "9464",
    "{}_SERVICE_PORT_METRICS": "9464",
    "{}_PORT": "tcp://10.0.171.239:9464",
    "{}_PORT_9464_TCP": "tcp://10.0.171.239:9464",
    "{}_PORT_9464_TCP_PROTO": "tcp",
    "{}_PORT_9464_TCP_PORT": "9464",
    "{}_PORT_9464_TCP_ADDR": "10.0.171.239",
}
"""What every container of a cluster is told of a service."""


@pytest.mark.parametrize("service", ["HMP_BRIDGE", "HMP_BRIDGE_MQTT", "HMP_BRIDGE_METRICS"])
def test_a_service_called_like_us(folder: Path, service: str) -> None:
    os.environ |= {name.format(service): value for name, value in KUBERNETES.items()}
    assert loaded(folder).mqtt.port is None
    assert loaded(folder).metrics.listen is None


def test_what_others_call_like_us(folder: Path) -> None:
    """A file of compose, or an image, has variables of its own."""
    for name in ("IMAGE", "VERSION", "TAG", "UID", "GIT_COMMIT", "LOCAL_PORT"):
        os.environ[f"HMP_BRIDGE_{name}"] = "1"
    os.environ["HMP_BRIDGE_PORT"] = "8080"
    assert loaded(folder).mqtt.port is None


def test_a_misspelt_secret_is_not_passed_over(folder: Path) -> None:
    """A credential of somebody else's is none of ours, and no fault."""
    secrets = folder / "secrets"
    secrets.mkdir()
    os.environ["CREDENTIALS_DIRECTORY"] = str(secrets)
    (secrets / "tls-key").write_text("hunter2")
    assert loaded(folder).mqtt.password is None
    (secrets / "mqqt__password").write_text("hunter2")
    [said] = complaints(folder, GOOD)
    where = f"secret {secrets}/mqqt__password: [mqqt] password"
    assert said == f"{where}: there is no table mqqt; did you mean mqtt?"


@pytest.mark.parametrize("name", ["mqtt_password", "mqtt.password", "MQTT-PASSWORD"])
def test_a_secret_without_its_two_underscores(folder: Path, name: str) -> None:
    """The broker would refuse the bridge, and nobody would look for it here."""
    secrets = folder / "secrets"
    secrets.mkdir()
    os.environ["CREDENTIALS_DIRECTORY"] = str(secrets)
    (secrets / name).write_text("hunter2")
    [said] = complaints(folder, GOOD)
    where = f"secret {secrets}/{name}: {name}"
    assert said == (
        f"{where}: there is no table {name}; two underscores follow the table: mqtt__password"
    )


def test_a_secrets_directory_that_is_gone_or_none(folder: Path) -> None:
    os.environ["CREDENTIALS_DIRECTORY"] = str(folder / "gone")
    assert loaded(folder).mqtt.password is None
    (folder / "gone").touch()
    [fault] = misnamed_sources({"mqtt": ["password"]})
    said = (
        f"the secrets directory {folder}/gone cannot be read: Not a directory; let it be a folder "
        "that this user may read"
    )
    assert (fault.path, fault.reason) == ((), said)


def test_a_list_on_the_command_line(folder: Path) -> None:
    """Any key can be set there, the ones with lists too; what is none is refused as in the file."""
    text = SOURCES.replace(SOURCE, SOURCE.replace("b8", "c9"))
    rooms = {"boardroom": {"sources": f'["{SOURCE}"]'}}
    assert loaded(folder, text, rooms=rooms).rooms["boardroom"].sources == (SOURCE,)
    for wrong in (SOURCE, "[", '{"a": 1}'):
        [said] = complaints(folder, text, rooms={"boardroom": {"sources": wrong}})
        assert "[rooms.boardroom] sources: must be a list in brackets, not " in said
