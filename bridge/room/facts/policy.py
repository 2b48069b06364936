"""The settings of a room that its model needs."""

from dataclasses import dataclass
from typing import Literal

from ...hmp.commands import SessionId, SourceId
from .detail import DetailPlan

__all__ = ["Policy"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The settings of a room that decide what it does. All durations are seconds.

    Defaults are the configuration's.
    """

    #: The session that is recorded; None where `sources` say what each one made is to have.
    session: SessionId | None
    action_ttl: float
    mark_ttl: float
    mark_title: str
    poll_interval: float
    start_timeout: float
    elapsed_every: float
    restart_lost_start: bool
    restart_within: float
    restart_interrupted: bool
    interrupt_backoff: float
    sources: tuple[SourceId, ...]
    #: Remove a session that was made once nothing more is to be recorded in it.
    delete_session: bool
    #: What the title of a session that is made begins with.
    session_title: str
    #: Where `restream_start` sends to unless it says so itself.
    restream_ip: str | None
    restream_port: int | None
    #: How long a recording goes on after its meeting's end (R11).
    stop_grace: float
    #: How long a recording may take to end that is cut for the next meeting (R12).
    cut_timeout: float
    #: What stops anything that runs on (R13); pauses count.
    max_duration: float
    #: HMP's own maximum recording duration; None where nobody has said (R25).
    max_recording: float | None
    #: Start another recording where HMP has ended one for that.
    restart_limited: bool
    #: How long before an end that comes by itself people are warned.
    warn_before: float
    #: By how much `extend` moves an end that does not say so itself, and by how much in all.
    extend_by: float
    max_extend: float
    #: After how long a pause people are reminded; None for never.
    pause_reminder: float | None
    #: After how long a pause the room acts by itself, and how; None for never.
    max_pause: float | None
    on_max_pause: Literal["resume", "stop"]
    #: Titles of the HotMarks that are set at a pause and at its end; None for none.
    pause_mark: str | None
    resume_mark: str | None
    #: Record what the calendar marks as lasting all day, as other meetings are.
    record_all_day: bool
    #: Take an empty payload on a press topic for a press.
    empty_is_press: bool
    details: DetailPlan
