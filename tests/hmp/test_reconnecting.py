"""How a link begins, fails and comes back, and what it tells people about it."""

import errno
import itertools
import socket
from dataclasses import replace

import pytest
import structlog.testing
import trio
import trio.testing

from bridge.hmp.arguments import RecordingId
from bridge.hmp.client import ServerLink
from bridge.hmp.commands import StopRecording
from bridge.hmp.connection import NothingSent
from bridge.hmp.errors import LinkDown
from bridge.hmp.failures import not_connected
from bridge.hmp.link import LinkSettings, LinkState, Priority
from tests.hmp.peer import SETTINGS, UUID, MemoryHmp, States

STOP = StopRecording(RecordingId(UUID))
REFUSED = ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")


def one_of_many(error: OSError) -> OSError:
    """What `trio.open_tcp_stream` raises for a host with several addresses."""
    wrapper = OSError("all attempts to connect failed")
    wrapper.__cause__ = ExceptionGroup("attempts", [error, OSError(errno.EHOSTUNREACH, "no route")])
    return wrapper


@pytest.mark.parametrize(
    ("error", "state", "says", "do"),
    [
        (REFUSED, LinkState.REFUSED, "nothing listens on hmp.test:23233", "Command Line API on"),
        (one_of_many(REFUSED), LinkState.REFUSED, "nothing listens", "API Access"),
        (socket.gaierror(-2, "unknown"), LinkState.DOWN, "'hmp.test'", "servers.main.host"),
        (OSError(errno.ENETUNREACH, "no net"), LinkState.DOWN, "cannot be reached", "network"),
        (OSError("odd"), LinkState.DOWN, "odd", "network"),
        (TimeoutError(errno.ETIMEDOUT, "slow"), LinkState.DOWN, "did not answer", "firewall"),
    ],
)
async def test_each_way_of_not_connecting(
    autojump_clock: trio.abc.Clock, error: OSError, state: LinkState, says: str, do: str
) -> None:
    hmp, states = MemoryHmp(), States()
    hmp.failures = [error] * 5
    link = states.link(hmp.connect)
    assert link.state is LinkState.CONNECTING
    with structlog.testing.capture_logs() as logs:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(link.run)
            await states.until(state)
            with pytest.raises(LinkDown, match=says):
                await link.execute(STOP, Priority.STOP)
            peer = await hmp.accept()
            await peer.alive()
            await states.until(LinkState.READY)
            nursery.cancel_scope.cancel()
    assert states.seen == [state, LinkState.READY]
    failed, recovered = logs  # five attempts, one line
    assert failed["server"] == "main"
    assert failed["state"] == state
    assert says in failed["error"]
    assert do in failed["what_to_do"]
    assert recovered["event"] == "HMP is ready"


async def test_connecting_takes_no_longer_than_allowed(autojump_clock: trio.abc.Clock) -> None:
    async def connect(_host: str, _port: int) -> trio.abc.Stream:
        await trio.sleep_forever()
        raise AssertionError

    states = States()
    link = states.link(connect)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(link.run)
        await states.until(LinkState.DOWN)
        assert trio.current_time() == pytest.approx(SETTINGS.connect_timeout, abs=0.01)
        assert "within 5 s" in (link.health().error or "")
        nursery.cancel_scope.cancel()


async def test_nothing_is_sent_before_the_greeting_wait_is_over(
    autojump_clock: trio.abc.Clock,
) -> None:
    hmp, states = MemoryHmp(), States()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(states.link(hmp.connect).run)
        peer = await hmp.accept()
        connected = trio.current_time()
        await peer.line()
        assert trio.current_time() - connected == pytest.approx(SETTINGS.greeting_wait)
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize(
    "greeting", ["ERROR|020000|Not Authorized\n", "Not Authorized\r\n", "Not Authorized"]
)
async def test_not_authorized_waits_until_the_list_can_have_changed(
    autojump_clock: trio.abc.Clock, greeting: str
) -> None:
    hmp, states = MemoryHmp(), States()
    with structlog.testing.capture_logs() as logs:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(states.link(hmp.connect).run)
            for _ in range(4):
                peer = await hmp.accept()
                await peer.send(greeting)
                await peer.close()
            nursery.cancel_scope.cancel()
    gaps = [b - a for a, b in itertools.pairwise(hmp.attempts)]
    assert min(gaps) >= SETTINGS.unauthorized_wait
    assert states.seen == [LinkState.UNAUTHORIZED]
    [line] = logs
    assert "authorized devices" in line["what_to_do"]


async def test_closed_without_a_word_reads_as_not_authorized_but_is_tried_again_soon(
    autojump_clock: trio.abc.Clock,
) -> None:
    hmp, states = MemoryHmp(), States()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(states.link(hmp.connect).run)
        await (await hmp.accept()).close()
        await states.until(LinkState.UNAUTHORIZED)
        peer = await hmp.accept()
        assert trio.current_time() < SETTINGS.unauthorized_wait
        await peer.line()  # closed on the first question: the same
        await peer.close()
        closed = trio.current_time()
        again = await hmp.accept()
        assert trio.current_time() - closed < SETTINGS.unauthorized_wait
        await again.alive()
        await states.until(LinkState.READY)
        assert states.seen == [LinkState.UNAUTHORIZED, LinkState.READY]
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("said", ["ERROR|020000|Not Authorized\n", ""])
@pytest.mark.parametrize("asked", [True, False])
async def test_the_address_to_add_to_hmp_s_list_is_this_box_s(
    autojump_clock: trio.abc.Clock, said: str, *, asked: bool
) -> None:
    hmp, states = MemoryHmp(), States()

    async def connect(host: str, port: int) -> trio.abc.Stream:
        return DeadOnWrite(await hmp.connect(host, port), alive=9)

    with structlog.testing.capture_logs() as logs:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(states.link(connect).run)
            peer = await hmp.accept()
            if asked:
                await peer.line()
            await peer.send(said)
            await peer.close()
            await states.until(LinkState.UNAUTHORIZED)
            nursery.cancel_scope.cancel()
    assert "192.0.2.7" in logs[0]["what_to_do"]


async def test_something_else_listens_on_the_port(autojump_clock: trio.abc.Clock) -> None:
    hmp, states = MemoryHmp(), States()
    link = states.link(hmp.connect)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(link.run)
        await (await hmp.accept()).send("SSH-2.0-OpenSSH_9.2\r\n")
        await states.until(LinkState.DOWN)
        assert "not an HMP" in (link.health().error or "")
        nursery.cancel_scope.cancel()


async def test_connected_but_never_answered_is_down(autojump_clock: trio.abc.Clock) -> None:
    hmp, states = MemoryHmp(), States()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(states.link(hmp.connect).run)
        await (await hmp.accept()).line()
        await states.until(LinkState.DOWN)
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize(
    "answer", ["ERROR|070000|Internal Server Error", "ERROR|090001|No bus connection", "ERROR|x"]
)
async def test_a_back_end_that_starts_keeps_the_socket(
    autojump_clock: trio.abc.Clock, answer: str
) -> None:
    hmp, states = MemoryHmp(), States()
    link = states.link(hmp.connect)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(link.run)
        peer = await hmp.accept()
        await peer.answer(answer)
        await states.until(LinkState.DEGRADED)
        with pytest.raises(LinkDown) as caught:
            await link.execute(STOP, Priority.STOP)
        assert caught.value.state is LinkState.DEGRADED
        await peer.alive()
        await states.until(LinkState.READY)
        assert len(hmp.attempts) == 1
        nursery.cancel_scope.cancel()


async def test_backing_off_grows_and_starts_over_only_after_a_connection_that_lived(
    autojump_clock: trio.abc.Clock,
) -> None:
    settings = LinkSettings(name="main", host="hmp.test", shortest_backoff=1, longest_backoff=8)
    hmp, states = MemoryHmp(), States()
    hmp.failures = [REFUSED] * 200
    link = states.link(hmp.connect, settings)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(link.run)
        peer = await hmp.accept()
        gaps = [b - a for a, b in itertools.pairwise(hmp.attempts)]
        assert max(gaps) <= 8
        assert max(gaps) > 4
        await peer.answer("ERROR|070000|Internal Server Error")  # connected, not usable
        await peer.close()
        again = await hmp.accept()
        assert hmp.attempts[-1] - hmp.attempts[-2] <= 8 + 1
        await again.alive()
        await states.until(LinkState.READY)
        before = trio.current_time()
        await trio.sleep(5)
        await again.close()
        await hmp.accept()
        assert hmp.attempts[-1] - before <= 5 + 1
        nursery.cancel_scope.cancel()


async def test_an_hmp_that_hangs_up_as_soon_as_it_is_ready_is_not_stormed(
    autojump_clock: trio.abc.Clock,
) -> None:
    settings = LinkSettings(name="main", host="hmp.test", shortest_backoff=1, longest_backoff=8)
    hmp, states = MemoryHmp(), States()
    link = states.link(hmp.connect, settings)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(link.run)
        for times in range(1, 41):
            peer = await hmp.accept()
            await peer.alive()
            await states.until(LinkState.READY, times=times)
            await peer.close()
        nursery.cancel_scope.cancel()
    # 40 draws of a wait of up to 1, 2, 4 and then 8 seconds: less than this once in ten million.
    assert trio.current_time() > 60


async def test_a_new_way_of_failing_is_said_and_an_old_one_after_recovery_again(
    autojump_clock: trio.abc.Clock,
) -> None:
    hmp, states = MemoryHmp(), States()
    hmp.failures = [REFUSED, socket.gaierror(-2, "unknown"), REFUSED]
    with structlog.testing.capture_logs() as logs:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(states.link(hmp.connect).run)
            peer = await hmp.accept()
            await peer.alive()
            await states.until(LinkState.READY)
            hmp.failures = [REFUSED, REFUSED]
            await peer.close()
            again = await hmp.accept()
            await again.answer("OK FINISHED")
            await states.until(LinkState.READY, times=2)
            nursery.cancel_scope.cancel()
    assert [line.get("state", line["event"]) for line in logs] == [
        "refused",
        "down",
        "HMP is ready",
        "down",
        "refused",
        "HMP answered with a space for the pipe",
        "HMP is ready",
    ]


class DeadOnWrite(trio.abc.Stream):
    """A stream whose writes fail after `alive` of them, before their first byte."""

    def __init__(self, stream: trio.abc.Stream, alive: int) -> None:
        self._stream, self._alive = stream, alive
        self.local_address = "192.0.2.7"

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        await trio.lowlevel.checkpoint()
        if not self._alive:
            raise NothingSent("reset")
        self._alive -= 1
        await self._stream.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        raise NotImplementedError

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        return await self._stream.receive_some(max_bytes)

    async def aclose(self) -> None:
        await self._stream.aclose()


async def test_a_write_that_never_left_is_link_down(autojump_clock: trio.abc.Clock) -> None:
    hmp, states = MemoryHmp(), States()

    async def connect(host: str, port: int) -> trio.abc.Stream:
        return DeadOnWrite(await hmp.connect(host, port), alive=1)

    link = states.link(connect)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(link.run)
        await (await hmp.accept()).alive()
        await states.until(LinkState.READY)
        with pytest.raises(LinkDown) as caught:
            await link.execute(STOP, Priority.STOP)
        assert caught.value.state is LinkState.DOWN
        nursery.cancel_scope.cancel()


async def test_reset_on_the_first_question_names_the_address_to_add(
    autojump_clock: trio.abc.Clock,
) -> None:
    hmp, states = MemoryHmp(), States()

    async def connect(host: str, port: int) -> trio.abc.Stream:
        return DeadOnWrite(await hmp.connect(host, port), alive=0)

    with structlog.testing.capture_logs() as logs:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(states.link(connect).run)
            await states.until(LinkState.UNAUTHORIZED)
            nursery.cancel_scope.cancel()
    assert "192.0.2.7" in logs[0]["what_to_do"]


async def test_stopping_a_link_that_waits_to_reconnect(autojump_clock: trio.abc.Clock) -> None:
    hmp, states = MemoryHmp(), States()
    hmp.failures = [REFUSED] * 3
    link: ServerLink = states.link(hmp.connect)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(link.run)
        await states.until(LinkState.REFUSED)
        nursery.cancel_scope.cancel()
    with pytest.raises(LinkDown, match="stopping"):
        await link.execute(STOP, Priority.STOP)


def test_a_reset_while_connecting_is_a_refusal() -> None:
    """HMP accepted the connection, so it is there; it turned this box away (E47)."""
    error = OSError("all attempts to connect failed")
    error.__cause__ = ExceptionGroup("", [ConnectionResetError(104, "Connection reset by peer")])
    failure = not_connected(LinkSettings(name="main", host="hmp"), error)
    assert failure.state is LinkState.UNAUTHORIZED
    assert "API Access" in failure.what_to_do


async def test_a_link_that_moves_ends_its_exchange_first(
    autojump_clock: trio.abc.Clock,
) -> None:
    """Nothing is sent meanwhile; then it connects to the other address."""
    states = States()
    dialled: list[tuple[str, int]] = []
    hmp = MemoryHmp()

    async def connect(host: str, port: int) -> trio.abc.Stream:
        dialled.append((host, port))
        return await hmp.connect("hmp.test", 23233)

    link = states.link(connect)
    async with trio.open_nursery() as nursery:
        first = trio.CancelScope()

        async def run() -> None:
            with first:
                await link.run()

        nursery.start_soon(run)
        peer = await hmp.accept()
        await peer.alive()
        await states.until(LinkState.READY)
        answered = trio.Event()

        async def stop() -> None:
            await link.execute(STOP, Priority.STOP)
            answered.set()

        nursery.start_soon(stop)
        assert (await peer.line()).startswith("stopRecording")
        link.reconfigure(replace(SETTINGS, host="other.test", query_timeout=9.0))
        assert link.state is LinkState.CONNECTING
        first.cancel()
        with pytest.raises(LinkDown):
            await link.execute(STOP, Priority.STOP)
        await trio.testing.wait_all_tasks_blocked()
        await peer.send("OK\n")
        await trio.testing.wait_all_tasks_blocked()
        assert answered.is_set()
        nursery.start_soon(link.run)
        await (await hmp.accept()).alive()
        await states.until(LinkState.READY, times=2)
        nursery.cancel_scope.cancel()
    assert dialled == [("hmp.test", 23233), ("other.test", 23233)]
    assert states.seen == [LinkState.READY, LinkState.CONNECTING, LinkState.READY]
