"""The way back to certainty after a start whose reply was lost (R7b).

HMP lists nothing, so it is asked something that changes nothing and cannot be answered without
looking: to remove a source that does not exist from the session. ``060003`` proves that the session
is being recorded. Anything else proves little, because an HMP may look for the source first, until
this one has given the proof before (`server_proves`). A session that the room has made itself can
be asked beyond doubt (`session`): there every answer is a proof, and no spare file is possible.

::

    START under way ── reply lost ──▶ ASKING
    ASKING ─┬─ 060003 ──────────────────────────────────────▶ WITHOUT ID
            ├─ proved that nothing is recorded ─────────────▶ CERTAIN, or SENT AGAIN
            └─ nothing proved for start_timeout ─┬─ wanted ─▶ SENT AGAIN, A SPARE FILE
                                                 ├─ stopped ▶ A SPARE FILE
                                                 └─ else ───▶ INCONCLUSIVE
    INCONCLUSIVE ─┬─ 060003 ────────────────────────────────▶ WITHOUT ID
                  └─ record, stop, a meeting that is due ───▶ A SPARE FILE
    SENT AGAIN ─┬─ reply lost ──────────────────────────────▶ ASKING
                └─ any answer, or too late ─────────────────▶ CERTAIN
    A SPARE FILE ─┬─ 060003 ────────────────────────────────▶ WITHOUT ID
                  └─ proved, or a day has passed ───────────▶ CERTAIN
    WITHOUT ID ── 060003 no more, or adopt ─────────────────▶ CERTAIN

Each by what a room holds then, and who moves it on:

- ASKING: `RoomState.lost_start`; published UNKNOWN. `start_lost` brings it about. The question is
  put at `LostStart.ask_at`; `questioned` (or `session.questioned`) takes the answer. Presses wait:
  `record` lets the lost start stand for it, `stop` changes the target, and is decided with the
  answer (`table`); another meeting takes the start over (`meetings`).
- INCONCLUSIVE: the same with `LostStart.inconclusive`, and at once where nobody knows in which
  session it was. HMP is asked on; what is wanted of the room need not wait for it any more.
  `Turn.leave_lost_start` ends it.
- WITHOUT ID: a `Recording` without id; published RECORDING. `proved` brings it about. It cannot be
  stopped here. It ends when the question is not answered ``060003`` any more, or `adopted` learns
  its id.
- SENT AGAIN: `RoomState.restarted`; STARTING. At most once for each intent, within
  `restart_within` of it or while its meeting runs; `give_up_restart` ends what the link holds up
  beyond that.
- A SPARE FILE: `RoomState.spare_until`, with the alarm, whatever the room is. `Turn.suspect_spare`
  brings it about. `spare_suspected`: the question is put before anything else is started, which
  `Turn.end_recording` asks for. ``060003`` makes it a recording WITHOUT ID; a proof of the
  contrary, or the end of the day (`model.settle`), ends the doubt.
- CERTAIN: none of these. `_not_recorded` where HMP has proved it, `adopted` where a person hands
  the recording over.
"""

from dataclasses import replace

from ...hmp.commands import RecordingStatus
from ...hmp.errors import ErrorKind, NotUnderstood, OutcomeUnknown, Refused
from ..facts import problems
from ..facts.answer import Answer, Done, problem_of
from ..facts.state import LostStart, Recording, RoomState
from ..facts.vocabulary import Alarm, Goal, Outcome, Stop, Target
from . import details
from .turn import ASK_AGAIN, ASKED_AGAIN, Turn

__all__ = [
    "adopted",
    "ask_again",
    "give_up_restart",
    "known_not_recorded",
    "proved",
    "questioned",
    "said_often",
    "start_lost",
]


def start_lost(turn: Turn, waited: float) -> None:
    """No reply came to a start written `waited` seconds ago: nobody knows whether it records."""
    room, now = turn.room, turn.now
    turn.update(
        lost_start=LostStart(
            session=room.session,
            written_at=now.monotonic - waited,
            wall=now.wall - waited,
            ask_at=now.monotonic,
            inconclusive=room.session is None,
            owner=room.next_owner,
            title=room.next_title,
        ),
        next_title=None,
    )
    turn.alarm(Alarm.OUTCOME_UNKNOWN)
    over = {Goal.START, Goal.PAUSE, Goal.RESUME}
    turn.resolve(over, Outcome.UNKNOWN, problems.OUTCOME_UNKNOWN)


def questioned(turn: Turn, answer: Answer) -> None:
    """HMP has answered the question, or not; one in a session of the room's own: `session`."""
    match answer:
        case Refused(kind=ErrorKind.ACTIVE_RECORDING):
            turn.update(server_proves=True)
            proved(turn)
        case Refused(kind=ErrorKind.SESSION_MISSING) if said_often(turn):
            turn.alarm(Alarm.SESSION_MISSING)
            _not_recorded(turn)
        case Refused(kind=ErrorKind.SESSION_MISSING):
            pass
        case Done() | Refused(kind=ErrorKind.SOURCE_NOT_FOUND):
            _not_proved(turn)
        case Refused():
            turn.update(problem=problem_of(answer))
            ask_again(turn, turn.now.monotonic + turn.room.policy.poll_interval)
        case _:
            ask_again(turn, turn.now.monotonic)


def adopted(turn: Turn, answer: Answer) -> None:
    """The answer to whether HMP knows a recording that somebody hands to this room."""
    unclear = isinstance(answer, NotUnderstood)
    if isinstance(answer, OutcomeUnknown) and not unclear:
        return  # asked again while the request lives
    asked_for = turn.room.awaits(Goal.ADOPT)
    if not asked_for and not _is_final(answer):  # by a retained message, which nobody sends again
        turn.update(adopting_not_before=turn.now.monotonic + ASK_AGAIN)
        return
    recording_id = turn.room.adopting
    turn.update(adopting=None)
    active = (RecordingStatus.RECORDING, RecordingStatus.PAUSED)
    if not (isinstance(answer, Done) and answer.value in active):
        problem = problems.NOT_UNDERSTOOD if unclear else problems.NO_SUCH_RECORDING
        if isinstance(answer, Refused) and answer.kind is not ErrorKind.RECORDING_NOT_FOUND:
            problem = problem_of(answer)
        turn.resolve({Goal.ADOPT}, Outcome.FAILED, problem)
        return
    room = turn.room
    known = room.recording
    if known is not None and known.id is not None and not known.missing:
        # Both go on: what is held stays, and people are told of the other.
        turn.alarm(Alarm.OUTCOME_UNKNOWN)
        turn.suspect_spare()
        turn.update(problem=problems.another_recording(recording_id))
        return
    for owner in room.served:
        turn.be_due(owner)  # the recording is not its meeting's: that may outlast it
    recording = answer.value is RecordingStatus.RECORDING
    stop = room.awaits(Goal.STOP)
    turn.update(
        recording=Recording(
            id=recording_id,
            session=room.session,
            started_at=_known_start(turn),
            status=RecordingStatus.RECORDING if recording else RecordingStatus.PAUSED,
            owner="adopted",
            verified_at=turn.now.wall,
            asked=True,
            recorded=0.0 if known is None else known.recorded,
            running_since=_running_since(turn) if recording else None,
            began=turn.now.monotonic if known is None else known.began,
            paused_since=None if recording else turn.now.monotonic,
            stop=Stop.WANTED if stop else Stop.NO,
        ),
        lost_start=None,
        target=Target.IDLE if stop else Target.RECORDING if recording else Target.PAUSED,
        spare_suspected=False,
        spare_until=None,
    )
    turn.clear(Alarm.STOPPED_UNEXPECTEDLY, Alarm.STOPPED_BY_LIMIT)
    own = known or room.lost_start
    if own is None or asked_for:
        turn.clear(Alarm.OUTCOME_UNKNOWN)
    else:  # that it is what was lost is the word of a retained message
        turn.suspect_spare()
    if own is not None:  # its id was lost: it gets what its start would have given it
        details.begin(turn, turn.recording, own.title)
    else:
        details.begin_without(turn, turn.recording)
    turn.resolve({Goal.ADOPT}, Outcome.OK)


def _is_final(answer: Answer) -> bool:
    """True if HMP has said whether it has the recording, and how that stands."""
    not_found = isinstance(answer, Refused) and answer.kind is ErrorKind.RECORDING_NOT_FOUND
    return isinstance(answer, Done) or not_found


def _known_start(turn: Turn) -> float:
    if turn.room.recording is not None:
        return turn.room.recording.started_at
    return turn.now.wall if turn.room.lost_start is None else turn.room.lost_start.wall


def _running_since(turn: Turn) -> float:
    known = turn.room.recording
    if known is not None and known.running_since is not None:
        return known.running_since
    lost = turn.room.lost_start
    return turn.now.monotonic if lost is None else lost.written_at


def proved(turn: Turn) -> None:
    """The session is being recorded, by a recording whose id we do not know."""
    turn.alarm(Alarm.OUTCOME_UNKNOWN)
    room = turn.room
    if room.recording is not None:
        turn.update_recording(unsettled=False)
        turn.wait_until(turn.now.monotonic + room.policy.poll_interval)
        return
    lost = room.lost_start
    if lost is None and room.target is not Target.IDLE:
        turn.be_due(room.next_owner)  # what was to start waits for the end of the spare file
    turn.update(
        recording=Recording(
            id=None,
            session=room.session if lost is None else lost.session,
            started_at=_known_start(turn),
            status=RecordingStatus.RECORDING,
            owner="manual" if lost is None else lost.owner,
            verified_at=turn.now.wall,
            running_since=_running_since(turn),
            began=turn.now.monotonic if lost is None else lost.written_at,
            title=None if lost is None else lost.title,
            not_before=turn.now.monotonic + room.policy.poll_interval,
        ),
        lost_start=None,
        target=Target.RECORDING,
        spare_suspected=False,
        spare_until=None,
    )
    turn.resolve({Goal.STOP}, Outcome.FAILED, problems.ID_UNKNOWN)
    if turn.meeting(turn.recording.owner) is None:  # it was over before HMP could be asked
        owner = turn.recording.owner
        turn.resolve({Goal.MEETING_END}, Outcome.FAILED, problems.ID_UNKNOWN, about=owner)


def _not_proved(turn: Turn) -> None:
    room = turn.room
    lost = room.lost_start
    if lost is None and (room.recording is not None or room.server_proves):
        _not_recorded(turn)
    elif lost is None:
        # No spare file was found, which proves nothing here: the alarm stays.
        turn.update(spare_suspected=False)
    elif not turn.now.has_come(last := lost.written_at + room.policy.start_timeout):
        # HMP may still be at it.
        ask_again(turn, min(turn.now.monotonic + room.policy.poll_interval, last))
    elif room.target is Target.IDLE:
        if not room.server_proves:
            turn.resolve({Goal.STOP}, Outcome.UNKNOWN, problems.OUTCOME_UNKNOWN)
            turn.leave_lost_start()
        else:
            _not_recorded(turn)
    elif _may_restart(turn):
        turn.suspect_spare()
        turn.update(
            lost_start=None,
            restarted=True,
            next_owner=lost.owner,
            next_title=lost.title,
        )
    elif room.server_proves:
        _not_recorded(turn)
    else:
        again = turn.now.monotonic + room.policy.poll_interval
        turn.update(lost_start=replace(lost, inconclusive=True, ask_at=again))


def _may_restart(turn: Turn) -> bool:
    room, lost = turn.room, turn.room.lost_start
    if not room.policy.restart_lost_start or room.restarted or room.intended_at is None:
        return False
    if lost is not None and _still_runs(room, lost.owner):
        return True
    return not turn.now.has_come(room.intended_at + room.policy.restart_within)


def _still_runs(room: RoomState, owner: str) -> bool:
    return any(each.owner == owner and not each.dismissed for each in room.meetings)


def _restart_until(room: RoomState) -> float | None:
    """Monotonic time after which the restart of a lost start comes too late, None without one."""
    if not room.restarted or room.recording is not None or room.target is Target.IDLE:
        return None
    if room.busy is not None or room.lost_start is not None or room.intended_at is None:
        return None
    if room.interrupted_at is not None and room.interrupted_at > room.intended_at:
        return None  # it is the restart of an interrupted recording, which has no such limit (R25)
    if _still_runs(room, room.next_owner):
        return None
    return room.intended_at + room.policy.restart_within


def give_up_restart(turn: Turn) -> None:
    """The link was down for so long that nobody expects the restart any more."""
    if turn.now.has_come(_restart_until(turn.room)):
        turn.want_nothing()


def known_not_recorded(turn: Turn) -> None:
    """A start was lost in a session that could be asked beyond doubt: it records nothing."""
    lost = turn.room.lost_start
    if lost is None or turn.room.target is Target.IDLE or not _may_restart(turn):
        _not_recorded(turn)
        return
    turn.certain()
    turn.update(lost_start=None, restarted=True, next_owner=lost.owner, next_title=lost.title)


def _not_recorded(turn: Turn) -> None:
    """Certain again: nothing is being recorded (any more)."""
    if turn.room.recording is not None:
        turn.end_recording()
    turn.clear(Alarm.OUTCOME_UNKNOWN)
    turn.update(lost_start=None, spare_suspected=False, spare_until=None)
    if not turn.room.awaits(Goal.START):
        turn.want_nothing()


def said_often(turn: Turn) -> bool:
    """True once HMP has said often enough that the session is gone; it is asked again otherwise."""
    lost, recording = turn.room.lost_start, turn.room.recording
    said = lost.gone if lost is not None else 0 if recording is None else recording.not_found
    if said >= ASKED_AGAIN or (lost is None and recording is None):
        return True
    if lost is not None:
        turn.update(lost_start=replace(lost, gone=said + 1))
    else:
        turn.update_recording(not_found=said + 1)
    ask_again(turn, turn.now.monotonic + ASK_AGAIN)
    return False


def ask_again(turn: Turn, moment: float) -> None:
    """Put the question once more at the monotonic time `moment`."""
    lost = turn.room.lost_start
    if lost is not None:
        turn.update(lost_start=replace(lost, ask_at=moment))
    elif turn.room.recording is not None:
        turn.wait_until(moment)
    else:
        turn.update(start_not_before=moment)  # a suspected spare file; a press resets this
