"""The journal of a room: what survives a restart, and what a restart makes of it (R7, R9).

`remember` picks what must not be lost, `to_document` and `from_document` write and read it, and
`restore` makes a state of it again. A process that ends between a journalled intent and its
journalled answer leaves an unknown outcome behind, which is treated as any other.
"""

from dataclasses import dataclass, field, replace

from pydantic import TypeAdapter, ValidationError

from ..facts import problems
from ..facts.changed import changed
from ..facts.policy import Policy
from ..facts.restart import lasting, moved
from ..facts.state import Change, Kept, RoomState, elapsed
from ..facts.values import Now, Result
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

_OF_THIS_PROCESS = {Alarm.JOURNAL_FAILING, Alarm.SHARED_RECORDING}
"""Alarms that whoever raises them raises again."""


class DocumentError(ValueError):
    """A journalled document that cannot be read."""


@dataclass(frozen=True, kw_only=True)
class Remembered(Kept):
    """The journal's record of a room: what is kept of it, and what goes with that."""

    target: Target = field()  # in every document: what has none is no record of a room
    #: The step under way, where its repeat would create something twice.
    sent: StepKind | None = None
    #: Results that are not known to have arrived.
    results: tuple[Result, ...] = ()


_NOTHING = Remembered(target=Target.IDLE)
_DOCUMENTS = TypeAdapter(Remembered)


def remember(room: RoomState) -> Remembered:
    """The record of a room; equal as long as nothing that matters has changed."""
    kept = lasting(room, Kept)
    if not (room.pending or room.deferred):
        kept["not_ready_since"] = None  # nothing waits for the link: it may come and go
    sent = room.busy.kind if room.busy is not None and room.busy.kind in _CREATING else None
    return changed(_NOTHING, kept | {"sent": sent})


def must_precede(known: Remembered, kept: Remembered | None) -> bool:
    """True if `known` must be on the disk before anything of it is sent or published (R6).

    So it must when it has an intent to create something, or an id, that `kept` has not.
    """
    before = _NOTHING if kept is None else kept
    if known.sent is not None and _intent(known) != _intent(before):
        return True
    ids, ids_before = _ids(known), _ids(before)
    return ids != ids_before and any(set(ids) - {*ids_before, None})


def _intent(known: Remembered) -> tuple[object, ...]:
    """All that is on its way to HMP; the same command may follow itself."""
    return known.sent, known.marks, known.sessions, known.restream


def _ids(known: Remembered) -> tuple[str | None, ...]:
    """The ids of all that HMP has made for this room and would not tell again."""
    recording, session, stream = known.recording, known.sessions.made, known.restream
    return (
        None if recording is None else recording.id,
        None if session is None else session.id,
        None if stream is None else stream.id,
    )


def to_document(remembered: Remembered) -> str:
    """JSON, of what is not as every field begins: the rest would be most of what is written."""
    return _DOCUMENTS.dump_json(remembered, exclude_defaults=True).decode()


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
    known = moved(known, shift)
    recording, lost = known.recording, known.lost_start
    if recording is not None:
        began, counts_from = recording.began, recording.counts_from
        if not same_boot:  # where no clock can tell, its time begins anew
            began, counts_from = None if recording.dated else now.monotonic, None
        # What is known now has been dismissed, should it have ended.
        recording = replace(
            recording,
            unsettled=True,
            active_at=now.monotonic,
            began=began,
            counts_from=counts_from,
        )
    meetings = tuple(known.meetings)
    if not same_boot:  # the wall time of an end is better known, where there is one
        meetings = tuple(
            each if each.end is None else replace(each, until=None) for each in meetings
        )
    waiting_since = saved_at + shift if known.not_ready_since is None else known.not_ready_since
    room = replace(
        RoomState(policy, **lasting(known, Kept)),
        recording=recording,
        meetings=meetings,
        next_counts_from=known.next_counts_from if same_boot else None,
        lost_start=lost and replace(lost, ask_at=now.monotonic),
        not_ready_since=min(waiting_since, now.monotonic),
        alarms=known.alarms - _OF_THIS_PROCESS,
        elapsed=elapsed(recording, now),
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
