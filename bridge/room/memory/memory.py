"""The disk of one room, as it sees it: written when it matters, and not a moment later (R6)."""

import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Protocol

import structlog
import trio

from ...journal.inputs import InputKey
from ...journal.instant import Instant
from ...journal.store import Entry
from ..facts.changed import changed
from ..facts.policy import Policy
from ..facts.state import Change, RoomState
from ..facts.values import Now, Result
from .durable import (
    DocumentError,
    Remembered,
    from_document,
    must_precede,
    remember,
    restore,
    to_document,
)
from .retained import adopt_retained

__all__ = ["Memory", "recall"]

log = structlog.get_logger("room")

_TIDY_AFTER = 1.0
"""Seconds after which the arrival of results is written too, should nothing else be written."""

_MOST_RESULTS = 100
"""Results of one room that are kept for a broker that is away."""


class Save(Protocol):
    """`Journal.save`: what it was called with first is written first, whenever that is awaited."""

    def __call__(
        self, room: str, document: Callable[[], str], inputs: Sequence[InputKey], /
    ) -> Awaitable[None]:
        """Write a room's document, and the inputs it has taken in."""


class Memory:
    """The journal's view of one room.

    `kept` is what the journal has (None: nothing), `results` are due from before a restart.
    """

    def __init__(
        self, room: str, save: Save, kept: Remembered | None, results: Sequence[Result] = ()
    ) -> None:
        self.room = room
        #: Whether the room remembers anything by itself, or has been told by its retained topics.
        self.known = kept is not None
        self.results = tuple(results)
        self._journalled = None if kept is None else kept.revision
        self._save = save
        self._kept = kept
        self._seen: tuple[RoomState, Remembered] | tuple[None, None] = (None, None)
        self._unconfirmed: list[Result] = []
        self._tidy_at = math.inf

    def comes_first(self, state: RoomState) -> bool:
        """True if `state` must be written down before anything of it is sent or published (R6)."""
        return must_precede(self._known(state), self._kept)

    def keep(
        self, state: RoomState, results: Sequence[Result], keys: Sequence[InputKey]
    ) -> Awaitable[None] | None:
        """Have written what must survive of `state`; to be awaited until it is on the disk.

        None where nothing is to be written.
        """
        self._unconfirmed = [*self._unconfirmed, *results][-_MOST_RESULTS:]
        known = self._known(state)
        if self._kept is None and not self.known:
            # A room that nobody has told anything yet: to write that down would pass for knowledge.
            self._kept = known
        untidy = bool(keys or results) or self.tidy_in() <= 0.0
        if not untidy and known == self._kept:
            return None
        self._kept = known
        self._tidy_at = math.inf
        due = changed(known, {"results": tuple(self._unconfirmed)})
        return self._save(self.room, partial(to_document, due), keys)

    @property
    def unconfirmed(self) -> int:
        """Results that the broker does not have yet, `_MOST_RESULTS` at most."""
        return len(self._unconfirmed)

    def _known(self, state: RoomState) -> Remembered:
        seen, known = self._seen
        if known is None or state is not seen:
            known = remember(state)
            self._seen = (state, known)
        return known

    def told(self, status: bytes) -> Callable[[RoomState, Now], Change]:
        """The room after its retained `status` was held against what the journal had."""
        self.known = True
        journalled = self._journalled
        return lambda room, now: adopt_retained(room, status, now, journalled)

    def arrived(self, result: Result) -> None:
        """The broker has the result: it need not be given again after a restart."""
        if result in self._unconfirmed:
            self._unconfirmed.remove(result)
            self._tidy_at = min(self._tidy_at, trio.current_time() + _TIDY_AFTER)

    async def tidy(self, state: RoomState) -> None:
        """Return once the arrival of every result so far is on the disk."""
        if self._tidy_at < math.inf:
            self._tidy_at = trio.current_time()
            if (saved := self.keep(state, (), ())) is not None:
                await saved

    def tidy_in(self) -> float:
        """Seconds until the arrival of results should be written down."""
        return max(0.0, self._tidy_at - trio.current_time())


def recall(
    room: str, entry: Entry | None, policy: Policy, save: Save, *, at: Instant, now: Now
) -> tuple[RoomState, Memory]:
    """The state and memory of a room as the journal has them, or of one that nobody knows."""
    fresh = RoomState(policy, not_ready_since=now.monotonic)
    if entry is None:
        return fresh, Memory(room, save, None)
    try:
        known = from_document(entry.document)
    except DocumentError as error:
        log.error(  # noqa: TRY400 - the document says more than the parser's stack
            "a room's journal entry is unreadable; it is taken from its retained topics",
            room=room,
            error=str(error),
            entry=entry.document,
        )
        return fresh, Memory(room, save, None)
    shift = entry.at.shift_to(at, trusted=now.synchronised)
    same_boot = entry.at.boot == at.boot
    change = restore(
        policy, known, saved_at=entry.at.monotonic, shift=shift, same_boot=same_boot, now=now
    )
    return change.state, Memory(room, save, replace(known, results=()), change.results)
