"""What a cancelled caller gets, or one whose link is cancelled: no answer is lost (R6)."""

import pytest
import trio
import trio.testing

from bridge.hmp.client import ServerLink
from bridge.hmp.command import Command
from bridge.hmp.errors import HmpError, LinkDown, OutcomeUnknown
from bridge.hmp.link import LinkState, Priority
from tests.hmp.peer import SETTINGS, UUID, MemoryHmp
from tests.hmp.ready_link import MARK, PAUSE, START, STOP, ready


async def test_cancelled_while_it_waits_nothing_is_sent(autojump_clock: trio.abc.Clock) -> None:
    async with ready() as stage:
        first = stage.call(PAUSE)
        await stage.peer.line()
        withdrawn, last = stage.call(START), stage.call(MARK, Priority.MARK)
        await trio.testing.wait_all_tasks_blocked()
        withdrawn.scope.cancel()
        await withdrawn.wait()
        assert withdrawn.scope.cancelled_caught
        assert stage.link.health().queue_depth == 1
        await stage.peer.send("OK\n")
        await stage.peer.answer("OK", "addHotmark")
        assert [await first.result(), await last.result()] == [None, None]


async def test_cancelled_before_it_is_called_nothing_is_sent(
    autojump_clock: trio.abc.Clock,
) -> None:
    async with ready() as stage:
        with trio.CancelScope() as scope:
            scope.cancel()
            await stage.link.execute(START, Priority.CONTROL)
        assert scope.cancelled_caught
        assert stage.link.health().queue_depth == 0


async def test_cancelled_in_flight_the_reply_is_still_returned(
    autojump_clock: trio.abc.Clock,
) -> None:
    async with ready() as stage:
        start = stage.call(START)
        await stage.peer.line()
        start.scope.cancel()
        await trio.testing.wait_all_tasks_blocked()
        await stage.peer.send(f"OK|{UUID}\n")
        assert await start.result() == UUID
        assert not start.scope.cancelled_caught


async def test_cancelled_in_flight_the_wait_ends_with_the_time_limit(
    autojump_clock: trio.abc.Clock,
) -> None:
    async with ready() as stage:
        before = trio.current_time()
        start = stage.call(START)
        await stage.peer.line()
        start.scope.cancel()
        with pytest.raises(OutcomeUnknown):
            await start.result()
        assert trio.current_time() - before == pytest.approx(30)


async def test_stopping_the_link_lets_the_exchange_in_flight_end(
    autojump_clock: trio.abc.Clock,
) -> None:
    async with ready() as stage:
        start = stage.call(START)
        await stage.peer.line()
        stop = stage.call(STOP)
        await trio.testing.wait_all_tasks_blocked()
        stage.running.cancel()
        with pytest.raises(LinkDown, match="stopping"):
            await stop.result()
        with pytest.raises(LinkDown, match="stopping"):
            await stage.link.execute(STOP, Priority.STOP)
        await stage.peer.send(f"OK|{UUID}\n")
        assert await start.result() == UUID
        with pytest.raises(EOFError):
            await stage.peer.line()
        await stage.stopped.wait()
        assert stage.states.seen == [LinkState.READY]


async def test_stopping_the_link_waits_no_longer_than_the_command_may_take(
    autojump_clock: trio.abc.Clock,
) -> None:
    async with ready() as stage:
        start = stage.call(START)
        await stage.peer.line()
        before = trio.current_time()
        stage.running.cancel()
        await stage.stopped.wait()
        assert trio.current_time() - before == pytest.approx(30)
        with pytest.raises(OutcomeUnknown):
            await start.result()


async def test_callers_get_an_answer_even_when_the_link_crashes(
    autojump_clock: trio.abc.Clock,
) -> None:
    class ChangedFailed(Exception):
        pass

    def changed(state: LinkState) -> None:
        if state is LinkState.DOWN:
            raise ChangedFailed

    hmp, results = MemoryHmp(), []
    link = ServerLink(SETTINGS, changed=changed, connect=hmp.connect)

    async def execute(command: Command[object]) -> None:
        try:
            await link.execute(command, Priority.CONTROL)
        except HmpError as error:
            results.append(type(error))

    async def crash() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(link.run)
            peer = await hmp.accept()
            await peer.alive()
            await trio.testing.wait_all_tasks_blocked()
            nursery.start_soon(execute, START)
            await peer.line()
            nursery.start_soon(execute, STOP)
            await trio.testing.wait_all_tasks_blocked()
            await peer.close()

    with pytest.raises(ExceptionGroup) as caught:
        await crash()
    assert caught.group_contains(ChangedFailed)
    assert sorted(error.__name__ for error in results) == ["LinkDown", "OutcomeUnknown"]
