"""The seam below the journal: what is written as one, and where it may be kept.

A store is opened before the bridge starts, and what it had then is read from it; from then on it is
written, one batch at a time.
"""

from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Protocol

from .inputs import InputKey, numbers_of
from .instant import Instant

__all__ = ["Batch", "Entry", "Fenced", "JournalUnusable", "Store", "StoreFailure"]


@dataclass(frozen=True, slots=True)
class Entry:
    """A room's document as it was written, and when."""

    document: str
    at: Instant


class JournalUnusable(Exception):
    """The journal cannot be opened and must not be replaced; the message says what to do."""


class StoreFailure(Exception):
    """Nothing of a batch is written, or nobody knows; the message says why.

    `what_to_do` is for whoever runs the bridge.
    """

    def __init__(self, message: str, what_to_do: str) -> None:
        super().__init__(message)
        self.what_to_do = what_to_do


class Fenced(StoreFailure):
    """Another box has the journal: nothing of the batch is written, and nothing ever will be.

    Who meets this must neither command, nor publish, nor acknowledge anything any more (R35).
    """


@dataclass(slots=True)
class Batch:
    """The content of one transaction; rooms whose document is empty are removed.

    `inputs`: by packet id and part. `afresh`: sessions of the broker of which the packet ids of
    before mean nothing any more, those in `inputs` do.
    """

    rooms: dict[str, Entry] = field(default_factory=dict)
    inputs: dict[int, dict[str, InputKey]] = field(default_factory=dict)
    afresh: set[int] = field(default_factory=set)
    contact: Instant | None = None
    notes: dict[str, str] = field(default_factory=dict)

    def take_in(self, key: InputKey) -> None:
        """An input was taken in; what had its packet id before is void."""
        parts = self.inputs.setdefault(key.mid, {})
        if any(known.digest != key.digest for known in parts.values()):
            parts.clear()
        parts[key.part] = key

    def taken_in(self) -> list[InputKey]:
        """All inputs."""
        return [key for parts in self.inputs.values() for key in parts.values()]

    def begin_afresh(self, session: int = 0) -> None:
        """Forget what the broker has numbered in a session; a press that was held is not its."""
        void = numbers_of(session)
        self.inputs = {mid: parts for mid, parts in self.inputs.items() if mid not in void}
        self.afresh.add(session)

    def add(self, later: "Batch") -> None:
        """Take in what was to be written after this."""
        for session in later.afresh:
            self.begin_afresh(session)
        for key in later.taken_in():
            self.take_in(key)
        self.rooms |= later.rooms
        self.contact = later.contact or self.contact
        self.notes |= later.notes


class Store(Protocol):
    """A place for what must survive a kill; `FileStore` of this folder is one."""

    @property
    def where(self) -> str:
        """The place, for people."""

    def rooms(self) -> dict[str, Entry]:
        """Every room's document."""

    def inputs(self) -> set[InputKey]:
        """Inputs whose acknowledgement the broker may not have seen."""

    def contact(self) -> Instant | None:
        """The last contact with the broker."""

    def note(self, name: str) -> str:
        """The text that was written last under this name; empty if none."""

    def write(self, batch: Batch) -> Awaitable[float]:
        """Have all of a batch survive a kill, or nothing of it; the seconds that took.

        One at a time. Raises `StoreFailure`; what a batch has that
        could not be written may come again in the next one. Raises `Fenced`, for good.
        """

    def waits_for_the_disk(self) -> bool:
        """True while what is being written waits in the kernel, where nothing can end it."""

    def close(self) -> None:
        """Let go of what it holds; what was written stays."""
