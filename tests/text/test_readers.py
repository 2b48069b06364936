"""One reader each for durations, times, zones and truth, whoever wrote them."""

from datetime import UTC, datetime

import pytest

from bridge.text.durations import NoDuration, read_duration
from bridge.text.json_text import NotJson, read_object, read_value
from bridge.text.times import NoTime, is_date, read_time
from bridge.text.truth import read_truth
from bridge.text.zones import NoZone, read_zone


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("P0DT1H30M0S", 5400),
        ("P1D", 86_400),
        ("PT1.5H", 5400),
        ("PT1,5H", 5400),
        ("P1W", 604_800),
        ("P1W2DT3H", 788_400),
        (" pt90s ", 90),
        ("90M", 5400),
        ("300ms", 0.3),
    ],
)
def test_durations(text: str, seconds: float) -> None:
    assert read_duration(text) == seconds
    assert read_duration(text, unit=60.0) == seconds


@pytest.mark.parametrize("value", [90, 90.0, "90", "90.", "90.0"])
def test_a_number_counts_the_unit_where_there_is_one(value: object) -> None:
    assert read_duration(value, unit=60.0) == 5400
    with pytest.raises(NoDuration, match="is no duration"):
        read_duration(value)


@pytest.mark.parametrize("text", ["P1Y", "P2M", "P1Y2M3DT4H", "p0.5y"])
def test_years_and_months_have_no_length(text: str) -> None:
    with pytest.raises(NoDuration, match="no fixed length; write days or weeks"):
        read_duration(text)


@pytest.mark.parametrize(
    "value",
    ["P", "PT", "P1DT", "PT1", "1H30M", "-PT1H", "-5", "1_0", "1e3", "nan", "", True, None, -1, []],
)
def test_what_is_no_duration(value: object) -> None:
    with pytest.raises(NoDuration):
        read_duration(value, unit=60.0)


def test_a_zone_counts_where_no_offset_does() -> None:
    there = read_time("2026-07-01T10:00:00", "Eastern Standard Time")
    assert datetime.fromtimestamp(there, UTC).hour == 14  # summer time, whatever Windows calls it
    assert read_time("2026-07-01T10:00:00", "America/New_York") == there
    assert read_time("2026-07-01T10:00:00-04:00", "Asia/Tokyo") == there
    assert read_time(there, "Asia/Tokyo") == there
    with pytest.raises(NoTime, match="its zone 'Mars' is no time zone"):
        read_time("2026-07-01T10:00:00", "Mars")


@pytest.mark.parametrize("name", ["", "Europe", "../UTC", "/etc/localtime", "UTC\0", "\ud800", 5])
def test_what_is_no_zone(name: object) -> None:
    with pytest.raises(NoZone):
        read_zone(name)


def test_days() -> None:
    assert is_date("2026-03-01")
    assert not is_date("2026-03-01T00:00:00")
    assert not is_date(20_260_301)


@pytest.mark.parametrize("value", [True, 1, 1.0, "1", "1.00", "ON", " pressed\n", "Yes", "true"])
def test_true(value: object) -> None:
    assert read_truth(value) is True


@pytest.mark.parametrize("value", [False, 0, 0.0, "0.0", "off", "Released", "no", "False"])
def test_false(value: object) -> None:
    assert read_truth(value) is False


@pytest.mark.parametrize("value", [None, 2, "2", "", "null", float("nan"), [], {}, "1.5"])
def test_neither(value: object) -> None:
    assert read_truth(value) is None


def test_json() -> None:
    assert read_value('\ufeff{"a": 1}'.encode()) == {"a": 1}
    assert read_object("[1]") == {}
    assert read_value("[" * 100 + "]" * 100)
    for wrong in ("[" * 101 + "]" * 101, "[" * 60_000, "{", b"\xff"):
        with pytest.raises(NotJson):
            read_value(wrong)
