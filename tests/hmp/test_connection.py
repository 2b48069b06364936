"""`TcpStream` and the link on real sockets: localhost, port 0, no virtual clock.

The peer is a plain listening socket in the test's own hands, so that it can reset and half-close.
"""

import errno
import os
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import outcome
import pytest
import trio
import trio.testing

from bridge.hmp.arguments import SessionId
from bridge.hmp.client import ServerLink
from bridge.hmp.commands import RecordingId, StartRecording, StopRecording
from bridge.hmp.connection import NothingSent, TcpStream, connect_tcp
from bridge.hmp.errors import LinkDown, OutcomeUnknown
from bridge.hmp.link import LinkSettings, LinkState, Passage, Priority
from tests.hmp.peer import UUID, PeerConnection, States


@asynccontextmanager
async def connected() -> AsyncIterator[tuple[TcpStream, trio.SocketStream]]:
    [listener] = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with listener:
        port = listener.socket.getsockname()[1]
        ours = await connect_tcp("127.0.0.1", port)
        theirs = await listener.accept()
        async with ours, theirs:
            yield ours, theirs


def reset(stream: trio.SocketStream) -> None:
    """Close so that the peer gets RST, as from a process that was killed with unread input."""
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    stream.socket.close()


async def test_bytes_both_ways_and_the_end() -> None:
    async with connected() as (ours, theirs):
        assert ours.local_address == "127.0.0.1"
        await ours.wait_send_all_might_not_block()
        await ours.send_all(b"ping\n")
        assert await theirs.receive_some() == b"ping\n"
        await theirs.send_all(b"pong\n")
        assert await ours.receive_some(2) == b"po"
        assert await ours.receive_some() == b"ng\n"
        await theirs.aclose()
        assert await ours.receive_some() == b""


async def test_small_packets_leave_at_once_and_dead_peers_are_found() -> None:
    async with connected() as (ours, _):
        raw = socket.socket(fileno=os.dup(ours.fileno()))
        with raw:
            assert raw.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            assert raw.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            idle, interval, count = (
                raw.getsockopt(socket.IPPROTO_TCP, option)
                for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
            )
            assert idle + interval * count == 60


async def test_a_write_larger_than_the_buffers_arrives_whole() -> None:
    data = b"x" * 8_000_000
    received = bytearray()

    async def read(stream: trio.SocketStream) -> None:
        while len(received) < len(data):
            received.extend(await stream.receive_some(1_000_000))

    async with connected() as (ours, theirs), trio.open_nursery() as nursery:
        nursery.start_soon(read, theirs)
        await ours.send_all(data)
    assert received == data


async def test_nothing_is_sent_to_a_peer_that_has_closed() -> None:
    async with connected() as (ours, theirs):
        await theirs.aclose()
        await trio.lowlevel.wait_readable(ours.fileno())
        with pytest.raises(NothingSent, match="closed the connection"):
            await ours.send_all(b"startRecording\n")


async def test_nothing_is_sent_after_a_reset_and_reading_says_so() -> None:
    async with connected() as (ours, theirs):
        reset(theirs)
        with pytest.raises(trio.BrokenResourceError):
            await ours.receive_some()
    async with connected() as (ours, theirs):
        reset(theirs)
        await trio.lowlevel.wait_readable(ours.fileno())
        with pytest.raises(NothingSent):
            await ours.send_all(b"startRecording\n")


async def test_a_write_that_breaks_halfway_is_broken_and_not_unsent() -> None:
    async with connected() as (ours, theirs):

        async def write() -> None:
            with pytest.raises(trio.BrokenResourceError) as caught:
                await ours.send_all(b"x" * 8_000_000)
            assert not isinstance(caught.value, NothingSent)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(write)
            await theirs.receive_some(1)
            reset(theirs)


async def test_a_closed_stream_says_so_to_whoever_uses_it() -> None:
    async with connected() as (ours, _):

        async def read() -> None:
            with pytest.raises(trio.ClosedResourceError):
                await ours.receive_some()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(read)
            await trio.testing.wait_all_tasks_blocked()
            await ours.aclose()
        await ours.aclose()
        with pytest.raises(trio.ClosedResourceError):
            await ours.send_all(b"x")
        with pytest.raises(trio.ClosedResourceError):
            await ours.receive_some()


@asynccontextmanager
async def ready_link() -> AsyncIterator[tuple[ServerLink, socket.socket]]:
    """A link that HMP answers, and the peer's socket, read without a turn for anybody."""
    [listener] = await trio.open_tcp_listeners(0, host="127.0.0.1")
    states = States()
    settings = LinkSettings(
        name="main", host="127.0.0.1", port=listener.socket.getsockname()[1], greeting_wait=0.01
    )
    link = states.link(connect_tcp, settings)
    async with listener, trio.open_nursery() as nursery:
        nursery.start_soon(link.run)
        async with await listener.accept() as stream:
            await PeerConnection(stream).alive()
            await states.until(LinkState.READY)
            with socket.socket(fileno=os.dup(stream.socket.fileno())) as peer:
                yield link, peer
        nursery.cancel_scope.cancel()


def arrived(peer: socket.socket) -> str:
    """The name of the command that is there; empty where none is."""
    try:
        return peer.recv(4096, socket.MSG_DONTWAIT).decode().partition(" ")[0]
    except BlockingIOError:
        return ""


STOPPING, STARTING = StopRecording(RecordingId(UUID)), StartRecording(SessionId(UUID))


async def test_a_command_is_on_the_socket_before_anybody_has_work_with_the_answer() -> None:
    """Of whoever brings it to a silent link, and of the answer that it has waited for."""
    async with ready_link() as (link, peer):
        found = []
        over = trio.Event()

        def settled(_result: object) -> None:
            found.append(arrived(peer))
            over.set()

        link.submit(STOPPING, Priority.STOP, Passage(), settled)
        assert arrived(peer) == "stopRecording"
        link.submit(STARTING, Priority.CONTROL, Passage(), lambda _: None)
        assert arrived(peer) == ""
        peer.sendall(b"OK\n")
        await over.wait()
        assert found == ["startRecording"]


async def test_an_answer_is_taken_in_for_whoever_looks_and_only_where_a_command_waits() -> None:
    """Nobody has had a turn meanwhile; the last answer waits for its own."""
    async with ready_link() as (link, peer):
        over = trio.Event()
        link.look()
        link.submit(STOPPING, Priority.STOP, Passage(), lambda _: None)
        link.submit(STARTING, Priority.CONTROL, Passage(), lambda _: over.set())
        assert arrived(peer) == "stopRecording"
        link.look()
        assert arrived(peer) == ""
        peer.sendall(b"OK\n")
        link.look()
        assert arrived(peer) == "startRecording"
        peer.sendall(f"OK|{UUID}\n".encode())
        link.look()
        assert not over.is_set()
        await over.wait()


async def test_who_looks_at_a_connection_that_has_ended_leaves_that_to_who_reads() -> None:
    async with ready_link() as (link, peer):
        lost = trio.Event()
        found: list[object] = []

        def settled(result: outcome.Outcome[object]) -> None:
            found.append(result)
            lost.set()

        link.submit(STOPPING, Priority.STOP, Passage(), settled)
        link.submit(STARTING, Priority.CONTROL, Passage(), lambda _: None)
        peer.shutdown(socket.SHUT_RDWR)
        link.look()
        assert not found
        await lost.wait()
        [ended] = found
        assert isinstance(ended, outcome.Error)
        assert isinstance(ended.error, OutcomeUnknown)


async def test_connecting_where_nobody_listens_is_refused() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        with pytest.raises(OSError, match="connect") as caught:
            await connect_tcp("127.0.0.1", port)
        assert isinstance(caught.value, ConnectionRefusedError) or caught.value.__cause__
        states = States()
        link = states.link(connect_tcp, LinkSettings(name="main", host="127.0.0.1", port=port))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(link.run)
            await states.until(LinkState.REFUSED)
            nursery.cancel_scope.cancel()


async def test_a_socket_that_is_no_longer_connected_is_not_taken_over() -> None:
    with socket.socket() as never_connected:
        never_connected.close()
        with pytest.raises(OSError) as caught:  # noqa: PT011 - the number says which
            TcpStream(never_connected)
        assert caught.value.errno == errno.EBADF


async def test_the_link_over_a_real_socket_and_through_a_reset() -> None:
    states = States()
    [listener] = await trio.open_tcp_listeners(0, host="127.0.0.1")
    settings = LinkSettings(
        name="main",
        host="127.0.0.1",
        port=listener.socket.getsockname()[1],
        greeting_wait=0.01,
        longest_backoff=0.01,
    )
    link = states.link(connect_tcp, settings)
    async with listener, trio.open_nursery() as nursery:
        nursery.start_soon(link.run)
        stream = await listener.accept()
        peer = PeerConnection(stream)
        await peer.alive()
        await states.until(LinkState.READY)

        async def start() -> None:
            assert await link.execute(StartRecording(SessionId(UUID)), Priority.CONTROL) == UUID

        nursery.start_soon(start)
        await peer.answer(f"OK|{UUID}", "startRecording")
        reset(stream)
        await states.until(LinkState.DOWN)
        with pytest.raises(LinkDown):
            await link.execute(StartRecording(SessionId(UUID)), Priority.CONTROL)
        async with await listener.accept() as again:
            await PeerConnection(again).alive()
            await states.until(LinkState.READY, times=2)
            nursery.cancel_scope.cancel()
