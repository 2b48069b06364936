"""Things that a room has made on HMP besides its recordings: sessions of its own, and a re-stream.

HMP lists neither (E45), so what is kept here and in the journal is all that anybody knows of them.
"""

from dataclasses import dataclass
from enum import Enum

from ...hmp.commands import RecordingId, SessionId, SourceId, StreamId
from .restart import Monotonic, Passing

__all__ = ["NO_SESSIONS", "MadeSession", "Phase", "Restream", "Sessions", "UnwantedSession"]


@dataclass(frozen=True)
class MadeSession:
    """A session that this room has made for one recording."""

    id: SessionId
    #: The sources that HMP has taken so far.
    sources: tuple[SourceId, ...] = ()
    #: A recording was started in it, or may have been: the next one gets another session.
    used: bool = False


@dataclass(frozen=True)
class UnwantedSession:
    """A session that is to be removed, and how often HMP has refused for no good reason."""

    id: SessionId
    refusals: int = 0


@dataclass(frozen=True)
class Sessions:
    """The sessions of a room that makes one per recording."""

    #: What the next session will be called; decided, and so journalled, before it is made.
    title: str | None = None
    #: The newest title without its number, and that number: a title is given once.
    titled: tuple[str, int] = ("", 0)
    #: The session in use.
    made: MadeSession | None = None
    #: Title of a session that HMP may have made and whose id was lost with a reply, for the
    #: recording now wanted: once it is set, the next loss ends the attempt.
    orphan: str | None = None
    unwanted: tuple[UnwantedSession, ...] = ()
    #: Before this no removal is tried again.
    remove_at: Passing[Monotonic] = 0.0


NO_SESSIONS = Sessions()
"""A room that has made none, and every room that records a session that is there."""


class Phase(Enum):
    """How far a re-stream has come."""

    WAITING = "to be started"
    RUNNING = "running"


@dataclass(frozen=True)
class Restream:
    """The re-stream of a finished recording, from the press to its end."""

    ip: str
    port: int
    phase: Phase = Phase.WAITING
    #: Whether it is to run, after the latest press that counts (R10).
    wanted: bool = True
    #: The recording, once a start was sent; until then it is the last that has finished.
    recording: RecordingId | None = None
    #: None until it runs, and where HMP said that it runs and the id was lost with a reply.
    id: StreamId | None = None
    #: It may be running since a start whose reply was lost: *address in use* then says that it is.
    doubt: bool = False
    #: Where the next one is to be sent once this one, which is being stopped, has ended.
    then: tuple[str, int] | None = None
