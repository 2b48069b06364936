"""A meeting as a room knows it, and how a booking system's words become one (R12).

A meeting is identified by its id and its start, for ids recur: the same id with another start is
another occurrence, and takes the place of the one before.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from math import isfinite

from ...hmp import arguments
from ...text.cut import cut
from ...text.shortened import shortened
from .restart import Monotonic

__all__ = [
    "LAST_MOMENT",
    "Meeting",
    "MeetingTimeError",
    "is_meeting",
    "is_of_before",
    "owner_in_words",
    "read_meeting",
    "wall_time",
]

_MOST_FIELDS = 20
_MILLISECONDS_FROM = 100_000_000_000.0
"""Numbers from here on count milliseconds: as seconds they would be in the year 5138."""

_FOREVER = 366 * 86_400.0
_FIRST_MOMENT = 946_684_800.0
"""The year 2000; before it lie the empty dates of databases, and what is a time of day (``10.30``)
or a date (``202603011000``) that reads like a number of seconds or milliseconds.
"""
LAST_MOMENT = 7_258_118_400.0
"""The year 2200; what booking systems write for *no end* lies beyond it."""

_NUMBER = re.compile(r"\d{9,}(?:\.\d*)?", re.ASCII)
"""Seconds or milliseconds. Some of these could also be read as a date of another century."""

_ISO_DURATION = re.compile(r"PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?", re.IGNORECASE)
_OCCURRENCE = "\x1f"
"""Between an id and its start in the key of an owner; no id has a control character."""


class MeetingTimeError(ValueError):
    """A time that cannot be understood; the text says what would be."""


@dataclass(frozen=True, slots=True)
class Meeting:
    """A meeting that has started in this room and is not over.

    `start` and `end` are wall times as the booking system gave them, None where it gave none.
    """

    id: str = ""
    start: float | None = None
    end: float | None = None
    title: str | None = None
    organizer: str | None = None
    #: Seconds it is to last, where it has no end.
    length: float | None = None
    #: Whatever else the event carried as text, for templates.
    fields: tuple[tuple[str, str], ...] = ()
    #: When its start was taken in.
    began: Monotonic = 0.0
    #: When its `meeting_end` came; it is over once the grace has passed.
    ended_at: Monotonic | None = None
    #: A person stopped the recording while it ran: nothing is started for it any more (R11).
    dismissed: bool = False
    #: To be recorded as soon as the room records nothing else.
    due: bool = False
    #: Before this a start that HMP refused is not tried again.
    retry_at: Monotonic = 0.0
    #: Seconds by which people have moved its end.
    extended: float = 0.0

    @property
    def owner(self) -> str:
        """What a recording of this occurrence is owned by; `owner_in_words` is for people."""
        owner = f"meeting:{self.id}" if self.id else "meeting"
        return owner if self.start is None else f"{owner}{_OCCURRENCE}{self.start:.3f}"

    def is_same(self, other: "Meeting") -> bool:
        """True if both are one occurrence; where one has no start, the id decides."""
        starts = {start for start in (self.start, other.start) if start is not None}
        return self.id == other.id and len(starts) < 2

    @property
    def planned(self) -> float | None:
        """Seconds from its start to its end; None where either is not known."""
        if self.start is None or self.end is None:
            return None
        return max(0.0, self.end - self.start)


def is_meeting(owner: str) -> bool:
    """True if a recording with this owner belongs to a meeting."""
    return owner_in_words(owner) == "meeting" or owner.startswith("meeting:")


def is_of_before(given: Meeting, running: Iterable[Meeting]) -> bool:
    """True if it is an earlier occurrence of what runs, said again after it was over."""
    if given.start is None or given.end is not None:
        return False
    starts = (each.start for each in running if each.id == given.id)
    return any(start is not None and start > given.start for start in starts)


def owner_in_words(owner: str) -> str:
    """The owner as it is published (R11): ``manual``, ``adopted``, ``meeting:<id>``."""
    return owner.partition(_OCCURRENCE)[0]


def read_meeting(parameters: Mapping[str, object]) -> tuple[Meeting, tuple[str, ...]]:
    """The meeting that an event speaks of, and what of it could not be understood.

    Nothing in it is a reason not to record: a time that cannot be read is left out and said.
    `duration` (minutes, or text such as ``90m``) stands for an `end` where there is none: from
    `start` on, or from when the room hears of it.
    """
    given = dict(parameters)
    doubts: list[str] = []
    meeting_id = _text(given.pop("id", None)) or ""
    start = _time(given, "start", doubts)
    end = _time(given, "end", doubts)
    duration = given.pop("duration", None)
    length = None
    if end is None and duration not in (None, ""):
        try:
            length = _duration(duration)
        except MeetingTimeError as error:
            doubts.append(str(error))
    if length is not None and start is not None:
        end, length = start + length, None
    if end is not None and start is not None and end <= start:
        doubts.append("end: is not after start; the end is left out")
        end = None
    title, organizer = _text(given.pop("title", None)), _text(given.pop("organizer", None))
    texts = {name: _text(value) for name, value in given.items() if name.isidentifier()}
    fields = tuple((name, text) for name, text in texts.items() if text)[:_MOST_FIELDS]
    return Meeting(meeting_id, start, end, title, organizer, length, fields), tuple(doubts)


def wall_time(value: object) -> float:
    """Seconds since 1970 of an RFC 3339 text or a number of seconds or milliseconds.

    A text without a zone is in the time of this box, as calendars on the box write it. Raises
    `MeetingTimeError`.
    """
    if isinstance(value, str):
        seconds = _of_text(value.strip())
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        seconds = _of_number(value)
    else:
        seconds = None
    if seconds is None or not isfinite(seconds):
        raise MeetingTimeError(
            "is no time; write it as 2026-03-01T10:00:00Z, or as seconds since 1970, without quotes"
        )
    if not _FIRST_MOMENT <= seconds < LAST_MOMENT:
        raise MeetingTimeError("is no time that a meeting can have; it is taken for none")
    return seconds


def _of_text(text: str) -> float | None:
    if _NUMBER.fullmatch(text) is None:
        try:
            return datetime.fromisoformat(text.upper()).timestamp()  # ``z`` is right, too
        except OverflowError:
            return LAST_MOMENT
        except ValueError:
            pass
    try:
        return _of_number(float(text))
    except ValueError:
        return None


def _of_number(value: float) -> float:
    try:
        seconds = float(value)
    except OverflowError:
        return LAST_MOMENT
    return seconds / 1000 if seconds >= _MILLISECONDS_FROM else seconds


def _time(given: dict[str, object], name: str, doubts: list[str]) -> float | None:
    value = given.pop(name, None)
    if value in (None, ""):
        return None
    try:
        return wall_time(value)
    except MeetingTimeError as error:
        doubts.append(f"{name}: {_shown(value)} {error}")
        return None


def _duration(value: object) -> float:
    seconds: float | None = None
    text = value.strip() if isinstance(value, str) else value
    if isinstance(text, str) and (written := _ISO_DURATION.fullmatch(text)):
        hours, minutes, rest = (int(part or 0) for part in written.groups())
        seconds = float(min(hours * 3600 + minutes * 60 + rest, 2 * _FOREVER))
    elif isinstance(text, str):
        unit = {"s": 1.0, "m": 60.0, "h": 3600.0}.get(text[-1:].lower())
        number = text if unit is None else text[:-1]
        try:
            seconds = float(number) * (60.0 if unit is None else unit)
        except ValueError:
            seconds = None
    elif isinstance(text, (int, float)) and not isinstance(text, bool):
        seconds = 60.0 * min(text, _FOREVER)
    if seconds is None or not isfinite(seconds) or not 0 < seconds <= _FOREVER:
        raise MeetingTimeError(f"duration: {_shown(value)} is no number of minutes, such as 60")
    return seconds


def _text(value: object) -> str | None:
    """Text as HMP takes it; None for what is none."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    text = str(value) if not isinstance(value, int) or abs(value) < 10**40 else ""
    return cut(arguments.drop_control_characters(text).strip(), arguments.TEXT_LIMIT) or None


def _shown(value: object) -> str:
    text = repr(value)
    return shortened(text, 60)
