"""What was seen of a run at a calm: plain values, so that a judgement can be tested by hand."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Asked", "Observation", "Room", "Told", "WorldRecording"]


@dataclass(frozen=True, slots=True)
class Room:
    """A room as configured: its server and session.

    `proves`: its HMP answers 060003 to the question of R7. Where it does not, nobody can say
    whether an unknown recording has ended, and its alarm may end with the room's next recording.
    `restarts_lost`, `restarts_interrupted`: the room's policy after a lost start (R7) and after an
    interruption (R25).
    """

    name: str
    server: str
    session: str
    proves: bool = True
    restarts_lost: bool = True
    restarts_interrupted: bool = True


@dataclass(frozen=True, slots=True)
class WorldRecording:
    """A recording as HMP has it.

    `state` is one of HMP's four words, or `forgotten` where it has ended and HMP answers *not
    found*; `started_at` is Unix time.
    """

    id: str
    session: str
    state: str
    started_at: float

    @property
    def active(self) -> bool:
        """Whether it is being recorded or paused."""
        return self.state in ("RECORDING", "PAUSED")


@dataclass(frozen=True, slots=True)
class Asked:
    """A press that was sent, in the order of sending.

    `acked`: the broker has acknowledged it. `excused`: the broker itself may have lost it, or the
    result, since; or it is `gone`, with a box of a pair that was killed while neither reached the
    store: a stop may have been sent that nobody else knows of (R36). `may_repeat`: the daemon was
    killed or a connection cut since, so that its result may come more than once. `unwritten`: the
    box of a pair that answered it acted while neither reached the store, so that the next one to
    lead answers it by what it finds (R36).
    """

    id: str
    room: str
    action: str
    at: float
    acked: bool = True
    excused: bool = False
    may_repeat: bool = False
    unwritten: bool = False
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """A result as a panel got it; `code` is the error's, empty without one."""

    id: str
    outcome: str
    state: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class Observation:
    """Everything that is compared, about one round and the calm after it."""

    rooms: Sequence[Room]
    #: Of all servers.
    recordings: Sequence[WorldRecording] = ()
    #: Retained topics below the base topic, as a fresh subscriber got them.
    retained: Mapping[str, str] = field(default_factory=dict)
    #: Documents by room; None when there is no journal.
    journal: Mapping[str, Mapping[str, Any]] | None = field(default_factory=dict)
    #: Recording ids that were journalled, by room, oldest first.
    journalled: Mapping[str, Sequence[str]] = field(default_factory=dict)
    #: Recording ids that were published, by room, oldest first.
    published: Mapping[str, Sequence[str]] = field(default_factory=dict)
    #: Ids of recordings that a box of a pair started or published, and could not write before it
    #: was killed (R36).
    unwritten: Collection[str] = ()
    #: Session of every recording that was ever seen in HMP.
    sessions: Mapping[str, str] = field(default_factory=dict)
    asked: Sequence[Asked] = ()
    told: Mapping[str, Sequence[Told]] = field(default_factory=dict)
    #: Successful startRecording of this round, by session.
    starts: Mapping[str, int] = field(default_factory=dict)
    #: Recordings that HMP lost or turned to ERROR this round, by session.
    interruptions: Mapping[str, int] = field(default_factory=dict)
    #: Starts that the round before may have left to this one, by session.
    restarts_allowed: Mapping[str, int] = field(default_factory=dict)
    #: When people were last told by alarm or result that a start's outcome is unknown, by room.
    reported: Mapping[str, float] = field(default_factory=dict)
    #: Named violations that the proxies and the supervisor saw: name and text.
    seen: Sequence[tuple[str, str]] = ()
    #: Resident memory of the daemon in kB, of the largest where there are several.
    memory: int = 0
    #: The boxes of one bridge, where it is not alone.
    boxes: Sequence[str] = ()
