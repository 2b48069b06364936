"""The helm of a box that leads beside others: what it lets pass as the facts change."""

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from bridge.daemon.box_words import BoxState
from bridge.daemon.shared_helm import SharedHelm, see_written
from bridge.daemon.standing import Standing
from bridge.daemon.watchdog import Watchdog
from bridge.journal.journal import Journal
from bridge.journal.store import Batch, Fenced, StoreFailure
from bridge.mqtt.broker_health import BrokerState

from .house import AWAY, FULL, House, Term


async def test_a_pause_beyond_the_lease_is_noticed_before_anything_leaves(house: House) -> None:
    assert house.helm.to_change()
    house.run_out()
    assert not house.helm.to_change()
    assert house.helm.look() is Standing.HOLDS
    house.term.lose()
    house.helm.give_up()
    assert house.helm.look() is Standing.ENDS
    assert house.hung_up == 1


async def test_what_has_ended_stays_so(house: House) -> None:
    house.term.lose()
    assert house.helm.look() is Standing.ENDS
    house.helm.go_on(Term())
    assert house.helm.look() is Standing.ENDS
    assert not house.helm.to_change()
    assert house.hung_up == 1


async def test_who_is_alone_acts_until_another_one_is_there(house: House) -> None:
    house.run_out()
    house.term.failure = AWAY
    assert house.helm.look() is Standing.ALONE
    assert house.helm.to_change()
    house.other(BoxState.STANDBY, store=True)
    assert house.helm.look() is Standing.HOLDS
    house.helm.broker_changed(BrokerState.DOWN)
    assert house.helm.look() is Standing.ENDS


async def test_the_session_is_asked_for_again_only_where_nobody_can_lead(house: House) -> None:
    house.run_out()
    house.term.failure = AWAY
    house.boxes.hearing.begin()
    house.helm.broker_changed(BrokerState.DOWN)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(house.helm.to_take_session)
        await wait_all_tasks_blocked()
        assert house.helm.look() is Standing.HOLDS
        assert len(nursery.child_tasks) == 1
        house.hears_long_since()
        await wait_all_tasks_blocked()
        assert not nursery.child_tasks
    assert house.helm.look() is Standing.RETURNS


async def test_the_session_goes_before_hmp(house: House, autojump_clock: trio.abc.Clock) -> None:
    helm = SharedHelm(house.term, house.boxes, 10.0)
    began = trio.current_time()
    await helm.to_connect()
    assert trio.current_time() - began == 10.0  # of a broker that does not come
    helm = SharedHelm(house.term, house.boxes, 10.0)
    helm.broker_changed(BrokerState.ONLINE)
    began = trio.current_time()
    await helm.to_connect()
    assert trio.current_time() == began


@pytest.mark.parametrize("failure", [AWAY, FULL], ids=str)
async def test_a_commit_that_fails_where_nobody_else_leads_is_told_as_with_a_full_disk(
    house: House, failure: StoreFailure
) -> None:
    house.disk.failures = [failure]
    with pytest.raises(StoreFailure) as raised:
        await house.store.write(Batch())
    assert raised.value is failure
    assert house.hung_up == 0


async def test_what_the_store_refuses_of_one_that_leads_is_told_beside_others(house: House) -> None:
    house.other(BoxState.STANDBY, store=True)
    house.disk.failures = [FULL]
    with pytest.raises(StoreFailure, match="etcd refuses"):
        await house.store.write(Batch())
    assert house.helm.look() is Standing.LEADS


@pytest.mark.parametrize("heard", [True, False])
@pytest.mark.parametrize("session", [BrokerState.ONLINE, BrokerState.DOWN], ids=str)
async def test_what_is_not_written_waits_while_another_one_may_have_it(
    house: House, session: BrokerState, heard: bool
) -> None:
    """And what is, or need not be, leaves: the lease is ours."""
    if heard:
        house.other(BoxState.STANDBY, store=True)
    else:
        house.boxes.hearing.begin()
    house.helm.broker_changed(session)
    house.disk.failures = [AWAY]
    async with trio.open_nursery() as nursery:
        nursery.start_soon(house.store.write, Batch(notes={"a": "kept"}))
        await wait_all_tasks_blocked()
        assert house.helm.look() is Standing.WAITS
        assert house.helm.holds
        assert house.helm.to_change()
        assert house.store.note("a") != "kept"
        house.answers()
    assert house.store.note("a") == "kept"
    assert house.helm.look() is Standing.LEADS
    assert not house.helm.holds


async def test_what_waits_is_told_once_nobody_else_can_have_it(house: House) -> None:
    house.other(BoxState.STANDBY, store=True)
    house.disk.failures = [AWAY]
    async with trio.open_nursery() as nursery:
        nursery.start_soon(house.write)
        await wait_all_tasks_blocked()
        assert house.failures == []
        house.other(BoxState.STANDBY, store=False)
    assert house.failures == [AWAY]
    assert house.helm.look() is Standing.LEADS


async def test_what_waits_beyond_the_lease_is_another_one_s(house: House) -> None:
    house.other(BoxState.STANDBY, store=True)
    house.disk.failures = [AWAY]
    async with trio.open_nursery() as nursery:
        nursery.start_soon(house.write)
        await wait_all_tasks_blocked()
        house.run_out()
        assert not house.helm.to_change()
        await wait_all_tasks_blocked()
        assert house.failures == []
        house.helm.broker_changed(BrokerState.DOWN)  # taken by who leads
    assert [type(each) for each in house.failures] == [Fenced]
    assert house.hung_up == 1


async def test_a_store_that_answers_and_takes_nothing_keeps_nothing_from_being_done(
    house: House,
) -> None:
    """The lease is kept while its disk hangs: a commit is tried twice, later ones once."""
    house.other(BoxState.STANDBY, store=True)
    house.disk.failures = [AWAY] * 4
    async with trio.open_nursery() as nursery:
        for tried, left in ((2, 2), (1, 1)):
            nursery.start_soon(house.write)
            for _ in range(tried):
                await wait_all_tasks_blocked()
                house.answers()
            await wait_all_tasks_blocked()
            assert len(house.disk.failures) == left
    assert house.failures == [AWAY, AWAY]
    house.disk.failures.clear()
    await house.store.write(Batch())
    house.disk.failures = [AWAY]
    async with trio.open_nursery() as nursery:  # and as before, once it has taken one
        nursery.start_soon(house.store.write, Batch())
        await wait_all_tasks_blocked()
        house.answers()
    assert house.disk.failures == []


async def test_a_commit_of_one_that_may_not_act_is_never_heard_of(house: House) -> None:
    house.disk.failures = [AWAY]
    house.run_out()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(house.write)
        await wait_all_tasks_blocked()
        assert house.failures == []  # it may have the lease yet
        house.term.lose()
        house.helm.give_up()
    assert [type(each) for each in house.failures] == [Fenced]
    assert house.hung_up == 1


async def test_what_is_fenced_while_it_leads_ends_the_term_at_once(house: House) -> None:
    house.term.lose()
    house.disk.failures = [Fenced("another box", "nothing")]
    with pytest.raises(Fenced):
        await house.store.write(Batch())
    assert house.hung_up == 1


async def test_what_could_not_be_written_is_when_the_lease_is_won_again(house: House) -> None:
    house.run_out()
    house.term.failure = AWAY
    assert house.helm.look() is Standing.ALONE
    house.term.failure = None
    house.term.lose()
    house.disk.failures = [Fenced("the lease has run out", "nothing")]
    async with trio.open_nursery() as nursery:
        nursery.start_soon(house.store.write, Batch(notes={"a": "kept"}))
        await wait_all_tasks_blocked()
        assert not house.helm.to_change()
        house.helm.go_on(Term())
    assert house.store.note("a") == "kept"
    assert house.helm.look() is Standing.LEADS
    assert house.hung_up == 0


async def test_what_waits_to_be_told_who_leads_is_not_stuck(
    house: House, autojump_clock: trio.abc.Clock
) -> None:
    """Not for an hour; once that is known, the commit has its time, and no more than that."""
    journal = Journal(house.store)
    watchdog = Watchdog(dict, journal, house.holds)
    house.run_out()
    house.term.failure = AWAY
    assert house.helm.look() is Standing.ALONE
    house.term.failure = None
    house.term.lose()
    house.disk.failures = [Fenced("the lease has run out", "nothing")]
    house.disk.goes_on = trio.Event()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(watchdog.run)
        nursery.start_soon(journal.save_note, "a", "kept")
        await trio.sleep(3600)
        assert house.holds()
        assert watchdog.stuck == {}
        house.helm.go_on(Term())
        await trio.sleep(20)
        assert not house.holds()
        assert watchdog.stuck == {}
        await trio.sleep(40)
        assert list(watchdog.stuck) == ["journal"]
        house.disk.goes_on.set()
        nursery.cancel_scope.cancel()
    assert house.store.note("a") == "kept"


async def test_what_waits_in_vain_is_held_to_the_end_of_the_term(
    house: House, autojump_clock: trio.abc.Clock
) -> None:
    journal = Journal(house.store)
    house.disk.failures = [AWAY]
    house.run_out()
    with pytest.RaisesGroup(Fenced):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(journal.save_note, "a", "lost")
            await trio.sleep(3600)
            assert house.holds()
            house.term.lose()
            house.helm.give_up()
    assert not house.holds()


async def test_one_that_is_alone_sends_nothing_after_a_pause_in_which_another_may_have_come(
    house: House,
) -> None:
    house.run_out()
    house.term.failure = AWAY
    assert house.helm.to_change()
    house.term.now += 5.0
    assert not house.helm.to_change()
    assert house.helm.look() is Standing.HOLDS
    house.hears()
    assert house.helm.to_change()


async def test_a_store_that_is_away_again_takes_nothing_from_one_that_was_alone(
    house: House,
) -> None:
    """It has answered that the lease has run out, and not whether it can be had."""
    house.run_out()
    house.term.failure = AWAY
    assert house.helm.look() is Standing.ALONE
    house.term.failure = None
    house.term.lose()
    house.helm.candidate = Term()
    house.disk.failures = [Fenced("the lease has run out", "nothing")]
    async with trio.open_nursery() as nursery:
        nursery.start_soon(house.write)
        await wait_all_tasks_blocked()
        assert house.helm.look() is Standing.HOLDS
        house.helm.candidate.failure = AWAY
        house.helm.changed()
    assert house.helm.look() is Standing.ALONE
    assert [type(each) for each in house.failures] == [StoreFailure]
    house.helm.go_on(Term())
    assert house.hung_up == 0


async def test_one_that_tells_the_broker_everything_is_reached_soon(
    house: House, autojump_clock: trio.abc.Clock
) -> None:
    """A thousand rooms take longer than the lease, of any box."""
    accepted = False
    house.helm.is_accepted = lambda: accepted
    assert house.helm.unreached_for == 0.0
    house.helm.broker_changed(BrokerState.DOWN)
    await trio.sleep(7)
    assert house.helm.unreached_for == 7.0
    accepted = True
    assert house.helm.unreached_for == 0.0
    accepted = False  # it has ended before
    assert house.helm.unreached_for == 7.0


async def test_who_is_to_end_holds_no_longer(house: House) -> None:
    house.disk.failures = [AWAY]
    house.run_out()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(house.write)
        await wait_all_tasks_blocked()
        assert house.helm.holds
        house.helm.end()
    assert [type(each) for each in house.failures] == [Fenced]
    assert house.hung_up == 1


async def test_a_yield_is_refused_where_nobody_is_ready(house: House) -> None:
    house.other(BoxState.STANDBY, store=False)
    assert house.helm.hand_over() == []
    house.other(BoxState.STANDBY, store=True)
    house.boxes.hearing.begin()
    assert house.helm.hand_over() == []
    house.hears()
    house.other(BoxState.STANDBY, store=True)
    assert house.helm.hand_over() == ["b"]
    await house.helm.over()
    assert house.helm.to_change()  # it leaves in order


@pytest.mark.parametrize("session", [BrokerState.ONLINE, BrokerState.DOWN], ids=str)
async def test_a_yield_is_refused_by_one_that_does_not_lead(
    house: House, session: BrokerState
) -> None:
    """Whoever is ready said so before: the store may have gone for all."""
    house.other(BoxState.STANDBY, store=True)
    house.helm.broker_changed(session)
    house.term.failure = AWAY
    assert house.helm.look() is Standing.WAITS
    assert house.helm.hand_over() == []
    house.answers()
    house.term.now = 6.0
    house.hears()
    assert house.helm.look() is Standing.HOLDS
    assert house.helm.hand_over() == []


@pytest.fixture
async def unwritten(house: House) -> Journal:
    """A journal of one that was alone, with something that could not be written."""
    journal = Journal(house.store)
    house.run_out()
    house.term.failure = AWAY
    assert house.helm.look() is Standing.ALONE
    house.disk.failures = [AWAY]
    await journal.save_note("a", "kept")
    assert journal.failure is not None
    house.helm.broker_changed(BrokerState.DOWN)  # it has left
    return journal


async def test_who_leaves_takes_nothing_with_it_that_could_not_be_written(
    house: House, unwritten: Journal
) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(see_written, house.helm, unwritten)
        await wait_all_tasks_blocked()
        assert house.holds()
        assert len(nursery.child_tasks) == 1
        house.disk.failures = [AWAY]  # for a moment only
        house.helm.go_on(Term())
        await wait_all_tasks_blocked()
        assert house.store.note("a") != "kept"
        house.helm.term.failure = None
        house.helm.changed()
    assert house.store.note("a") == "kept"
    assert not house.holds()


async def test_who_leaves_waits_for_no_store_that_takes_nothing(
    house: House, unwritten: Journal
) -> None:
    house.disk.failures = [FULL]
    house.helm.go_on(Term())
    await see_written(house.helm, unwritten)
    assert unwritten.failure is not None


async def test_who_leaves_waits_no_longer_than_its_term(house: House, unwritten: Journal) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(see_written, house.helm, unwritten)
        await wait_all_tasks_blocked()
        house.helm.end()
    assert house.store.note("a") != "kept"
