"""A room: all that is known of it and wanted of it, and the word published for that.

Everything here is a value: frozen, comparable, without I/O and without a clock of its own. Times
are as in `values`.

The published `State` is not stored: it follows from what HMP last said (`Recording.status`), from
what people want (`RoomState.target`) and from what is under way, by the table in `published_state`
(R1). That a light could follow a press instead of the device is thereby impossible by design.

::

                 record                 HMP: OK|id              pause, HMP: OK
        IDLE ──────────▶ STARTING ──────────────────▶ RECORDING ────────────────▶ PAUSED
         ▲                  │ reply lost                 │    ▲ ◀──────────────────┘ │
         │                  ▼                            │    resume, HMP: OK        │
         │               UNKNOWN                         │ stop                      │ stop
         └──────────────────────────────── STOPPING ◀────┴───────────────────────────┘
               HMP: FINISHED or gone

Between RECORDING and PAUSED a room is PAUSING or RESUMING until HMP has answered. ERROR is HMP's
word for a recording, or that it has lost one (R25). How UNKNOWN ends: `rules.lost_start`.
"""

from dataclasses import dataclass
from typing import NamedTuple

from ...hmp.commands import Command, RecordingId, RecordingStatus, SessionId
from .created import NO_SESSIONS, Restream, Sessions
from .detail import Details, Texts
from .meeting import Meeting
from .policy import Policy
from .restart import Monotonic, Passing
from .values import Mark, Now, Pending, Problem, Result
from .vocabulary import ALARMS, UNDER_WAY, Alarm, Goal, State, StepKind, Stop, Target

__all__ = [
    "Change",
    "Kept",
    "LostStart",
    "Recording",
    "RoomState",
    "Step",
    "elapsed",
    "published_state",
]


@dataclass(frozen=True)
class Recording:
    """The recording that HMP holds, or might still hold, for this room."""

    #: None when HMP has proved that it records and its id was lost with a reply (R7b).
    id: RecordingId | None
    #: None for an adopted one of a room that makes its sessions.
    session: SessionId | None
    #: Wall time of the start, for people.
    started_at: float
    status: RecordingStatus
    owner: str = "manual"
    #: Wall time of the first status RECORDING or PAUSED: HMP holds it (R2).
    verified_at: float | None = None
    #: HMP's last word that it is active: what ended it came later.
    active_at: Passing[Monotonic | None] = None
    #: Seconds recorded before `running_since`, pauses left out (E52: our own estimate).
    recorded: float = 0.0
    #: Since when it has been running, None while it is not.
    running_since: Monotonic | None = None
    #: HMP must be asked how things stand before anything else is decided.
    unsettled: Passing[bool] = False
    #: A status has been asked for at least once.
    asked: Passing[bool] = False
    stop: Stop = Stop.NO
    #: Before this nothing is asked or sent again.
    not_before: Passing[Monotonic] = 0.0
    #: Since when HMP has answered *not found* for it, before it was ever verified.
    missing_since: Monotonic | None = None
    #: Known from our retained topics only (R9): if HMP does not know it, it ended some time ago.
    remembered: bool = False
    #: HMP has not known it for `start_timeout`: nobody can say whether it exists (R8).
    missing: bool = False
    #: When HMP answered the stop, bounds how long ERROR is taken for *not ended*.
    stop_answered_at: Monotonic | None = None
    #: How often in a row HMP has not known it, although it had (R25).
    not_found: Passing[int] = 0
    #: Its session is to be asked whether it records, before HMP is asked for it again (R25).
    witness_due: Passing[bool] = False
    #: HMP does not know it, and has proved that its session is being recorded (R25).
    held: bool = False
    #: HMP did not know it however often it was asked: only a stop is owed to it (R25).
    lost: bool = False
    #: What HMP answered to the last pause, resume or stop it refused.
    refused: Passing[Problem | None] = None
    #: HMP took the stop: it knew the recording, whether or not a status ever showed it.
    stop_taken: bool = False
    #: How often in a row HMP has refused the stop.
    failures: Passing[int] = 0
    #: The title that it was given, for people.
    title: str | None = None
    #: When it was started; None where only the wall clock can tell (R13: another boot).
    began: Monotonic | None = None
    #: From when its greatest duration counts, where it goes on for others before it (R13).
    counts_from: Monotonic | None = None
    #: Whether the wall time of its start can be believed: the clock then, or whoever says so.
    dated: bool = True
    #: Seconds by which people have moved its greatest duration.
    extended: float = 0.0
    #: Since when it has been paused.
    paused_since: Monotonic | None = None
    #: What follows from `max_pause` has been done for this pause.
    pause_over: bool = False
    #: When HMP answered the last HotMark, of which it takes one a second (R15).
    marked_at: Passing[Monotonic | None] = None
    #: It is being stopped for another meeting, which may take until then (R12).
    cut_until: Monotonic | None = None
    #: The last stop of ours that may have reached HMP.
    stop_sent_at: Monotonic | None = None

    @property
    def is_certain(self) -> bool:
        """True if HMP has said that it goes on, and nobody wants it to end."""
        doubted = self.unsettled or self.missing_since is not None or self.witness_due or self.lost
        return self.stop is Stop.NO and self.status is not RecordingStatus.ERROR and not doubted


@dataclass(frozen=True)
class LostStart:
    """A `startRecording` whose reply never came; `rules.lost_start` tells how that ends (R7b)."""

    #: None where the journal does not say: then nothing can be asked.
    session: SessionId | None
    written_at: Monotonic
    #: Wall time of the same.
    wall: float
    #: When HMP is asked next.
    ask_at: Passing[Monotonic] = 0.0
    #: How often in a row HMP has said that its session is gone.
    gone: Passing[int] = 0
    #: Every question until `start_timeout` after the write was inconclusive.
    inconclusive: bool = False
    owner: str = "manual"
    title: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One command that the room wants to be sent now."""

    kind: StepKind
    command: Command[object]


@dataclass(frozen=True, kw_only=True)
class Kept:
    """All that a restart must know of a room: the fields that are journalled, each of them here.

    A document of an earlier version has not all of them: whatever is added, here or in what it is
    made of, needs a default that means *not known*. A default never changes: a field that has it is
    not written.
    """

    target: Target = Target.IDLE
    recording: Recording | None = None
    lost_start: LostStart | None = None
    last_recording_id: RecordingId | None = None
    #: How often what it holds has become another recording, or may have: of two records of the
    #: room, the journal's and the retained `status`, the higher one counts (R9).
    revision: int = 0
    #: Since when the link has not been ready.
    not_ready_since: Monotonic | None = None
    pending: tuple[Pending, ...] = ()
    #: Toggles that came while nothing certain was known; decided when HMP has been asked.
    deferred: tuple[Pending, ...] = ()
    marks: tuple[Mark, ...] = ()
    alarms: frozenset[Alarm] = frozenset()
    problem: Problem | None = None
    #: A recording that somebody hands to this room, until HMP has been asked about it.
    adopting: RecordingId | None = None
    #: Owner and title asked for with `record`, for the recording that is to start.
    next_owner: str = "manual"
    next_title: str | None = None
    #: From when its greatest duration counts, where it goes on for another (R13, R25).
    next_counts_from: Monotonic | None = None
    #: The intent whose start may be sent once more if it is lost (R7b).
    intended_at: Monotonic | None = None
    #: The intent's one restart has been used.
    restarted: bool = False
    #: After a restart: ask once more when its recording has ended, there may be a spare file.
    spare_suspected: bool = False
    #: Until then a spare file may be being recorded that nobody can ask about, and the alarm stays,
    #: unless HMP proves otherwise.
    spare_until: Monotonic | None = None
    #: Before this no recording is started (R25).
    start_not_before: Monotonic = 0.0
    #: The last restart after an interruption (R25).
    interrupted_at: Monotonic | None = None
    #: This server has answered 060003 to the question of R7b before.
    server_proves: bool = False
    sessions: Sessions = NO_SESSIONS
    restream: Restream | None = None
    #: The meetings that have started here and are not over, the newest last (R12).
    meetings: tuple[Meeting, ...] = ()
    #: What the present or last recording is to be given, and what became of it (R14).
    details: Details | None = None
    #: Details of recordings before that one which are still to be applied.
    unfinished: tuple[Details, ...] = ()
    #: Metadata for the next recording, as people gave it.
    texts: Texts = ()
    #: Whether the session is to be shown live, while somebody waits for that.
    live: bool | None = None


@dataclass(frozen=True)
class RoomState(Kept):
    """Everything that is known about a room and wanted of it: what is kept, and what is not."""

    policy: Policy
    #: The step in flight or queued at the link.
    busy: Step | None = None
    link_ready: bool = False
    #: Seconds recorded as last published.
    elapsed: int = 0
    #: Wall time at which the recording is to end by itself, as last published.
    ends_at: float | None = None
    #: Before this HMP is not asked again about what is being adopted.
    adopting_not_before: Monotonic = 0.0

    @property
    def held_id(self) -> RecordingId | None:
        """The id of the recording that it holds, where it holds one and knows that."""
        return None if self.recording is None else self.recording.id

    @property
    def held(self) -> tuple[object, ...]:
        """The recording that it holds, the one before, and whether there may be another."""
        doubtful = self.state in (State.STARTING, State.UNKNOWN)
        return self.held_id, self.last_recording_id, doubtful

    @property
    def session(self) -> SessionId | None:
        """The session in use; None in a room that makes its sessions while it needs none."""
        if self.sessions.made is not None:
            return self.sessions.made.id
        held = None if self.recording is None else self.recording.session
        return held or self.policy.session

    @property
    def restarting(self) -> bool:
        """True if a start now would follow an interruption and no later request (R25)."""
        if self.interrupted_at is None:
            return False
        return self.intended_at is None or self.intended_at < self.interrupted_at

    @property
    def owner_meeting(self) -> Meeting | None:
        """The meeting that the recording belongs to, while it is not over."""
        held = None if self.recording is None else self.recording.owner
        return next((each for each in self.meetings if each.owner == held), None)

    @property
    def served(self) -> tuple[str, ...]:
        """Owners of what is being recorded, may be, or is to be: whom another start displaces."""
        held = (self.recording, self.lost_start)
        owners = [each.owner for each in held if each is not None]
        return (*owners, self.next_owner) if self.target is not Target.IDLE else tuple(owners)

    def sending(self, *kinds: StepKind) -> bool:
        """True if a step of one of these kinds is in flight, or queued at the link."""
        return self.busy is not None and self.busy.kind in kinds

    def awaits(self, goal: Goal) -> bool:
        """True if a request that was accepted still waits for `goal`."""
        return any(pending.goal is goal for pending in self.pending)

    @property
    def state(self) -> State:
        """The published state."""
        return published_state(self)

    @property
    def may_pass(self) -> bool:
        """True while HMP is asked for what will end an ``-ing`` state."""
        return self.busy is not None and self.state in UNDER_WAY

    @property
    def active(self) -> bool:
        """True if HMP holds an active recording for this room, as last known."""
        return self.recording is not None

    @property
    def paused(self) -> bool:
        """True if that recording is paused, as last known."""
        return self.recording is not None and self.recording.status is RecordingStatus.PAUSED

    @property
    def stale(self) -> bool:
        """True if HMP could not be asked lately, so that all this is memory (R4)."""
        return not self.link_ready or (self.recording is not None and self.recording.unsettled)

    @property
    def alarm(self) -> Alarm | None:
        """The most important alarm."""
        return next((alarm for alarm in ALARMS if alarm in self.alarms), None)


class Change(NamedTuple):
    """The outcome of a decision: the state after it and the results that are now due."""

    state: RoomState
    results: tuple[Result, ...]


_ACTIVE = {
    (RecordingStatus.RECORDING, Target.RECORDING): State.RECORDING,
    (RecordingStatus.RECORDING, Target.PAUSED): State.PAUSING,
    (RecordingStatus.RECORDING, Target.IDLE): State.STOPPING,
    (RecordingStatus.PAUSED, Target.PAUSED): State.PAUSED,
    (RecordingStatus.PAUSED, Target.RECORDING): State.RESUMING,
    (RecordingStatus.PAUSED, Target.IDLE): State.STOPPING,
    (RecordingStatus.ERROR, Target.RECORDING): State.ERROR,
    (RecordingStatus.ERROR, Target.PAUSED): State.ERROR,
    (RecordingStatus.ERROR, Target.IDLE): State.ERROR,
}


def published_state(room: RoomState) -> State:
    """The word for a room: what HMP last said, seen against what is wanted (R1)."""
    if room.lost_start is not None:
        return State.UNKNOWN
    recording = room.recording
    if recording is None:
        # A start that cannot be called back any more is under way whatever is wanted by now.
        starting = room.sending(StepKind.START) or room.target is not Target.IDLE
        return State.STARTING if starting else State.IDLE
    if recording.missing:
        return State.UNKNOWN
    if recording.stop is not Stop.NO:
        return State.STOPPING
    if recording.id is None:
        return State.RECORDING
    return _ACTIVE[recording.status, room.target]


def elapsed(recording: Recording | None, now: Now) -> int:
    """Whole seconds recorded, pauses left out; 0 without a recording."""
    if recording is None:
        return 0
    running = 0.0 if recording.running_since is None else now.monotonic - recording.running_since
    return int(recording.recorded + running)
