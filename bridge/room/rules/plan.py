"""The next command that a room calls for, and when it should be looked at again.

The step follows from the state alone, so it can be asked for at any time: after every change, and
while a step waits in the server's queue, to see whether it is still the right one (R10).
"""

from collections.abc import Callable
from functools import lru_cache
from math import inf

from ...hmp.commands import (
    AddHotmark,
    Command,
    GetRecordingStatus,
    PauseRecording,
    RecordingId,
    RecordingStatus,
    RemoveSourceFromSession,
    ResumeRecording,
    SourceId,
    StopRecording,
)
from ...hmp.link import Priority
from ..facts.restart import Monotonic
from ..facts.state import Recording, RoomState, Step
from ..facts.values import Mark, Now
from ..facts.vocabulary import StepKind, Stop, Target
from . import details, live, restream, session
from .model import settle
from .turn import MARK_EVERY, Turn

__all__ = ["NIL_SOURCE", "PRIORITY", "ROUTINE", "Watched", "next_step", "wake_in"]

NIL_SOURCE = SourceId("00000000-0000-0000-0000-000000000000")
"""No source has this id, so that removing it changes nothing and tells much (R7b)."""

PRIORITY = {
    StepKind.STOP: Priority.STOP,
    StepKind.CONFIRM: Priority.STOP,
    StepKind.CREATE_SESSION: Priority.CONTROL,
    StepKind.ADD_SOURCE: Priority.CONTROL,
    StepKind.START: Priority.CONTROL,
    StepKind.PAUSE: Priority.CONTROL,
    StepKind.RESUME: Priority.CONTROL,
    StepKind.SETTLE: Priority.CONTROL,
    StepKind.ADOPT: Priority.CONTROL,
    StepKind.QUESTION: Priority.CONTROL,
    StepKind.PROVE: Priority.CONTROL,
    StepKind.WITNESS: Priority.CONTROL,
    StepKind.MARK: Priority.MARK,
    StepKind.DETAIL: Priority.DETAIL,
    StepKind.LIVE: Priority.DETAIL,
    StepKind.REMOVE_SESSION: Priority.DETAIL,
    StepKind.RESTREAM: Priority.DETAIL,
    StepKind.RESTREAM_STOP: Priority.DETAIL,
    StepKind.VERIFY: Priority.POLL,
    StepKind.POLL: Priority.POLL,
}
"""Which commands go first (R22). A status that a person waits for is no poll."""

_LOOK_AT_CLOCK = 10.0
"""Seconds between two looks at the wall clock while something hangs on it: it may be set."""

ROUTINE = frozenset({StepKind.POLL, StepKind.VERIFY})
"""Looks at a recording that nobody waits for."""


def next_step(room: RoomState, now: Now) -> Step | None:
    """The command to be sent now, or None when HMP need not or cannot be asked.

    `RoomState.busy` is not looked at: the answer is what the room wants, in flight or not.
    """
    if not room.link_ready:
        return None
    step = _for_room(room, now)
    if step is None or step.kind in ROUTINE:
        detail = live.step(room) or details.step(room, now)
        if detail is not None:
            return detail
    if step is None or step.kind is StepKind.POLL:
        return session.errand(room, now) or restream.errand(room) or step
    return step


def _for_room(room: RoomState, now: Now) -> Step | None:
    """The next thing that the recording needs, or the way to one."""
    if room.adopting is not None and _may_adopt(room, now):
        return _about(StepKind.ADOPT, GetRecordingStatus, room.adopting)
    if room.lost_start is not None:
        return _question(room) if now.has_come(room.lost_start.ask_at) else None
    if room.recording is None:
        return _start(room, now)
    if not now.has_come(room.recording.not_before):
        return None
    if room.recording.id is None:
        return _question(room)
    return _for_recording(room, room.recording, room.recording.id, now)


def _may_adopt(room: RoomState, now: Now) -> bool:
    """True if HMP may be asked about another recording: of the one that is held it has spoken."""
    held = room.recording
    certain = held is None or held.id is None or held.missing or held.is_certain
    return certain and now.has_come(room.adopting_not_before)


class Watched(Now):
    """An instant that notes the earliest time that it is asked about and that is still to come.

    Until then every comparison comes out the same, and so does all that follows from them.
    """

    earliest = inf

    def has_come(self, moment: Monotonic | None) -> bool:
        come = super().has_come(moment)
        if moment is not None and not come:
            self.earliest = min(self.earliest, moment)
        return come

    def monotonic_at(self, wall_time: float) -> Monotonic:
        self.earliest = min(self.earliest, self.monotonic + _LOOK_AT_CLOCK)
        return super().monotonic_at(wall_time)


def wake_in(room: RoomState, now: Now) -> float:
    """Seconds until the state, or the step it calls for, may change by time alone; else infinite.

    The rules are gone through once more, on a clock that notes what they compare with it: whatever
    a rule waits for, the room is woken for. `room` is as `tick` has left it.
    """
    watched = Watched(*now)
    settle(Turn(room, watched))
    next_step(room, watched)
    return watched.earliest - now.monotonic


def _question(room: RoomState) -> Step | None:
    decisive = session.question(room)
    if decisive is not None:
        return decisive
    about = room.lost_start or room.recording
    asked = room.session if about is None else about.session
    if asked is None:
        return None
    return Step(StepKind.QUESTION, RemoveSourceFromSession(asked, NIL_SOURCE))


def _start(room: RoomState, now: Now) -> Step | None:
    if not now.has_come(room.start_not_before):
        return None
    asks = room.target is Target.IDLE or not room.restarted
    if room.spare_suspected and room.session is not None and asks:
        return _question(room)  # before another press starts a third recording (R5)
    if room.target is Target.IDLE:
        return None
    return session.start(room)


def _for_recording(
    room: RoomState, recording: Recording, recording_id: RecordingId, now: Now
) -> Step:
    if recording.stop is Stop.WANTED:  # before every question: it can be repeated (R8)
        return _about(StepKind.STOP, StopRecording, recording_id)
    if recording.witness_due and recording.session is not None:
        source = session.witness(room) or NIL_SOURCE
        return Step(StepKind.WITNESS, RemoveSourceFromSession(recording.session, source))
    if recording.stop is Stop.ANSWERED:
        return _about(StepKind.CONFIRM, GetRecordingStatus, recording_id)
    if recording.unsettled:
        return _about(StepKind.SETTLE, GetRecordingStatus, recording_id)
    if recording.missing_since is not None:  # nothing can be done to what HMP does not know
        kind = StepKind.POLL if recording.missing else StepKind.SETTLE
        return _about(kind, GetRecordingStatus, recording_id)
    if (recording.status, room.target) == (RecordingStatus.RECORDING, Target.PAUSED):
        return _about(StepKind.PAUSE, PauseRecording, recording_id)
    if (recording.status, room.target) == (RecordingStatus.PAUSED, Target.RECORDING):
        return _about(StepKind.RESUME, ResumeRecording, recording_id)
    if room.marks and _may_mark(room.marks[0], recording, now):
        return Step(StepKind.MARK, AddHotmark(recording_id, room.marks[0].title))
    kind = StepKind.POLL if recording.asked else StepKind.VERIFY
    return _about(kind, GetRecordingStatus, recording_id)


@lru_cache(maxsize=4096)
def _about(
    kind: StepKind, command: Callable[[RecordingId], Command[object]], recording_id: RecordingId
) -> Step:
    """A command about a recording, to which every look comes back; making it checks the id."""
    return Step(kind, command(recording_id))


def _may_mark(mark: Mark, recording: Recording, now: Now) -> bool:
    """True if a second is free for the mark (R15); a paused recording has none before its end."""
    if now.has_come(mark.expires_at):
        return False
    if recording.marked_at is None or recording.status is not RecordingStatus.RECORDING:
        return True
    return now.has_come(recording.marked_at + MARK_EVERY)
