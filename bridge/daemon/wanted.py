"""The lease asked for, by the way of the store, of a leader whom no press reaches (R36).

A box that is cut off from the broker keeps the lease, and presses wait. So a box that stands by,
hears the broker, and hears that nobody is online there, writes its name below `wanted`; the leader
looks there while it has no session, and leaves.
"""

import structlog
import trio

from ..cluster.etcd import Etcd
from ..cluster.wire import put
from ..journal.store import StoreFailure
from ..process.progress import Progress
from .boxes import Boxes
from .shared_helm import SharedHelm

__all__ = ["ask_for_the_lease", "leave_when_asked"]

log = structlog.get_logger("bridge")


async def ask_for_the_lease(etcd: Etcd, boxes: Boxes, progress: Progress) -> None:
    """Ask for it for as long as nobody is online, until cancelled."""
    settings = etcd.settings
    while True:
        await progress.rest(trio.current_time() + settings.ttl / 2)
        if boxes.nobody_for < settings.ttl:
            continue
        progress.within(4 * settings.ttl)  # two questions
        try:
            # It goes by itself: who asks for nothing any more is not given anything.
            lease = await etcd.grant(2 * settings.ttl)
            await etcd.transact([], [put(_key(etcd), settings.box, lease.id)])
        except StoreFailure as failure:
            log.debug("the lease cannot be asked for", error=str(failure))
        finally:
            progress.waits()


async def leave_when_asked(etcd: Etcd, helm: SharedHelm) -> None:
    """Leave to the box that asks, once no press has come here for as long as the lease lasts."""
    settings, progress = etcd.settings, helm.progress
    while True:
        await progress.rest(trio.current_time() + settings.ttl / 2)
        if helm.unreached_for < settings.ttl:
            continue
        progress.within(2 * settings.ttl)
        try:
            found = await etcd.get(_key(etcd))
        except StoreFailure as failure:
            log.debug("nobody can ask for the lease", error=str(failure))
            continue
        finally:
            progress.waits()
        if found is not None and found.value != settings.box:
            log.warning("the broker cannot be reached from here; another box can", box=found.value)
            helm.leave_to([found.value])
            return


def _key(etcd: Etcd) -> str:
    return f"{etcd.settings.prefix}wanted"
