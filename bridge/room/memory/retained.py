"""A room as its own retained topics remember it, for a bridge that has lost its journal (R9)."""

from dataclasses import replace
from typing import Any

from ...hmp import arguments
from ...hmp.commands import RecordingId, RecordingStatus, SessionId
from ...hmp.errors import InvalidArgument
from ...text.json_text import read_object
from ...text.times import NoTime, read_time
from ..facts.meeting import Meeting, owner_in_words, read_meeting
from ..facts.state import Change, Recording, RoomState
from ..facts.values import Now
from ..facts.vocabulary import Alarm, State, Target
from ..rules.meetings import MOST_MEETINGS
from ..rules.turn import SPARE_FOR

__all__ = ["adopt_retained"]

_MOST_ELAPSED = 366 * 86400


def adopt_retained(room: RoomState, status: bytes, now: Now) -> Change:
    """Take over the recording that the retained `status` speaks of, to be checked with HMP.

    Nothing in it is trusted: what is no id, or belongs to another session, is left. A session that
    the room may have made is shown again, and never removed. A room that knows anything by itself
    is left as it is.

    Anybody who may write there can have written it, so the recording is watched and shown, but is
    not stopped on its word: a stop that was under way is a person's to repeat, its times count from
    now, and its meeting ends it when the booking system says so again.
    """
    pristine = room.recording is None and room.lost_start is None and not room.pending
    told = read_object(status)
    if not pristine or room.target is not Target.IDLE or not told:
        return Change(room, ())
    changes: dict[str, Any] = {"meetings": _meetings(told, now)}
    if (last := _id(told, "last_recording_id")) is not None:
        changes["last_recording_id"] = last
    recording_id = _id(told, "recording_id")
    session, own = _session(told), room.policy.session
    if recording_id is not None and own in (None, session):
        paused = told.get("paused") is True
        owner = _owner(told, changes["meetings"])
        changes["meetings"] = tuple(
            replace(each, end=None) if each.owner == owner else each for each in changes["meetings"]
        )
        changes |= {
            "recording": Recording(
                id=recording_id,
                session=session,
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
    changes["meetings"] = _due(changes["meetings"], changes.get("recording"))
    alarms = told.get("alarms")
    if told.get("state") == State.UNKNOWN or (
        isinstance(alarms, list) and Alarm.OUTCOME_UNKNOWN in alarms
    ):
        changes["alarms"] = room.alarms | {Alarm.OUTCOME_UNKNOWN}
        changes["spare_suspected"] = True
        changes["spare_until"] = now.monotonic + SPARE_FOR
    return Change(replace(room, **changes), ())


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


def _session(told: dict[str, Any]) -> SessionId | None:
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
