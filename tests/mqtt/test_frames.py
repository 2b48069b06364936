"""WebSocket as it is read and written here, beside the library `websockets`."""

import base64
import socket
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from bridge.mqtt.frames import BINARY, Frames, frame, refusal, request
from bridge.mqtt.transports import WebSocket, WebSocketEnded

KEY = base64.b64encode(bytes(range(16)))
HUGE = b"\x82\x7f" + (1 << 62).to_bytes(8, "big")
"""The beginning of a frame without end."""

PING = Frame(Opcode.PING, b"p").serialize(mask=False)

payloads = st.one_of(
    st.binary(max_size=200), st.sampled_from([125, 126, 127, 65_535, 65_536]).map(bytes)
)
in_parts = st.lists(payloads, min_size=1, max_size=3)


def written(parts: list[bytes]) -> bytes:
    """A message in so many frames, a ping before each of them but the first."""
    last = len(parts) - 1
    frames = (
        Frame(Opcode.CONT if place else Opcode.BINARY, part, fin=place == last)
        for place, part in enumerate(parts)
    )
    return PING.join(each.serialize(mask=False) for each in frames)


@given(st.lists(in_parts, max_size=3), st.integers(1, 70_000))
def test_whatever_the_library_writes_is_read_in_whatever_pieces(
    messages: list[list[bytes]], size: int
) -> None:
    data = b"".join(map(written, messages))
    frames = Frames()
    read = [frames.payload(data[at : at + size]) for at in range(0, len(data), size)]
    assert b"".join(read) == b"".join(part for parts in messages for part in parts)
    assert not frames.over
    assert (frames.owed is None) is not (PING in data)


def server() -> tuple[ServerProtocol, bytes]:
    """The library's end, and what it has answered to our request."""
    end = ServerProtocol(subprotocols=[Subprotocol("mqtt")])
    end.receive_data(request("[::1]:8080", "http://[::1]:8080", "/mqtt", KEY))
    (asked,) = end.events_received()
    assert isinstance(asked, Request)
    assert asked.path == "/mqtt"
    assert asked.headers["Host"] == "[::1]:8080"
    end.send_response(end.accept(asked))
    assert end.state is State.OPEN
    return end, b"".join(end.data_to_send())


def test_the_library_accepts_the_request_and_its_answer_is_accepted() -> None:
    _, answer = server()
    assert refusal(answer.removesuffix(b"\r\n\r\n"), KEY) is None
    assert refusal(answer.removesuffix(b"\r\n\r\n"), KEY[::-1]) is not None


@given(payloads, st.binary(min_size=4, max_size=4))
def test_the_library_reads_what_is_written(payload: bytes, mask: bytes) -> None:
    end, _ = server()
    end.receive_data(frame(BINARY, payload, mask))
    (read,) = end.events_received()
    assert isinstance(read, Frame)
    assert (read.opcode, bytes(read.data)) == (Opcode.BINARY, payload)
    assert end.state is State.OPEN


@given(st.binary(max_size=100))
def test_whatever_comes_it_is_read_or_over(data: bytes) -> None:
    """And it is the same in pieces."""
    whole, pieces = Frames(), Frames()
    at_once = whole.payload(data)
    one_by_one = b"".join(pieces.payload(data[at : at + 1]) for at in range(len(data)))
    assert (at_once, whole.broken, whole.closed) == (one_by_one, pieces.broken, pieces.closed)
    assert whole.payload(data) == b"" if whole.over else True


@given(st.binary(max_size=300))
def test_an_answer_is_refused_whatever_it_is(head: bytes) -> None:
    assert refusal(head, KEY)


@pytest.mark.parametrize("status", ["HTTP/1.1 404 \x1b[2J", "HTTP/1.1 404 " + "a" * 10_000])
def test_what_is_said_of_an_answer_can_be_shown(status: str) -> None:
    said = refusal(status.encode(), KEY)
    assert said is not None
    assert said.isprintable()
    assert len(said) < 100


@contextmanager
def connected(early: bytes = b"") -> Iterator[tuple[WebSocket, socket.socket, ServerProtocol]]:
    """A WebSocket whose handshake is done, which does not block, and the broker's end of it.

    What is said `early` comes with the broker's answer.
    """
    near, far = socket.socketpair()
    end = ServerProtocol(subprotocols=[Subprotocol("mqtt")])
    with closing(near), closing(far), ThreadPoolExecutor(1) as thread:
        making = thread.submit(WebSocket, near, "broker", 8080, "/mqtt")
        while not (events := end.events_received()):
            end.receive_data(far.recv(4096))
        (asked,) = events
        assert isinstance(asked, Request)
        end.send_response(end.accept(asked))
        far.sendall(b"".join(end.data_to_send()) + early)
        made = making.result()
        made.setblocking(False)
        yield made, far, end


def test_a_ping_is_answered_at_once_and_a_close_too() -> None:
    with connected() as (near, far, end):
        end.send_ping(b"one")
        end.send_ping(b"two")
        far.sendall(b"".join(end.data_to_send()))
        with pytest.raises(BlockingIOError):
            near.recv(4096)
        end.receive_data(far.recv(4096))
        (pong,) = end.events_received()
        assert isinstance(pong, Frame)
        assert (pong.opcode, bytes(pong.data)) == (Opcode.PONG, b"two")
        end.send_binary(b"last")
        end.send_close(1001, "bye")
        far.sendall(b"".join(end.data_to_send()))
        assert near.recv(4096) == b"last"
        assert near.pending()
        with pytest.raises(WebSocketEnded, match="1001, bye"):
            near.recv(4096)
        end.receive_data(far.recv(4096))
        assert end.close_rcvd is not None
        assert end.close_rcvd.code == 1001


def test_what_comes_with_the_answer_is_read_behind_it() -> None:
    said = Frame(Opcode.BINARY, b"early").serialize(mask=False)
    with connected(said) as (near, far, end):
        end.send_close(1013, "later")
        far.sendall(b"".join(end.data_to_send()))
        assert near.recv(4096) == b"early"
        with pytest.raises(WebSocketEnded, match="1013, later"):
            near.recv(4096)
    with connected(said) as (near, far, _):
        far.shutdown(socket.SHUT_WR)
        assert near.recv(4096) == b"early"
        assert near.recv(4096) == b""


def test_an_answer_never_stands_inside_of_a_frame_that_is_on_its_way() -> None:
    """Of a broker that pings and does not read."""
    packet = bytes(1 << 20)
    with connected() as (near, far, end):
        with pytest.raises(BlockingIOError):
            near.send(packet)
        for _ in range(1000):
            far.sendall(PING)
            with pytest.raises(BlockingIOError):
                near.recv(4096)
        read: list[Frame] = []
        sent = 0
        while not read or read[-1].opcode is not Opcode.PONG:
            with suppress(BlockingIOError):
                sent = sent or near.send(packet)
            end.receive_data(far.recv(1 << 20))
            read += [each for each in end.events_received() if isinstance(each, Frame)]
        assert sent == len(packet)
        assert end.parser_exc is None
        assert [each.opcode for each in read] == [Opcode.BINARY, Opcode.PONG]
        assert bytes(read[0].data) == packet


def test_of_a_frame_without_end_and_of_pings_nothing_is_kept() -> None:
    piece, pings = bytes(65_536), PING * 5_000
    frames, pinged = Frames(), Frames()
    frames.payload(HUGE)
    tracemalloc.start()
    try:
        for _ in range(100):
            assert frames.payload(piece) == piece
        for _ in range(5):
            assert pinged.payload(pings) == b""
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 10_000
    assert pinged.owed is not None
