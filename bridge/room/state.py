"""What a room is: its policy, its state, and the words in which it is published.

Everything here is a value: frozen, comparable, without I/O and without a clock of its own. Times
called *monotonic* are seconds of a clock that is never set; times called *wall* are seconds since
1970 UTC.

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
               HMP: FINISHED or gone                      ERROR: HMP says so
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

from ..hmp.commands import Command, RecordingId, RecordingStatus, SessionId
from .made import NO_SESSIONS, Restream, Sessions
from .policy import Policy
from .vocabulary import ALARMS, Action, Alarm, Goal, Outcome, State, StepKind, Stop, Target

__all__ = [
    "Change",
    "LostStart",
    "Mark",
    "Now",
    "Pending",
    "Policy",
    "Problem",
    "Recording",
    "Reply",
    "Request",
    "Result",
    "RoomState",
    "Step",
    "elapsed",
    "published_state",
]


class Now(NamedTuple):
    """One instant, read once for every decision so that a decision is consistent in itself."""

    monotonic: float
    wall: float


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


@dataclass(frozen=True, slots=True)
class Request:
    """One thing that was asked of a room.

    `word` is the action or event as it was asked for, `origin` the topic it came by, `id` the
    sender's or a generated one: the result carries all three back.
    """

    action: Action
    id: str | int
    word: str
    origin: str
    received_at: float
    title: str | None = None
    recording_id: RecordingId | None = None
    ip: str | None = None
    port: int | None = None
    #: Whom a recording belongs to that this request starts: `manual` or `meeting:<id>`.
    owner: str = "manual"
    #: Seconds of an unusable link that a start survives, where not the room's `action_ttl`.
    ttl: float | None = None
    reply: Reply | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What a request came to; every request gets exactly one.

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


@dataclass(frozen=True, slots=True)
class Pending:
    """A request that was accepted and whose result is still out.

    `left` is how many seconds of an unusable link it survives (R8: queueing never expires it);
    None for a stop, which is kept until HMP confirms it.
    """

    request: Request
    goal: Goal
    left: float | None

    def after(self, waited: float) -> "Pending":
        """The same after the link was unusable for `waited` seconds."""
        return self if self.left is None else replace(self, left=self.left - waited)


@dataclass(frozen=True, slots=True)
class Mark:
    """A HotMark to be set before the monotonic time `expires_at` (R8: always within `mark_ttl`)."""

    request: Request
    title: str
    expires_at: float


@dataclass(frozen=True, slots=True)
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
    #: Seconds recorded before `running_since`, pauses left out (E52: our own estimate).
    recorded: float = 0.0
    #: Monotonic time since when it has been running, None while it is not.
    running_since: float | None = None
    #: HMP must be asked how things stand before anything else is decided.
    unsettled: bool = False
    #: A status has been asked for at least once.
    asked: bool = False
    stop: Stop = Stop.NO
    #: Monotonic time before which nothing is asked or sent again.
    not_before: float = 0.0
    #: Monotonic time since when HMP has answered *not found* for it, before it was ever verified.
    missing_since: float | None = None
    #: Known from our retained topics only (R9): if HMP does not know it, it ended some time ago.
    remembered: bool = False
    #: HMP has not known it for `start_timeout`: nobody can say whether it exists (R8).
    missing: bool = False
    #: Monotonic time when HMP answered the stop, bounds how long ERROR is taken for *not ended*.
    stop_answered_at: float | None = None
    #: What HMP answered to the last pause, resume or stop it refused.
    refused: Problem | None = None
    #: HMP took the stop: it knew the recording, whether or not a status ever showed it.
    stop_taken: bool = False
    failures: int = 0
    title: str | None = None
    title_applied: bool = True


@dataclass(frozen=True, slots=True)
class LostStart:
    """A `startRecording` whose reply never came: nobody knows whether it records (R7b)."""

    #: None where the journal does not say: then nothing can be asked.
    session: SessionId | None
    #: Monotonic and wall time when it was written.
    written_at: float
    wall: float
    #: Monotonic time of the next question to HMP.
    ask_at: float
    #: Every question until `start_timeout` after the write was inconclusive.
    inconclusive: bool = False
    owner: str = "manual"
    title: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One command that the room wants to be sent now."""

    kind: StepKind
    command: Command[object]


@dataclass(frozen=True, slots=True)
class RoomState:
    """Everything that is known about a room and wanted of it."""

    policy: Policy
    target: Target = Target.IDLE
    recording: Recording | None = None
    lost_start: LostStart | None = None
    last_recording_id: RecordingId | None = None
    #: The step in flight or queued at the link.
    busy: Step | None = None
    link_ready: bool = False
    #: Monotonic time since when the link has not been ready.
    not_ready_since: float | None = 0.0
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
    #: Monotonic time of the intent whose start may be sent once more if it is lost (R7b).
    intended_at: float | None = None
    #: The intent's one restart has been used.
    restarted: bool = False
    #: After a restart: ask once more when its recording has ended, there may be a spare file.
    spare_suspected: bool = False
    #: Monotonic time until which a spare file may be being recorded that nobody can ask about:
    #: until then the alarm stays, unless HMP proves otherwise.
    spare_until: float | None = None
    #: Monotonic time before which no recording is started (R25).
    start_not_before: float = 0.0
    #: Monotonic time of the last restart after an interruption (R25).
    interrupted_at: float | None = None
    #: Seconds recorded as last published.
    elapsed: int = 0
    #: This server has answered 060003 to the question of R7b before.
    server_proves: bool = False
    sessions: Sessions = NO_SESSIONS
    restream: Restream | None = None

    @property
    def session(self) -> SessionId | None:
        """The session in use; None in a room that makes its sessions while it needs none."""
        if self.sessions.made is not None:
            return self.sessions.made.id
        held = None if self.recording is None else self.recording.session
        return held or self.policy.session

    @property
    def restarting(self) -> bool:
        """Whether a start now would follow an interruption and no later request (R25)."""
        if self.interrupted_at is None:
            return False
        return self.intended_at is None or self.intended_at < self.interrupted_at

    @property
    def state(self) -> State:
        """The published state."""
        return published_state(self)

    @property
    def active(self) -> bool:
        """Whether HMP holds an active recording for this room, as last known."""
        return self.recording is not None

    @property
    def paused(self) -> bool:
        """Whether that recording is paused, as last known."""
        return self.recording is not None and self.recording.status is RecordingStatus.PAUSED

    @property
    def stale(self) -> bool:
        """Whether HMP could not be asked lately, so that all this is memory (R4)."""
        return not self.link_ready or (self.recording is not None and self.recording.unsettled)

    @property
    def alarm(self) -> Alarm | None:
        """The most important alarm."""
        return next((alarm for alarm in ALARMS if alarm in self.alarms), None)


class Change(NamedTuple):
    """What a decision came to: the state after it and the results that are now due."""

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
        starting = room.busy is not None and room.busy.kind is StepKind.START
        return State.STARTING if starting or room.target is not Target.IDLE else State.IDLE
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
