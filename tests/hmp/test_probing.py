"""Whether HMP is well, asked by the link when nobody asks anything else; on a virtual clock."""

import itertools

import outcome
import pytest
import trio
import trio.testing

from bridge.hmp.client import ServerLink
from bridge.hmp.errors import ErrorKind, LinkDown, Refused
from bridge.hmp.link import LinkState, Priority
from bridge.hmp.measure import RoundTrip, measure
from tests.hmp.peer import NOT_FOUND, UUID, MemoryHmp, States
from tests.hmp.ready_link import PAUSE, START, STATUS, STOP, ready


async def test_a_round_trip_is_measured_from_its_turn(autojump_clock: trio.abc.Clock) -> None:
    async with ready() as stage:
        pause, found = stage.call(PAUSE), list[RoundTrip]()
        await stage.peer.line()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_measure, stage.link, found)
            await trio.sleep(4)
            await stage.peer.send("OK\n")
            await stage.peer.line()
            await trio.sleep(1.5)
            await stage.peer.send(f"{NOT_FOUND}\n")
        await pause.result()
    assert [(round(each.waited, 3), round(each.took, 3)) for each in found] == [(4.0, 1.5)]


async def _measure(link: ServerLink, found: list[RoundTrip]) -> None:
    found.append(await measure(link))


async def test_a_doubtful_back_end_is_probed_before_anything_else(
    autojump_clock: trio.abc.Clock,
) -> None:
    async with ready() as stage:
        pause, stop = stage.call(PAUSE), stage.call(STOP, Priority.STOP)
        await trio.testing.wait_all_tasks_blocked()
        await stage.peer.answer("ERROR|070000|Internal Server Error")
        await stage.peer.alive()
        await stage.peer.answer("OK")
        results = [await outcome.acapture(caller.result) for caller in (pause, stop)]
        assert sorted(type(result).__name__ for result in results) == ["Error", "Value"]
        assert stage.states.seen == [LinkState.READY]


async def test_degraded_keeps_the_socket_probes_and_recovers(
    autojump_clock: trio.abc.Clock,
) -> None:
    async with ready() as stage:
        pause = stage.call(PAUSE)
        await stage.peer.line()
        stop = stage.call(STOP)
        await trio.testing.wait_all_tasks_blocked()
        await stage.peer.send("ERROR|090001|No bus connection\n")
        await stage.peer.answer("ERROR|090001|No bus connection", "getRecordingStatus ")
        with pytest.raises(Refused) as refused:
            await pause.result()
        assert refused.value.kind is ErrorKind.TRANSIENT
        with pytest.raises(LinkDown) as down:
            await stop.result()
        assert down.value.state is LinkState.DEGRADED
        times = []
        for _ in range(3):
            await stage.peer.answer("ERROR|070000|Internal Server Error", "getRecordingStatus ")
            times.append(trio.current_time())
        assert [b - a for a, b in itertools.pairwise(times)] == pytest.approx([3, 3])
        await stage.peer.alive()
        await stage.states.until(LinkState.READY, times=2)
        assert stage.states.seen == [LinkState.READY, LinkState.DEGRADED, LinkState.READY]
        assert len(stage.hmp.attempts) == 1


async def test_silence_is_probed_and_a_half_open_connection_given_up(
    autojump_clock: trio.abc.Clock,
) -> None:
    async with ready() as stage:
        before = trio.current_time()
        await stage.peer.alive()
        assert trio.current_time() - before == pytest.approx(30)
        await stage.peer.line()  # the next probe is not answered
        assert trio.current_time() - before == pytest.approx(60)
        await stage.states.until(LinkState.DOWN)
        assert trio.current_time() - before == pytest.approx(65)
        assert "no answer to getRecordingStatus within 5 s" in (stage.link.health().error or "")


async def test_a_slow_answer_is_no_silence(autojump_clock: trio.abc.Clock) -> None:
    async with ready() as stage:
        await trio.sleep(15)
        start = stage.call(START)
        await stage.peer.line()
        await trio.sleep(20)  # beyond the probe interval, within the command's limit
        await stage.peer.send(f"OK|{UUID}\n")
        assert await start.result() == UUID
        answered = trio.current_time()
        await stage.peer.alive()
        assert trio.current_time() - answered == pytest.approx(30)


async def test_polls_are_probes_enough(autojump_clock: trio.abc.Clock) -> None:
    async with ready() as stage:
        for _ in range(4):
            await trio.sleep(20)
            status = stage.call(STATUS, Priority.POLL)
            await stage.peer.answer("OK|RECORDING", f"getRecordingStatus {UUID}")
            await status.result()


async def test_health_tells_the_round_trip(autojump_clock: trio.abc.Clock) -> None:
    async with ready() as stage:
        status = stage.call(STATUS)
        await stage.peer.line()
        await trio.sleep(0.25)
        await stage.peer.send("OK|FINISHED\n")
        await status.result()
        health = stage.link.health()
        assert health.round_trip == pytest.approx(0.25)
        assert health.last_answer == trio.current_time()
        assert (health.state, health.error) == (LinkState.READY, None)


async def test_not_found_is_health_whatever_the_code(autojump_clock: trio.abc.Clock) -> None:
    for answer in (
        NOT_FOUND,
        "ERROR|040002|Recording not found",
        "ERROR|070003|Recording not found",
        "OK|FINISHED",
    ):
        hmp, states = MemoryHmp(), States()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(states.link(hmp.connect).run)
            await (await hmp.accept()).answer(answer)
            await states.until(LinkState.READY)
            nursery.cancel_scope.cancel()


async def test_a_probe_is_not_waited_for_when_stopping(autojump_clock: trio.abc.Clock) -> None:
    async with ready() as stage:
        await stage.peer.line()  # the probe after silence
        before = trio.current_time()
        stage.running.cancel()
        await stage.stopped.wait()
        assert trio.current_time() == before
