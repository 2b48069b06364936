"""The journal on a real etcd: what comes back, who may write, and what a lost answer does."""

import json
from math import inf

import pytest
import trio
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from bridge.cluster.store import shared_instance
from bridge.cluster.wire import put
from bridge.journal.file import FileStore
from bridge.journal.inputs import InputKey
from bridge.journal.instant import Instant
from bridge.journal.journal import Journal
from bridge.journal.store import Batch, Entry, Fenced, JournalUnusable, Store, StoreFailure
from tests.process.watched import PATIENCE

from .boxes import AT, box, leading, settings
from .relay import HoldsOne, Relay
from .servers import Members


def content(store: Store) -> tuple[object, ...]:
    """Everything that can be read from a store."""
    notes = {name: store.note(name) for name in ("bindings", "owned")}
    return store.rooms(), store.inputs(), store.contact(), notes


def rooms(count: int, text: str = "{}") -> Batch:
    """A batch with as many rooms, and an input of each."""
    batch = Batch({f"r{number}": Entry(text, AT) for number in range(count)})
    for number in range(count):
        batch.take_in(InputKey(number, b"digest"))
    return batch


instants = st.builds(
    Instant,
    boot=st.sampled_from(["boot", "another"]),
    monotonic=st.floats(0, 1e6),
    wall=st.floats(0, 2e9),
)
documents = st.one_of(st.just(""), st.text(max_size=20))
keys = st.builds(
    InputKey,
    mid=st.one_of(st.integers(-3, 40), st.integers(65_530, 65_600)),
    digest=st.binary(min_size=1, max_size=2),
    part=st.sampled_from(["", "first", "second"]),
)


@st.composite
def batches(draw: st.DrawFn) -> Batch:
    batch = Batch(
        draw(st.dictionaries(st.sampled_from("abc/"), st.builds(Entry, documents, instants))),
        contact=draw(st.one_of(st.none(), instants)),
        notes=draw(st.dictionaries(st.sampled_from(["bindings", "owned"]), documents)),
    )
    for key in draw(st.lists(keys, max_size=6)):
        batch.take_in(key)
    for session in draw(st.sets(st.integers(0, 1))):
        batch.begin_afresh(session)
    for key in draw(st.lists(keys, max_size=6)):
        batch.take_in(key)
    return batch


@hypothesis_settings(max_examples=15)
@given(st.lists(batches(), min_size=1, max_size=4))
def test_it_keeps_what_the_file_keeps(
    etcd: Members, tmp_path_factory: pytest.TempPathFactory, written: list[Batch]
) -> None:
    """After every batch, and for whoever opens it then."""

    async def compare() -> None:
        file = FileStore(tmp_path_factory.mktemp("file"))
        async with leading(settings(etcd.endpoints)) as left:
            for batch in written:
                await file.write(batch)
                await left.store.write(batch)
                assert content(left.store) == content(file)
            assert content(await left.reread()) == content(file)
        file.close()

    trio.run(compare)


async def test_a_box_that_leads_no_more_writes_nothing(etcd: Members) -> None:
    its = settings(etcd.endpoints)
    async with leading(its) as left, trio.open_nursery() as nursery:
        journal = Journal(left.store)
        changes: list[bool] = []
        journal.on_change(changes.append)
        await journal.save("a", "of left")
        held = await left.etcd.get(left.term.key)
        assert held is not None
        await left.etcd.revoke(held.lease)
        async with leading(settings(etcd.endpoints, its.prefix, "right")) as right:
            went_on: list[str] = []
            refused: list[str] = []

            async def save(room: str) -> None:
                try:
                    await journal.save(room, "of left again")
                except Fenced as error:
                    refused.append(str(error))
                else:
                    went_on.append(room)

            async with trio.open_nursery() as all_at_once:
                for room in "abcdef":
                    all_at_once.start_soon(save, room)
            assert not went_on
            assert len(refused) == 6
            await save("a")
            assert not went_on
            assert left.term.lost.is_set()
            assert journal.failure == refused[0]
            assert not changes  # an alarm of this box's would be said over the other's
            assert right.store.rooms() == {"a": left.store.rooms()["a"]}
            assert content(await right.reread()) == content(right.store)
        nursery.cancel_scope.cancel()


async def test_nobody_writes_where_nobody_leads(etcd: Members) -> None:
    async with leading(settings(etcd.endpoints)) as left:
        held = await left.etcd.get(left.term.key)
        assert held is not None
        await left.etcd.revoke(held.lease)
        with pytest.raises(Fenced, match="the lease is not this box's any more"):
            await left.store.write(rooms(1))


async def test_what_somebody_else_has_written_is_not_written_over(etcd: Members) -> None:
    async with leading(settings(etcd.endpoints)) as left:
        await left.store.write(rooms(1))
        await left.etcd.transact([], [put(f"{left.etcd.settings.prefix}commit", "mine")])
        with pytest.raises(Fenced, match="the key commit is none of hmp-bridge's"):
            await left.store.write(rooms(1))


async def test_a_commit_that_arrives_late_changes_nothing(etcd: Members) -> None:
    """It was given up, and the box has written more since, by another member."""
    relay = Relay(target=etcd[0].port)
    async with trio.open_nursery() as nursery:
        await nursery.start(relay.run)
        ways = (relay.endpoint, *etcd.endpoints)
        async with leading(settings(etcd.endpoints), ways, ttl=6.0) as left:
            await left.store.write(Batch({"a": Entry("1", AT)}))
            relay.silence(True)
            await left.store.write(Batch({"a": Entry("2", AT)}))
            await left.store.write(Batch({"a": Entry("3", AT)}))
            before = await left.etcd.get(f"{left.etcd.settings.prefix}commit")
            relay.withheld = trio.Event()
            relay.answers = 0
            relay.silence(False)
            with trio.fail_after(PATIENCE):
                await relay.withheld.wait()  # etcd has had, and answered, the late one
            assert await left.etcd.get(f"{left.etcd.settings.prefix}commit") == before
            assert (await left.reread()).rooms() == {"a": Entry("3", AT)}
        nursery.cancel_scope.cancel()


async def test_a_commit_whose_answer_was_lost_counts_once(etcd: Members) -> None:
    relay = Relay(target=etcd[0].port)
    async with trio.open_nursery() as nursery:
        await nursery.start(relay.run)
        ways = (relay.endpoint, *etcd.endpoints)
        async with leading(settings(etcd.endpoints), ways, ttl=6.0) as left:
            await left.store.write(rooms(1))
            relay.answers = 0
            await left.store.write(rooms(2))
            assert relay.withheld.is_set()
            last = await left.etcd.get(f"{left.etcd.settings.prefix}commit")
            assert last is not None
            assert json.loads(last.value)["number"] == 2
            assert content(await left.reread()) == content(left.store)
        nursery.cancel_scope.cancel()


async def test_a_commit_of_which_nothing_is_known_comes_again(etcd: Members) -> None:
    """Whether etcd had it or not, and although what is removed meanwhile was only in that one."""
    relay = Relay(target=etcd[0].port)
    async with trio.open_nursery() as nursery:
        await nursery.start(relay.run)
        async with leading(settings(etcd.endpoints), (relay.endpoint,)) as left:
            journal = Journal(left.store)
            relay.answers = 0
            await journal.save("gone", "1", [InputKey(7, b"x")])
            await journal.save("kept", "1", [InputKey(8, b"x")])
            assert "no answer in time" in str(journal.health().failure)
            relay.answers = inf
            await journal.forget("gone")
            await journal.forget_inputs()
            while journal.health().failure is not None:
                await journal.forget_inputs()
            assert journal.health().failure is None
            assert set(left.store.rooms()) == {"kept"}
            assert left.store.inputs() == set()
            assert content(await left.reread()) == content(left.store)
        nursery.cancel_scope.cancel()


async def test_more_than_etcd_takes_at_once_is_written_as_a_whole(etcd: Members) -> None:
    """Cut off after any of its transactions, all of it is there, or nothing."""
    relay = Relay(target=etcd[0].port, cuts=True)
    before, batch = (
        Batch({"r0": Entry("before", AT)}),
        rooms(130, "x" * 8000),
    )  # too many, and too long
    outcomes: list[str] = []
    async with trio.open_nursery() as nursery:
        await nursery.start(relay.run)
        while "written, and carried over" not in outcomes:
            async with leading(settings(etcd.endpoints), (relay.endpoint,)) as left:
                await left.store.write(before)
                relay.answers = len(outcomes)
                try:
                    await left.store.write(batch)
                except StoreFailure:
                    outcomes.append("failed")
                else:
                    carried_over = relay.answers > 0
                    outcomes.append("written, and carried over" if carried_over else "written")
                relay.answers = inf
                found = await left.reread()
                allowed = [batch.rooms, before.rooms] if outcomes[-1] == "failed" else [batch.rooms]
                assert found.rooms() in allowed
                # Whoever leads next carries it over, and writes on.
                await found.write(Batch({"last": Entry("1", AT)}))
                after = await left.reread()
                assert content(after) == content(found)
                # What was under way when the way was cut may have come since, and is swept as well.
                await after.write(Batch({"last": Entry("2", AT)}))
                assert not await left.etcd.range(f"{left.etcd.settings.prefix}redo/")
        nursery.cancel_scope.cancel()
    assert outcomes.count("failed") >= 2
    assert outcomes.count("written") >= 2


async def test_what_etcd_will_never_take_is_named(etcd: Members) -> None:
    async with leading(settings(etcd.endpoints)) as left:
        with pytest.raises(StoreFailure, match=r"room/a has 2000\d+ bytes, more than etcd takes"):
            await left.store.write(Batch({"a": Entry("x" * 2_000_000, AT)}))


async def test_a_journal_of_a_later_version_is_not_touched(etcd: Members) -> None:
    async with leading(settings(etcd.endpoints)) as left:
        later = json.dumps({"number": 1, "fence": 1, "redo": 0, "schema": 99})
        await left.etcd.transact([], [put(f"{left.etcd.settings.prefix}commit", later)])
        with pytest.raises(JournalUnusable, match="later version"):
            await left.reread()


@pytest.mark.parametrize(
    "value", ["", "7", "[]", "{}", '{"document": 1}', '[[1, 2, "zz"]]', "[[1]]"]
)
@pytest.mark.parametrize("key", ["room/b", "contact", "inputs/00000/0000000000000000/0001"])
async def test_a_key_that_cannot_be_read_is_left_out(etcd: Members, key: str, value: str) -> None:
    async with leading(settings(etcd.endpoints)) as left:
        await left.store.write(Batch({"a": Entry("1", AT)}))
        await left.etcd.transact([], [put(f"{left.etcd.settings.prefix}{key}", value)])
        found = await left.reread()
        assert found.rooms() == {"a": Entry("1", AT)}
        assert (found.inputs(), found.contact()) == (set(), None)
        await found.write(rooms(40))
        assert len((await left.reread()).inputs()) == 40


async def test_a_term_goes_on_where_nobody_has_written_since(etcd: Members) -> None:
    its = settings(etcd.endpoints)
    async with leading(its) as left:
        await left.store.write(rooms(1))
        await left.term.resign()
        async with box(its) as (_, again):
            await again.campaign()
            assert await left.store.go_on(again)
            await left.store.write(rooms(2))
            await again.resign()
        async with leading(settings(etcd.endpoints, its.prefix, "right")) as right:
            await right.store.write(rooms(3))
        async with box(its) as (_, later):
            await later.campaign()
            assert not await left.store.go_on(later)
            await later.resign()


async def test_what_was_asked_in_the_term_before_ends_none_that_goes_on(etcd: Members) -> None:
    """It arrives when the lease is ours again, and is refused; what is asked then is written."""
    its = settings(etcd.endpoints)
    relay = HoldsOne(target=etcd[0].port)
    async with trio.open_nursery() as nursery:
        await nursery.start(relay.run)
        async with leading(its, (relay.endpoint,), ttl=60.0) as left, box(its) as (_, again):
            refused: list[Fenced] = []

            async def write() -> None:
                try:
                    await left.store.write(rooms(1))
                except Fenced as error:
                    refused.append(error)

            async with trio.open_nursery() as writing:
                relay.holds = True
                writing.start_soon(write)
                await relay.held.wait()
                await left.term.resign()
                await again.campaign()
                assert await left.store.go_on(again)
                relay.goes_on.set()
            assert len(refused) == 1
            assert again.is_ours()
            await left.store.write(rooms(2))
            await again.resign()
        nursery.cancel_scope.cancel()


async def test_all_boxes_have_one_name(etcd: Members) -> None:
    its = settings(etcd.endpoints)
    async with box(its) as (left, _), box(its) as (right, _):
        assert await shared_instance(left, "0123456789abcdef") == "0123456789abcdef"
        assert await shared_instance(right, "fedcba9876543210") == "0123456789abcdef"
        await left.transact([], [put(f"{its.prefix}instance", "nonsense")])
        with pytest.raises(StoreFailure, match="instance is no id"):
            await shared_instance(right, "fedcba9876543210")
