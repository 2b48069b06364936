"""The page's table: who could operate rooms, and what half a certificate is good for."""

from pathlib import Path

import pytest

from bridge.config.exposure import exposures
from bridge.logs.redaction import SECRETS
from tests.brokers import Certificates

from .conftest import Check
from .files import GOOD, complaints, loaded

OPEN = "opens the rooms to everybody who reaches this box; set web.operate_secret"


@pytest.mark.parametrize("listen", [":8080", "0.0.0.0:8080", "[::]:8080", "192.0.2.7:8080"])
def test_beyond_this_box_it_takes_a_secret(folder: Path, listen: str) -> None:
    [said] = complaints(folder, f'[web]\nlisten = "{listen}"\n{GOOD}')
    assert "[web] listen: " in said
    assert OPEN in said
    for key in ("operate_secret", "look_secret"):
        text = f'[web]\nlisten = "{listen}"\n{key} = "hunter2hunter2"\n{GOOD}'
        assert loaded(folder, text).web.listen is not None


def test_a_secret_of_one_room_is_enough(folder: Path) -> None:
    text = f'[web]\nlisten = ":8080"\n{GOOD}\nlook_secret = "hunter2hunter2"\n'
    configuration = loaded(folder, text)
    assert configuration.web.listen == ("", 8080)
    assert "hunter2" not in configuration.model_dump_json()
    assert SECRETS.hide("said hunter2hunter2") == "said (hidden)"


@pytest.mark.parametrize("listen", ["127.0.0.1:8080", "127.8.8.8:8080", "[::1]:0", "localhost:80"])
def test_on_this_box_it_takes_none(folder: Path, listen: str) -> None:
    assert loaded(folder, f'[web]\nlisten = "{listen}"\n{GOOD}').web.listen is not None


@pytest.mark.parametrize("secret", ["hunter2", "", "hunter2 hunter2", "hüntér2hünter2"])
def test_what_is_no_secret(folder: Path, secret: str) -> None:
    [said] = complaints(folder, f'[web]\noperate_secret = "{secret}"\n{GOOD}')
    assert "write at least 8 characters without spaces" in said
    assert "hunter2" not in said


def test_a_key_without_its_certificate(folder: Path) -> None:
    [said] = complaints(folder, f'[web]\nkey = "k.pem"\n{GOOD}')
    assert "a key is used only together with its certificate" in said


def test_files_are_looked_into(check: Check, certificates: Certificates, folder: Path) -> None:
    (folder / "empty.pem").write_text("")
    [said] = check(f'[web]\ncert = "empty.pem"\nkey = "{certificates.key}"\n{GOOD}')
    assert "empty.pem holds no certificate" in said
    [said] = check(f'[web]\ncert = "none.pem"\n{GOOD}')
    assert "there is no file none.pem" in said


def test_doors_that_are_left_open(folder: Path, certificates: Certificates) -> None:
    file = folder / "bridge.toml"
    table = '[web]\nlisten = ":8080"\noperate_secret = "hunter2hunter2"\n'
    assert any("without TLS" in what for what, _ in exposures(loaded(folder, table + GOOD), file))
    table += f'cert = "{certificates.cert}"\n'
    assert all("TLS" not in what for what, _ in exposures(loaded(folder, table + GOOD), file))
    here = '[web]\nlisten = "127.0.0.1:8080"\n'
    assert all("TLS" not in what for what, _ in exposures(loaded(folder, here + GOOD), file))
