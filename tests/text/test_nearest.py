"""Typing errors, and who was meant."""

import pytest

from bridge.text.nearest import folded, nearest


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("hots", "host"),
        ("base-topic", "base_topic"),
        ("BaseTopic", "base_topic"),
        ("passwrod", "password"),
        ("startrecord", "startRecording"),
        ("start", None),  # there is more than one that begins so, and none so short
        ("zebra", None),
        ("", None),
    ],
)
def test_the_nearest_name_is_the_one_that_was_meant(written: str, meant: str | None) -> None:
    names = ["host", "base_topic", "password", "startRecording", "startRestreamRecording"]
    assert nearest(written, names) == meant


def test_nobody_is_near_where_there_is_nobody() -> None:
    assert nearest("host", []) is None


def test_capitals_hyphens_and_underscores_are_one() -> None:
    assert folded("Session-ID") == folded("session_id") == "sessionid"
