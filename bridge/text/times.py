"""Times as calendars, gateways and people write them: RFC 3339, or a number. Pure."""

import re
from datetime import UTC, date, datetime
from math import isfinite

from .json_text import told_in_words
from .zones import NoZone, read_zone

__all__ = ["LAST_MOMENT", "NoTime", "is_date", "read_moment", "read_time"]

_MILLISECONDS_FROM = 100_000_000_000.0
"""Numbers from here on count milliseconds: as seconds they would be in the year 5138."""

_FIRST_MOMENT = 946_684_800.0
"""The year 2000; before it lie the empty dates of databases, and what is a time of day (``10.30``)
or a date (``202603011000``) that reads like a number of seconds or milliseconds.
"""
LAST_MOMENT = 7_258_118_400.0
"""The year 2200; what booking systems write for *no end* lies beyond it."""

_NUMBER = re.compile(r"\d{9,}(?:\.\d*)?", re.ASCII)
"""Seconds or milliseconds. Some of these could also be read as a date of another century."""

_LONGEST = 100
"""Characters; no time has as many."""


class NoTime(ValueError):
    """The value is no time; the text says what would be."""


def read_time(value: object, zone: object = None) -> float:
    """Seconds since 1970 of an RFC 3339 text or a number of seconds or milliseconds.

    Text that names no offset is in the zone whose name is `zone`, and where that is None or empty
    in the time of this box, as calendars on the box write it. The result lies in the years 2000 to
    2199. Raises `NoTime`.
    """
    seconds = None
    if isinstance(value, str):
        seconds = _of_text(value.strip(), zone)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        seconds = _of_number(value)
    if seconds is None or not isfinite(seconds):
        raise NoTime(
            "is no time; write it as 2026-03-01T10:00:00Z, or as seconds since 1970, without quotes"
        )
    if not _FIRST_MOMENT <= seconds < LAST_MOMENT:
        raise NoTime("is no time that a meeting can have; it is taken for none")
    return seconds


def read_moment(value: object) -> datetime:
    """The same as a `datetime`, with the offset that the text names. Raises `NoTime`."""
    seconds = read_time(value)
    moment = _moment(value.strip(), None) if isinstance(value, str) else None
    return moment or datetime.fromtimestamp(seconds, UTC)


def is_date(value: object) -> bool:
    """True if the value is a day without a time of day, as calendars mark what lasts all day."""
    if not isinstance(value, str) or len(value) > _LONGEST:
        return False
    try:
        date.fromisoformat(value.strip())
    except ValueError:
        return False
    return True


def _of_text(text: str, zone: object) -> float | None:
    if len(text) > _LONGEST:
        return None
    try:
        moment = _moment(text, zone)
        return _of_number(float(text)) if moment is None else moment.timestamp()
    except NoZone as error:
        raise NoTime(f"cannot be told: its zone {told_in_words(zone)} {error}") from None
    except OverflowError:
        return LAST_MOMENT
    except ValueError:
        return None


def _moment(text: str, zone: object) -> datetime | None:
    if _NUMBER.fullmatch(text):
        return None
    try:
        moment = datetime.fromisoformat(text.upper())  # ``z`` is right, too
    except ValueError:
        return None
    if moment.tzinfo is None and zone not in (None, ""):
        return moment.replace(tzinfo=read_zone(zone))
    return moment if moment.tzinfo is not None else moment.astimezone()


def _of_number(value: float) -> float:
    try:
        seconds = float(value)
    except OverflowError:
        return LAST_MOMENT
    return seconds / 1000 if seconds >= _MILLISECONDS_FROM else seconds
