"""Typical mistakes, as `hmp-bridge check` reads them aloud to whoever made them."""

import os
from pathlib import Path

import pytest

from bridge.cli.main import ExitCode, run

from .conftest import Check
from .files import WITH_PASSWORD
from .mistakes import MISTAKES


@pytest.mark.parametrize("mistake", MISTAKES, ids=str)
def test_a_mistake_read_aloud(check: Check, mistake: str) -> None:
    text, expected = MISTAKES[mistake]
    assert check(text) == expected


def test_a_missing_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "--config", "/etc/hmp-bridge/brige.toml"]) == ExitCode.CONFIGURATION
    assert capsys.readouterr().err == (
        "configuration: there is no configuration file at /etc/hmp-bridge/brige.toml; name one "
        "with --config FILE\n"
    )


def test_a_folder_in_place_of_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "--config", str(tmp_path)]) == ExitCode.CONFIGURATION
    assert capsys.readouterr().err == (
        f"configuration: {tmp_path} is a folder; name the file in it with --config FILE\n"
    )


def test_a_wrong_environment_variable(check: Check) -> None:
    os.environ["HMP_BRIDGE_MQTT_PORT"] = "1883"
    os.environ["HMP_BRIDGE_MQTT__PASSWRD"] = "hunter2"
    os.environ["HMP_BRIDGE_SERVERS__MAIN__PORT"] = "HMP"
    assert sorted(check(WITH_PASSWORD)) == [
        (
            "environment variable HMP_BRIDGE_MQTT_PORT: mqtt_port: there is no table mqtt_port; "
            "two underscores follow the table: HMP_BRIDGE_MQTT__PORT"
        ),
        (
            "environment variable HMP_BRIDGE_MQTT__PASSWRD: [mqtt] passwrd: is no key here; did "
            "you mean password?"
        ),
        (
            "environment variable HMP_BRIDGE_SERVERS__MAIN__PORT: [servers.main] port: must be a "
            "whole number, not 'HMP'"
        ),
    ]


@pytest.mark.parametrize(
    ("setting", "complaint"),
    [
        ("mqqt.host=x", "mqqt.host: mqqt: is no table here; did you mean mqtt?"),
        ("mqtt.tls.foo.bar=1", "mqtt.tls.foo.bar: [mqtt.tls] foo: is no table here; the keys are"),
        (
            "servers.mian.port=1",
            "servers.mian.port: [servers.mian] host: is missing; did you mean servers.main?",
        ),
        (
            "rooms.bordroom.title=x",
            "[rooms.bordroom] server: is missing; did you mean rooms.boardroom?",
        ),
        ("rooms.R0.server=main", "rooms.R0.server: [rooms] R0: a name has only lower-case"),
        ("rooms.boardroom.restream.ip=239.1.1.1", ".ip: [rooms.boardroom.restream] port: is miss"),
        ("rooms.boardroom=x", "rooms.boardroom: [rooms] boardroom: must be a table, not 'x'"),
        ("bindings.1.topic=x", "bindings.1.topic: bindings: is a list of tables"),
        ("rooms.boardroom.sources=x", "rooms.boardroom.sources: [rooms.boardroom] sources: must"),
    ],
)
def test_a_mistake_in_set_is_blamed_on_it(
    setting: str, complaint: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also where what is wrong is that something is missing in a table that only it has."""
    (folder / "bridge.toml").write_text(WITH_PASSWORD, encoding="utf-8")
    assert run(["check", "--set", setting]) == ExitCode.CONFIGURATION
    said = capsys.readouterr().err.splitlines()
    assert any(complaint in line for line in said), said
    assert all(line.startswith("command line, --set ") for line in said)


def test_a_room_beside_the_file_is_asked_about_once_and_only_if_there_is_one_like_it(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "bridge.toml").write_text(WITH_PASSWORD, encoding="utf-8")
    for name, questions in (("bordroom", 1), ("attic", 0)):
        assert run(["check", "--set", f"rooms.{name}.max_duration=2h"]) == ExitCode.CONFIGURATION
        said = capsys.readouterr().err
        assert (said.count("is missing"), said.count("did you mean")) == (2, questions)


def test_what_is_missing_in_a_table_of_the_file_is_missing_there(check: Check) -> None:
    """Though a variable sets another key of that table."""
    os.environ["HMP_BRIDGE_SERVERS__MAIN__PORT"] = "1"
    assert check(WITH_PASSWORD.replace('host = "hmp.example.edu"', "")) == [
        "bridge.toml: [servers.main] host: is missing"
    ]


def test_a_password_without_a_user_is_blamed_on_who_set_it(check: Check) -> None:
    os.environ["HMP_BRIDGE_MQTT__PASSWORD"] = "hunter2"
    text = WITH_PASSWORD.replace('username = "bridge"\npassword = "hunter2"', "")
    assert check(text) == [
        (
            "environment variable HMP_BRIDGE_MQTT__PASSWORD: [mqtt] username: is missing; a "
            "password "
            "is sent only together with a user name"
        )
    ]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("MQTT", '{"hots": "x"}', "[mqtt] hots: is no key here; did you mean host?"),
        ("ROOMS", '{"r1": {"server": "mian"}}', "[rooms.r1] server: 'mian' is no server; did you"),
        ("SERVERS__MIAN__PORT", "1", "[servers.mian] host: is missing; did you mean servers.main?"),
        ("MQTT__TLS", '{"ca": 1}', "[mqtt.tls] ca: must be text in quotes, not 1"),
    ],
)
def test_a_mistake_in_a_variable_is_blamed_on_it(
    name: str, value: str, said: str, check: Check
) -> None:
    os.environ[f"HMP_BRIDGE_{name}"] = value
    lines = check(WITH_PASSWORD)
    assert lines[0].startswith(f"environment variable HMP_BRIDGE_{name}: {said}")


def test_a_home_folder_in_a_path(
    check: Check, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`~` is what HOME says, in the file, in a variable and in an option."""
    home = folder / "home"
    home.mkdir()
    (home / "b.toml").write_text(f'{WITH_PASSWORD}[mqtt.tls]\nca = "~/ca.pem"\n', encoding="utf-8")
    os.environ["HOME"] = str(home)
    missing = f"[mqtt.tls] ca: there is no file {home}/ca.pem\n"
    assert run(["check", "--config=~/b.toml"]) == ExitCode.CONFIGURATION
    assert capsys.readouterr().err == f"{home}/b.toml: {missing}"
    os.environ["HMP_BRIDGE_CONFIG"] = "~/b.toml"
    assert run(["check"]) == ExitCode.CONFIGURATION
    assert capsys.readouterr().err == f"{home}/b.toml: {missing}"
    del os.environ["HOME"]
    no_home = (
        "'~/{}' is below ~, and this process has no home folder (HOME is not set, as under "
        "systemd); write the whole path"
    )
    assert run(["check"]) == ExitCode.CONFIGURATION
    said = capsys.readouterr().err
    assert said == f"configuration: $HMP_BRIDGE_CONFIG: {no_home.format('b.toml')}\n"
    text = f'{WITH_PASSWORD}[bridge]\nstate_dir = "~/state"\n[mqtt.tls]\nkey = "~/key.pem"\n'
    assert check(text) == [
        f"bridge.toml: [mqtt.tls] key: {no_home.format('key.pem')}",
        f"bridge.toml: [bridge] state_dir: {no_home.format('state')}",
    ]
