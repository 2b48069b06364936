"""Durations as people write them: ``300ms``, ``30s``, ``10m``, ``4h``. Pure."""

import re

__all__ = [
    "DURATION_PATTERN",
    "is_duration",
    "nearest_duration",
    "parse_duration",
    "render_duration",
]

_SECONDS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
"""Seconds of each unit, the largest first."""

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)")
DURATION_PATTERN = rf"^\s*{_DURATION.pattern}\s*$"
"""What `parse_duration` reads, for JSON Schema."""

_LONGEST = 4_294_967_295.0
"""Seconds: what the four bytes of an MQTT session's expiry hold."""


def parse_duration(value: object) -> float:
    """Seconds of a duration.

    Raises `ValueError`; a number without a unit is refused, for nobody could tell which is meant.
    """
    matched = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if matched is None:
        raise ValueError(
            "is no duration; write one number and its unit in quotes: 300ms, 30s or 4h"
        )
    seconds = float(matched[1]) * _SECONDS[matched[2]]
    if seconds > _LONGEST:
        raise ValueError("is longer than 136 years, which no clock here counts to")
    return seconds


def is_duration(value: object) -> bool:
    """True if `value` is written as a duration, however long."""
    return isinstance(value, str) and _DURATION.fullmatch(value.strip()) is not None


def render_duration(seconds: float) -> str:
    """As a person writes it: in the largest unit that leaves no fraction."""
    for unit in ("d", "h", "m", "s"):
        size = _SECONDS[unit]
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
