"""The certificate of the pages: it ends, and others are put in its place while pages are open."""

import shutil
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
import trio.testing
from structlog.testing import capture_logs

from bridge.tls.certificate import not_after
from tests.broker_fixtures import Brief
from tests.brokers import Certificates

from .doors import Site, configuration

Reader = trio.SSLStream[trio.SocketStream]

EVENTS = b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n"


def end_of(pair: Certificates) -> float:
    """When a certificate ends, in seconds since the epoch."""
    end = not_after(pair.cert.read_bytes())
    assert end is not None
    return end


class Pages:
    """A site whose pages are served with the files of `live`, and somebody who trusts `ca`."""

    def __init__(self, folder: Path, first: Certificates) -> None:
        folder.mkdir()
        self.live = Certificates(first.ca, folder / "cert.pem", folder / "key.pem")
        self.put(first)
        self.table = {
            "listen": "127.0.0.1:0",
            "cert": str(self.live.cert),
            "key": str(self.live.key),
        }
        self.site = Site(web=self.table)
        self.port = 0

    def put(self, pair: Certificates) -> None:
        """Put other files in place of those that there are."""
        shutil.copy(pair.cert, self.live.cert)
        shutil.copy(pair.key, self.live.key)

    @property
    def ends(self) -> float:
        """When the certificate in use ends, as health has it."""
        return self.site.web.certificates["web.cert"]

    @asynccontextmanager
    async def served(self) -> AsyncIterator[None]:
        """For the time of the body."""
        async with self.site.house.running(), trio.open_nursery() as nursery:
            await self.site.house.room.adopt(b"").wait()
            with capture_logs() as said:
                nursery.start_soon(self.site.web.run)
                while not (lines := [each for each in said if "url" in each]):
                    await trio.testing.wait_all_tasks_blocked()
            self.port = int(lines[0]["address"].rpartition(":")[2])
            yield
            nursery.cancel_scope.cancel()

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[Reader]:
        """A connection whose certificate holds. Raises `trio.BrokenResourceError`."""
        context = ssl.create_default_context(cafile=self.live.ca)
        plain = await trio.open_tcp_stream("127.0.0.1", self.port)
        async with plain:
            stream = trio.SSLStream(plain, context, server_hostname="localhost")
            await stream.do_handshake()
            yield stream

    async def is_served_with(self, pair: Certificates) -> bool:
        """True if a connection made at this moment has this certificate, and it holds."""
        async with self.connected() as stream:
            shown = stream.getpeercert(binary_form=True)
            expected = ssl.PEM_cert_to_DER_cert(pair.cert.read_text())
            return bool(shown == expected)

    def change(self) -> None:
        """Whether the broker is reached changes, of which every reader of events is told."""
        self.site.online = not self.site.online
        self.site.web.broker_changed()


async def until_said(stream: Reader, part: bytes) -> None:
    """Read until this has come."""
    said = b""
    while part not in said:
        more = bytes(await stream.receive_some(65536))
        assert more, said
        said += more


async def until(condition: Callable[[], bool]) -> None:
    """Have time pass until then: files are looked at by a thread, which has a clock of its own."""
    while True:
        if condition():
            return
        await trio.sleep(1)


async def test_it_ends_and_a_reload_serves_the_next_one(
    brief: Brief, certificates: Certificates, tmp_path: Path
) -> None:
    """A connection that is open does not mind either: who reads events asks for them once more."""
    first = brief("first")
    pages = Pages(tmp_path / "live", first)
    async with pages.served(), pages.connected() as reader:
        await reader.send_all(EVENTS)
        await until_said(reader, b'"broker":true')
        assert pages.ends == end_of(first)
        with pytest.raises(trio.BrokenResourceError) as refused:  # noqa: PT012 - one of several
            while True:
                assert await pages.is_served_with(first)
                await trio.sleep(0.1)
        assert "expired" in str(refused.value.__cause__)
        assert pages.ends == end_of(first) <= time.time()
        pages.change()
        await until_said(reader, b'"broker":false')
        pages.put(certificates)
        pages.site.web.reconfigured(configuration(web=pages.table))
        assert await pages.is_served_with(certificates)
        assert pages.ends == end_of(certificates)
        await until_said(reader, b"0\r\n\r\n")
        await reader.send_all(EVENTS)
        pages.change()
        await until_said(reader, b'"broker":true')


async def test_other_files_are_served_without_a_reload(
    brief: Brief, certificates: Certificates, tmp_path: Path, autojump_clock: trio.abc.Clock
) -> None:
    """Who reads events all the while does not notice."""
    pages = Pages(tmp_path / "live", certificates)
    other = brief("other", lives=3600.0)

    async def renew() -> None:
        pages.put(other)
        await until(lambda: pages.ends == end_of(other))
        assert await pages.is_served_with(other)
        pages.change()

    async with pages.served(), pages.connected() as reader, trio.open_nursery() as nursery:
        await reader.send_all(EVENTS)
        await until_said(reader, b'"broker":true')
        nursery.start_soon(renew)
        await until_said(reader, b'"broker":false')


async def test_what_does_not_belong_together_is_not_served(
    brief: Brief, certificates: Certificates, tmp_path: Path, autojump_clock: trio.abc.Clock
) -> None:
    """It is said once, and the one before stays."""
    pages = Pages(tmp_path / "live", certificates)
    other = brief("other", lives=3600.0)
    async with pages.served():
        shutil.copy(other.cert, pages.live.cert)
        with capture_logs() as said:
            await until(lambda: bool(said))
            await trio.sleep(60)
            assert await pages.is_served_with(certificates)
        assert [each["log_level"] for each in said] == ["error"]
        shutil.copy(other.key, pages.live.key)
        await until(lambda: pages.ends == end_of(other))
        assert await pages.is_served_with(other)
