"""Typical mistakes, as `hmp-bridge check` reads them aloud to whoever made them."""

import os
from pathlib import Path

import pytest

from bridge.cli.main import ExitCode, run

from .conftest import Check
from .mistakes import MISTAKES, WITH_PASSWORD


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
