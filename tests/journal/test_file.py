"""A batch of the journal, and what it costs to write one."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from bridge.journal.file import FILE_NAME, FileStore, open_file, write
from bridge.journal.inputs import InputKey
from bridge.journal.instant import Instant, this_instant
from bridge.journal.store import Batch, Entry, StoreFailure


def test_what_could_not_be_written_gives_way_to_what_came_meanwhile() -> None:
    at = Instant("boot", 1.0, 2.0)
    failed = Batch({"a": Entry("1", at), "b": Entry("1", at)}, contact=at, notes={"n": "1"})
    failed.add(Batch({"a": Entry("2", at)}, notes={"n": "2"}))
    assert failed.rooms == {"a": Entry("2", at), "b": Entry("1", at)}
    assert (failed.contact, failed.notes, failed.afresh) == (at, {"n": "2"}, set())


def test_inputs_of_the_session_before_are_not_written_after_all() -> None:
    before, held, now = InputKey(7, b"x"), InputKey(-3, b"held"), InputKey(8, b"y")
    failed, later = Batch(), Batch()
    for key in (before, held):
        failed.take_in(key)
    later.begin_afresh()
    later.take_in(now)
    failed.add(later)
    assert failed.afresh == {0}
    assert failed.taken_in() == [held, now]


def test_a_commit_costs_what_it_writes_and_not_what_is_there(tmp_path: Path) -> None:
    """It is on the way of a press: counted in steps of SQLite, however many rooms there are."""
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    def cost_of_one() -> int:
        nonlocal steps
        steps = 0
        write(
            connection,
            Batch(rooms={"r0": Entry("{}", this_instant()), "gone": Entry("", this_instant())}),
        )
        return steps

    with closing(open_file(tmp_path / FILE_NAME)) as connection:
        cost_of_one()
        connection.set_progress_handler(count, 1)
        alone = cost_of_one()
        write(connection, Batch(rooms={f"r{n}": Entry("{}", this_instant()) for n in range(1000)}))
        assert 0 < cost_of_one() <= alone + 50


def test_a_hundred_rooms_are_written_by_as_many_statements_as_one(tmp_path: Path) -> None:
    """Each statement waits for the interpreter anew, while the event loop is busy with them."""

    def batch(rooms: int) -> Batch:
        made = Batch(notes={"n": "1"}, contact=this_instant(), afresh={0})
        for n in range(rooms):
            made.rooms |= {
                f"r{n}": Entry("{}", this_instant()),
                f"gone{n}": Entry("", this_instant()),
            }
            made.take_in(InputKey(n, b"x", f"r{n}"))
        return made

    def statements_for(rooms: int) -> int:
        said: list[str] = []
        connection.set_trace_callback(said.append)
        write(connection, batch(rooms))
        return len(set(said))  # what a trigger does is told as the statement that it belongs to

    with closing(open_file(tmp_path / FILE_NAME)) as connection:
        assert 0 < statements_for(100) == statements_for(1)
        assert connection.execute("SELECT count(*) FROM rooms").fetchone() == (100,)


def removed(folder: Path, _: Path) -> None:
    for each in folder.glob(f"{FILE_NAME}*"):
        each.unlink()


def its_log_removed(folder: Path, _: Path) -> None:
    (folder / f"{FILE_NAME}-wal").unlink()


def moved(folder: Path, elsewhere: Path) -> None:
    for each in folder.glob(f"{FILE_NAME}*"):
        each.rename(elsewhere / each.name)


def replaced(folder: Path, elsewhere: Path) -> None:
    """As by whoever restores a folder: another file of the same name, which may even be good."""
    with closing(open_file(elsewhere / FILE_NAME)) as other:
        write(other, Batch(rooms={"r0": Entry("of before", this_instant())}))
    (elsewhere / FILE_NAME).replace(folder / FILE_NAME)


@pytest.mark.parametrize("how", [removed, its_log_removed, moved, replaced])
@pytest.mark.parametrize("times", [1, 3])
async def test_a_file_that_is_taken_away_is_written_anew(
    how: Callable[[Path, Path], None], times: int, tmp_path: Path
) -> None:
    """What was written before it, and what comes after, is there for the next process."""
    folder, elsewhere = tmp_path / "state", tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere.mkdir()
    with closing(FileStore(folder)) as store:
        await store.write(Batch(rooms={"r0": Entry("first", this_instant())}))
        for number in range(1, times + 1):
            how(folder, elsewhere)
            await store.write(Batch(rooms={f"r{number}": Entry("after", this_instant())}))
        # As a process finds it that begins where this one was killed.
        with closing(open_file(folder / FILE_NAME)) as seen:
            rows = dict(seen.execute("SELECT room, document FROM rooms").fetchall())
    after = {f"r{number}": "after" for number in range(1, times + 1)}
    assert rows == {"r0": "first"} | after
    with closing(FileStore(folder)) as store:
        assert set(store.rooms()) == set(rows)


async def test_a_folder_that_is_gone_is_a_failure_until_it_is_back(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    with closing(FileStore(folder)) as store:
        await store.write(Batch(rooms={"r0": Entry("first", this_instant())}))
        folder.rename(tmp_path / "away")
        for _ in range(3):
            with pytest.raises(StoreFailure):
                await store.write(Batch(rooms={"r1": Entry("second", this_instant())}))
        folder.mkdir()
        await store.write(Batch(rooms={"r1": Entry("second", this_instant())}))
        with closing(open_file(folder / FILE_NAME)) as seen:
            assert len(seen.execute("SELECT room FROM rooms").fetchall()) == 2


async def test_a_file_that_nobody_touches_stays_the_same(tmp_path: Path) -> None:
    with closing(FileStore(tmp_path)) as store:
        before = store.connection
        for _ in range(3):
            await store.write(Batch(rooms={"r0": Entry("{}", this_instant())}))
        assert store.connection is before
    with closing(FileStore(tmp_path)) as store:
        before = store.connection
        await store.write(Batch(rooms={"r0": Entry("{}", this_instant())}))
        assert store.connection is before
