"""The journal on a real file: what comes back, how commits are shared, what a broken one does."""

import sqlite3
import threading
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
import trio
import trio.testing

from bridge.journal.file import FileStore
from bridge.journal.inputs import InputKey
from bridge.journal.instant import Instant, this_instant
from bridge.journal.journal import Journal
from bridge.journal.store import Batch, JournalUnusable


async def test_what_was_saved_comes_back(tmp_path: Path) -> None:
    journal = Journal(FileStore(tmp_path))
    before = this_instant()
    await journal.save("a", '{"x":1}')
    await journal.save("a", '{"x":2}', [InputKey(7, b"digest")])
    await journal.save_contact()
    journal.close()

    again = Journal(FileStore(tmp_path))
    [(room, entry)] = again.rooms().items()
    assert (room, entry.document) == ("a", '{"x":2}')
    assert entry.at.boot == before.boot
    assert before.monotonic <= entry.at.monotonic <= this_instant().monotonic
    assert again.inputs() == {InputKey(7, b"digest")}
    contact = again.contact()
    assert contact is not None
    assert contact.monotonic >= entry.at.monotonic
    again.close()


async def test_inputs_are_forgotten_where_the_broker_begins_afresh(tmp_path: Path) -> None:
    journal = Journal(FileStore(tmp_path))
    await journal.save("a", "{}", [InputKey(7, b"of the session before")])
    await journal.forget_inputs()
    assert journal.inputs() == set()
    await journal.save("a", "{}", [InputKey(7, b"of this session")])
    assert journal.inputs() == {InputKey(7, b"of this session")}
    journal.close()


def test_an_empty_journal_knows_nothing(tmp_path: Path) -> None:
    journal = Journal(FileStore(tmp_path))
    assert (journal.rooms(), journal.inputs(), journal.contact()) == ({}, set(), None)
    journal.close()


def test_a_commit_is_flushed_to_the_disk(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    journal = Journal(store)
    connection = store.connection  # SQLite's word for it, as set on this connection
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    journal.close()


async def test_rooms_that_save_at_once_share_a_commit(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    journal = Journal(store)
    commits = []
    store.connection.set_trace_callback(  # SQLite itself counts
        lambda statement: commits.append(statement) if statement == "COMMIT" else None
    )
    async with trio.open_nursery() as nursery:
        for number in range(200):
            nursery.start_soon(journal.save, f"room-{number}", "{}")
    assert len(journal.rooms()) == 200
    assert len(commits) <= 2  # the first perhaps by itself, then everybody who came meanwhile
    journal.close()


async def test_who_is_cancelled_loses_nobody_elses_document(tmp_path: Path) -> None:
    """A link that ends just when its turn has come had taken a room's document with it."""
    store = FileStore(tmp_path)
    journal = Journal(store)
    contact = trio.CancelScope()

    async def keep_contact() -> None:
        with contact:
            await journal.save_contact()

    async def meanwhile() -> None:
        nursery.start_soon(keep_contact)
        await trio.testing.wait_all_tasks_blocked()
        nursery.start_soon(journal.save, "b", "{}")
        await trio.testing.wait_all_tasks_blocked()

    def while_writing(statement: str) -> None:
        if statement == "COMMIT":
            store.connection.set_trace_callback(None)  # the first only
            trio.from_thread.run(meanwhile, trio_token=token)

    token = trio.lowlevel.current_trio_token()
    store.connection.set_trace_callback(while_writing)  # the disk at work
    async with trio.open_nursery() as nursery:
        await journal.save("a", "{}")
        contact.cancel()  # the lock is its own by now, and it has not run yet
    assert set(journal.rooms()) == {"a", "b"}
    journal.close()


async def test_the_trio_thread_is_not_held_up(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    journal = Journal(store)
    blocker = sqlite3.connect(store.path, isolation_level=None, check_same_thread=False)
    blocker.execute("BEGIN IMMEDIATE")
    release = threading.Event()

    def unblock() -> None:
        release.wait()
        blocker.execute("ROLLBACK")

    ticks = 0
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.to_thread.run_sync, unblock)
        nursery.start_soon(journal.save, "a", "{}")
        for _ in range(100):
            await trio.lowlevel.checkpoint()
            ticks += 1
        release.set()
    assert ticks == 100
    assert "a" in journal.rooms()
    blocker.close()
    journal.close()


async def test_a_failing_disk_is_said_and_made_up_for(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    journal = Journal(store)
    heard: list[bool] = []
    journal.on_change(heard.append)
    # SQLite's own limit plays the full disk: "database or disk is full".
    [(pages,)] = store.connection.execute("PRAGMA page_count")
    store.connection.execute(f"PRAGMA max_page_count = {pages}")
    await journal.save("a", "x" * 100_000)
    assert journal.failure is not None
    assert "full" in journal.failure
    await journal.save("b", "x" * 100_000)
    assert heard == [True]

    store.connection.execute("PRAGMA max_page_count = 100000")
    await journal.save("c", "{}")
    assert heard == [True, False]
    assert journal.health().failure is None
    assert set(journal.rooms()) == {"a", "b", "c"}
    journal.close()


@pytest.mark.parametrize("damage", [b"this is no database", b"SQLite format 3\0" + b"\xff" * 4096])
def test_an_unreadable_journal_is_moved_aside(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "journal.db").write_bytes(damage)
    store = FileStore(tmp_path)
    journal = Journal(store)
    assert journal.rooms() == {}
    assert store.moved_aside is not None
    assert store.moved_aside.read_bytes() == damage
    journal.close()


def test_a_page_damaged_in_the_middle_is_noticed(tmp_path: Path) -> None:
    async def fill(journal: Journal) -> None:
        for number in range(200):
            await journal.save(f"room-{number}", "x" * 500)

    store = FileStore(tmp_path)
    journal = Journal(store)
    trio.run(fill, journal)
    journal.close()
    path = tmp_path / "journal.db"
    data = bytearray(path.read_bytes())
    data[8192:12288] = b"\xa5" * 4096
    path.write_bytes(bytes(data))
    again = FileStore(tmp_path)
    assert again.moved_aside is not None
    again.close()


def test_a_journal_of_a_later_version_is_not_touched(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "journal.db") as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(JournalUnusable, match="later version"):
        Journal(FileStore(tmp_path))
    assert list(tmp_path.glob("*unreadable*")) == []


def test_a_journal_that_cannot_be_opened_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "journal.db").mkdir()
    with pytest.raises(JournalUnusable, match="cannot be opened"):
        Journal(FileStore(tmp_path))


def test_clocks_within_a_boot_and_across_boots() -> None:
    saved = Instant("boot-1", 100.0, 1_000.0)
    assert saved.shift_to(Instant("boot-1", 500.0, 9_999.0)) == 0.0
    # Rebooted: a minute passed by the wall clock; what was 100 then is 60 seconds ago now.
    shift = saved.shift_to(Instant("boot-2", 7.0, 1_060.0))
    assert 100.0 + shift == pytest.approx(7.0 - 60.0)
    # A wall clock that has not been set yet: nothing is in the future.
    assert 100.0 + saved.shift_to(Instant("boot-2", 7.0, 0.0)) == pytest.approx(7.0)


async def test_what_is_forgotten_is_gone(tmp_path: Path) -> None:
    """At once, over a restart, and not for good."""
    with closing(Journal(FileStore(tmp_path))) as journal:
        await journal.save("a", '{"x":1}')
        await journal.save("b", "{}")
        await journal.forget("a")
        assert set(await journal.entries()) == {"b"}
    with closing(Journal(FileStore(tmp_path))) as journal:
        assert set(journal.rooms()) == {"b"}
        await journal.save("a", '{"x":2}')
        assert (await journal.entries())["a"].document == '{"x":2}'


async def test_what_cannot_be_written_is_known_all_the_same(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    with closing(Journal(store)) as journal:
        await journal.save("a", "{}")
        await journal.save("b", "{}")
        store.connection.execute("PRAGMA query_only = ON")  # a disk that fails
        await journal.forget("a")
        await journal.save("b", '{"x":1}')
        assert journal.failure is not None
        assert {room: each.document for room, each in (await journal.entries()).items()} == {
            "b": '{"x":1}'
        }
        store.connection.execute("PRAGMA query_only = OFF")
        await journal.save("c", "{}")
        assert set(journal.rooms()) == {"b", "c"}


async def test_a_held_press_is_known_although_the_broker_begins_afresh(tmp_path: Path) -> None:
    """It was never the broker's, and what could not be written yet is forgotten no sooner."""
    store = FileStore(tmp_path)
    with closing(Journal(store)) as journal:
        store.connection.execute("PRAGMA query_only = ON")  # a disk that fails
        await journal.save(
            "a", "{}", [InputKey(7, b"of the session before"), InputKey(-3, b"held")]
        )
        await journal.forget_inputs()
        store.connection.execute("PRAGMA query_only = OFF")
        await journal.save("b", "{}")
        assert journal.inputs() == {InputKey(-3, b"held")}


async def test_the_message_that_has_a_packet_id_now_is_known(tmp_path: Path) -> None:
    """Although the commit with the one before, of which there were two parts, had failed."""
    failed, later = Batch(), Batch()
    for part in ("first", "second"):
        failed.take_in(InputKey(7, b"x", part))
    later.take_in(InputKey(7, b"y", "first"))
    failed.add(later)
    with closing(Journal(FileStore(tmp_path))) as journal:
        await journal.save("a", "{}", failed.taken_in())
        assert journal.inputs() == {InputKey(7, b"y", "first")}


async def test_each_part_of_a_message_is_known_by_itself(tmp_path: Path) -> None:
    journal = Journal(FileStore(tmp_path))
    await journal.save("a", "{}", [InputKey(7, b"x", "first")])
    await journal.save("b", "{}", [InputKey(7, b"x", "second"), InputKey(-3, b"held", "third")])
    assert journal.inputs() == {
        InputKey(7, b"x", "first"),
        InputKey(7, b"x", "second"),
        InputKey(-3, b"held", "third"),
    }
    # The packet id is used again: nothing of the message before is known any more.
    await journal.save("a", "{}", [InputKey(7, b"y", "first")])
    assert journal.inputs() == {InputKey(7, b"y", "first"), InputKey(-3, b"held", "third")}
    await journal.forget_inputs()
    assert journal.inputs() == {InputKey(-3, b"held", "third")}
    journal.close()


def test_a_journal_of_before_is_taken_forward(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "journal.db")) as connection:
        connection.executescript(
            "CREATE TABLE rooms (room TEXT PRIMARY KEY, document TEXT NOT NULL, boot TEXT NOT NULL,"
            " monotonic REAL NOT NULL, wall REAL NOT NULL) WITHOUT ROWID;"
            "CREATE TABLE inputs (mid INTEGER PRIMARY KEY, digest BLOB NOT NULL);"
            "CREATE TABLE contact (one INTEGER PRIMARY KEY CHECK (one = 1), boot TEXT NOT NULL,"
            " monotonic REAL NOT NULL, wall REAL NOT NULL);"
            "INSERT INTO inputs VALUES (7, x'64');"
            "PRAGMA user_version = 1;"
        )
    journal = Journal(FileStore(tmp_path))
    assert journal.inputs() == {InputKey(7, b"d")}
    assert journal.note("bindings") == ""
    journal.close()


async def test_more_rows_than_a_statement_takes(tmp_path: Path) -> None:
    with closing(Journal(FileStore(tmp_path))) as journal:
        keys = [InputKey(mid, b"x") for mid in range(2500)]
        async with trio.open_nursery() as nursery:
            for key in keys:
                nursery.start_soon(journal.save, f"r{key.mid}", "{}", [key])
        assert (len(journal.rooms()), journal.inputs()) == (2500, set(keys))
        async with trio.open_nursery() as nursery:
            for key in keys:
                nursery.start_soon(journal.forget, f"r{key.mid}")
        assert journal.rooms() == {}


async def test_what_was_given_is_written_with_what_somebody_waits_for(tmp_path: Path) -> None:
    commits: list[float] = []
    with closing(Journal(FileStore(tmp_path))) as journal:
        journal.on_commit(commits.append)
        given = [journal.save(room, "{}") for room in "abc"]
        assert commits == []
        await journal.save("d", "{}")
        assert set(journal.rooms()) == {*"abcd"}
        for each in given:
            await each
        assert len(commits) == 1


async def test_a_document_that_is_saved_again_is_made_once(tmp_path: Path) -> None:
    made: list[str] = []

    def document(text: str) -> str:
        made.append(text)
        return text

    with closing(Journal(FileStore(tmp_path))) as journal:
        first = journal.save("a", partial(document, "1"), [InputKey(7, b"x")])
        await journal.save("a", partial(document, "2"))
        await first
        assert made == ["2"]
        assert journal.rooms()["a"].document == "2"
        assert journal.inputs() == {InputKey(7, b"x")}


async def test_a_document_that_cannot_be_made_takes_nothing_else_with_it(tmp_path: Path) -> None:
    documents: list[str] = []
    with closing(Journal(FileStore(tmp_path))) as journal:
        journal.put_note("a", "kept")
        with pytest.raises(IndexError):
            await journal.save("a", documents.pop, [InputKey(7, b"x")])
        documents.append("{}")
        await journal.try_again()
        assert journal.note("a") == "kept"
        assert journal.rooms()["a"].document == "{}"
        assert journal.inputs() == {InputKey(7, b"x")}
