"""The memory of one HMP: all that there is. No commands, no I/O and no clock of its own."""

import random
import uuid
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

from .access import Access
from .faults import Faults
from .knobs import Knobs
from .objects import Category, Group, Permission, Recording, Session, Source, Stream, User

__all__ = ["LogEntry", "World"]

_LOG_LENGTH = 100_000


class LogEntry(NamedTuple):
    """A command that was executed: Unix time, the peer's address, the line, the answer."""

    at: float
    peer: str
    line: str
    answer: str


class World:
    """One HMP's memory.

    `now` gives Unix time in seconds; `ids` is the source of its UUIDs, seeded by whoever wants the
    same ones again. `log` keeps the last 100,000 commands, `executed` counts all of them.
    """

    def __init__(
        self,
        *,
        now: Callable[[], float],
        ids: random.Random,
        knobs: Knobs | None = None,
    ) -> None:
        self.now = now
        self.knobs = knobs or Knobs()
        self.faults = Faults(now)
        self.access = Access()
        self.sessions: dict[str, Session] = {}
        self.sources: dict[str, Source] = {}
        self.recordings: dict[str, Recording] = {}
        self.streams: dict[str, Stream] = {}
        #: by name in lower case
        self.users: dict[str, User] = {}
        self.groups: dict[str, Group] = {}
        self.permissions: dict[str, Permission] = {}
        self.categories: dict[str, Category] = {}
        self.log: deque[LogEntry] = deque(maxlen=_LOG_LENGTH)
        self.executed = 0
        self._ids = ids

    def new_id(self) -> str:
        """A version 4 UUID."""
        return str(uuid.UUID(int=self._ids.getrandbits(128), version=4))

    def date_and_time(self) -> str:
        """Now as HMP appends it to a recording's title (E28)."""
        return datetime.fromtimestamp(self.now(), UTC).strftime("%d/%m/%Y, %H:%M")

    def active_recordings(self, session: Session) -> list[Recording]:
        """The session's recordings that are RECORDING or PAUSED."""
        now = self.now()
        active = []
        for recording_id in session.recordings:
            recording = self.recordings.get(recording_id)
            if recording is not None:
                recording.settle(now)
                if recording.active:
                    active.append(recording)
        # Neither an ended nor a failed recording becomes active again.
        session.recordings = [recording.id for recording in active]
        return active
