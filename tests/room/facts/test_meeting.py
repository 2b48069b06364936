"""Meetings in other people's words: zones, days of the calendar, texts that are none (R12)."""

import pytest

from bridge.room.facts.meeting import Meeting

from .test_requests import ask


@pytest.mark.parametrize(
    ("parameters", "start"),
    [
        ({"start": "2026-03-01T10:00:00", "zone": "Pacific Standard Time"}, 1772388000.0),
        ({"start": "2026-03-01T10:00:00", "zone": "Europe/Berlin"}, 1772355600.0),
        ({"start": "2026-03-01T10:00:00Z", "zone": "Pacific Standard Time"}, 1772359200.0),
        ({"start": {"dateTime": "2026-03-01T10:00:00.0000000", "timeZone": "UTC"}}, 1772359200.0),
        (
            {"start": {"dateTime": "2026-03-01T10:00:00", "timeZone": "W. Europe Standard Time"}},
            1772355600.0,
        ),
        (
            {"start": {"dateTime": "2026-03-01T10:00:00"}, "zone": "W. Europe Standard Time"},
            1772355600.0,
        ),
        (
            {
                "start": {"dateTime": "2026-03-01T10:00:00", "timeZone": "UTC"},
                "zone": "W. Europe Standard Time",
            },
            1772359200.0,
        ),
    ],
)
@pytest.mark.parametrize("event", ["meeting_start", "meeting_end"])
def test_zones_are_taken_by_either_name(
    event: str, parameters: dict[str, object], start: float
) -> None:
    asked = ask(event, {"id": "1"} | parameters, event=True)
    assert asked.meeting is not None
    assert (asked.meeting.start, asked.meeting.fields, asked.doubt) == (start, (), None)


def test_a_time_in_a_zone_that_nobody_knows_is_left_out_and_said() -> None:
    asked = ask("meeting_start", {"end": "2026-03-01T10:00:00", "zone": "Nowhere"}, event=True)
    assert asked.meeting == Meeting()
    assert asked.doubt is not None
    assert "its zone 'Nowhere' is no time zone" in asked.doubt.message


@pytest.mark.parametrize(
    ("parameters", "all_day"),
    [
        ({"isAllDay": True, "start": "2026-03-01T00:00:00Z"}, True),
        ({"isAllDay": "true"}, True),
        ({"is_all_day": False, "start": "2026-03-01", "end": "2026-03-02"}, False),
        ({"start": {"date": "2026-03-01"}, "end": {"date": "2026-03-02"}}, True),
        ({"start": "2026-03-01", "end": "2026-03-02"}, True),
        ({"start": "2026-03-01", "end": "2026-03-01T10:00:00Z"}, False),
        ({"start": "2026-03-01T00:00:00Z", "end": "2026-03-02T00:00:00Z"}, False),
        ({}, False),
    ],
)
def test_what_lasts_all_day_is_told_by_its_mark_or_by_its_times(
    parameters: dict[str, object], all_day: bool
) -> None:
    meeting = ask("meeting_start", parameters, event=True).meeting
    assert meeting is not None
    assert meeting.all_day is all_day


@pytest.mark.parametrize("name", ["title", "organizer"])
@pytest.mark.parametrize(
    ("value", "said"), [({"x": 1}, "a table"), (["x"], "a list of 1"), (True, "true")]
)
@pytest.mark.parametrize("event", ["meeting_start", "button"])
def test_a_text_that_is_none_is_left_out_and_said(
    event: str, name: str, value: object, said: str
) -> None:
    asked = ask(event, {name: value}, event=True)
    if (event, name) == ("button", "organizer"):  # which a button has no use for
        assert asked.doubt is None
        return
    assert asked.doubt is not None
    assert asked.doubt.message == f"{name}: {said} is no text; it is left out"


@pytest.mark.parametrize("duration", [None, ""])
def test_a_duration_that_is_left_empty_is_none(duration: object) -> None:
    asked = ask("meeting_start", {"id": "1", "duration": duration}, event=True)
    assert (asked.meeting, asked.doubt) == (Meeting("1"), None)


@pytest.mark.parametrize(
    ("duration", "reason"),
    [
        (0, "is not between nothing and a year"),
        ("soon", "is no duration"),
        (True, "is no duration"),
    ],
)
def test_a_duration_that_cannot_be_is_left_out_and_said(duration: object, reason: str) -> None:
    asked = ask("meeting_start", {"duration": duration}, event=True)
    assert asked.meeting == Meeting()
    assert asked.doubt is not None
    assert "is no number of minutes, such as 60, or PT1H: it " in asked.doubt.message
    assert reason in asked.doubt.message
    assert "None" not in asked.doubt.message


@pytest.mark.parametrize(
    ("given", "taken"),
    [(12, "12"), (10**40 - 1, "9" * 40), (10**40, ""), (-(10**5000), "")],
    ids=["small", "forty digits", "more", "too many to write"],
)
def test_an_id_is_a_number_that_a_person_could_tell_from_another(given: int, taken: str) -> None:
    meeting = ask("meeting_start", {"id": given}, event=True).meeting
    assert meeting is not None
    assert meeting.id == taken
