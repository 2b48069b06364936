"""The values that go in and out of a room: instants, requests, problems, results.

Times of the type `Monotonic` are seconds of a clock that is never set; times called *wall* are
seconds since 1970 UTC.
"""

from dataclasses import dataclass, replace
from math import inf
from typing import NamedTuple

from ...hmp.commands import RecordingId
from .meeting import Meeting
from .restart import Monotonic
from .vocabulary import Action, Goal, Outcome, State

__all__ = ["Mark", "Now", "Pending", "Problem", "Reply", "Request", "Result"]


class Now(NamedTuple):
    """One instant, read once for every decision so that a decision is consistent in itself."""

    monotonic: float
    wall: float
    #: Whether the wall clock can be believed: what it says ends nothing otherwise (R13).
    synchronised: bool = True

    def has_come(self, moment: Monotonic | None) -> bool:
        """True if that time is now or lies behind; None never comes."""
        return moment is not None and moment <= self.monotonic

    def monotonic_at(self, wall_time: float) -> Monotonic:
        """When the wall clock will show `wall_time`; infinite while it cannot be believed."""
        return self.monotonic + (wall_time - self.wall) if self.synchronised else inf

    def is_past(self, wall_time: float | None) -> bool:
        """True if that is over for certain; None never is."""
        return wall_time is not None and self.has_come(self.monotonic_at(wall_time))


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a request did not do what it asked: HMP's code and message, or a word and text of ours.

    `explanation` says what it means and what to do.
    """

    code: str
    message: str
    explanation: str


@dataclass(frozen=True, slots=True)
class Reply:
    """Where an answer goes beside our own topic: MQTT 5's Response Topic and Correlation Data.

    `correlation` is hexadecimal, so that it can be journalled as text.
    """

    topic: str
    correlation: str | None = None


@dataclass(frozen=True)
class Request:
    """One thing that was asked of a room.

    `word` is the action or event as it was asked for, `origin` the topic it came by, `id` the
    sender's or a generated one: the result carries all three back.
    """

    action: Action
    id: str | int
    word: str
    origin: str
    received_at: Monotonic
    title: str | None = None
    recording_id: RecordingId | None = None
    ip: str | None = None
    port: int | None = None
    #: Seconds by which an end is to be moved.
    seconds: float | None = None
    #: The text of a metadata field.
    text: str | None = None
    #: The meeting that an event speaks of.
    meeting: Meeting | None = None
    #: What of it could not be understood and was left out; its result says so.
    doubt: Problem | None = None
    #: Seconds of an unusable link that a start survives, where not the room's `action_ttl`.
    ttl: float | None = None
    reply: Reply | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """The end of a request; every request gets exactly one.

    `id`, `word` and `origin` are the request's, `state` is the room's afterwards (None where there
    is no such room), `took` is seconds from receipt to result, `recording_id` what the room then
    held.
    """

    id: str | int
    word: str
    origin: str
    outcome: Outcome
    state: State | None
    problem: Problem | None = None
    took: float = 0.0
    recording_id: RecordingId | None = None
    reply: Reply | None = None


@dataclass(frozen=True)
class Pending:
    """A request that was accepted and whose result is still out.

    `left` is how many seconds of an unusable link it survives (R8: queueing never expires it);
    None for a stop, which is kept until HMP confirms it, and for what a meeting bounds. `about` is
    what it waits for where a goal can be of several things: a meeting's owner, a detail's name.
    """

    request: Request
    goal: Goal
    left: float | None
    about: str = ""

    def after(self, waited: float) -> "Pending":
        """The same after the link was unusable for `waited` seconds."""
        return self if self.left is None else replace(self, left=self.left - waited)


@dataclass(frozen=True)
class Mark:
    """A HotMark to be set before `expires_at` (R8: always within `mark_ttl`)."""

    #: None for a mark that the room sets by itself.
    request: Request | None
    title: str
    expires_at: Monotonic
    #: It has met another mark in its second, and was moved to the next one (R15).
    moved: bool = False
