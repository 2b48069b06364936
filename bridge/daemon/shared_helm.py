"""The helm of a box that leads beside others: held for as long as it may act (R36).

Whatever could leave this box asks here first, on the clock that goes on while a process is stopped:
so one that was paused beyond its lease finds the helm gone before it has sent anything.
"""

from collections.abc import Callable, Mapping, Sequence

import structlog
import trio

from ..cluster.etcd import Unreachable
from ..cluster.lease import Leadership
from ..journal.journal import Journal
from ..journal.store import Batch, Fenced, Store, StoreFailure
from ..mqtt.broker_health import BrokerState
from ..process.progress import Progress
from .box_words import ready_to_lead
from .boxes import Boxes
from .helm import Helm
from .standing import Facts, Standing, standing_of

__all__ = ["SharedHelm", "TermStore", "see_written", "write_again"]

log = structlog.get_logger("bridge")

_LOOK_AGAIN = 0.5
"""Seconds between two looks at a lease that has run out, and may be ours again."""

_TRY_AGAIN = 5.0
"""Seconds after which a store that answers, and has taken nothing, is given that once more."""


class SharedHelm(Helm):
    """One term: from the lease being ours until this box may act no more, or leaves to another.

    `patience`: seconds for which the session is tried before anything else. `hang_up` is to end the
    connection to the broker at once, `is_accepted` to say whether there is one.
    """

    def __init__(self, term: Leadership, boxes: Boxes, patience: float) -> None:
        self.term = term
        #: The one that is to follow where the lease has run out.
        self.candidate: Leadership | None = None
        self._boxes = boxes
        self._session_until = trio.current_time() + patience
        self.hang_up: Callable[[], None] = lambda: None
        #: True while the broker has accepted us, and we tell it everything before we are online.
        self.is_accepted: Callable[[], bool] = lambda: False
        self._session = False
        self._unreached_since: float | None = trio.current_time()
        #: Of whoever looks whether another box is to lead.
        self.progress = Progress()
        self._taken = trio.Event()
        self._standing = Standing.LEADS
        self._given_up = False
        self._news = trio.lowlevel.ParkingLot()
        #: Boxes that are ready, once this one is to leave to them.
        self.handed_over: Sequence[str] = ()

    @property
    def facts(self) -> Facts:
        """All that decides, at this moment."""
        term, lease = self.term, self.term.is_ours()
        store: bool | None = term.failure is None
        if term.lost.is_set():
            is_away = self.candidate is not None and self.candidate.failure is not None
            store = True if self._is_another_s else False if is_away else None
        elif store and not lease:
            store = None  # it will be told: a process that was paused asks first
        return Facts(lease, self._session, store, self._boxes.others)

    @property
    def _is_another_s(self) -> bool:
        """Of a lease that is lost: one that ran out while nothing was heard may be won again."""
        return self._standing is Standing.LEADS or self._given_up

    def go_on(self, term: Leadership) -> None:
        """The lease is ours again, and nobody has led in between."""
        self.term, self.candidate = term, None
        self.changed()

    def give_up(self) -> None:
        """It is not."""
        self._given_up = True
        self.changed()

    def look(self) -> Standing:
        """How this box stands now; once its term has ended it stays so, and nothing leaves."""
        if self._standing is not Standing.ENDS:
            facts, before = self.facts, self._standing
            self._boxes.ask(facts.store is False)  # then it is they who decide
            self._standing = now = standing_of(facts)
            if now is Standing.ENDS:
                self.hang_up()
            if now is not before:
                self._tell(now, facts)
                self._news.unpark_all()
        return self._standing

    def end(self) -> None:
        """End the term here and now, whatever the facts are."""
        self._standing = Standing.ENDS
        self.hang_up()
        self._news.unpark_all()

    def changed(self) -> None:
        """One of the facts is another one."""
        self.look()
        self._news.unpark_all()

    @property
    def unreached_for(self) -> float:
        """Seconds for which no press has reached this box, nor is about to."""
        since = self._unreached_since
        return 0.0 if since is None or self.is_accepted() else trio.current_time() - since

    @property
    def due_at(self) -> Mapping[str, float]:
        """The lease is kept by a loop; others ask who wants it, and hear what the boxes say."""
        own = {"lease": self.term.progress.due_at, "wish for the lease": self.progress.due_at}
        return own | self._boxes.due_at

    def to_change(self) -> bool:
        """True if a command that changes something may leave at this very moment."""
        return self.look().acts

    async def to_take_session(self) -> None:
        """Return once the session at the broker may be asked for."""
        while not self.look().may_connect:
            await self._news.park()

    async def to_connect(self) -> None:
        """The same of an HMP. The session is taken first: who had it hears of no press any more."""
        with trio.move_on_at(self._session_until):
            await self._taken.wait()
        await self.to_take_session()

    def broker_changed(self, state: BrokerState) -> None:
        """Presses reach this box while its link is online."""
        before, self._session = self._session, state is BrokerState.ONLINE
        if self._session:
            self._taken.set()
            self._unreached_since = None
        elif before:
            self._unreached_since = trio.current_time()
        self.changed()

    def hand_over(self) -> Sequence[str]:
        """Begin to leave to one of the boxes that are ready; which."""
        boxes, leads = self._boxes, self.look() is Standing.LEADS
        return self.leave_to(ready_to_lead(boxes.words) if leads and boxes.heard else [])

    def leave_to(self, boxes: Sequence[str]) -> Sequence[str]:
        """Begin to leave to one of these, if there is any."""
        self.handed_over = boxes
        self._news.unpark_all()
        return boxes

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Return once this is so; it is asked whenever one of the facts is another one."""
        while not is_so():
            await self._news.park()

    async def over(self) -> None:
        """Return once the term has ended, or is to be handed over."""
        while not self.handed_over and self.look() is not Standing.ENDS:
            await self._hear_news()

    async def ended(self) -> None:
        """Return once the term has ended."""
        while self.look() is not Standing.ENDS:
            await self._hear_news()

    async def _hear_news(self) -> None:
        with trio.move_on_after(self.term.remaining or _LOOK_AGAIN):
            await self._news.park()

    def unanswered(self, failure: Unreachable) -> None:
        """The store did not answer a commit, and is away until it answers.

        Of a lease that has run out that tells nothing: a process that was paused asks first.
        """
        if self.term.is_ours():
            self.term.unanswered(failure)
            self.changed()

    async def may_go_on(self) -> bool:
        """False where the term has ended; waits while another box may have what is not written.

        That is while the lease is ours, and longer where presses reach us.
        """
        while self.look() is Standing.WAITS or (self._standing is Standing.HOLDS and self._session):
            await self._hold()
        return self._standing is not Standing.ENDS

    @property
    def may_write(self) -> bool:
        """True while the lease is ours, and the store answers."""
        facts = self.facts
        return bool(facts.lease and facts.store)

    async def until_it_may_write(self) -> bool:
        """Wait for that; False where the term has ended."""
        while self.look() is not Standing.ENDS and not self.may_write:
            await self._hold()
        return self._standing is not Standing.ENDS

    async def is_won_again(self) -> Standing:
        """How this box stands once it is known whose the lease is that ran out, or nobody's."""
        while self.look() in {Standing.HOLDS, Standing.WAITS}:
            await self._hold()
        return self._standing

    async def _hold(self) -> None:
        self.holds = True
        self._news.unpark_all()
        try:
            await self._news.park()
        finally:
            self.holds = False

    def _tell(self, standing: Standing, facts: Facts) -> None:
        report = log.info if standing is Standing.LEADS else log.warning
        report(
            "this box stands otherwise",
            standing=standing.value,
            lease=facts.lease,
            session=facts.session,
            store=facts.store,
            others=facts.others.value,
        )


class TermStore:
    """The journal's store for one term: what cannot be written ends it, unless this box may act.

    So nobody acknowledges, publishes or sends anything that rests on what is another box's by then.
    A commit that the store does not answer is written again once it answers anything. Where it
    does not take that either, nobody else gets the lease meanwhile, and recording comes first.
    """

    def __init__(self, store: Store, helm: SharedHelm) -> None:
        self._store = store
        self._helm = helm
        self._takes_nothing = False
        self.rooms = store.rooms
        self.inputs = store.inputs
        self.contact = store.contact
        self.note = store.note
        self.waits_for_the_disk = store.waits_for_the_disk
        self.close = store.close

    @property
    def where(self) -> str:
        """The place of what is written, for people."""
        return self._store.where

    async def write(self, batch: Batch) -> float:
        """Write it in one transaction; the seconds that took. Raises `StoreFailure`, `Fenced`."""
        while True:
            try:
                took = await self._store.write(batch)
            except Fenced as fenced:
                standing = await self._helm.is_won_again()
                if standing is Standing.ENDS:
                    raise
                if standing is not Standing.LEADS:  # the store is away again
                    raise StoreFailure(str(fenced), fenced.what_to_do) from fenced
            except StoreFailure as failure:
                if isinstance(failure, Unreachable):
                    self._helm.unanswered(failure)
                if not await self._helm.may_go_on():
                    raise Fenced(str(failure), "nothing: another box leads, or will") from failure
                answers = isinstance(failure, Unreachable) and self._helm.facts.store
                if self._takes_nothing or not answers:
                    raise
                self._takes_nothing = True
            else:
                self._takes_nothing = False
                return took


async def see_written(helm: SharedHelm, journal: Journal) -> None:
    """Return once the next one finds in the journal all that this one, which leaves, has done.

    Or as much of it as the store takes; and where the term is over, what is left is another's.
    """
    if journal.failure is not None:
        log.warning("leaving once the store has what could not be written", error=journal.failure)
    while journal.failure is not None and await helm.until_it_may_write():
        await journal.try_again()
        if helm.may_write:  # it has answered
            return


async def write_again(helm: SharedHelm, journal: Journal) -> None:
    """Have written at once, when the store is back, what could not be while it was away."""
    while True:
        await helm.until(lambda: journal.failure is not None and helm.may_write)
        await journal.try_again()
        if journal.failure is not None:  # it answers, and takes nothing
            await trio.sleep(_TRY_AGAIN)
