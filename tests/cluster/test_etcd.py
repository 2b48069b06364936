"""The client on real servers: members that go, logins, certificates; and answers that are none."""

import gc
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import httpx
import pytest
import trio

from bridge.cluster.etcd import Etcd, Refused, Unreachable
from bridge.cluster.settings import EtcdSettings
from bridge.cluster.wire import put
from bridge.journal.store import Batch, Entry
from bridge.tls.settings import TlsSettings
from tests.brokers import Certificates, free_port
from tests.process.watched import PATIENCE

from .boxes import AT, leading, settings
from .fixtures import Launch
from .servers import Members, etcdctl


async def test_more_keys_than_a_page_has(etcd: Members) -> None:
    async with Etcd(settings(etcd.endpoints)) as client:
        prefix = client.settings.prefix
        wanted = {f"{prefix}{number:04}": "é" * number for number in range(401)}
        for first in range(0, 401, 100):
            some = [*wanted.items()][first : first + 100]
            await client.transact([], [put(key, value) for key, value in some])
        assert {each.key: each.value for each in await client.range(prefix)} == wanted
        assert await client.range(f"{prefix}none/") == []


async def test_each_member_in_turn_is_killed_while_rooms_are_written(launch_etcd: Launch) -> None:
    members = launch_etcd(3)
    async with leading(settings(members.endpoints, ttl=60.0)) as left:
        written: dict[str, Entry] = {}

        async def write(count: int) -> None:
            for _ in range(count):
                entry = Entry(str(len(written)), AT)
                await left.store.write(Batch({f"r{len(written)}": entry}))
                written[f"r{len(written)}"] = entry

        for number in range(3):
            await write(5)
            members[number].kill()
            await write(5)
            await trio.to_thread.run_sync(members.start, number)
        assert (await left.reread()).rooms() == written
        assert left.term.is_ours()


async def test_a_member_that_hangs_is_left(launch_etcd: Launch) -> None:
    members = launch_etcd(3)
    async with leading(settings(members.endpoints, ttl=15.0)) as left:
        members[0].freeze()
        await left.store.write(Batch({"a": Entry("1", AT)}))
        members[0].thaw()
        assert left.term.is_ours()


async def test_without_a_majority_each_member_is_named(launch_etcd: Launch) -> None:
    members = launch_etcd(3)
    members[1].kill()
    members[2].kill()
    async with Etcd(settings(members.endpoints, ttl=6.0)) as client:
        began = trio.current_time()
        with pytest.raises(Unreachable) as raised:
            await client.get("a")
        assert trio.current_time() - began < PATIENCE
        for endpoint in members.endpoints:
            assert f"{endpoint}: " in str(raised.value)
        assert "more than half of its members" in raised.value.what_to_do
        assert (await client.status(members[0].endpoint)).version.startswith("3.")
        with pytest.raises(Unreachable):
            await client.status(members[1].endpoint)
        await trio.to_thread.run_sync(members.start, 1)
    async with Etcd(settings(members.endpoints)) as client:
        assert await client.get("a") is None


async def test_a_store_that_stays_away_is_asked_by_one_client() -> None:
    """However long that is: each has a context of TLS, and memory, of its own."""
    async with Etcd(settings((f"http://127.0.0.1:{free_port()}",), ttl=6.0)) as client:
        before = _clients()
        for _ in range(5):
            with pytest.raises(Unreachable):
                await client.get("key")
        assert all(any(each is known for known in before) for each in _clients())


def _clients() -> list[httpx.AsyncClient]:
    """All that this process has, those of other tests too."""
    return [each for each in gc.get_objects() if isinstance(each, httpx.AsyncClient)]


async def test_certificates_on_both_sides(launch_etcd: Launch, certificates: Certificates) -> None:
    members = launch_etcd(1, certificates)
    ca, cert, key = str(certificates.ca), str(certificates.cert), str(certificates.key)
    async with Etcd(settings(members.endpoints, tls=TlsSettings(ca, cert, key))) as client:
        await client.transact([], [put("a", "1")])
        found = await client.get("a")
        assert found is not None
        assert found.value == "1"
    for tls in (TlsSettings(ca), TlsSettings(None, cert, key), None):
        async with Etcd(settings(members.endpoints, tls=tls)) as client:
            with pytest.raises(Unreachable, match=r"(?i)certificate|the connection broke"):
                await client.get("a")


async def test_a_certificate_that_is_not_there_is_named() -> None:
    tls = TlsSettings("/nowhere/ca.pem")
    with pytest.raises(Unreachable, match=r"certificate for etcd cannot be loaded: .*nowhere"):
        async with Etcd(settings(("https://127.0.0.1:1",), tls=tls)):
            pass


@asynccontextmanager
async def with_users(members: Members) -> AsyncIterator[EtcdSettings]:
    """A store that wants to know who asks, for the time being; the settings of a user."""
    its = settings(members.endpoints, username="bridge", password="hunter2", ttl=60.0)
    member = members[0]
    for command in (
        "user add root:root",
        "user grant-role root root",
        "user add bridge:hunter2",
        "role add bridge",
        f"role grant-permission bridge --prefix=true readwrite {its.prefix}",
        "user grant-role bridge bridge",
        "auth enable",
    ):
        etcdctl(member, *command.split())
    yield its


async def test_who_logs_in_writes_what_is_its_own(launch_etcd: Launch) -> None:
    members = launch_etcd()
    async with with_users(members) as its, leading(its) as left:
        await left.store.write(Batch({"a": Entry("1", AT)}))
        with pytest.raises(Refused, match="permission denied") as raised:
            await left.etcd.get("another's")
        assert "a role that may read and write" in raised.value.what_to_do
        # Its tokens are forgotten with the process.
        members[0].kill()
        await trio.to_thread.run_sync(members[0].launch, f"m0={members[0].peer}")
        await left.store.write(Batch({"a": Entry("2", AT)}))
        assert (await left.reread()).rooms() == {"a": Entry("2", AT)}
        # And with a change of the users.
        etcdctl(members[0], "--user=root:root", "user", "add", "another:one")
        await left.store.write(Batch({"a": Entry("3", AT)}))


async def test_who_is_not_let_in_is_told_why(launch_etcd: Launch) -> None:
    members = launch_etcd()
    async with with_users(members) as its:
        for others, what_to_do in (
            ({"username": "bridge", "password": "hunter3"}, "correct bridge.journal.username"),
            ({"username": "nobody", "password": "hunter2"}, "correct bridge.journal.username"),
            ({}, "set bridge.journal.username"),
        ):
            async with Etcd(settings(its.endpoints, ttl=60.0, **others)) as client:
                with pytest.raises(Refused) as raised:
                    await client.get("a")
                assert what_to_do in raised.value.what_to_do
                assert "hunter" not in str(raised.value)


async def test_a_login_where_nobody_is_asked_for_one(etcd: Members) -> None:
    async with Etcd(settings(etcd.endpoints, username="bridge", password="hunter2")) as client:
        assert await client.get("none") is None


def response(status: str, body: str) -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


ANSWERS = {
    "nothing": b"",
    "no HTTP": b"hello\r\n",
    "a page": response("200 OK", "<html>"),
    "a proxy's error": response("502 Bad Gateway", "<html>"),
    "cut off": response("200 OK", '{"header":{}}')[:-1],
    "another's JSON": response("200 OK", '{"kvs":[{}]}'),
    "a list": response("200 OK", "[]"),
    "no number": response("200 OK", '{"header":{"revision":"x"}}'),
    "no base64": response(
        "200 OK", '{"kvs":[{"key":"%","create_revision":"1","mod_revision":"1"}]}'
    ),
    "no text": response(
        "200 OK", '{"kvs":[{"key":"/w==","create_revision":"1","mod_revision":"1"}]}'
    ),
    "an error without a number": response("503 No", '{"error":"none"}'),
    "no leader": response("503 No", '{"error":"no leader","code":14}'),
    "an end without a beginning": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
}


@pytest.mark.parametrize("name", ANSWERS)
async def test_what_answers_and_is_no_etcd_is_left_for_the_next(etcd: Members, name: str) -> None:
    async def answer(stream: trio.SocketStream) -> None:
        async with stream:
            await stream.receive_some()
            await stream.send_all(ANSWERS[name])

    async with trio.open_nursery() as nursery:
        [listener] = await trio.open_tcp_listeners(0, host="127.0.0.1")
        nursery.start_soon(partial(trio.serve_listeners, answer, [listener]))
        stranger = f"http://127.0.0.1:{listener.socket.getsockname()[1]}"
        async with Etcd(settings((stranger,))) as client:
            for asked in (
                client.get("a"),
                client.range("a/"),
                client.transact([], [put("a", "b")]),
            ):
                with pytest.raises(Unreachable, match=re.escape(f"({stranger}: ")):
                    await asked
        async with Etcd(settings((stranger, *etcd.endpoints))) as client:
            assert await client.get("none") is None
        nursery.cancel_scope.cancel()
