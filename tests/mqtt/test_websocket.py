"""WebSocket below MQTT, beside the library `websockets` as the broker's end."""

import socket
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.client import WebsocketConnectionError
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from bridge.mqtt.failures import WebSocketEnded
from bridge.mqtt.websocket import WebSocket
from tests.process.watched import PATIENCE

from .websocket_end import SayingBroker

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


def read(said: bytes, piece: int) -> tuple[bytes, str, bytes]:
    """What a broker that says this says to MQTT, how it ended, and what it was answered."""
    broker = SayingBroker(said, piece=piece, accepts=True)
    made = WebSocket(cast("socket.socket", broker), "broker", 8080, "/mqtt")
    payload, end, gone = bytearray(), "", False
    while not gone:
        try:
            part = made.recv(1 << 20)
        except BlockingIOError:
            continue
        except WebSocketEnded as ended:
            end, part = f"{ended}, broken: {ended.broken}", b""
        payload += part
        gone = not part
    return bytes(payload), end, bytes(broker.answered)


@given(st.lists(in_parts, max_size=3), st.integers(1, 70_000))
def test_whatever_the_library_writes_is_read_in_whatever_pieces(
    messages: list[list[bytes]], piece: int
) -> None:
    said = b"".join(map(written, messages))
    payload, end, answered = read(said, piece)
    assert payload == b"".join(part for parts in messages for part in parts)
    assert end == ""
    assert bool(answered) is (PING in said)


@given(st.binary(max_size=100))
def test_whatever_comes_it_is_the_same_in_pieces(said: bytes) -> None:
    (at_once, end, _), (in_pieces, same_end, _) = read(said, 4096), read(said, 1)
    assert at_once == in_pieces
    assert end.rpartition("broken: ")[2] == same_end.rpartition("broken: ")[2]


@given(st.binary(max_size=300))
def test_an_answer_is_refused_whatever_it_is(said: bytes) -> None:
    broker = SayingBroker(said, piece=64, accepts=False)
    with pytest.raises(WebsocketConnectionError) as refused:
        WebSocket(cast("socket.socket", broker), "broker", 8080, "/mqtt")
    assert str(refused.value).isprintable()
    assert len(str(refused.value)) < 100


@contextmanager
def connected(
    early: bytes = b"", host: str = "broker"
) -> Iterator[tuple[WebSocket, socket.socket, ServerProtocol]]:
    """A WebSocket whose handshake is done, which does not block, and the broker's end of it.

    What is said `early` comes with the broker's answer.
    """
    near, far = socket.socketpair()
    end = ServerProtocol(subprotocols=[Subprotocol("mqtt")])
    with closing(near), closing(far), ThreadPoolExecutor(1) as thread:
        making = thread.submit(WebSocket, near, host, 8080, "/mqtt")
        while not (events := end.events_received()):
            end.receive_data(far.recv(4096))
        (asked,) = events
        assert isinstance(asked, Request)
        assert asked.path == "/mqtt"
        assert asked.headers["Host"] == (f"[{host}]:8080" if ":" in host else f"{host}:8080")
        assert asked.headers["Origin"] == f"http://{asked.headers['Host']}"
        end.send_response(end.accept(asked))
        far.sendall(b"".join(end.data_to_send()) + early)
        made = making.result()
        made.setblocking(False)
        yield made, far, end


@given(payloads)
def test_the_library_reads_what_is_written(payload: bytes) -> None:
    with connected(host="::1") as (near, far, end):
        assert near.send(payload) == len(payload)
        far.settimeout(PATIENCE)
        while not (events := end.events_received()):
            end.receive_data(far.recv(1 << 20))
        (frame,) = events
        assert isinstance(frame, Frame)
        assert (frame.opcode, bytes(frame.data)) == (Opcode.BINARY, payload)
        assert end.state is State.OPEN


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


def test_what_ended_is_told_by_reading_alone() -> None:
    with connected() as (near, far, end):
        end.send_close(1001, "bye")
        far.sendall(b"".join(end.data_to_send()))
        with pytest.raises(WebSocketEnded, match="1001, bye"):
            near.recv(4096)
        assert near.send(b"a packet") == 8
        with pytest.raises(WebSocketEnded, match="1001, bye"):
            near.recv(4096)


@pytest.mark.parametrize("said", [HUGE + bytes(6_000_000), PING * 400_000], ids=["frame", "pings"])
def test_of_a_frame_without_end_and_of_pings_nothing_is_kept(said: bytes) -> None:
    broker = SayingBroker(said, piece=1 << 20, accepts=True)
    made = WebSocket(cast("socket.socket", broker), "broker", 8080, "/mqtt")
    most = 0
    tracemalloc.start()
    try:
        for _ in range(50):
            with suppress(BlockingIOError):
                made.recv(1 << 20)
            broker.answered.clear()
            most = max(most, tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert most < 100_000
