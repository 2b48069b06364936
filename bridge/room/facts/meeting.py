"""A meeting as a room knows it, and how a booking system's words become one (R12).

A meeting is identified by its id and its start, for ids recur: the same id with another start is
another occurrence, and takes the place of the one before.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ...hmp import arguments
from ...text.cut import cut
from ...text.durations import NoDuration, read_duration
from ...text.json_text import told_in_words
from ...text.nearest import folded
from ...text.times import LAST_MOMENT, NoTime, is_date, read_time
from ...text.truth import read_truth
from .restart import Monotonic

__all__ = [
    "LAST_MOMENT",
    "Meeting",
    "is_meeting",
    "is_of_before",
    "owner_in_words",
    "read_meeting",
    "read_words",
]

_MOST_FIELDS = 20
_LONGEST_MEETING = 366 * 86_400.0
_ALL_DAY = frozenset({"allday", "isallday", "isalldayevent"})
"""Names that booking systems have for the mark of a meeting that lasts all day."""

_OCCURRENCE = "\x1f"
"""Between an id and its start in the key of an owner; no id has a control character."""


@dataclass(frozen=True)
class Meeting:
    """A meeting that has started in this room and is not over.

    `start` and `end` are wall times as the booking system gave them, None where it gave none.
    """

    id: str = ""
    start: float | None = None
    end: float | None = None
    title: str | None = None
    organizer: str | None = None
    #: Seconds it is to last from when the room hears of it, where it has no end.
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
    #: An end that was given as a duration; `end` is then where that lies now.
    until: Monotonic | None = None
    #: It is a day of the calendar rather than a meeting.
    all_day: bool = False

    @property
    def has_end(self) -> bool:
        """True if its end is known, by one clock or the other."""
        return self.end is not None or self.until is not None

    @property
    def owner(self) -> str:
        """The owner of a recording of this occurrence; `owner_in_words` is for people."""
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

    Nothing in it is a reason not to record: what cannot be read is left out and said.
    `duration` (minutes, or text such as ``90m`` or ``PT1H30M``) stands for an `end` where there is
    none: from `start` on, or from when the room hears of it. `zone` names the zone of times without
    an offset. It lasts all day by its own word, or where its times are days.
    """
    given = dict(parameters)
    doubts: list[str] = []
    meeting_id = _text(given.pop("id", None)) or ""
    zone = given.pop("zone", None)
    written = {name: _unboxed(given.pop(name, None), zone) for name in ("start", "end")}
    all_day = _all_day(given, [value for value, _ in written.values()], doubts)
    start, end = (_time(name, *value, doubts) for name, value in written.items())
    length = _length(given.pop("duration", None), doubts) if end is None else None
    given.pop("duration", None)
    if length is not None and start is not None:
        end, length = start + length, None
    if end is not None and start is not None and end <= start:
        doubts.append("end: is not after start; the end is left out")
        end = None
    title, organizer = (read_words(given, name, doubts) for name in ("title", "organizer"))
    texts = {name: _text(value) for name, value in given.items() if name.isidentifier()}
    fields = tuple((name, text) for name, text in texts.items() if text)[:_MOST_FIELDS]
    meeting = Meeting(meeting_id, start, end, title, organizer, length, fields, all_day=all_day)
    return meeting, tuple(doubts)


def read_words(given: dict[str, object], name: str, doubts: list[str]) -> str | None:
    """The text of a member, which is taken out of `given`; what is none is told in `doubts`."""
    value = given.pop(name, None)
    text = _text(value)
    if text is None and value is not None and not isinstance(value, str):
        doubts.append(f"{name}: {told_in_words(value)} is no text; it is left out")
    return text


def _unboxed(value: object, zone: object) -> tuple[object, object]:
    """A time and its zone, also as Graph and Google write both in one object."""
    if not isinstance(value, dict):
        return value, zone
    return value.get("dateTime", value.get("date", value)), value.get("timeZone", zone)


def _all_day(given: dict[str, object], times: list[object], doubts: list[str]) -> bool:
    for name in [each for each in given if folded(each) in _ALL_DAY]:
        value = given.pop(name)
        if (said := read_truth(value)) is not None:
            return said
        if value not in (None, ""):
            doubts.append(f"{name}: {told_in_words(value)} is neither true nor false")
    return any(map(is_date, times)) and all(
        value in (None, "") or is_date(value) for value in times
    )


def _time(name: str, value: object, zone: object, doubts: list[str]) -> float | None:
    if value in (None, ""):
        return None
    try:
        return read_time(value, zone)
    except NoTime as error:
        doubts.append(f"{name}: {told_in_words(value)} {error}")
        return None


def _length(value: object, doubts: list[str]) -> float | None:
    """Seconds; a number without a unit counts minutes."""
    if value in (None, ""):
        return None
    try:
        seconds = read_duration(value, unit=60.0)
        if 0 < seconds <= _LONGEST_MEETING:
            return seconds
        reason = "is not between nothing and a year"
    except NoDuration as error:
        reason = str(error)
    told = told_in_words(value)
    doubts.append(f"duration: {told} is no number of minutes, such as 60, or PT1H: it {reason}")
    return None


def _text(value: object) -> str | None:
    """Text as HMP takes it; None for what is none."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    text = str(value) if not isinstance(value, int) or abs(value) < 10**40 else ""
    return cut(arguments.drop_control_characters(text).strip(), arguments.TEXT_LIMIT) or None
