"""A box of the tests: its client, its lease, and its journal."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import trio

from bridge.cluster.etcd import Etcd
from bridge.cluster.lease import Leadership
from bridge.cluster.settings import EtcdSettings, prefix_of
from bridge.cluster.store import EtcdStore
from bridge.journal.instant import Instant

__all__ = ["AT", "Box", "box", "leading", "settings"]

AT = Instant("boot", 1.5, 2.5)


def settings(
    endpoints: tuple[str, ...], prefix: str = "", name: str = "left", **others: object
) -> EtcdSettings:
    """Settings of a box; without a `prefix`, one that nobody else has."""
    prefix = prefix or prefix_of(f"test-{secrets.token_hex(8)}", "")
    given = {"ttl": 2.0} | others
    return EtcdSettings(endpoints=endpoints, prefix=prefix, box=name, **given)  # type: ignore[arg-type]


@dataclass
class Box:
    """A box that leads; `store` is opened."""

    etcd: Etcd
    term: Leadership
    store: EtcdStore

    async def reread(self) -> EtcdStore:
        """The journal as another one would find it."""
        return await EtcdStore.open(self.etcd, self.term)


@asynccontextmanager
async def box(its: EtcdSettings) -> AsyncIterator[tuple[Etcd, Leadership]]:
    """A box that does not lead yet."""
    async with Etcd(its) as etcd:
        yield etcd, Leadership(etcd)


@asynccontextmanager
async def leading(its: EtcdSettings) -> AsyncIterator[Box]:
    """A box that leads, and keeps the lease until the end."""
    async with box(its) as (etcd, term), trio.open_nursery() as nursery:
        await term.campaign()
        nursery.start_soon(term.keep)
        yield Box(etcd, term, await EtcdStore.open(etcd, term))
        await term.resign()
