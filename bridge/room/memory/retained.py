"""A room as its own retained topics remember it, held against what the journal says (R9).

A bridge that has lost its journal has nothing else. One whose disk was full when it was killed has
an old journal: of the two the one with the higher `revision` counts, and no recording that either
speaks of is dropped before HMP has been asked about it.
"""

from dataclasses import replace
from typing import Any

from ...hmp import arguments
from ...hmp.commands import RecordingId, RecordingStatus, SessionId
from ...hmp.errors import InvalidArgument
from ...text.json_text import read_object
from ...text.times import NoTime, read_time
from ..facts.changed import changed
from ..facts.meeting import Meeting, owner_in_words, read_meeting
from ..facts.state import Change, Recording, RoomState
from ..facts.values import Now
from ..facts.vocabulary import Alarm, State, Target
from ..rules.meetings import MOST_MEETINGS
from ..rules.turn import SPARE_FOR

__all__ = ["adopt_retained"]

_MOST_ELAPSED = 366 * 86400
_MOST_REVISIONS = 2**53


def adopt_retained(
    room: RoomState, status: bytes, now: Now, journalled: int | None = None
) -> Change:
    """Take over the recording that the retained `status` speaks of, to be checked with HMP.

    `journalled` is the revision that the journal had when the process began, None where it had
    nothing. A `status` that is no newer changes nothing. What a newer one names is asked about,
    beside what the room holds, and neither takes the place of the other on its word; so is what one
    without a revision names and the room has not heard of.

    Nothing in it is trusted: what is no id, or belongs to another session, is left. A session that
    the room may have made is shown again, and never removed.

    Anybody who may write there can have written it, so the recording is watched and shown, but is
    not stopped on its word: a stop that was under way is a person's to repeat, its times count from
    now, and its meeting ends it when the booking system says so again.
    """
    told = read_object(status)
    revision, doubtful = _revision(told), _is_doubtful(told, journalled)
    idle = room.target is Target.IDLE and room.recording is None and room.lost_start is None
    pristine = idle and not room.pending
    if journalled is None:
        return Change(_taken_over(room, told, now, doubtful) if pristine else room, ())
    if revision is not None and revision <= journalled:
        return Change(room, ())
    named = _recording(told, room)
    doubtful &= revision is not None
    if pristine and (named or doubtful):
        room = _taken_over(room, told, now, doubtful)
    else:
        room = _suspected(room, now) if doubtful else room
        room = changed(room, {"adopting": room.adopting or named})
    return Change(changed(room, {"revision": max(room.revision, revision or 0)}), ())


def _taken_over(room: RoomState, told: dict[str, Any], now: Now, doubtful: bool) -> RoomState:
    if not told:
        return room
    before = {each.owner: each for each in room.meetings}
    meetings = tuple(each for each in _meetings(told, now) if each.owner not in before)
    changes: dict[str, Any] = {}
    if (last := _id(told, "last_recording_id")) is not None:
        changes["last_recording_id"] = last
    if (recording_id := _recording(told, room)) is not None:
        paused = told.get("paused") is True
        owner = _owner(told, (*before.values(), *meetings))
        meetings = tuple(
            replace(each, end=None) if each.owner == owner else each for each in meetings
        )
        changes |= {
            "recording": Recording(
                id=recording_id,
                session=_session(told, room),
                started_at=_time(told.get("started_at")) or now.wall,
                status=RecordingStatus.PAUSED if paused else RecordingStatus.RECORDING,
                owner=owner,
                title=_text(told.get("title")),
                active_at=now.monotonic,
                began=now.monotonic,
                dated=False,
                recorded=float(_seconds(told.get("elapsed"))),
                running_since=None if paused else now.monotonic,
                unsettled=True,
                remembered=True,
            ),
            "target": Target.PAUSED if paused else Target.RECORDING,
        }
    changes["meetings"] = (*before.values(), *_due(meetings, changes.get("recording")))
    room = replace(room, **changes)
    return _suspected(room, now) if doubtful else room


def _is_doubtful(told: dict[str, Any], journalled: int | None) -> bool:
    """True if something may be recorded of which no id was known.

    A start that was under way is in the journal, unless that is behind.
    """
    alarms = told.get("alarms")
    if isinstance(alarms, list) and Alarm.OUTCOME_UNKNOWN in alarms:
        return True
    state = told.get("state")
    return state == State.UNKNOWN or (state == State.STARTING and journalled is not None)


def _suspected(room: RoomState, now: Now) -> RoomState:
    return replace(
        room,
        alarms=room.alarms | {Alarm.OUTCOME_UNKNOWN},
        spare_suspected=True,
        spare_until=now.monotonic + SPARE_FOR,
    )


def _recording(told: dict[str, Any], room: RoomState) -> RecordingId | None:
    """The active recording that is named, if the room may hold it and has not heard of it."""
    recording_id = _id(told, "recording_id")
    if recording_id is None or room.policy.session not in (None, _session(told, room)):
        return None
    heard = {each.lower() for each in (room.held_id, room.last_recording_id) if each is not None}
    return None if recording_id.lower() in heard else recording_id


def _revision(told: dict[str, Any]) -> int | None:
    revision = told.get("revision")
    if not isinstance(revision, int) or isinstance(revision, bool):
        return None
    return revision if 0 <= revision < _MOST_REVISIONS else None


def _meetings(told: dict[str, Any], now: Now) -> tuple[Meeting, ...]:
    """The meetings that ran, so that their ends still end what they started (R11)."""
    listed = told.get("meetings")
    found: dict[str, Meeting] = {}
    for item in listed[:MOST_MEETINGS] if isinstance(listed, list) else ():
        if isinstance(item, dict):
            names = ("id", "title", "organizer", "start", "end")
            meeting, _ = read_meeting({name: item.get(name) for name in names})
            dismissed = item.get("dismissed") is True
            found[meeting.owner] = replace(meeting, began=now.monotonic, dismissed=dismissed)
    return tuple(found.values())


def _due(meetings: tuple[Meeting, ...], recording: Recording | None) -> tuple[Meeting, ...]:
    """Whatever runs beside the recording is recorded when that has ended (R12)."""
    held = None if recording is None else recording.owner
    return tuple(replace(each, due=not each.dismissed and each.owner != held) for each in meetings)


def _owner(told: dict[str, Any], meetings: tuple[Meeting, ...]) -> str:
    """Its meeting, if that runs still; else it is nobody's, and no meeting ends it."""
    mine = [each for each in meetings if owner_in_words(each.owner) == told.get("owner")]
    return mine[-1].owner if mine else "adopted"


def _text(value: object) -> str | None:
    if not isinstance(value, str):
        return None
    return arguments.drop_control_characters(value)[: arguments.TITLE_LIMIT] or None


def _id(told: dict[str, Any], name: str) -> RecordingId | None:
    try:
        return arguments.recording_id(told.get(name), name)
    except InvalidArgument:
        return None


def _session(told: dict[str, Any], room: RoomState) -> SessionId | None:
    """The session that is named; what comes from topics of one value each names none."""
    if "session_id" not in told:
        return room.policy.session
    try:
        return arguments.session_id(told.get("session_id"), "session_id")
    except InvalidArgument:
        return None


def _time(value: object) -> float | None:
    try:
        return read_time(value) if isinstance(value, str) else None
    except NoTime:
        return None


def _seconds(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        return 0
    return value if 0 <= value <= _MOST_ELAPSED else 0
