"""Files that the configuration names, as `hmp-bridge check` looks into them."""

import os
import subprocess
from pathlib import Path

import pytest

from bridge.cli.main import ExitCode, run
from tests.brokers import Certificates

from .conftest import Check
from .files import ROOM, changed


def with_tls(**paths: object) -> str:
    table = ", ".join(f'{key} = "{path}"' for key, path in paths.items())
    return changed("[servers.main]", f"tls = {{ {table} }}\n[servers.main]")


def test_tls_files_that_are_right(
    folder: Path, certificates: Certificates, capsys: pytest.CaptureFixture[str]
) -> None:
    right = with_tls(ca=certificates.ca, cert=certificates.cert, key=certificates.key)
    (folder / "bridge.toml").write_text(right)
    assert run(["check", "--config", "bridge.toml"]) == ExitCode.OK
    assert capsys.readouterr().err == ""


def test_tls_files_that_are_not_there_or_cannot_be_read(check: Check) -> None:
    """Whoever runs the tests may read any file; of this one the kernel refuses the first byte."""
    assert check(with_tls(ca="/nowhere/ca.pem", cert="/proc/self/mem", key="/proc")) == [
        "bridge.toml: [mqtt.tls] ca: there is no file /nowhere/ca.pem",
        (
            "bridge.toml: [mqtt.tls] cert: /proc/self/mem cannot be read: Input/output error; let "
            f"user {os.geteuid()} read it and its folder"
        ),
        (
            "bridge.toml: [mqtt.tls] key: /proc cannot be read: Is a directory; let user "
            f"{os.geteuid()} read it and its folder"
        ),
    ]


def test_tls_files_that_are_no_pem(check: Check, certificates: Certificates) -> None:
    """Said of the file that is wrong, together with what else is wrong."""
    begin = "(-----BEGIN CERTIFICATE-----)"
    text = with_tls(ca="bridge.toml", cert=certificates.key, key=certificates.key)
    assert check(text.replace(ROOM, 'server = "mian"\n')) == [
        "bridge.toml: [rooms.boardroom] server: 'mian' is no server; did you mean main?",
        f"bridge.toml: [mqtt.tls] ca: bridge.toml holds no certificate in PEM {begin}",
        f"bridge.toml: [mqtt.tls] cert: {certificates.key} holds no certificate in PEM {begin}",
    ]
    assert check(with_tls(cert=certificates.cert)) == [
        (
            f"bridge.toml: [mqtt.tls] cert: {certificates.cert} holds no private key in PEM "
            "(-----BEGIN PRIVATE KEY-----)"
        )
    ]
    assert check(with_tls(key=certificates.key)) == [
        "bridge.toml: [mqtt.tls] cert: is missing; a key is used only together with its certificate"
    ]


def test_a_key_of_another_certificate(
    check: Check, certificates: Certificates, folder: Path
) -> None:
    other = certificates.ca.with_name("ca-key.pem")
    assert check(with_tls(cert=certificates.cert, key=other)) == [
        (
            f"bridge.toml: [mqtt.tls] key: {other} does not belong to the certificate "
            f"{certificates.cert}"
        )
    ]


def test_a_key_with_a_passphrase(check: Check, certificates: Certificates, folder: Path) -> None:
    """Nobody is asked for it."""
    locked = folder / "locked.pem"
    subprocess.run(
        ["openssl", "ec", "-aes128", "-passout", "pass:x", "-in", certificates.key, "-out", locked],
        check=True,
        capture_output=True,
    )
    assert check(with_tls(cert=certificates.cert, key=locked)) == [
        f"bridge.toml: [mqtt.tls] key: {locked} is encrypted; store it without a passphrase"
    ]
