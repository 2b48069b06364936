"""Other certificates, in place of those that a connection was made with (R30)."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import trio
from structlog.testing import capture_logs

from bridge.mqtt.broker_health import BrokerState
from bridge.mqtt.failures import FailureKind
from bridge.mqtt.renewal import is_of_the_login
from bridge.mqtt.settings import BrokerSettings
from bridge.tls.certificate import not_after
from bridge.tls.files import TlsFiles
from bridge.tls.settings import TlsSettings
from tests.broker_fixtures import Launch
from tests.brokers import BrokerOptions, Certificates

from .connections import peer
from .running_link import Running, running

Issue = Callable[..., Path]


@pytest.fixture
def issue(certificates: Certificates, tmp_path: Path) -> Issue:
    """Have the authority sign another certificate: the folder of `cert.pem` and `key.pem`."""

    def make(name: str, *, days: int = 2, signed: bool = True) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        key, request, cert = folder / "key.pem", folder / "request", folder / "cert.pem"
        curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        subject = ["-subj", f"/CN={name}", "-keyout", str(key)]
        authority = ["-CA", str(certificates.ca)]
        authority += ["-CAkey", str(certificates.ca.with_name("ca-key.pem")), "-CAcreateserial"]
        if signed:
            _openssl("req", *curve, *subject, "-out", str(request))
            signing = ["x509", "-req", "-in", str(request), *authority, "-out", str(cert)]
            _openssl(*signing, "-days", str(days))
        else:
            _openssl("req", "-x509", *curve, *subject, "-out", str(cert), "-days", str(days))
        return folder

    return make


def _openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


def settings(certificates: Certificates, folder: Path) -> TlsSettings:
    return TlsSettings(str(certificates.ca), str(folder / "cert.pem"), str(folder / "key.pem"))


def replaced(link: Path, folder: Path) -> None:
    """Point a symbolic link elsewhere, all at once, as certbot and Kubernetes do."""
    link.with_name("next").symlink_to(folder)
    link.with_name("next").replace(link)


async def until(condition: Callable[[], bool]) -> None:
    """Look again and again: what is waited for is in a log."""
    with trio.fail_after(60):
        while True:
            if condition():
                return
            await trio.sleep(0.05)


@pytest.mark.mqtt5
async def test_another_certificate_is_used_and_nothing_is_lost(
    launch: Launch, certificates: Certificates, issue: Issue, tmp_path: Path
) -> None:
    """Presses come throughout; the link comes again with the new one, in the same session."""
    broker = launch(BrokerOptions(tls=certificates, client_certificates=True))
    live = tmp_path / "live"
    live.symlink_to(issue("first"))
    received: list[int] = []
    over = False

    async def press() -> None:
        async with peer(broker) as panel:
            number = 0
            while not over:
                await panel.session.publish("in/press", str(number).encode())
                number += 1
                await trio.sleep(0.005)
            await panel.session.publish("in/press", b"-1")

    async def hear(run: Running) -> None:
        while True:
            message = await run.link.receive()
            message.acknowledge()
            if message.payload == b"-1":
                return
            if message.topic == "in/press":  # the link's own will may come with the session
                received.append(int(message.payload))

    tls = settings(certificates, live)
    with capture_logs() as logs:
        async with running(broker, filters=("in/#",), port=broker.tls_port, tls=tls) as run:
            await run.until(BrokerState.ONLINE)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(hear, run)
                nursery.start_soon(press)
                replaced(live, issue("second"))
                await until(lambda: run.link.health().reconnects == 1)
                await run.until(BrokerState.ONLINE)
                over = True
            assert run.link.health().session_present
    assert len(received) > 100
    assert received == list(range(len(received)))
    assert [line for line in logs if line["event"] == "mqtt connects again"]
    assert not [line for line in logs if line["log_level"] == "warning" and "ends" not in str(line)]


@pytest.mark.mqtt5
async def test_a_half_written_pair_is_not_used(
    launch: Launch, certificates: Certificates, issue: Issue, tmp_path: Path
) -> None:
    """A certificate whose key is still the old one: said, and used as soon as the key is there."""
    broker = launch(
        BrokerOptions(
            tls=certificates, client_certificates=True, extra=("use_identity_as_username true",)
        )
    )
    live, second = issue("first"), issue("second")
    with capture_logs() as logs:
        tls = settings(certificates, live)
        async with running(broker, port=broker.tls_port, tls=tls) as run:
            await run.until(BrokerState.ONLINE)
            shutil.copy(second / "cert.pem", live / "cert.pem")
            await until(lambda: any("cannot be used" in line["event"] for line in logs))
            # A connection that must be made meanwhile goes on with what there was.
            broker.stop()
            await run.until(BrokerState.DOWN)
            broker.start()
            await run.until(BrokerState.ONLINE)
            shutil.copy(second / "key.pem", live / "key.pem")
            await until(lambda: "u'second'" in broker.log)


@pytest.mark.mqtt5
async def test_what_the_broker_does_not_accept_costs_no_connection(
    launch: Launch, certificates: Certificates, issue: Issue, tmp_path: Path
) -> None:
    broker = launch(BrokerOptions(tls=certificates, client_certificates=True))
    live = tmp_path / "live"
    live.symlink_to(issue("first"))
    with capture_logs() as logs:
        tls = settings(certificates, live)
        async with running(broker, port=broker.tls_port, tls=tls) as run:
            await run.until(BrokerState.ONLINE)
            replaced(live, issue("stranger", signed=False))
            await until(lambda: any("does not accept" in line["event"] for line in logs))
            assert run.states == [BrokerState.ONLINE]
            assert run.link.health().reconnects == 0


@pytest.mark.mqtt5
async def test_a_certificate_that_ends_soon_is_spoken_of(
    launch: Launch, certificates: Certificates, issue: Issue
) -> None:
    """Ours, the authority's and the broker's; all end in two days here."""
    broker = launch(BrokerOptions(tls=certificates, client_certificates=True))
    tls = settings(certificates, issue("short"))
    with capture_logs() as logs:
        async with running(broker, port=broker.tls_port, tls=tls):
            await until(
                lambda: len([each for each in logs if each["event"].endswith("ends soon")]) == 3
            )
    said = {each["whose"]: each["days"] for each in logs if "whose" in each}
    assert said.keys() == {"mqtt.tls.ca", "mqtt.tls.cert", "the broker's certificate"}
    assert all(1.9 < days <= 2 for days in said.values())


@pytest.mark.parametrize("days", [1, 3650, 36500])  # UTCTime, and GeneralizedTime from 2050 on
def test_the_end_of_a_certificate(issue: Issue, days: int) -> None:
    pem = (issue("some", days=days) / "cert.pem").read_bytes()
    ends_at = not_after(pem)
    assert ends_at is not None
    assert abs(ends_at - time.time() - days * 86_400) < 60


@pytest.mark.parametrize(
    ("refusal", "username", "of_the_login"),
    [
        (FailureKind.NOT_AUTHORIZED, "bridge", True),  # the bare connection has no user name
        (FailureKind.CREDENTIALS, "bridge", True),
        (FailureKind.CLIENT_ID, None, True),  # nor has it a client identifier
        (FailureKind.NOT_AUTHORIZED, None, False),  # the certificate is the login
        (FailureKind.LOST, "bridge", False),
        (FailureKind.LOST, None, False),
    ],
)
def test_what_a_refusal_is_of(
    refusal: FailureKind, username: str | None, *, of_the_login: bool
) -> None:
    settings = BrokerSettings(host="a", port=8883, client_id="bridge", username=username)
    assert is_of_the_login(refusal, settings) is of_the_login


@pytest.mark.parametrize("pem", [b"", b"no PEM", b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END"])
def test_what_is_no_certificate_has_no_end(pem: bytes) -> None:
    assert not_after(pem) is None


def test_every_cut_of_a_certificate_is_understood_or_not(issue: Issue) -> None:
    pem = (issue("some") / "cert.pem").read_bytes()
    for end in range(0, len(pem), 7):
        cut = pem[:end] + b"\n-----END CERTIFICATE-----"
        assert not_after(cut) is None or not_after(cut) == not_after(pem)


def test_files_count_once_they_stand_still(certificates: Certificates, issue: Issue) -> None:
    live, other = issue("first"), issue("second")
    files = TlsFiles(settings(certificates, live), "mqtt.tls")
    first = files.context()
    assert not files.renewed(first)
    for name in ("key.pem", "cert.pem"):
        shutil.copy(other / name, live / name)
        os.utime(live / name, (1, 1))
    assert not files.renewed(first)
    assert files.renewed(first)
    assert files.context() is not first
    assert not files.renewed(files.context())
