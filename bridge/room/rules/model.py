"""The events of a room: requests, the passing of time, and word of the server link.

`decide` takes a request, `tick` takes the passing of time, `link_changed` takes word of the server
link. All three are pure: state in, `Change` out. They never say which command is to be sent; that
follows from the state alone, in `plan.next_step`.

Two rules make the rest simple:

- A request moves only `target`, or sets `Recording.stop`; the published state follows HMP (R1).
- The last target wins (R10). A request whose command is already on its way to HMP keeps waiting
  for its own answer; one whose command was not sent yet ends `ignored`.
"""

from math import ceil

from ..facts import problems
from ..facts.state import Change, RoomState, elapsed
from ..facts.values import Now, Pending, Request
from ..facts.vocabulary import ALWAYS_COUNT, Action, Alarm, Goal, Outcome, State, StepKind, Target
from . import details, limits, live, meetings, restream, session
from .lost_start import give_up_restart
from .table import TABLE
from .turn import Turn

__all__ = [
    "ACTS_ONCE",
    "MOST_WAITING",
    "alarm_changed",
    "decide",
    "decide_deferred",
    "link_changed",
    "settle",
    "tick",
]

_TOGGLES = frozenset({Action.TOGGLE, Action.TOGGLE_PAUSE})
"""Actions that do the opposite when they are carried out a second time."""

ACTS_ONCE = _TOGGLES | {Action.EXTEND, Action.MEETING_EXTEND}
"""Actions that must not be carried out a second time (R27)."""

MOST_WAITING = 64
"""Requests of one room that may wait for HMP at once. Each is written down again with every press,
and a button that is stuck must not make that grow for as long as HMP is out of reach."""

_ASIDE = frozenset(
    {
        Action.MARK,
        Action.EXTEND,
        Action.RESTREAM_START,
        Action.RESTREAM_STOP,
        Action.LIVE_ON,
        Action.LIVE_OFF,
        Action.DESCRIBE,
        Action.MEETING_END,
        Action.MEETING_EXTEND,
    }
)
"""Actions that say nothing about whether a person wants the room to be recorded."""


def decide(room: RoomState, request: Request, now: Now) -> Change:
    """Take a request. Its result comes with this change or with a later one, exactly once."""
    turn = Turn(room, now)
    toggles = request.action in _TOGGLES
    # A meeting's start goes before a person's toggle only where both may have meant a start.
    aside = request.action is Action.MEETING_START and room.recording is not None
    if not toggles and request.action not in _ASIDE and not aside:
        turn.overtake_deferred()
    waiting = len(turn.room.pending) + len(turn.room.deferred)
    if waiting >= MOST_WAITING and request.action not in ALWAYS_COUNT:
        turn.answer(request, Outcome.FAILED, problems.TOO_MANY)
        return turn.finish()
    if toggles and (room.stale or room.deferred):
        # A toggle decided from memory could do the opposite of what the light promised.
        undecided = turn.as_pending(request, Goal.START, room.policy.action_ttl)
        turn.update(deferred=(*room.deferred, undecided))
        return turn.finish()
    _carry_out(turn, request)
    return turn.finish()


def _carry_out(turn: Turn, request: Request) -> None:
    before = turn.room.target
    TABLE[turn.room.state][request.action](turn, request)
    stopped = request.action is Action.STOP or (
        request.action is Action.TOGGLE and turn.room.target is Target.IDLE is not before
    )
    if stopped:  # what starts and stops by word of mouth is a person's doing
        turn.dismiss_meetings()


def link_changed(room: RoomState, ready: bool, now: Now) -> Change:
    """The server link has become usable or unusable (R4, R8)."""
    turn = Turn(room, now)
    if ready == room.link_ready:
        return turn.finish()
    if ready and room.not_ready_since is not None:
        # Whose time ran out in this very turn, or while the machine slept, is not saved by it.
        _expire(turn, room.not_ready_since)
        room = turn.room
    turn.update(link_ready=ready, not_ready_since=None if ready else now.monotonic)
    if ready:
        waited = 0.0 if room.not_ready_since is None else now.monotonic - room.not_ready_since
        turn.update(
            pending=tuple(p.after(waited) for p in room.pending),
            deferred=tuple(p.after(waited) for p in room.deferred),
        )
    if room.recording is not None:
        turn.update_recording(unsettled=True, not_before=now.monotonic)
    if not turn.room.stale:
        decide_deferred(turn)
    return turn.finish()


def alarm_changed(room: RoomState, alarm: Alarm, raised: bool, now: Now) -> Change:
    """Something that cannot be seen from within a room has begun, or has passed."""
    turn = Turn(room, now)
    if raised:
        turn.alarm(alarm)
    else:
        turn.clear(alarm)
    return turn.finish()


def tick(room: RoomState, now: Now) -> Change:
    """Time has passed: let expire what is due (R8), tidy up, and count the seconds recorded."""
    turn = Turn(room, now)
    settle(turn)
    return turn.finish()


def settle(turn: Turn) -> None:
    """Everything that time alone brings about.

    Each comparison with the clock is one of `Now`: from these follows when to look again.
    """
    room, now = turn.room, turn.now
    # The first mark may be on its way to HMP; then its answer is its result.
    waiting = room.marks[1:] if room.sending(StepKind.MARK) else room.marks
    late = tuple(mark for mark in waiting if now.has_come(mark.expires_at))
    if late:
        for mark in late:
            turn.answer(mark.request, Outcome.EXPIRED, problems.TOO_LATE)
        turn.update(marks=tuple(mark for mark in room.marks if mark not in late))
    if room.not_ready_since is not None:
        _expire(turn, room.not_ready_since)
    give_up_restart(turn)
    meetings.settle(turn)
    limits.settle(turn)
    details.settle(turn)
    session.settle(turn)
    restream.settle(turn)
    live.settle(turn)
    if now.has_come(room.spare_until):
        turn.update(spare_until=None, spare_suspected=False)
        if turn.room.state is not State.UNKNOWN:
            turn.certain()
    _count(turn)


def _count(turn: Turn) -> None:
    room, recording = turn.room, turn.room.recording
    if recording is not None and recording.running_since is not None:
        seconds = ceil(room.elapsed + room.policy.elapsed_every)
        if turn.now.has_come(recording.running_since + seconds - recording.recorded):
            turn.update(elapsed=max(seconds, elapsed(recording, turn.now)))


def decide_deferred(turn: Turn) -> None:
    """Nothing is stale any more: take the toggles that waited, in order."""
    deferred = turn.room.deferred
    turn.update(deferred=())
    for pending in deferred:
        _carry_out(turn, pending.request)


def _expire(turn: Turn, since: float) -> None:
    def is_over(pending: Pending) -> bool:
        return pending.left is not None and turn.now.has_come(since + pending.left)

    room = turn.room
    over = tuple(filter(is_over, room.pending))
    undecided = tuple(filter(is_over, room.deferred))
    for pending in (*over, *undecided):
        turn.answer(pending.request, Outcome.EXPIRED, problems.TOO_LATE)
    turn.update(
        pending=tuple(p for p in room.pending if p not in over),
        deferred=tuple(p for p in room.deferred if p not in undecided),
    )
    goals = {p.goal for p in over}  # a toggle still undecided wanted nothing yet
    if Goal.ADOPT in goals:
        turn.update(adopting=None)
    if turn.room.recording is not None and goals & {Goal.PAUSE, Goal.RESUME}:
        turn.follow_status()
    elif Goal.START in goals and not turn.room.awaits(Goal.START):
        turn.want_nothing()
