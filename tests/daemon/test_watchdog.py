"""When a loop counts as stuck, on the virtual clock; without systemd `WatchdogSec` is a minute."""

import math
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from bridge.daemon.watchdog import Watchdog
from bridge.journal.file import FileStore
from bridge.journal.journal import Journal
from bridge.process.progress import Progress


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with closing(Journal(FileStore(tmp_path))) as opened:
        yield opened


@pytest.fixture
def loop() -> Progress:
    return Progress()


@pytest.fixture
async def watchdog(
    journal: Journal, loop: Progress, nursery: trio.Nursery, autojump_clock: MockClock
) -> Watchdog:
    made = Watchdog(lambda: {"loop": loop.due_at}, journal)
    nursery.start_soon(made.run)
    return made


async def test_what_rests_is_not_stuck(
    autojump_clock: MockClock, watchdog: Watchdog, loop: Progress
) -> None:
    loop.wanted()  # it does not run yet: nobody expects anything of it
    await trio.sleep(100)
    loop.within(math.inf)
    await trio.sleep(100)
    assert watchdog.stuck == {}


async def test_what_a_loop_is_wanted_for_while_it_waits_for_others_is_not_forgotten(
    autojump_clock: MockClock, watchdog: Watchdog, loop: Progress
) -> None:
    loop.wanted()
    assert await loop.until_wanted()  # it was, before it came to wait
    loop.wanted()
    loop.wanted()
    await trio.sleep(100)  # for others
    assert watchdog.stuck == {}
    assert await loop.until_wanted()
    assert not await loop.until_wanted(trio.current_time() + 100)  # once for both
    assert watchdog.stuck == {}


async def test_what_is_wanted_and_does_not_come_is_stuck(
    autojump_clock: MockClock, watchdog: Watchdog, loop: Progress
) -> None:
    loop.within(math.inf)
    loop.wanted()
    await trio.sleep(29)
    loop.wanted()  # the first time counts
    assert watchdog.stuck == {}
    await trio.sleep(10)
    assert 30 < watchdog.stuck["loop"] < 40
    loop.within(math.inf)
    await trio.sleep(10)
    assert watchdog.stuck == {}


async def test_a_promise_is_kept_within_half_of_the_patience(
    autojump_clock: MockClock, watchdog: Watchdog, loop: Progress
) -> None:
    loop.within(300)
    await trio.sleep(325)
    assert watchdog.stuck == {}
    await trio.sleep(15)
    assert list(watchdog.stuck) == ["loop"]
    loop.waits()
    loop.wanted()
    await trio.sleep(10)
    assert watchdog.stuck == {}


async def test_who_rests_is_woken(loop: Progress, nursery: trio.Nursery) -> None:
    nursery.start_soon(loop.rest)
    await wait_all_tasks_blocked()
    assert loop.due_at == math.inf
    loop.wanted()
    assert loop.due_at <= trio.current_time()
    await wait_all_tasks_blocked()
    assert nursery.child_tasks == set()


async def test_who_waits_for_a_slow_disk_is_not_stuck(
    autojump_clock: MockClock, watchdog: Watchdog, loop: Progress, journal: Journal
) -> None:
    """Twenty seconds for each commit, one after the other, with the loop behind each of them."""
    loop.within(0)
    for _ in range(10):
        journal.writing_since = trio.current_time()
        await trio.sleep(20)
        journal.writing_since = None
        await trio.sleep(1)
        assert watchdog.stuck == {}
    await trio.sleep(40)
    assert list(watchdog.stuck) == ["loop"]


async def test_a_commit_without_end_is_stuck_alone(
    autojump_clock: MockClock, watchdog: Watchdog, loop: Progress, journal: Journal
) -> None:
    loop.within(0)
    journal.writing_since = trio.current_time()
    await trio.sleep(60)
    assert list(watchdog.stuck) == ["journal"]


async def test_a_commit_that_waits_to_be_told_who_leads_is_not_stuck(
    autojump_clock: MockClock, journal: Journal, loop: Progress, nursery: trio.Nursery
) -> None:
    """Nor who waits for it; once that is known, a commit has its time from then on."""
    holds = True
    watchdog = Watchdog(lambda: {"loop": loop.due_at}, journal, lambda: holds)
    nursery.start_soon(watchdog.run)
    loop.within(0)
    journal.writing_since = trio.current_time()
    await trio.sleep(600)
    assert watchdog.stuck == {}
    holds = False
    await trio.sleep(20)
    assert watchdog.stuck == {}
    await trio.sleep(40)
    assert list(watchdog.stuck) == ["journal"]
