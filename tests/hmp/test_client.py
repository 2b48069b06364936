"""The server link against a peer in memory, on a virtual clock.

The peer side of each test is the test's own body: it reads what the link sends and answers. No test
waits for real time; `autojump_clock` jumps to the next deadline once every task waits.
"""

import itertools

import pytest
import trio
import trio.testing

from bridge.hmp.arguments import RecordingId
from bridge.hmp.command import Command
from bridge.hmp.commands import (
    AddHotmark,
    RecordingStatus,
)
from bridge.hmp.errors import (
    ErrorKind,
    LinkDown,
    NotAuthorized,
    NotUnderstood,
    OutcomeUnknown,
    Refused,
)
from bridge.hmp.link import LinkState, Priority
from tests.hmp.peer import UUID, MemoryHmp, States
from tests.hmp.ready_link import MARK, PAUSE, START, STATUS, STOP, Caller, ready


async def test_a_command_is_answered_with_its_typed_result(autojump_clock: trio.abc.Clock) -> None:
    async with ready() as stage:
        start = stage.call(START)
        assert await stage.peer.answer(f"OK|{UUID}") == f"startRecording {UUID}"
        assert await start.result() == UUID
        status = stage.call(STATUS)
        await stage.peer.answer("OK|PAUSED")
        assert await status.result() is RecordingStatus.PAUSED


async def test_a_refusal_is_raised_and_the_link_stays(autojump_clock: trio.abc.Clock) -> None:
    async with ready() as stage:
        pause = stage.call(PAUSE)
        await stage.peer.answer("ERROR|070003|Failed to update state")
        with pytest.raises(Refused) as caught:
            await pause.result()
        assert caught.value.kind is ErrorKind.INTERNAL
        mark = stage.call(MARK)
        await stage.peer.answer("OK", 'addHotmark 71edd346-2cf0-4c62-b3d3-9d457b287394 "Phase I"')
        assert await mark.result() is None
        assert stage.states.seen == [LinkState.READY]


async def test_one_in_flight_and_the_rest_by_priority_then_age(
    autojump_clock: trio.abc.Clock,
) -> None:
    async with ready() as stage:
        in_flight = stage.call(PAUSE)
        await stage.peer.line()
        waiting: list[Caller] = []
        for turn in range(3):
            for priority in reversed(Priority):
                mark = AddHotmark(RecordingId(UUID), f"{priority.name}-{turn}")
                waiting.append(stage.call(mark, priority))
                await trio.testing.wait_all_tasks_blocked()  # in this order, not in Trio's
        assert stage.link.health().queue_depth == len(waiting)
        with trio.move_on_after(1) as nothing_more:
            await stage.peer.line()
        assert nothing_more.cancelled_caught
        await stage.peer.send("OK\n")
        order = [(await stage.peer.answer("OK")).split()[-1] for _ in waiting]
        assert order == [f"{priority.name}-{turn}" for priority in Priority for turn in range(3)]
        for caller in [in_flight, *waiting]:
            assert await caller.result() is None


@pytest.mark.parametrize(("command", "limit"), [(STATUS, 5), (PAUSE, 10), (START, 30), (STOP, 30)])
async def test_no_answer_in_time_closes_the_connection(
    autojump_clock: trio.abc.Clock, command: Command[object], limit: float
) -> None:
    async with ready() as stage:
        before = trio.current_time()
        caller = stage.call(command)
        await stage.peer.line()
        behind = stage.call(MARK, Priority.POLL)
        with pytest.raises(OutcomeUnknown, match=command.name):
            await caller.result()
        assert trio.current_time() - before == pytest.approx(limit)
        with pytest.raises(LinkDown, match="no answer"):
            await behind.result()
        assert stage.states.seen[-1] is LinkState.DOWN
        with pytest.raises(EOFError):
            await stage.peer.line()


async def test_a_late_reply_never_answers_the_next_command(autojump_clock: trio.abc.Clock) -> None:
    async with ready() as stage:
        late = stage.call(PAUSE)
        await stage.peer.line()
        with pytest.raises(OutcomeUnknown):
            await late.result()
        with pytest.raises(EOFError):
            await stage.peer.line()
        with pytest.raises(trio.BrokenResourceError):
            await stage.peer.send("OK\n")
        again = await stage.hmp.accept()
        await again.alive()
        await stage.states.until(LinkState.READY, times=2)
        status = stage.call(STATUS)
        await again.answer("OK|RECORDING")
        assert await status.result() is RecordingStatus.RECORDING


async def test_link_lost_tells_the_one_in_flight_from_those_that_wait(
    autojump_clock: trio.abc.Clock,
) -> None:
    async with ready() as stage:
        start = stage.call(START)
        await stage.peer.line()
        waiting = [stage.call(STOP), stage.call(MARK)]
        await trio.testing.wait_all_tasks_blocked()
        await stage.peer.send("OK|71ed")  # half a reply is none
        await stage.peer.close()
        with pytest.raises(OutcomeUnknown, match="HMP closed the connection"):
            await start.result()
        for caller in waiting:
            with pytest.raises(LinkDown) as caught:
                await caller.result()
            assert caught.value.state is LinkState.DOWN
        with pytest.raises(LinkDown):
            await stage.link.execute(STOP, Priority.STOP)


async def test_a_close_while_idle_is_noticed_at_once(autojump_clock: trio.abc.Clock) -> None:
    async with ready() as stage:
        before = trio.current_time()
        await stage.peer.close()
        await stage.states.until(LinkState.DOWN)
        assert trio.current_time() == before
        again = await stage.hmp.accept()
        await again.alive()
        await stage.states.until(LinkState.READY, times=2)
        assert stage.states.seen == [LinkState.READY, LinkState.DOWN, LinkState.READY]
        assert stage.link.health().reconnects == 1


@pytest.mark.parametrize("line", ["OK\n", "OK|RECORDING\n", "Welcome\n"])
async def test_a_line_that_nobody_asked_for_closes_the_connection(
    autojump_clock: trio.abc.Clock, line: str
) -> None:
    async with ready() as stage:
        await stage.peer.send(line)
        await stage.states.until(LinkState.DOWN)
        assert "broke the protocol" in (stage.link.health().error or "")
        with pytest.raises(EOFError):
            await stage.peer.line()


async def test_taken_off_the_list_while_idle(autojump_clock: trio.abc.Clock) -> None:
    async with ready() as stage:
        await stage.peer.send("ERROR|020000|Not Authorized\n")
        await stage.states.until(LinkState.UNAUTHORIZED)
        with pytest.raises(LinkDown) as caught:
            await stage.link.execute(START, Priority.CONTROL)
        assert caught.value.state is LinkState.UNAUTHORIZED


async def test_taken_off_the_list_with_a_command_in_flight(autojump_clock: trio.abc.Clock) -> None:
    async with ready() as stage:
        start = stage.call(START)
        await trio.testing.wait_all_tasks_blocked()
        stop = stage.call(STOP)
        await stage.peer.answer("ERROR|020000|Not Authorized")
        with pytest.raises(NotAuthorized):
            await start.result()
        with pytest.raises(LinkDown) as caught:
            await stop.result()
        assert caught.value.state is LinkState.UNAUTHORIZED


async def test_a_result_of_another_command_leaves_the_outcome_unknown(
    autojump_clock: trio.abc.Clock,
) -> None:
    async with ready() as stage:
        start = stage.call(START)
        await stage.peer.answer("OK|RECORDING")
        with pytest.raises(OutcomeUnknown, match="UUID"):
            await start.result()
        assert stage.states.seen[-1] is LinkState.DOWN


async def test_what_is_not_understood_is_its_callers_and_the_link_stays(
    autojump_clock: trio.abc.Clock,
) -> None:
    async with ready() as stage:
        start = stage.call(START)
        await stage.peer.answer("OK|nonsense")
        with pytest.raises(NotUnderstood, match="UUID"):
            await start.result()
        status = stage.call(STATUS)
        await stage.peer.answer("OK|FINALIZING")
        with pytest.raises(NotUnderstood, match="FINALIZING"):
            await status.result()
        assert stage.states.seen[-1] is LinkState.READY


async def test_a_command_that_leaves_in_pieces_is_one_command(
    autojump_clock: trio.abc.Clock,
) -> None:
    async with ready(lockstep=True) as stage:
        start = stage.call(START)
        received = bytearray()
        while not received.endswith(b"\n"):
            received += await stage.peer.stream.receive_some(1)
        assert received == f"startRecording {UUID}\n".encode()
        await stage.peer.send(f"OK|{UUID}\n")
        assert await start.result() == UUID


async def test_half_a_command_written_is_an_unknown_outcome(autojump_clock: trio.abc.Clock) -> None:
    async with ready(lockstep=True) as stage:
        start = stage.call(START)
        assert await stage.peer.stream.receive_some(5) == b"start"
        await stage.peer.close()
        with pytest.raises(OutcomeUnknown):
            await start.result()


async def test_a_peer_that_reads_nothing_times_out(autojump_clock: trio.abc.Clock) -> None:
    async with ready(lockstep=True) as stage:
        before = trio.current_time()
        with pytest.raises(OutcomeUnknown):
            await stage.call(PAUSE).result()
        assert trio.current_time() - before == pytest.approx(10)


async def test_poll_slots_are_spread_over_the_budget(autojump_clock: trio.abc.Clock) -> None:
    link = States().link(MemoryHmp().connect)
    assert [link.polls.delay() for _ in range(3)] == pytest.approx([2.0, 2.05, 2.1])
    slots = [trio.current_time() + link.polls.delay() for _ in range(200)]
    gaps = [b - a for a, b in itertools.pairwise(slots)]
    assert min(gaps) == pytest.approx(1 / 20)
    await trio.sleep(100)
    assert link.polls.delay() == 2.0


async def test_a_connection_that_breaks_is_an_unknown_outcome(
    autojump_clock: trio.abc.Clock,
) -> None:
    async with ready() as stage:
        start = stage.call(START)
        await stage.peer.line()
        stage.broken.set()
        with pytest.raises(OutcomeUnknown, match="reset by peer"):
            await start.result()
        assert stage.states.seen[-1] is LinkState.DOWN


async def test_an_answer_at_the_last_moment_is_returned_and_nothing_sent_after_it(
    autojump_clock: trio.abc.Clock,
) -> None:
    async with ready(stubborn=True) as stage:
        pause = stage.call(PAUSE)
        await stage.peer.line()
        behind = stage.call(START)
        await trio.sleep(10.5)  # the time limit is over, but the bytes are there to be read
        await stage.peer.send("OK\n")
        assert await pause.result() is None
        with pytest.raises(LinkDown, match="last moment"):
            await behind.result()
        with pytest.raises(EOFError):
            await stage.peer.line()
