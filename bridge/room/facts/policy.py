"""The settings of a room that its model needs."""

from dataclasses import dataclass
from typing import Literal

from ...hmp.commands import SessionId, SourceId
from .detail import NO_DETAILS, DetailPlan

__all__ = ["Policy"]


@dataclass(frozen=True, slots=True)
class Policy:
    """The settings of a room that decide what it does. All durations are seconds."""

    #: The session that is recorded; None where `sources` say what each one made is to have.
    session: SessionId | None
    action_ttl: float = 30.0
    mark_ttl: float = 5.0
    mark_title: str = "Mark"
    poll_interval: float = 2.0
    start_timeout: float = 30.0
    elapsed_every: float = 10.0
    restart_lost_start: bool = True
    restart_within: float = 120.0
    restart_interrupted: bool = True
    interrupt_backoff: float = 30.0
    sources: tuple[SourceId, ...] = ()
    #: Whether a session that was made is removed once nothing more is to be recorded in it.
    delete_session: bool = False
    #: What the title of a session that is made begins with.
    session_title: str = "Recording"
    #: Where `restream_start` sends to unless it says so itself.
    restream_ip: str | None = None
    restream_port: int | None = None
    #: How long a recording goes on after its meeting's end (R11).
    stop_grace: float = 0.0
    #: How long a recording may take to end that is cut for the next meeting (R12).
    cut_timeout: float = 15.0
    #: What stops anything that runs on (R13); pauses count.
    max_duration: float = 43_200.0
    #: How long before an end that comes by itself people are warned.
    warn_before: float = 300.0
    #: By how much `extend` moves an end that does not say so itself, and by how much in all.
    extend_by: float = 900.0
    max_extend: float = 14_400.0
    #: After how long a pause people are reminded; None for never.
    pause_reminder: float | None = 600.0
    #: After how long a pause the room acts by itself, and how; None for never.
    max_pause: float | None = None
    on_max_pause: Literal["resume", "stop"] = "resume"
    #: Titles of the HotMarks that are set at a pause and at its end; None for none.
    pause_mark: str | None = None
    resume_mark: str | None = None
    details: DetailPlan = NO_DETAILS
