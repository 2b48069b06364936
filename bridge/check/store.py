"""The check of etcd, where it keeps the journal: each member takes us, and what is in there.

Beside running boxes, without disturbing them: what is written is a key of its own, and is removed
in the next breath.
"""

import secrets
import time
from dataclasses import replace

from ..cluster.etcd import Etcd, Refused
from ..cluster.lease import Leadership
from ..cluster.settings import EtcdSettings
from ..cluster.store import EtcdStore
from ..cluster.wire import delete, put
from ..journal.store import JournalUnusable, StoreFailure
from .report import Blame, Finding, failed, noted, passed

__all__ = ["check_store"]


async def check_store(settings: EtcdSettings) -> list[Finding]:
    """The findings of each member by itself, and of the journal in all of them."""
    found = [await _member(replace(settings, endpoints=(each,))) for each in settings.endpoints]
    if any(each.blame is None for each in found):
        found += await _journal(settings)
    return found


async def _member(settings: EtcdSettings) -> Finding:
    [endpoint] = settings.endpoints
    subject = f"etcd {endpoint}"
    try:
        async with Etcd(settings) as etcd:
            status = await etcd.status(endpoint)
            key = f"{settings.prefix}check/{secrets.token_hex(8)}"
            await etcd.transact([], [put(key, "")])
            await etcd.transact([], [delete(key)])
            await etcd.range(f"{settings.prefix}check/")
    except StoreFailure as failure:
        return _failed(subject, failure)
    return passed(subject, f"version {status.version}, can be read and written")


async def _journal(settings: EtcdSettings) -> list[Finding]:
    subject = f"journal on etcd, below {settings.prefix}"
    try:
        async with Etcd(settings) as etcd:
            term = Leadership(etcd)
            leader = await term.look()
            store = await EtcdStore.open(etcd, term)
    except JournalUnusable as error:
        what_to_do = "install the version that wrote it, or look at who else writes there"
        return [failed(subject, str(error), what_to_do, Blame.UNAVAILABLE)]
    except StoreFailure as failure:
        return [_failed(subject, failure)]
    rooms = sum("/" not in name for name in store.rooms())
    read = passed(subject, f"can be read, {rooms} {'room' if rooms == 1 else 'rooms'}")
    if leader is None:
        return [read, noted(subject, "no box acts")]
    seconds = round(max(0.0, time.time() - leader.since))
    return [read, noted(subject, f"the box {leader.box} acts, for {seconds} s")]


def _failed(subject: str, failure: StoreFailure) -> Finding:
    blame = Blame.NOT_AUTHORIZED if isinstance(failure, Refused) else Blame.UNAVAILABLE
    return failed(subject, str(failure), failure.what_to_do, blame)
