"""The settings of a room that its model needs."""

from dataclasses import dataclass

from ..hmp.commands import SessionId, SourceId

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
