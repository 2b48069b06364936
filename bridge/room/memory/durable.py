"""What of a room survives a restart, and what a restart makes of it (R7, R9).

`remember` picks what must not be lost, `to_document` and `from_document` write and read it, and
`restore` makes a state of it again. A process that ends between a journalled intent and its
journalled answer leaves an unknown outcome behind, which is treated as any other.
"""

from dataclasses import dataclass, replace

from pydantic import TypeAdapter, ValidationError

from ...hmp.commands import RecordingId
from ..facts import problems
from ..facts.created import NO_SESSIONS, Restream, Sessions
from ..facts.detail import Details, Texts
from ..facts.meeting import Meeting
from ..facts.policy import Policy
from ..facts.state import Change, LostStart, Recording, RoomState, elapsed
from ..facts.values import Mark, Now, Pending, Problem, Request, Result
from ..facts.vocabulary import Alarm, Outcome, StepKind, Target
from ..rules import restream, session
from ..rules.lost_start import start_lost
from ..rules.turn import Turn

__all__ = [
    "DocumentError",
    "Remembered",
    "from_document",
    "must_precede",
    "remember",
    "restore",
    "to_document",
]

_CREATING = frozenset({StepKind.CREATE_SESSION, StepKind.START, StepKind.MARK, StepKind.RESTREAM})
"""Steps whose repeat would create something twice: that they were sent is journalled first (R6)."""


class DocumentError(ValueError):
    """A journalled document that cannot be read."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """The part of a `RoomState` that is journalled, and the results not known to have arrived.

    Everything but the target has a default, so that a document of an earlier version can be read;
    whatever is added later, here or in what it is made of, needs one too.
    """

    target: Target
    recording: Recording | None = None
    lost_start: LostStart | None = None
    last_recording_id: RecordingId | None = None
    sent: StepKind | None = None
    not_ready_since: float | None = None
    pending: tuple[Pending, ...] = ()
    deferred: tuple[Pending, ...] = ()
    marks: tuple[Mark, ...] = ()
    alarms: frozenset[Alarm] = frozenset()
    problem: Problem | None = None
    adopting: RecordingId | None = None
    next_owner: str = "manual"
    next_title: str | None = None
    intended_at: float | None = None
    restarted: bool = False
    spare_suspected: bool = False
    spare_until: float | None = None
    start_not_before: float = 0.0
    interrupted_at: float | None = None
    server_proves: bool = False
    sessions: Sessions = NO_SESSIONS
    restream: Restream | None = None
    meetings: tuple[Meeting, ...] = ()
    details: Details | None = None
    unfinished: tuple[Details, ...] = ()
    texts: Texts = ()
    live: bool | None = None
    results: tuple[Result, ...] = ()


_DOCUMENTS = TypeAdapter(Remembered)


def remember(room: RoomState, results: tuple[Result, ...] = ()) -> Remembered:
    """What must survive; equal as long as nothing that matters has changed."""
    recording = room.recording
    if recording is not None:
        # What only steers the questions of this minute is not worth a flush.
        recording = replace(
            recording,
            unsettled=False,
            asked=False,
            active_at=None,
            not_before=0.0,
            failures=0,
            refused=None,
            marked_at=None,
        )
    waiting = room.pending or room.deferred
    return Remembered(
        target=room.target,
        recording=recording,
        lost_start=None if room.lost_start is None else replace(room.lost_start, ask_at=0.0),
        last_recording_id=room.last_recording_id,
        sent=room.busy.kind if room.busy is not None and room.busy.kind in _CREATING else None,
        not_ready_since=room.not_ready_since if waiting else None,
        pending=room.pending,
        deferred=room.deferred,
        marks=room.marks,
        alarms=room.alarms,
        problem=room.problem,
        adopting=room.adopting,
        next_owner=room.next_owner,
        next_title=room.next_title,
        intended_at=room.intended_at,
        restarted=room.restarted,
        spare_suspected=room.spare_suspected,
        spare_until=room.spare_until,
        start_not_before=room.start_not_before,
        interrupted_at=room.interrupted_at,
        server_proves=room.server_proves,
        sessions=replace(room.sessions, remove_at=0.0),
        restream=room.restream,
        meetings=room.meetings,
        details=room.details and _kept(room.details),
        unfinished=tuple(_kept(each) for each in room.unfinished),
        texts=room.texts,
        live=room.live,
        results=results,
    )


def _kept(details: Details) -> Details:
    """Without how often and when each was tried: a restart begins afresh with that."""
    items = (replace(item, attempts=0, not_before=0.0) for item in details.items)
    return replace(details, items=tuple(items))


def must_precede(known: Remembered, kept: Remembered | None) -> bool:
    """Whether `known` must be on the disk before anything of it is sent or published (R6).

    So it must when it has an intent to create something, or an id, that `kept` has not.
    """
    before = Remembered(Target.IDLE) if kept is None else kept
    if known.sent is not None and _intent(known) != _intent(before):
        return True
    return any(each is not None for each in set(_ids(known)) - set(_ids(before)))


def _intent(known: Remembered) -> tuple[object, ...]:
    """What is on its way to HMP; the same command may follow itself."""
    return known.sent, known.marks, known.sessions, known.restream


def _ids(known: Remembered) -> tuple[str | None, ...]:
    """What HMP has made for this room and would not tell again."""
    recording, session, stream = known.recording, known.sessions.made, known.restream
    return (
        None if recording is None else recording.id,
        None if session is None else session.id,
        None if stream is None else stream.id,
    )


def to_document(remembered: Remembered) -> str:
    """JSON."""
    return _DOCUMENTS.dump_json(remembered).decode()


def from_document(document: str) -> Remembered:
    """Read what `to_document` wrote. Raises `DocumentError`."""
    try:
        return _DOCUMENTS.validate_json(document)
    except ValidationError as error:
        raise DocumentError(str(error)) from None


def restore(
    policy: Policy,
    known: Remembered,
    *,
    saved_at: float,
    shift: float,
    same_boot: bool,
    now: Now,
) -> Change:
    """The state after a restart, and the results that a kill has made due.

    `saved_at` is the monotonic time of the document on its own clock, `shift` what to add to its
    monotonic times to have them on the clock of `now`. After another boot that is a guess, and how
    long a recording has lasted is left to the wall clock (R13).
    """
    recording = known.recording
    if recording is not None:
        began = _shifted(recording.began, shift) if same_boot else None
        if not same_boot and not recording.dated:
            began = now.monotonic  # no clock can tell: its time begins anew
        recording = replace(
            recording,
            unsettled=True,
            active_at=now.monotonic,  # what is known now has been dismissed, should it have ended
            began=began,
            running_since=_shifted(recording.running_since, shift),
            missing_since=_shifted(recording.missing_since, shift),
            stop_answered_at=_shifted(recording.stop_answered_at, shift),
            paused_since=_shifted(recording.paused_since, shift),
            cut_until=_shifted(recording.cut_until, shift),
            stop_sent_at=_shifted(recording.stop_sent_at, shift),
        )
    lost = known.lost_start
    if lost is not None:
        lost = replace(lost, written_at=lost.written_at + shift, ask_at=now.monotonic)
    waiting_since = known.not_ready_since if known.not_ready_since is not None else saved_at
    room = RoomState(
        policy=policy,
        target=known.target,
        recording=recording,
        lost_start=lost,
        last_recording_id=known.last_recording_id,
        not_ready_since=min(waiting_since + shift, now.monotonic),
        pending=tuple(_on_this_clock(pending, shift) for pending in known.pending),
        deferred=tuple(_on_this_clock(pending, shift) for pending in known.deferred),
        marks=tuple(
            replace(
                mark,
                request=mark.request and _received(mark.request, shift),
                expires_at=mark.expires_at + shift,
            )
            for mark in known.marks
        ),
        alarms=known.alarms - {Alarm.JOURNAL_FAILING},
        problem=known.problem,
        adopting=known.adopting,
        next_owner=known.next_owner,
        next_title=known.next_title,
        intended_at=_shifted(known.intended_at, shift),
        restarted=known.restarted,
        spare_suspected=known.spare_suspected,
        spare_until=_shifted(known.spare_until, shift),
        start_not_before=known.start_not_before + shift if known.start_not_before else 0.0,
        interrupted_at=_shifted(known.interrupted_at, shift),
        elapsed=elapsed(recording, now),
        server_proves=known.server_proves,
        sessions=known.sessions,
        restream=known.restream,
        meetings=tuple(
            replace(
                each,
                began=each.began + shift,
                ended_at=_shifted(each.ended_at, shift),
                # After another boot its wall time is better known, where it has one.
                until=_shifted(each.until, shift) if same_boot or each.end is None else None,
                retry_at=each.retry_at + shift,
            )
            for each in known.meetings
        ),
        details=known.details and _details_on_this_clock(known.details, shift),
        unfinished=tuple(_details_on_this_clock(each, shift) for each in known.unfinished),
        texts=known.texts,
        live=known.live,
    )
    turn = Turn(room, now)
    if known.sent is StepKind.CREATE_SESSION:
        session.creation_lost(turn)
    elif known.sent is StepKind.RESTREAM:
        restream.start_lost(turn)
    elif known.sent is StepKind.START:
        # Written at any time between the journalled intent and the kill: the latest is taken.
        start_lost(turn, 0.0)
    elif known.sent is StepKind.MARK and turn.room.marks:
        sent, *others = turn.room.marks
        turn.answer(sent.request, Outcome.UNKNOWN, problems.OUTCOME_UNKNOWN)
        turn.update(marks=tuple(others))
    change = turn.finish()
    return Change(change.state, known.results + change.results)


def _on_this_clock(pending: Pending, shift: float) -> Pending:
    return replace(pending, request=_received(pending.request, shift))


def _received(request: Request, shift: float) -> Request:
    return replace(request, received_at=request.received_at + shift)


def _details_on_this_clock(details: Details, shift: float) -> Details:
    return replace(details, until=_shifted(details.until, shift))


def _shifted(moment: float | None, shift: float) -> float | None:
    return None if moment is None else moment + shift
