"""How a box that stands by comes to the lease: told of first, and after those with more right."""

from collections.abc import Callable

import structlog
import trio

from ..cluster.etcd import Etcd
from ..cluster.lease import Leadership
from ..journal.store import StoreFailure
from ..process.progress import Progress
from .box_hearing import given_way_for
from .boxes import Boxes

__all__ = ["ASK_AGAIN", "Campaign"]

log = structlog.get_logger("bridge")

_OTHERS_FIRST = 10.0
"""Seconds for which a box that cannot be heard, or has just yielded, lets others go first."""

ASK_AGAIN = 0.5
"""Seconds between two questions to a store that does not answer."""


class Campaign:
    """For one term; `told` hears of whatever `term` learns, `reaches` whether the store answers."""

    def __init__(
        self,
        etcd: Etcd,
        term: Leadership,
        boxes: Boxes,
        *,
        progress: Progress,
        told: Callable[[], None],
        reaches: Callable[[bool], None],
    ) -> None:
        self._etcd = etcd
        self._term = term
        self._boxes = boxes
        self._progress = progress
        self._told = told
        self._reaches = reaches

    async def win(self, *, gives_way: bool) -> None:
        """Return once the lease is ours; one that `gives_way` lets another box have it first."""
        term = self._term
        while True:
            was_away = await self._until_it_answers()
            # Whoever acts without the store is to hear first that one of us can have the lease.
            with trio.move_on_at(self._progress.within(_OTHERS_FIRST)):
                await self._boxes.said()
            if was_away and any(each.leads for each in self._boxes.words.values()):
                # Who has acted meanwhile goes on, if it can; or finds that nobody says so any more.
                ttl = self._etcd.settings.ttl
                await self._progress.rest(trio.current_time() + given_way_for(ttl))
            if gives_way:
                gives_way = False
                await self._let_others_go_first()
            self._progress.waits()  # for the term's own loop
            with trio.CancelScope() as attempt:

                def told(attempt: trio.CancelScope = attempt) -> None:
                    self._told()
                    if term.failure is not None:
                        attempt.cancel()

                await term.campaign(told)
                return

    async def _until_it_answers(self) -> bool:
        """True where it did not when it was asked first, or last."""
        etcd, term = self._etcd, self._term
        was_away = term.failure is not None
        while True:
            self._progress.within(2 * etcd.settings.ttl)
            try:
                await etcd.get(term.key)
            except StoreFailure as failure:
                if not was_away:
                    log.warning("the store does not answer", error=str(failure))
                was_away = True
                self._reaches(False)
                await self._progress.rest(trio.current_time() + ASK_AGAIN)
            else:
                self._reaches(True)
                return was_away

    async def _let_others_go_first(self) -> None:
        with trio.move_on_at(self._progress.within(_OTHERS_FIRST)):
            while True:
                try:
                    if await self._etcd.get(self._term.key) is not None:
                        return
                except StoreFailure as failure:
                    log.debug("the store does not answer", error=str(failure))
                await trio.sleep(ASK_AGAIN)
