"""The lease: which box acts, and until when it may believe so (R35).

A key of etcd's names the box that acts. It hangs on a lease, so that it goes when that box is
silent for the lease's time, and whoever makes it anew acts from then on. The revision at which the
key was made is the fence: no two terms have the same one, and every commit is compared with it.

One `Leadership` is one term: `campaign` until it is ours, `keep` it, `resign`. Who has lost one
makes another.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog
import trio

from ..journal.store import StoreFailure
from ..process.progress import Progress
from .etcd import Etcd
from .wire import KeyValue, created, get, put

__all__ = ["Leader", "Leadership", "boot_time"]

log = structlog.get_logger("journal")

_LOOK = 0.25
"""Seconds between two looks at whether the key is free."""

_MARGIN = 0.1
"""Of the lease's time: what clocks of two boxes may differ in that time, and more."""

_PATIENCE = 5.0
"""Of the lease's time: what is asked in one round has come to an end by then, answered or not."""

_FAREWELL = 2.0
"""Seconds that resigning may take; then the lease ends by itself."""


def boot_time() -> float:
    """Seconds on the clock that goes on while the process is stopped and the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


@dataclass(frozen=True, slots=True)
class Leader:
    """The box that acts; `since` is its wall clock's, in seconds since the epoch."""

    box: str
    since: float
    fence: int


class Leadership:
    """One term of this box, from the campaign to its end."""

    def __init__(self, etcd: Etcd, clock: Callable[[], float] = boot_time) -> None:
        self._etcd = etcd
        self._clock = clock
        self._ttl = etcd.settings.ttl
        self.key = f"{etcd.settings.prefix}leader"
        #: Ours at etcd, whether the key hangs on it or not; 0 for none.
        self._lease = 0
        #: Of `campaign` and `keep`.
        self.progress = Progress()
        self._deadline = 0.0
        #: The revision at which the key was made; 0 while it was not.
        self.fence = 0
        #: Set once the term is over: another box may act, or does.
        self.lost = trio.Event()
        #: Who acts, as far as is known; None where nobody does.
        self.leader: Leader | None = None
        #: Why etcd could not be asked the last time; None if it could.
        self.failure: StoreFailure | None = None
        #: `keep` has had an answer, and asks again later.
        self._rests = False

    def is_ours(self) -> bool:
        """True while no other box can have the lease, at this instant.

        To be asked immediately before what only one box may do: the process may have been stopped
        since it last ran. False does not mean that another box has it; `lost` does.
        """
        return not self.lost.is_set() and self._clock() < self._deadline

    @property
    def remaining(self) -> float:
        """Seconds for which `is_ours` stays true if etcd is not heard of again; 0 at least."""
        return max(0.0, self._deadline - self._clock()) if not self.lost.is_set() else 0.0

    async def campaign(self, told: Callable[[], None] = lambda: None) -> None:
        """Return once the key is ours; `told` whenever `leader` or `failure` is another one."""
        said: object = None
        while True:
            before = self.failure
            self.progress.within(_PATIENCE * self._ttl)
            try:
                done = await self._try()
            except StoreFailure as failure:
                self.failure, done = failure, False
                if before is None:
                    log.warning("etcd cannot be asked", error=str(failure))
            else:
                self.failure = None
            if said != (said := (self.leader, str(self.failure))):
                told()
            if done:
                self.progress.waits()
                return
            await self.progress.rest(trio.current_time() + _LOOK)

    async def look(self) -> Leader | None:
        """Who acts at this moment; `leader` from then on. Raises `StoreFailure`."""
        held = await self._etcd.get(self.key)
        self.leader = None if held is None else _leader(held)
        return self.leader

    async def _try(self) -> bool:
        """Make the key if there is none; True if it is ours."""
        # Of a try that was not answered, and may have made the key, or make it yet.
        await self._give_back()
        if await self.look() is not None:
            return False
        sent = self._clock()
        lease = await self._etcd.grant(self._ttl)
        self._lease = lease.id
        value = json.dumps({"box": self._etcd.settings.box, "since": round(time.time(), 3)})
        # Asked twice, of two members, it finds what the first one did: told by the lease.
        answer = await self._etcd.transact(
            [created(self.key, 0)], [put(self.key, value, lease.id)], [get(self.key)]
        )
        found = answer.found.get(self.key)
        if answer.succeeded:
            self.fence = answer.header.revision
        elif found is not None and found.lease == lease.id:
            self.fence = found.create_revision
        else:
            self.leader = None if found is None else _leader(found)
            await self._give_back()
            return False
        self._extend(sent, lease.ttl)
        self.leader = Leader(self._etcd.settings.box, time.time(), self.fence)
        return True

    def _extend(self, sent: float, ttl: float) -> None:
        """It lasts from when etcd had the request: after it was sent, so that is counted from."""
        self._deadline = sent + ttl - self._ttl * _MARGIN

    async def keep(self, told: Callable[[], None] = lambda: None) -> None:
        """Keep the lease, and return once the term is over; `told` of every answer, and then."""
        while not self.lost.is_set():
            sent = self._clock()
            self.progress.within(_PATIENCE * self._ttl)
            try:
                left = await self._etcd.keep_alive(self._lease)
            except StoreFailure as failure:
                if self.failure is None:
                    log.warning("the lease cannot be kept", error=str(failure))
                self.failure, pause = failure, self._ttl / 20
            else:
                self.failure, pause = None, self._ttl / 3
                if left <= 0:
                    self.lose()
                    break
                self._extend(sent, left)
            told()
            if not self.lost.is_set():  # while etcd was asked
                self._rests = True
                await self.progress.rest(trio.current_time() + pause)
                self._rests = False
        self.progress.waits()
        told()

    def unanswered(self, failure: StoreFailure) -> None:
        """etcd did not answer something else; `keep` asks at once whether it does."""
        self.failure = failure
        if self._rests:
            self.progress.wanted()

    def lose(self) -> None:
        """The term is over: etcd has said that the key is not ours."""
        if not self.lost.is_set():
            log.warning("the lease is lost; another box may act", fence=self.fence)
            self._is_lost()

    def _is_lost(self) -> None:
        self.lost.set()
        self.progress.wanted()

    async def resign(self) -> None:
        """Give the lease back, so that another box need not wait for it to run out.

        So does one whose campaign was cancelled: the key may be on its way.
        """
        self._is_lost()
        with trio.move_on_after(_FAREWELL, shield=True):
            try:
                await self._give_back()
            except StoreFailure as failure:
                log.warning("the lease cannot be given back; it runs out", error=str(failure))

    async def _give_back(self) -> None:
        """End the lease, if there is one, with the key that hangs on it, or would."""
        if self._lease:
            await self._etcd.revoke(self._lease)
            self._lease = 0


def _leader(held: KeyValue) -> Leader:
    """Total: whatever stands there, somebody has it."""
    try:
        value = json.loads(held.value)
        return Leader(str(value["box"]), float(value["since"]), held.create_revision)
    except (ValueError, KeyError, TypeError):
        return Leader("unknown", 0.0, held.create_revision)
