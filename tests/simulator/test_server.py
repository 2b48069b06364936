"""The simulated HMP over real sockets on loopback.

Every test starts a server on port 0 and ends by cancelling it; the client closes first unless the
test is about the server closing. A whole test is bounded by pytest's timeout. Nothing sleeps: what
is waited for is a byte, an end of file, or a change in the world.
"""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import memory_stream_pair

from bridge.simulator.execution import execute
from bridge.simulator.run import wall_clock
from bridge.simulator.server import Simulator, serve
from bridge.simulator.wire import SocketWire, StreamWire

from .worlds import SESSION, example_world

NOT_AUTHORIZED = b"ERROR|020000|Not Authorized\n"
NOT_FOUND = b"ERROR|000002|Command not found\n"


def simulator_with(**knobs: object) -> Simulator:
    world = example_world()
    for name, value in knobs.items():
        world.knobs = world.knobs.with_value(name, value)
    world.now = wall_clock()
    return Simulator(world)


@asynccontextmanager
async def serving(simulator: Simulator) -> AsyncIterator[int]:
    async with trio.open_nursery() as nursery:
        yield await nursery.start(serve, simulator)
        nursery.cancel_scope.cancel()


async def connect(port: int) -> trio.SocketStream:
    return await trio.open_tcp_stream("127.0.0.1", port)


async def everything(stream: trio.abc.ReceiveStream) -> bytes:
    """All bytes up to the end of file."""
    return b"".join([bytes(chunk) async for chunk in stream])


async def ask(stream: trio.abc.Stream, line: bytes) -> bytes:
    await stream.send_all(line + b"\n")
    answer = b""
    while not answer.endswith(b"\n"):
        chunk = await stream.receive_some()
        assert chunk, f"closed after {answer!r}"
        answer += chunk
    return answer


async def test_pipelined_commands_are_answered_in_order() -> None:
    async with serving(simulator_with()) as port, await connect(port) as client:
        await client.send_all(b"createSession a\nping\n\ncreateSession\ncreateSe")
        await client.send_all(b"ssion b\n")
        await client.send_eof()
        answers = (await everything(client)).splitlines()
    assert [answer[:9] for answer in answers] == [
        answers[0][:9],
        b"ERROR|000",
        b"ERROR|010",
        answers[3][:9],
    ]
    assert answers[0].startswith(b"OK|")
    assert answers[3].startswith(b"OK|")


async def test_nagle_is_off() -> None:
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with listener, await connect(listener.socket.getsockname()[1]):
        accepted = await listener.accept()
        wire = SocketWire(accepted.socket)
        assert accepted.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0
        await wire.close()


async def test_what_does_not_fit_into_the_socket_is_sent_all_the_same() -> None:
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    data = b"0123456789" * 2_000_000
    async with listener, await connect(listener.socket.getsockname()[1]) as client:
        accepted = await listener.accept()
        wire = SocketWire(accepted.socket)

        async def send() -> None:
            await wire.send(data)
            await wire.close()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(send)
            assert await everything(client) == data


async def test_an_endless_line_is_refused_once_and_not_kept() -> None:
    async with serving(simulator_with(longest_line=1000)) as port, await connect(port) as client:
        for _ in range(40):
            await client.send_all(b"x" * 10_000)
        assert await ask(client, b"") == b"ERROR|000001|Syntax Error\n"
        assert await ask(client, b"ping") == NOT_FOUND


async def test_crlf_both_ways() -> None:
    async with serving(simulator_with(crlf=True)) as port, await connect(port) as client:
        assert await ask(client, b"ping\r") == b"ERROR|000002|Command not found\r\n"


@pytest.mark.parametrize(
    ("style", "seen"),
    [("line", NOT_AUTHORIZED), ("bare", b"Not Authorized\n"), ("eof", b"")],
)
async def test_an_unlisted_address_is_turned_away(style: str, seen: bytes) -> None:
    simulator = simulator_with(unauth_style=style)
    simulator.list_address("*", allowed=False)
    async with serving(simulator) as port, await connect(port) as client:
        # What was sent meanwhile must not turn the FIN into an RST that swallows the line.
        await client.send_all(b"ping\n")
        assert await everything(client) == seen
    assert simulator.world.executed == 0


async def test_an_unlisted_address_may_meet_a_reset() -> None:
    simulator = simulator_with(unauth_style="reset")
    simulator.list_address("*", allowed=False)
    async with serving(simulator) as port, await connect(port) as client:
        with pytest.raises(trio.BrokenResourceError):
            await client.receive_some()


async def test_a_listed_address_is_served() -> None:
    simulator = simulator_with()
    simulator.list_address("*", allowed=False)
    simulator.list_address("::ffff:127.0.0.1", allowed=True)
    async with serving(simulator) as port, await connect(port) as client:
        assert await ask(client, b"ping") == NOT_FOUND


@pytest.mark.parametrize(("style", "seen"), [("line", NOT_AUTHORIZED), ("eof", b"")])
async def test_delisting_ends_an_open_connection(style: str, seen: bytes) -> None:
    simulator = simulator_with(delisted_style=style)
    async with serving(simulator) as port, await connect(port) as client:
        assert await ask(client, b"ping") == NOT_FOUND
        simulator.list_address("*", allowed=False)
        assert await everything(client) == seen


async def test_delisting_another_address_changes_nothing() -> None:
    simulator = simulator_with()
    simulator.list_address("192.0.2.1", allowed=True)
    async with serving(simulator) as port, await connect(port) as client:
        assert await ask(client, b"ping") == NOT_FOUND
        simulator.list_address("192.0.2.1", allowed=False)
        assert await ask(client, b"ping") == NOT_FOUND


async def test_a_port_that_was_taken_meanwhile_is_said_to_whoever_switches_on() -> None:
    simulator = simulator_with()
    async with serving(simulator) as port:
        simulator.switch_api(enabled=False)
        with socket.create_server(("127.0.0.1", port)), pytest.raises(OSError, match="in use"):
            simulator.switch_api(enabled=True)
        simulator.switch_api(enabled=True)
        async with await connect(port) as client:
            assert await ask(client, b"ping") == NOT_FOUND


async def test_dropping_every_connection() -> None:
    simulator = simulator_with()
    async with serving(simulator) as port, await connect(port) as client:
        assert await ask(client, b"ping") == NOT_FOUND
        assert simulator.drop_connections() == 1
        assert await everything(client) == b""


async def test_delisting_may_leave_open_connections_alone() -> None:
    simulator = simulator_with(delisted_style="keep")
    async with serving(simulator) as port, await connect(port) as client:
        assert await ask(client, b"ping") == NOT_FOUND
        simulator.list_address("*", allowed=False)
        assert await ask(client, b"ping") == NOT_FOUND


async def test_the_api_switch_refuses_and_comes_back_on_the_same_port() -> None:
    simulator = simulator_with()
    async with serving(simulator) as port:
        async with await connect(port) as client:
            assert await ask(client, b"ping") == NOT_FOUND
            simulator.switch_api(enabled=False)
            assert await everything(client) == NOT_AUTHORIZED
        with pytest.raises(OSError, match="connect"):
            await connect(port)
        simulator.switch_api(enabled=True)
        async with await connect(port) as client:
            assert await ask(client, b"ping") == NOT_FOUND


async def test_an_api_that_starts_switched_off_knows_its_port() -> None:
    simulator = simulator_with()
    simulator.switch_api(enabled=False)
    async with serving(simulator) as port:
        with pytest.raises(OSError, match="connect"):
            await connect(port)
        simulator.switch_api(enabled=True)
        async with await connect(port) as client:
            assert await ask(client, b"ping") == NOT_FOUND


async def test_changes_wait_for_their_delay() -> None:
    simulator = simulator_with(apply_delay=0.05)
    async with serving(simulator) as port, await connect(port) as client:
        assert await ask(client, b"ping") == NOT_FOUND
        asked = trio.current_time()
        simulator.switch_api(enabled=False)
        assert simulator.world.access.enabled
        assert await everything(client) == NOT_AUTHORIZED
        assert trio.current_time() - asked >= 0.05
        assert not simulator.world.access.enabled


async def test_restart_loses_connections_and_is_not_ready_for_a_while() -> None:
    simulator = simulator_with()
    async with serving(simulator) as port:
        async with await connect(port) as client:
            recording = (await ask(client, f"startRecording {SESSION}".encode()))[3:].strip()
            simulator.restart(down=1000, recordings="error")
            assert await everything(client) == b""
        with pytest.raises(OSError, match="connect"):
            await connect(port)
        simulator.restart(down=0.05, unready=1000)
        client = await connect_when_up(port)
        async with client:
            unready = await ask(client, b"getRecordingStatus " + recording)
            assert unready == b"ERROR|070000|Internal Server Error\n"
            simulator.world.faults.clear()
            assert await ask(client, b"getRecordingStatus " + recording) == b"OK|ERROR\n"
            execute(simulator.world, f"startRecording {SESSION}")
            simulator.restart(recordings="forget")
    assert [each.state.value for each in simulator.world.recordings.values()] == ["ERROR"]


async def connect_when_up(port: int) -> trio.SocketStream:
    """The listener opens by itself some time after it was closed."""
    while True:
        try:
            return await connect(port)
        except OSError:
            await trio.lowlevel.checkpoint()


async def test_a_second_client_may_be_closed() -> None:
    simulator = simulator_with(max_connections=1)
    async with serving(simulator) as port, await connect(port) as first:
        assert await ask(first, b"ping") == NOT_FOUND
        async with await connect(port) as second:
            assert await everything(second) == b""
        assert await ask(first, b"ping") == NOT_FOUND


async def test_a_second_client_may_take_the_first_ones_place() -> None:
    simulator = simulator_with(max_connections=1, excess_connection="close_old")
    async with serving(simulator) as port, await connect(port) as first:
        assert await ask(first, b"ping") == NOT_FOUND
        async with await connect(port) as second:
            assert await everything(first) == b""
            assert await ask(second, b"ping") == NOT_FOUND


async def test_a_second_client_may_be_ignored() -> None:
    simulator = simulator_with(max_connections=1, excess_connection="ignore")
    async with serving(simulator) as port, await connect(port) as first:
        assert await ask(first, b"ping") == NOT_FOUND
        async with await connect(port) as second:
            await second.send_all(b"ping\n")
            await second.send_eof()
            assert await everything(second) == b""
    assert simulator.world.executed == 1


async def test_a_client_that_vanishes_harms_nobody() -> None:
    told: list[str] = []
    simulator = simulator_with()
    simulator.tell = told.append
    async with serving(simulator) as port:
        client = await connect(port)
        await client.socket.send(b"createSession x\n" * 2000)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        await client.aclose()
        while not any(line.endswith("disconnected") for line in told):
            await trio.lowlevel.checkpoint()
        async with await connect(port) as other:
            assert await ask(other, b"ping") == NOT_FOUND
    assert simulator.connections == []
    assert simulator.accepted == 2


async def test_a_taken_port_is_an_error_at_once() -> None:
    async with serving(simulator_with()) as port, trio.open_nursery() as nursery:
        other = simulator_with()
        with pytest.raises(OSError, match="in use"):
            await nursery.start(
                lambda task_status: serve(other, port=port, task_status=task_status)
            )


async def test_it_talks_over_any_stream(autojump_clock: trio.testing.MockClock) -> None:
    simulator = simulator_with()
    ours, theirs = memory_stream_pair()
    async with trio.open_nursery() as nursery:
        talk = simulator.talk
        nursery.start_soon(lambda: talk(StreamWire(theirs), address="192.0.2.1", peer="memory"))
        assert await ask(ours, b"ping") == NOT_FOUND
        simulator.list_address("*", allowed=False)
        assert await everything(ours) == NOT_AUTHORIZED
        await ours.aclose()
    assert simulator.connections == []


async def test_a_client_that_ignores_the_farewell_is_closed_all_the_same(
    autojump_clock: trio.testing.MockClock,
) -> None:
    simulator = simulator_with(unauth_style="reset")
    simulator.list_address("*", allowed=False)
    _ours, theirs = memory_stream_pair()
    simulator.world.knobs = simulator.world.knobs.with_value("unauth_style", "line")
    before = trio.current_time()
    await simulator.talk(StreamWire(theirs), address="192.0.2.1", peer="memory")
    assert 0 < trio.current_time() - before < 10
    # A stream has no RST; it is simply closed.
    simulator.world.knobs = simulator.world.knobs.with_value("unauth_style", "reset")
    ours, theirs = memory_stream_pair()
    await simulator.talk(StreamWire(theirs), address="192.0.2.1", peer="memory")
    with pytest.raises(trio.BrokenResourceError):
        await ours.send_all(b"ping\n")
