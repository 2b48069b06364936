"""The lease on a real etcd: one box acts, and knows until when."""

from math import inf

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from bridge.cluster.etcd import Etcd, Unreachable
from bridge.cluster.lease import Leader, Leadership, boot_time
from bridge.cluster.wire import put
from tests.process.watched import PATIENCE

from .boxes import box, leading, settings
from .relay import HoldsOne, Relay
from .servers import Members


async def told_of_another(term: Leadership) -> None:
    """Campaign in vain until it is told who leads."""
    heard = trio.Event()
    with trio.fail_after(PATIENCE):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(term.campaign, heard.set)
            await heard.wait()
            nursery.cancel_scope.cancel()


async def test_one_leads_and_the_other_knows_who(etcd: Members) -> None:
    its = settings(etcd.endpoints)
    other = settings(etcd.endpoints, its.prefix, "right")
    async with leading(its) as left, box(other) as (_, term):
        assert left.term.is_ours()
        await told_of_another(term)
        assert term.leader is not None
        assert (term.leader.box, term.leader.fence) == ("left", left.term.fence)
        assert not term.is_ours()


async def test_who_resigns_is_followed_before_the_lease_has_run_out(etcd: Members) -> None:
    its = settings(etcd.endpoints)
    other = settings(etcd.endpoints, its.prefix, "right")
    async with box(its) as (_, left), box(other) as (_, right):
        await left.campaign()
        with trio.fail_after(PATIENCE):
            await left.resign()
            assert not left.is_ours()
            assert left.lost.is_set()
            await right.campaign()
        assert right.fence > left.fence
        assert right.leader is not None
        assert (right.leader.box, right.leader.fence) == ("right", right.fence)
        await right.resign()


async def test_nobody_leads_before_the_one_before_knows_that_it_is_over(etcd: Members) -> None:
    its = settings(etcd.endpoints, ttl=2.0)
    other = settings(etcd.endpoints, its.prefix, "right", ttl=2.0)
    async with box(its) as (_, left), box(other) as (_, right):
        await left.campaign()
        ends_at = boot_time() + left.remaining
        with trio.fail_after(PATIENCE):
            await right.campaign()
        assert not left.is_ours()
        assert boot_time() > ends_at
        assert not left.lost.is_set()  # it has not asked
        with trio.fail_after(PATIENCE):
            await left.keep()
        assert left.lost.is_set()


async def test_who_was_stopped_for_too_long_knows_at_once(etcd: Members) -> None:
    now = 1000.0
    async with Etcd(settings(etcd.endpoints)) as client:
        term = Leadership(client, lambda: now)
        await term.campaign()
        now += 53.0
        assert term.is_ours()
        now += 1.1
        assert not term.is_ours()
        assert term.remaining == 0
        await term.resign()


async def test_a_lease_counts_from_when_it_was_asked_for(etcd: Members) -> None:
    now = 1000.0

    def clock() -> float:
        nonlocal now
        now += 0.1
        return now

    async with Etcd(settings(etcd.endpoints)) as client:
        term = Leadership(client, clock)
        await term.campaign()
        assert now == pytest.approx(1000.1)
        now = 1000.1 + 54.0 - 0.15
        assert term.is_ours()
        assert not term.is_ours()
        await term.resign()


async def test_a_lease_that_is_taken_away_is_told(etcd: Members) -> None:
    told = 0

    def tell() -> None:
        nonlocal told
        told += 1

    async with box(settings(etcd.endpoints)) as (client, term), trio.open_nursery() as nursery:
        await term.campaign()
        nursery.start_soon(term.keep, tell)
        held = await client.get(term.key)
        assert held is not None
        await client.revoke(held.lease)
        with trio.fail_after(PATIENCE):
            await term.lost.wait()
    assert told >= 1
    assert not term.is_ours()


async def test_what_etcd_did_not_answer_has_it_asked_at_once(etcd: Members) -> None:
    """Long before the lease would be kept alive next; and that it answers is told."""
    rests, answered = trio.Event(), trio.Event()
    async with box(settings(etcd.endpoints)) as (_, term), trio.open_nursery() as nursery:
        await term.campaign()

        def tell() -> None:
            (answered if rests.is_set() else rests).set()

        nursery.start_soon(term.keep, tell)
        await rests.wait()
        await wait_all_tasks_blocked()
        term.unanswered(Unreachable("no answer to a commit", "look at etcd"))
        assert term.is_ours()
        with trio.fail_after(term.remaining / 4):  # it is kept alive each third of its time
            await answered.wait()
        assert term.failure is None
        nursery.cancel_scope.cancel()


async def test_etcd_out_of_reach_ends_the_term_by_the_clock_alone(etcd: Members) -> None:
    """And it goes on where the lease is found to be alive after all."""
    relay = Relay(target=etcd[0].port)
    async with trio.open_nursery() as nursery:
        await nursery.start(relay.run)
        async with box(settings((relay.endpoint,), ttl=6.0)) as (_, term):
            await term.campaign()
            changes, more = trio.open_memory_channel[None](inf)
            nursery.start_soon(term.keep, lambda: changes.send_nowait(None))

            async def failing(wanted: bool) -> None:
                with trio.fail_after(PATIENCE):
                    while (term.failure is not None) != wanted:
                        await more.receive()

            relay.refuse(True)
            relay.cut()
            await failing(True)
            assert "etcd does not answer" in str(term.failure)
            assert term.is_ours()
            relay.calm()
            await failing(False)
            assert term.is_ours()
            await term.resign()
        nursery.cancel_scope.cancel()


async def test_an_answer_that_was_lost_is_found_to_be_ours(etcd: Members) -> None:
    """The first member makes the key and its answer is lost; the second one is asked the same."""
    relay = Relay(target=etcd[0].port, answers=2)
    async with trio.open_nursery() as nursery:
        await nursery.start(relay.run)
        its = settings((relay.endpoint, *etcd.endpoints), ttl=10.0)
        async with leading(its) as left:
            assert relay.withheld.is_set()
            held = await left.etcd.get(left.term.key)
            assert held is not None
            assert held.create_revision == left.term.fence
            assert left.term.is_ours()
        nursery.cancel_scope.cancel()


async def test_a_leader_that_cannot_be_read_is_a_leader(etcd: Members) -> None:
    async with box(settings(etcd.endpoints)) as (client, term):
        await client.transact([], [put(term.key, "nonsense")])
        await told_of_another(term)
        assert term.leader is not None
        assert term.leader.box == "unknown"
        assert term.fence == 0


async def test_a_key_whose_making_was_not_answered_is_made_anew(etcd: Members) -> None:
    """It is there, on a lease that nobody keeps: for that to run out nobody waits."""
    relay = Relay(target=etcd[0].port, answers=2, cuts=True)
    waited: list[Leader | None] = []
    async with trio.open_nursery() as nursery:
        await nursery.start(relay.run)
        async with box(settings((relay.endpoint,), ttl=10.0)) as (_, term):

            def tell() -> None:
                if term.failure is not None:
                    relay.answers = inf
                elif not term.is_ours():
                    waited.append(term.leader)

            with trio.fail_after(PATIENCE):
                await term.campaign(tell)
            assert relay.withheld.is_set()
            assert waited == []
            await term.resign()
        nursery.cancel_scope.cancel()


async def test_a_key_that_is_made_late_goes_with_the_lease(etcd: Members) -> None:
    """It was given up, and given back, while it was on its way: nobody waits until it runs out."""
    relay = HoldsOne(target=etcd[0].port, path="/v3/kv/txn", holds=True)
    async with trio.open_nursery() as nursery:
        await nursery.start(relay.run)
        its = settings((relay.endpoint,), ttl=3600.0)
        other = settings(etcd.endpoints, its.prefix, "right")
        async with box(its) as (_, left), box(other) as (_, right):
            with trio.fail_after(PATIENCE):
                async with trio.open_nursery() as campaigning:
                    campaigning.start_soon(left.campaign)
                    await relay.held.wait()
                    campaigning.cancel_scope.cancel()
                await left.resign()
                relay.answers = 0
                relay.goes_on.set()
                await relay.withheld.wait()
                await right.campaign()
            await right.resign()
        nursery.cancel_scope.cancel()
