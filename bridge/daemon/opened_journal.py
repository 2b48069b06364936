"""The journal opened for something else than recording: while no bridge runs on it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import trio

from ..cluster.etcd import Etcd
from ..cluster.lease import Leadership
from ..cluster.settings import EtcdSettings
from ..cluster.store import EtcdStore, shared_instance
from ..journal.file import FileStore
from ..journal.journal import Journal
from .clean import CannotClean

__all__ = ["opened_journal"]


@asynccontextmanager
async def opened_journal(
    shared: EtcdSettings | None, folder: Path, own: str
) -> AsyncIterator[tuple[str, Journal]]:
    """The instance id of the bridge, and its journal: in this folder, or `shared` by boxes.

    `own` is this box's id, and the folder's. Raises `JournalUnusable`, and of a shared one, in
    exception groups, `CannotClean` while a box leads and `StoreFailure`.
    """
    if shared is None:
        with closing(Journal(FileStore(folder))) as journal:
            yield own, journal
        return
    async with Etcd(shared) as etcd, trio.open_nursery() as nursery:
        term = Leadership(etcd)
        # One that was killed just now has the lease for as long as that.
        with trio.move_on_after(2 * shared.ttl):
            await term.campaign()
        if not term.is_ours():
            who = "nobody can say who leads" if term.leader is None else f"{term.leader.box} leads"
            raise CannotClean(f"{shared.where}: {who}; stop every box first")
        nursery.start_soon(term.keep)
        try:
            instance = await shared_instance(etcd, own)
            yield instance, Journal(await EtcdStore.open(etcd, term))
        finally:
            await term.resign()
            nursery.cancel_scope.cancel()
