"""Durations: a number with its unit, and nothing that could be read in two ways."""

import pytest

from bridge.config.durations import parse_duration, render_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("300ms", 0.3), ("30s", 30), ("10m", 600), ("4h", 14400), ("1d", 86400), (" 1.5 s ", 1.5)],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0, "0s"), (0.3, "300ms"), (1.5, "1500ms"), (90.0, "90s"), (120.0, "2m"), (86400.0, "1d")],
)
def test_seconds_as_a_person_writes_them(seconds: float, text: str) -> None:
    assert render_duration(seconds) == text
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "value", [30, 30.0, "30", "", "s", "-1s", "1e3s", "1 min", True, None, "1s1s"]
)
def test_what_is_no_duration(value: object) -> None:
    with pytest.raises(ValueError, match="300ms, 30s or 4h"):
        parse_duration(value)
