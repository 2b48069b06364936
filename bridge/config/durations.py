"""Durations of the configuration: ``300ms``, ``30s``, ``10m``, ``4h``. Pure."""

import re

from ..text.durations import SECONDS, NoDuration, read_duration

__all__ = [
    "is_duration",
    "nearest_duration",
    "parse_duration",
    "render_duration",
]

_LONGEST = 4_294_967_295.0
"""Seconds: what the four bytes of an MQTT session's expiry hold."""


def parse_duration(value: object) -> float:
    """Seconds of a duration.

    Raises `ValueError`; a number without a unit is refused, for nobody could tell which is meant.
    """
    try:
        seconds = read_duration(value)
    except NoDuration as error:
        raise ValueError(
            f"{error}; write one number and its unit in quotes: 300ms, 30s or 4h"
        ) from None
    if seconds > _LONGEST:
        raise ValueError("is longer than 136 years, which no clock here counts to")
    return seconds


def is_duration(value: object) -> bool:
    """True if `value` is written as a duration, however long."""
    try:
        read_duration(value)
    except NoDuration:
        return False
    return True


def render_duration(seconds: float) -> str:
    """As a person writes it: in the largest unit that leaves no fraction."""
    for unit in ("d", "h", "m", "s"):
        size = SECONDS[unit]
        if seconds >= size and (seconds / size).is_integer():
            return f"{seconds / size:g}{unit}"
    return f"{seconds * 1000:g}ms" if seconds else "0s"


def nearest_duration(value: object) -> str | None:
    """The duration that is likely meant by one without a unit, or with one spelt out."""
    if isinstance(value, bool):
        return None
    written = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([smhd]?[a-z]*)\s*", str(value).lower())
    if written is None or not (written[2] or "s").startswith(tuple("smhd")):
        return None
    unit = "ms" if written[2].startswith(("ms", "milli")) else written[2][:1] or "s"
    return f"{written[1]}{unit}"
