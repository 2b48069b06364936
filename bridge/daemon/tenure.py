"""The lease of a box that leads: kept, and won again if nobody has led since it ran out (R36)."""

from collections.abc import Callable
from functools import partial

import structlog
import trio

from ..cluster.etcd import Etcd
from ..cluster.lease import Leadership
from ..cluster.store import EtcdStore
from ..journal.store import StoreFailure
from .campaign import ASK_AGAIN
from .shared_helm import SharedHelm
from .standing import Standing

__all__ = ["Tenure"]

log = structlog.get_logger("bridge")


class Tenure:
    """From one term to the next, as long as the journal in `store` is the last that was written.

    `told` hears of whatever a term learns.
    """

    def __init__(
        self,
        etcd: Etcd,
        helm: SharedHelm,
        store: EtcdStore,
        told: Callable[[Leadership], None],
    ) -> None:
        self._etcd = etcd
        self._helm = helm
        self._store = store
        self._told = told

    async def keep(self) -> None:
        """Return once another box leads, or will. A lease that is not the helm's is given back."""
        while True:
            await self._helm.term.keep(partial(self._told, self._helm.term))
            if self._helm.look() is Standing.ENDS:
                return
            if not await self._win_again():
                return

    async def _win_again(self) -> bool:
        """False where another box leads, or has written; the term is over then."""
        helm = self._helm
        while True:
            helm.candidate = term = Leadership(self._etcd)
            try:
                with trio.CancelScope() as attempt:
                    await term.campaign(partial(self._heard, term, attempt))
                if attempt.cancelled_caught or not await self._goes_on(term):
                    helm.give_up()
                    return False
                if term.is_ours():
                    log.info("the lease is won again; nobody has led since", fence=term.fence)
                    helm.go_on(term)
                    return True
            finally:
                if helm.term is not term:
                    await term.resign()

    def _heard(self, term: Leadership, attempt: trio.CancelScope) -> None:
        self._told(term)
        # What was asked before and came late may have made the key for us.
        leader = term.leader if term.failure is None else None
        if leader is not None and leader.box != self._etcd.settings.box:
            attempt.cancel()

    async def _goes_on(self, term: Leadership) -> bool:
        while term.is_ours():
            try:
                return await self._store.go_on(term)
            except StoreFailure as failure:
                log.warning("the journal cannot be read", error=str(failure))
                await trio.sleep(ASK_AGAIN)
        return True  # as far as is known
