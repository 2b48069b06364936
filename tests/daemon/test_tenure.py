"""A lease that ran out while the store was away, on a real etcd: won again, or another's (R36)."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

import pytest
import trio

from bridge.cluster.etcd import Etcd
from bridge.cluster.lease import Leadership
from bridge.cluster.store import EtcdStore
from bridge.daemon.box_hearing import BACK_WITHIN
from bridge.daemon.boxes import Boxes
from bridge.daemon.shared_helm import SharedHelm
from bridge.daemon.standing import Standing
from bridge.daemon.tenure import Tenure
from bridge.journal.store import Batch, Entry
from bridge.mqtt.broker_health import BrokerState
from bridge.mqtt.settings import BrokerSettings
from bridge.mqtt.topics import Topics
from tests.cluster.boxes import AT, settings
from tests.cluster.relay import HoldsOne
from tests.cluster.servers import Members
from tests.process.watched import PATIENCE

from .house import AWAY

LONG = 3600.0
"""Seconds of a lease for whose end no test waits."""


class Acting:
    """A box that acts without the store; etcd has ended its lease meanwhile.

    Its journal is read through a relay, and all else is asked as it comes.
    """

    def __init__(self, etcd: Etcd, store: EtcdStore, term: Leadership, relay: HoldsOne) -> None:
        self.etcd, self.store, self.term, self.relay = etcd, store, term, relay
        broker = BrokerSettings(host="127.0.0.1", port=1, client_id="x")
        clock = lambda: 0.0  # noqa: E731
        boxes = Boxes(
            broker, Topics(), "left", "aaaaaaaa", changed=lambda: None, ttl=5.0, clock=clock
        )
        boxes.hearing.proved(4.5, -BACK_WITHIN)
        self.helm = SharedHelm(term, boxes, 10.0)
        self.helm.broker_changed(BrokerState.ONLINE)
        term.failure = AWAY
        assert self.helm.look() is Standing.ALONE
        self.tenure = Tenure(etcd, self.helm, store, lambda _: self.helm.changed())

    async def until(self, standing: Standing) -> None:
        """Return when it stands so."""
        with trio.fail_after(PATIENCE):
            await self.helm.until(lambda: self.helm.look() is standing)

    async def another_leads(self) -> None:
        """Return when another box can, and does."""
        async with Etcd(replace(self.etcd.settings, box="right")) as etcd:
            right = Leadership(etcd)
            with trio.fail_after(PATIENCE):
                await right.campaign()
            assert right.fence > self.term.fence
            await right.resign()


@asynccontextmanager
async def acting(etcd: Members, ttl: float) -> AsyncIterator[Acting]:
    """Such a box; `ttl`: of the leases that it asks for from now on."""
    its = settings(etcd.endpoints, ttl=ttl)
    relay = HoldsOne(target=etcd[0].port)
    async with AsyncExitStack() as stack, trio.open_nursery() as nursery:
        await nursery.start(relay.run)
        way = replace(its, endpoints=(relay.endpoint,), ttl=LONG)
        client, through = [await stack.enter_async_context(Etcd(each)) for each in (its, way)]
        now = 0.0
        term = Leadership(client, lambda: now)
        await term.campaign()
        store = await EtcdStore.open(through, term)
        held = await client.get(term.key)
        assert held is not None
        await client.revoke(held.lease)
        now = 2 * ttl
        yield Acting(client, store, term, relay)
        nursery.cancel_scope.cancel()


async def test_the_lease_is_won_again_where_nobody_has_led(etcd: Members) -> None:
    async with acting(etcd, LONG) as box, trio.open_nursery() as nursery:
        nursery.start_soon(box.tenure.keep)
        await box.until(Standing.LEADS)
        assert box.helm.term.fence > box.term.fence
        await box.store.write(Batch({"a": Entry("1", AT)}))
        await box.helm.term.resign()
        nursery.cancel_scope.cancel()


async def test_a_key_of_its_own_that_came_late_is_no_other_s(etcd: Members) -> None:
    """It was asked for by who then ended, or gave up; its lease is nobody's, and runs out."""
    async with acting(etcd, 2.0) as box, trio.open_nursery() as nursery:
        await Leadership(box.etcd).campaign()
        nursery.start_soon(box.tenure.keep)
        await box.until(Standing.LEADS)
        assert box.helm.term.is_ours()
        nursery.cancel_scope.cancel()


async def _another_leads(box: Acting) -> None:
    async with Etcd(replace(box.etcd.settings, box="right")) as etcd:
        await Leadership(etcd).campaign()


async def _another_has_written(box: Acting) -> None:
    async with Etcd(replace(box.etcd.settings, box="right")) as etcd:
        right = Leadership(etcd)
        await right.campaign()
        await (await EtcdStore.open(etcd, right)).write(Batch({"a": Entry("1", AT)}))
        await right.resign()


@pytest.mark.parametrize("meanwhile", [_another_leads, _another_has_written])
async def test_the_term_is_over_where_another_box_has_led(
    etcd: Members, meanwhile: Callable[[Acting], Awaitable[None]]
) -> None:
    async with acting(etcd, LONG) as box:
        await meanwhile(box)
        with trio.fail_after(PATIENCE):
            await box.tenure.keep()
        assert box.helm.look() is Standing.ENDS
        held = await box.etcd.get(box.term.key)
        assert held is None or "right" in held.value


async def test_what_was_won_is_given_back_where_the_box_ends_before_it_goes_on(
    etcd: Members,
) -> None:
    """As where its process is to end while the journal is read: nobody waits for that lease."""
    async with acting(etcd, LONG) as box:
        box.relay.holds = True
        async with trio.open_nursery() as nursery:
            nursery.start_soon(box.tenure.keep)
            with trio.fail_after(PATIENCE):
                await box.relay.held.wait()
            assert await box.etcd.get(box.term.key) is not None
            nursery.cancel_scope.cancel()
        assert await box.etcd.get(box.term.key) is None
        await box.another_leads()
