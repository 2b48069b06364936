"""Fixtures around real brokers; loaded by the root conftest through `pytest_plugins`."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from .brokers import Broker, BrokerOptions, Certificates, Kind, has_mosquitto

Launch = Callable[..., Broker]
Brief = Callable[..., Certificates]

LIVES = 12.0
"""Seconds that a brief certificate lasts, within which a link must be up."""

_CA = """\
[ca]
default_ca = ours
[ours]
database = index
serial = serial
new_certs_dir = .
default_md = sha256
policy = any
[any]
commonName = supplied
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs MQTT 5 where no broker speaks it; on CI that is a mistake of the set-up."""
    if has_mosquitto():
        return
    skip = pytest.mark.skip(reason="needs mosquitto: the embedded broker speaks MQTT 3.1.1 only")
    for item in items:
        if item.get_closest_marker("mqtt5") is None:
            continue
        if os.environ.get("CI") == "true":
            raise pytest.UsageError("CI=true, and mosquitto is not installed: install it")
        item.add_marker(skip)


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A broker for all tests that do not stop it: mosquitto, else the embedded one."""
    shared = Broker(tmp_path_factory.mktemp("broker"))
    shared.start()
    yield shared
    shared.stop()


@pytest.fixture
def launch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launch]:
    """Start a broker of one's own: `launch(options, kind=…)`; it ends with the test."""
    started: list[Broker] = []

    def start(options: BrokerOptions | None = None, *, kind: Kind | None = None) -> Broker:
        folder = tmp_path_factory.mktemp("broker")
        own = Broker(folder, options or BrokerOptions(), kind=kind)
        started.append(own)
        own.start()
        return own

    yield start
    for own in started:
        own.kill()


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """A throw-away authority, and a certificate of it for localhost, good for client and server."""
    folder = tmp_path_factory.mktemp("certificates")
    ca, ca_key = folder / "ca.pem", folder / "ca-key.pem"
    cert, key, request = folder / "cert.pem", folder / "key.pem", folder / "request.pem"
    extensions = folder / "extensions"
    extensions.write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    _openssl(
        "req", "-x509", *new_key, "-keyout", ca_key, "-out", ca, "-subj", "/CN=test authority",
        "-days", "2",
    )  # fmt: skip
    _openssl("req", *new_key, "-keyout", key, "-out", request, "-subj", "/CN=localhost")
    _openssl(
        "x509", "-req", "-in", request, "-CA", ca, "-CAkey", ca_key, "-CAcreateserial",
        "-out", cert, "-days", "2", "-extfile", extensions,
    )  # fmt: skip
    return Certificates(ca, cert, key)


@pytest.fixture
def brief(certificates: Certificates, tmp_path: Path) -> Brief:
    """Have the authority sign a certificate, good for client and server, that ends in seconds."""

    def make(name: str, *, lives: float = LIVES) -> Certificates:
        folder = tmp_path / name
        folder.mkdir()
        (folder / "config").write_text(_CA)
        (folder / "index").touch()
        (folder / "serial").write_text("1000\n")
        (folder / "extensions").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")

        def openssl(*arguments: str) -> None:
            command = ["openssl", *arguments]
            subprocess.run(command, cwd=folder, check=True, capture_output=True)

        curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
        openssl("req", *curve, "-subj", f"/CN={name}", "-keyout", "key.pem", "-out", "request")
        ends = datetime.fromtimestamp(time.time() + lives, UTC)
        openssl(
            *("ca", "-batch", "-notext", "-config", "config", "-extfile", "extensions"),
            *("-cert", str(certificates.ca), "-in", "request", "-out", "cert.pem"),
            *("-keyfile", str(certificates.ca.with_name("ca-key.pem"))),
            *("-startdate", "20200101000000Z", "-enddate", f"{ends:%Y%m%d%H%M%SZ}"),
        )
        return Certificates(certificates.ca, folder / "cert.pem", folder / "key.pem")

    return make


def _openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)
