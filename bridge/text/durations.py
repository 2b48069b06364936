"""Durations as people, panels and calendars write them: ``30s``, ``1.5h``, ``PT1H30M``. Pure."""

import re
from math import isfinite

from .patterns import either_case

__all__ = ["DURATION_PATTERN", "SECONDS", "NoDuration", "read_duration"]

SECONDS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
"""Seconds of each unit, the largest first."""

_LONGEST = 100
"""Characters; no duration that a clock here counts to has as many."""

_COUNT = r"(\d+(?:[.,]\d+)?)"
_WRITTEN = r"(\d+(?:\.\d+)?)\s*(" + either_case("ms|s|m|h|d") + ")"
_BEGINNING = either_case(r"P(?=\d|T)")
_WITHOUT_LENGTH = either_case(f"(?:{_COUNT}Y)?(?:{_COUNT}M)?")
_REST = either_case(
    f"(?:{_COUNT}W)?(?:{_COUNT}D)?(?:T(?=\\d)(?:{_COUNT}H)?(?:{_COUNT}M)?(?:{_COUNT}S)?)?"
)

DURATION_PATTERN = rf"^\s*(?:{_WRITTEN}|{_BEGINNING}{_REST})\s*$"
"""The texts that `read_duration` takes without a `unit`, for JSON Schema."""

_NUMBER_AND_UNIT = re.compile(_WRITTEN, re.ASCII)
_OF_CALENDARS = re.compile(_BEGINNING + _WITHOUT_LENGTH + _REST, re.ASCII)
"""ISO 8601: years, months, weeks, days, and after a ``T`` hours, minutes, seconds."""

_NUMBER = re.compile(r"\d+(?:\.\d*)?|\.\d+", re.ASCII)
_SIZES = (604_800.0, 86_400.0, 3600.0, 60.0, 1.0)


class NoDuration(ValueError):
    """The value is no duration; the text says why."""


def read_duration(value: object, *, unit: float | None = None) -> float:
    """Seconds of a duration, 0 or more and finite.

    Text is a number and its unit (ms, s, m, h, d), or ISO 8601 without years and months, whose
    length nobody can tell. A bare number, in text or not, counts `unit` seconds; without `unit` it
    is refused, for nobody could tell which is meant. Raises `NoDuration`.
    """
    seconds = None
    if isinstance(value, str):
        seconds = _of_text(value.strip(), unit)
    elif isinstance(value, int | float) and not isinstance(value, bool) and unit is not None:
        try:
            seconds = float(value) * unit
        except OverflowError:
            raise NoDuration("is longer than any clock counts to") from None
    if seconds is None or not seconds >= 0:
        raise NoDuration("is no duration")
    if not isfinite(seconds):
        raise NoDuration("is longer than any clock counts to")
    return seconds


def _of_text(text: str, unit: float | None) -> float | None:
    if len(text) > _LONGEST:
        return None
    if written := _NUMBER_AND_UNIT.fullmatch(text):
        return float(written[1]) * SECONDS[written[2].lower()]
    if unit is not None and _NUMBER.fullmatch(text):
        return float(text) * unit
    parts = _OF_CALENDARS.fullmatch(text)
    if parts is None:
        return None
    years, months, *others = parts.groups()
    if years or months:
        raise NoDuration("has years or months, which have no fixed length; write days or weeks")
    counted = (float((part or "0").replace(",", ".")) for part in others)
    return sum(count * size for count, size in zip(counted, _SIZES, strict=True))
