"""Certificates that end while a link is up: said, harmless until it connects again (R30).

Real ones, a few seconds long.
"""

import shutil
import socket
import ssl
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bridge.mqtt.broker_health import BrokerState
from bridge.mqtt.failures import FailureKind
from bridge.mqtt.tls_context import TlsContext
from bridge.tls.certificate import last_end, not_after
from bridge.tls.files import ends_of
from bridge.tls.settings import TlsSettings
from tests.broker_fixtures import Brief, Launch
from tests.brokers import BrokerOptions, Certificates

from .running_link import Running, running
from .test_renewal import replaced, until

pytestmark = pytest.mark.mqtt5


async def over(logs: Sequence[Mapping[str, object]], whose: str) -> None:
    """Return when it is said that this certificate has ended."""
    said = {"event": "a certificate has ended", "whose": whose}
    await until(lambda: any(said.items() <= line.items() for line in logs))


async def fails(run: Running, kind: FailureKind) -> None:
    """Return when the link says that it has failed so."""
    await until(lambda: run.link.failure is not None and run.link.failure.kind is kind)


async def test_the_brokers_certificate_ends(
    launch: Launch, certificates: Certificates, brief: Brief
) -> None:
    theirs = brief("broker")
    broker = launch(BrokerOptions(tls=theirs))
    tls = TlsSettings(str(certificates.ca))
    with capture_logs() as logs:
        async with running(broker, port=broker.tls_port, tls=tls) as run:
            await run.until(BrokerState.ONLINE)
            await over(logs, "the broker's certificate")
            # The connection does not mind.
            assert await run.link.touch("hmp/bridge/marker")
            assert run.states == [BrokerState.ONLINE]
            health = run.link.health()
            assert health.certificates["the broker's certificate"] <= time.time()
            assert health.certificates["mqtt.tls.ca"] == last_end(certificates.ca.read_bytes())
            # The next one does, and says what is to be done.
            broker.stop()
            broker.start()
            await fails(run, FailureKind.EXPIRED)
            assert "expired" in str(run.link.health().error)
            shutil.copy(certificates.cert, theirs.cert)
            shutil.copy(certificates.key, theirs.key)
            broker.stop()
            broker.start()
            await run.until(BrokerState.ONLINE)
            assert run.link.health().certificates["the broker's certificate"] > time.time()


async def test_our_own_certificate_ends(
    launch: Launch, certificates: Certificates, brief: Brief, tmp_path: Path
) -> None:
    broker = launch(BrokerOptions(tls=certificates, client_certificates=True))
    ours, good = brief("ours"), tmp_path / "good"
    good.mkdir()
    shutil.copy(certificates.cert, good / "cert.pem")
    shutil.copy(certificates.key, good / "key.pem")
    live = tmp_path / "live"
    live.symlink_to(ours.cert.parent)
    tls = TlsSettings(str(certificates.ca), str(live / "cert.pem"), str(live / "key.pem"))
    with capture_logs() as logs:
        async with running(broker, port=broker.tls_port, tls=tls) as run:
            await run.until(BrokerState.ONLINE)
            await over(logs, "mqtt.tls.cert")
            assert await run.link.touch("hmp/bridge/marker")
            assert run.states == [BrokerState.ONLINE]
            assert run.link.health().certificates["mqtt.tls.cert"] <= time.time()
            broker.stop()
            broker.start()
            await fails(run, FailureKind.OWN_EXPIRED)
            replaced(live, good)
            await run.until(BrokerState.ONLINE)
            assert run.link.health().certificates["mqtt.tls.cert"] > time.time()


async def test_one_of_several_brokers_has_the_renewed_certificate_and_so_have_the_others(
    launch: Launch, certificates: Certificates, brief: Brief, tmp_path: Path
) -> None:
    options = BrokerOptions(
        tls=certificates, client_certificates=True, extra=("use_identity_as_username true",)
    )
    first, second = launch(options), launch(options)
    live = tmp_path / "live"
    live.symlink_to(brief("before", lives=3600.0).cert.parent)
    tls = TlsSettings(str(certificates.ca), str(live / "cert.pem"), str(live / "key.pem"))
    assert second.tls_port is not None
    others = ((second.host, second.tls_port),)
    async with running(first, port=first.tls_port, others=others, tls=tls) as run:
        await run.until(BrokerState.ONLINE)
        replaced(live, brief("after", lives=3600.0).cert.parent)
        await until(lambda: run.link.health().reconnects == 1)
        await run.until(BrokerState.ONLINE)
        # It comes again to the broker that has its session.
        assert run.link.health().address == f"{first.host}:{first.tls_port}"
        assert run.link.health().session_present
        await until(lambda: "u'after'" in first.log)
        since = len(run.states)
        first.kill()
        await run.until(BrokerState.DOWN, since=since)
        await run.until(BrokerState.ONLINE, since=since)
        await until(lambda: "u'after'" in second.log)
        assert "u'before'" not in second.log


def test_the_ends_of_what_is_configured(certificates: Certificates, tmp_path: Path) -> None:
    both = tmp_path / "both.pem"
    both.write_bytes(certificates.ca.read_bytes() + certificates.cert.read_bytes())
    ends = [not_after(path.read_bytes()) for path in (certificates.ca, certificates.cert)]
    assert ends_of(TlsSettings(str(both), str(certificates.cert)), "mqtt.tls") == {
        "mqtt.tls.ca": max(end for end in ends if end is not None),
        "mqtt.tls.cert": ends[1],
    }
    assert ends_of(TlsSettings(str(tmp_path / "missing")), "mqtt.tls") == {}


def test_a_connection_that_is_closed_has_no_certificate() -> None:
    """It may be, while a thread looks at the files."""
    ours, theirs = socket.socketpair()
    with theirs:
        context = TlsContext(ssl.create_default_context())
        context.wrap_socket(ours, server_hostname="broker", do_handshake_on_connect=False).close()
    assert context.peer_ends() == {}
