"""What could not be written while the store was away is as soon as that is back (R36)."""

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from bridge.daemon.shared_helm import write_again
from bridge.daemon.standing import Standing
from bridge.journal.journal import Journal

from .house import AWAY, House


@pytest.fixture
async def journal(house: House, nursery: trio.Nursery) -> Journal:
    """The journal of a box that has led all the while, and could not write the note `a`."""
    made = Journal(house.store)
    nursery.start_soon(write_again, house.helm, made)
    house.disk.failures = [AWAY]
    await made.save_note("a", "kept")
    assert made.failure is not None
    assert house.helm.look() is Standing.LEADS
    return made


async def test_it_waits_for_no_other_commit(house: House, journal: Journal) -> None:
    written = trio.Event()
    journal.on_commit(lambda _: written.set())
    house.answers()
    await written.wait()
    assert house.store.note("a") == "kept"
    assert journal.failure is None


async def test_a_store_that_answers_and_takes_nothing_is_given_it_now_and_then(
    house: House, journal: Journal, autojump_clock: trio.abc.Clock
) -> None:
    house.disk.failures = [AWAY] * 3
    began = trio.current_time()
    for left in (2, 1, 0):
        for _ in range(3):
            house.answers()
            await wait_all_tasks_blocked()
            assert len(house.disk.failures) == left
        await trio.sleep(5.0)
    assert trio.current_time() - began == 15.0
