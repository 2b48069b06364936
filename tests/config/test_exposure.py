"""What a configuration leaves open to others."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.config.exposure import exposures

from .files import GOOD, loaded

FILE = Path("bridge.toml")
PASSWORD = '[mqtt]\nusername = "bridge"\npassword = "hunter2-hunter2"\n'


@pytest.fixture
def open_folder(folder: Path) -> Iterator[Path]:
    """A folder that others can look into, as those of tests cannot be; the working one."""
    assert folder.is_dir()  # whose environment comes back as it was
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        Path(name).chmod(0o755)
        os.chdir(name)
        yield Path(name)
        os.chdir(folder)


def said(folder: Path, text: str = GOOD) -> list[str]:
    return [what for what, _ in exposures(loaded(folder, text), FILE)]


def test_a_certificate_that_nobody_looks_at(open_folder: Path) -> None:
    [found] = exposures(loaded(open_folder, f"[mqtt.tls]\ninsecure = true\n{GOOD}"), FILE)
    assert found.what.startswith("mqtt.tls.insecure is set: anybody between here and the broker")
    assert "mqtt.tls.ca" in found.what_to_do
    assert said(open_folder, f"[mqtt.tls]\n{GOOD}") == []


def test_a_password_in_a_file_that_others_read(open_folder: Path) -> None:
    for mode, text, count in ((0o644, PASSWORD, 1), (0o640, PASSWORD, 0), (0o644, "", 0)):
        (open_folder / FILE).touch()
        (open_folder / FILE).chmod(mode)
        found = said(open_folder, text + GOOD)
        assert len(found) == count
        assert all("every user of this machine can read bridge.toml" in each for each in found)


def test_the_configuration_stays_readable_for_a_service(open_folder: Path) -> None:
    """Which systemd runs as a user that exists only meanwhile: what is secret has another place."""
    (open_folder / FILE).touch(0o644)
    [found] = exposures(loaded(open_folder, PASSWORD + GOOD), FILE)
    assert "CREDENTIALS_DIRECTORY" in found.what_to_do
    assert "chmod" not in found.what_to_do


def test_a_secret_and_a_private_key(open_folder: Path) -> None:
    secrets = open_folder / "secrets"
    secrets.mkdir(mode=0o755)
    os.environ["CREDENTIALS_DIRECTORY"] = str(secrets)
    key, password, strange = open_folder / "key.pem", secrets / "mqtt__password", secrets / "other"
    for file in (key, password, strange):
        file.write_text("hunter2-hunter2")
        file.chmod(0o644)
    text = f'[mqtt]\nusername = "bridge"\n[mqtt.tls]\nkey = "key.pem"\n{GOOD}'
    assert [each.split(" can read ")[1].split(",")[0] for each in said(open_folder, text)] == [
        str(password),
        "key.pem",
    ]
    secrets.chmod(0o700)
    key.chmod(0o600)
    assert said(open_folder, text) == []


def test_the_private_key_for_etcd_that_others_read(open_folder: Path) -> None:
    key = open_folder / "key.pem"
    key.touch(0o644)
    text = f'[bridge.journal]\netcd = "https://a"\ncert = "c.pem"\nkey = "{key}"\n{GOOD}'
    assert said(open_folder, text) == [
        f"every user of this machine can read {key}, and what is secret in it"
    ]
    key.chmod(0o600)
    assert said(open_folder, text) == []
