"""Where the configuration comes from: which file, and names around it that nobody would miss."""

import os
from pathlib import Path

import pytest

from bridge.config.errors import ConfigurationError
from bridge.config.model import load
from bridge.config.sources import find_file, misnamed_sources

from .test_model import GOOD, SOURCE, SOURCES, _clean_environment, complaints, folder, loaded

__all__ = ["_clean_environment", "folder"]

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
        ConfigurationError, match=r"loop/bridge\.toml: cannot be read: .*; let this"
    ):
        find_file(loop / "bridge.toml")


def test_a_file_that_cannot_be_read() -> None:
    """Whoever runs the tests may read any file; of this one the kernel refuses the first byte."""
    with pytest.raises(ConfigurationError) as caught:
        load(Path("/proc/self/mem"))
    assert str(caught.value) == (
        "/proc/self/mem: cannot be read: Input/output error; let this user read it"
    )


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
                "servers, rooms, bindings"
            ),
        ),
    ],
)
def test_a_misspelt_variable_is_not_passed_over(folder: Path, variable: str, said: str) -> None:
    os.environ[variable] = "hunter2"
    assert complaints(folder, GOOD) == [f"environment variable {variable}: {said}"]


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
