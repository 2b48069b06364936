"""Arrivals: what comes to a room's loop beside requests, from HMP and from the bridge itself."""

from dataclasses import dataclass, field

import trio

from ..hmp.link import Passage
from .delivery import Bearer
from .facts.answer import Answer
from .facts.state import Step
from .rules.guarded import Rule

__all__ = ["Answered", "Told", "Waiting"]


@dataclass(frozen=True, slots=True)
class Answered:
    """HMP's answer to a step, and when that was sent and answered."""

    step: Step
    answer: Answer
    passage: Passage


@dataclass(frozen=True, slots=True)
class Told:
    """Something the room is told; `bearer` is told once it is written down and published."""

    rule: Rule
    bearer: Bearer | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """Waits, as a `Bearer`, for what it told the room."""

    accepted: trio.Event = field(default_factory=trio.Event)

    def accept(self) -> None:
        """Go on."""
        self.accepted.set()
