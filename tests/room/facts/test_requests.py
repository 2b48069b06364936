"""From words to requests: everything checked before a room decides (R17)."""

from collections.abc import Mapping
from datetime import datetime

import hypothesis.strategies as st
import pytest
from hypothesis import given

from bridge.room.facts.meeting import Meeting
from bridge.room.facts.requests import (
    ACTIONS,
    EVENTS,
    METADATA,
    NotUnderstood,
    malformed,
    outlives,
    request,
)
from bridge.room.facts.values import Request
from bridge.room.facts.vocabulary import Action

from ..driven import OTHER_ID

NOTHING: Mapping[str, object] = {}


def ask(
    word: str,
    parameters: Mapping[str, object] = NOTHING,
    *,
    event: bool = False,
    request_id: str | int | None = "7",
) -> Request:
    return request(
        word,
        parameters,
        event=event,
        request_id=request_id,
        origin="hmp/room/r/set",
        received_at=5.0,
    )


def refusal(
    word: str, parameters: Mapping[str, object] = NOTHING, *, event: bool = False
) -> NotUnderstood:
    with pytest.raises(NotUnderstood) as caught:
        ask(word, parameters, event=event)
    return caught.value


@pytest.mark.parametrize("action", [each for each in ACTIONS.values() if each is not Action.ADOPT])
def test_every_action_by_its_word(action: Action) -> None:
    assert ask(str(action)) == Request(action, "7", str(action), "hmp/room/r/set", 5.0)


@pytest.mark.parametrize(
    ("word", "action"),
    [
        ("meeting_start", Action.MEETING_START),
        ("meeting_end", Action.MEETING_END),
        ("meeting_extend", Action.MEETING_EXTEND),
        ("button", Action.TOGGLE),
    ],
)
def test_every_event(word: str, action: Action) -> None:
    assert ask(word, event=True).action is action
    assert ask(word, event=True).word == word
    assert refusal(word).known is False  # an event's word is no action


def test_an_id_is_made_up_where_there_is_none() -> None:
    first, second = ask("record", request_id=None), ask("record", request_id=None)
    assert isinstance(first.id, str)
    assert len(first.id) >= 16
    assert first.id != second.id
    assert ask("record", request_id=0).id == 0
    assert ask("record", request_id="").id == ""


def test_unknown_words_are_named_shortly_with_those_that_are_known() -> None:
    error = refusal("explode" * 50)
    assert not error.known
    assert error.problem.code == "unknown_action"
    assert len(error.problem.message) < 80
    assert all(word in error.problem.explanation for word in ACTIONS)
    error = refusal("fire", event=True)
    assert error.problem.code == "unknown_event"
    assert all(event in error.problem.explanation for event in EVENTS)
    error = refusal("metadata/titel")
    assert not error.known
    assert all(word in error.problem.explanation for word in METADATA)
    assert not any(f" {action}" in error.problem.explanation for action in ACTIONS)


@pytest.mark.parametrize("word", ["record", "mark"])
def test_titles_are_taken_and_checked(word: str) -> None:
    assert ask(word, {"title": "Weekly \u00e9"}).title == "Weekly \u00e9"
    for wrong in (7, ["x"], "a\x00b", "x" * 10_000):
        error = refusal(word, {"title": wrong})
        assert error.known
        assert error.problem.code == "malformed"
        assert "title" in error.problem.message
        assert len(error.problem.message) < 300


@pytest.mark.parametrize("word", ["stop", "pause", "resume", "toggle", "toggle_pause"])
def test_parameters_that_do_not_belong_are_refused(word: str) -> None:
    error = refusal(word, {"title": "x"})
    assert error.known
    assert "takes no parameters" in error.problem.message
    assert "takes title" in refusal("record", {"minutes": 5}).problem.message


def test_adopt_takes_an_id_and_nothing_else() -> None:
    assert ask("adopt", {"recording_id": OTHER_ID}).recording_id == OTHER_ID
    assert refusal("adopt").problem.message.startswith("recording_id is missing")
    for wrong in ("x", 7, None, OTHER_ID + "\n", f"{OTHER_ID} stopRecording"):
        assert refusal("adopt", {"recording_id": wrong}).known
    assert refusal("adopt", {"recording_id": OTHER_ID, "title": "x"}).known


def test_events_are_taken_with_whatever_a_booking_system_sends() -> None:
    asked = ask(
        "meeting_start",
        {
            "id": "42",
            "title": " Board\x00 meeting \n",
            "organizer": {"x": 1},
            "course": "Surgery",
            "seats": 12,
            "not a name": "x",
        },
        event=True,
    )
    assert asked.meeting == Meeting(
        "42", title="Board meeting", fields=(("course", "Surgery"), ("seats", "12"))
    )
    assert asked.doubt is not None
    assert asked.doubt.message == "organizer: a table is no text; it is left out"
    assert ask("meeting_start", event=True).meeting == Meeting()
    assert ask("meeting_start", {"title": 7}, event=True).meeting == Meeting(title="7")
    assert ask("meeting_start", {"title": "\x00 "}, event=True).meeting == Meeting()
    assert ask("meeting_end", {"id": 7}, event=True).meeting == Meeting("7")


@pytest.mark.parametrize(
    ("value", "wall"),
    [
        ("2026-03-01T10:00:00Z", 1772359200.0),
        ("2026-03-01T10:00:00.0000000Z", 1772359200.0),
        ("2026-03-01T11:00:00+01:00", 1772359200.0),
        (" 20260301T100000Z ", 1772359200.0),
        (1772359200, 1772359200.0),
        (1772359200.5, 1772359200.5),
        ("1772359200", 1772359200.0),
        ("1764010112345", 1764010112.345),
        ("1764010112345.0", 1764010112.345),
        ("2026-03-01t10:00:00z", 1772359200.0),
        (1772359200123, 1772359200.123),
    ],
)
def test_times_are_taken_as_they_are_written(value: object, wall: float) -> None:
    meeting = ask("meeting_start", {"start": value}, event=True).meeting
    assert meeting is not None
    assert meeting.start == wall


def test_a_description_is_as_long_as_hmp_takes() -> None:
    for text, kept in [("é" * 4000, "é" * 4000), ("é" * 10_000, "é" * 3999 + "…")]:
        meeting = ask("meeting_start", {"description": text}, event=True).meeting
        assert meeting is not None
        assert dict(meeting.fields) == {"description": kept}


def test_a_time_without_a_zone_is_the_boxes() -> None:
    meeting = ask("meeting_start", {"end": "2026-03-01 10:00:00"}, event=True).meeting
    assert meeting is not None
    assert meeting.end == datetime(2026, 3, 1, 10).astimezone().timestamp()


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"end": "soon"}, "end: 'soon' is no time"),
        ({"start": True}, "start: true is no time"),
        ({"start": -5}, "start: -5 is no time that a meeting can have"),
        ({"end": 10**400}, "is no time that a meeting can have"),
        ({"end": "9999-12-31T23:59:59Z"}, "is no time that a meeting can have"),
        ({"end": "9999-12-31T23:59:59-01:00"}, "is no time that a meeting can have"),
        ({"start": "0001-01-01T00:00:00+01:00"}, "is no time that a meeting can have"),
        ({"end": "1970-01-01T00:00:00-05:00"}, "is no time that a meeting can have"),
        ({"end": "10.30"}, "end: '10.30' is no time that a meeting can have"),
        ({"end": 3600}, "end: 3600 is no time that a meeting can have"),
        ({"end": "202603011000"}, "is no time that a meeting can have"),
        ({"duration": "10 minutes"}, "duration: '10 minutes' is no number of minutes"),
        ({"end": "nan"}, "end: 'nan' is no time"),
        ({"start": 1772359200, "end": 1772359200}, "end: is not after start"),
        ({"start": 1772359200, "duration": "long"}, "duration: 'long' is no number of minutes"),
        ({"start": 1772359200, "duration": True}, "duration: true is no number of minutes"),
    ],
)
def test_a_start_that_is_hard_to_read_records_and_says_so(
    parameters: dict[str, object], said: str
) -> None:
    asked = ask("meeting_start", {"id": "1"} | parameters, event=True)
    assert asked.doubt is not None
    assert said in asked.doubt.message
    assert asked.meeting is not None
    assert asked.meeting.end is None
    error = refusal("meeting_extend", {"id": "1"} | parameters, event=True)
    assert said in error.problem.message


@pytest.mark.parametrize(
    "duration",
    [60, "60", "60m", "1h", "3600s", 60.0, "PT1H", "PT60M", "pt0h59m60s", "P0DT1H0M0S", "PT1.0H"],
)
def test_a_duration_stands_for_an_end(duration: object) -> None:
    asked = ask("meeting_start", {"start": 1772359200, "duration": duration}, event=True)
    assert asked.meeting is not None
    assert asked.meeting.end == 1772362800.0
    alone = ask("meeting_start", {"duration": duration}, event=True).meeting
    assert alone is not None
    assert (alone.end, alone.length) == (None, 3600.0)


@pytest.mark.parametrize(("minutes", "seconds"), [(15, 900.0), ("15", 900.0), (0.5, 30.0)])
def test_minutes_move_an_end(minutes: object, seconds: float) -> None:
    assert ask("extend", {"minutes": minutes}).seconds == seconds
    assert ask("meeting_extend", {"minutes": minutes}, event=True).seconds == seconds
    assert ask("extend").seconds is None


@pytest.mark.parametrize("minutes", [0, -5, "x", True, [1], 10**400, "inf", "nan"])
def test_minutes_that_are_none_are_refused(minutes: object) -> None:
    assert "minutes" in refusal("extend", {"minutes": minutes}).problem.message
    assert "minutes" in refusal("meeting_extend", {"minutes": minutes}, event=True).problem.message


def test_a_start_that_is_given_minutes_says_what_it_takes() -> None:
    asked = ask("meeting_start", {"id": "1", "minutes": 60}, event=True)
    assert asked.doubt is not None
    assert asked.doubt.message == "minutes: is of an extension; a meeting has an end or a duration"
    assert ask("meeting_start", {"id": "1", "minutes": ""}, event=True).doubt is None
    assert ask("meeting_end", {"id": "1", "minutes": 5}, event=True).doubt is None


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"start": "10:00 AM", "end": "2026-03-01T10:00:00Z"}, "start: '10:00 AM' is no time"),
        ({"minutes": "a few", "end": "2026-03-01T10:00:00Z"}, "minutes"),
        ({"minutes": "15", "end": "soon"}, "end: 'soon' is no time"),
        ({"duration": 90, "start": "today"}, "start: 'today' is no time"),
    ],
)
def test_an_extension_needs_one_thing_that_can_be_read(
    parameters: dict[str, object], said: str
) -> None:
    asked = ask("meeting_extend", {"id": "1"} | parameters, event=True)
    assert asked.doubt is not None
    assert said in asked.doubt.message


def test_metadata_is_text_within_its_limits() -> None:
    assert ask("metadata/title", {"text": 'Weekly | "é" 🎥'}).text == 'Weekly | "é" 🎥'
    assert ask("metadata/description", {"text": "a\r\nb"}).text == "a\nb"
    assert ask("metadata/title", {"text": "  "}).text == ""
    for word, text in [("title", "x" * 256), ("description", "x" * 4001), ("createdby", "\x00")]:
        error = refusal(f"metadata/{word}", {"text": text})
        assert error.known
        assert error.problem.message.startswith(word)
    assert refusal("metadata/title").known
    assert not refusal("metadata/colour", {"text": "x"}).known


def test_a_button_is_a_person_and_no_meeting() -> None:
    """R11: no meeting's end stops what somebody started by hand."""
    asked = ask("button", {"id": "42", "title": "Weekly"}, event=True)
    assert (asked.action, asked.meeting, asked.title) == (Action.TOGGLE, None, "Weekly")


def test_stops_and_meetings_count_however_old_they_are() -> None:
    assert outlives(ask("stop"))
    assert outlives(ask("meeting_start", event=True))
    assert outlives(ask("meeting_end", event=True))
    assert not outlives(ask("record"))
    assert not outlives(ask("button", event=True))


@given(
    word=st.text(max_size=30),
    parameters=st.dictionaries(
        st.text(max_size=10), st.none() | st.integers() | st.text() | st.lists(st.text())
    ),
    event=st.booleans(),
)
def test_anything_is_a_request_or_not_understood(
    word: str, parameters: dict[str, object], event: bool
) -> None:
    try:
        said = str(ask(word, parameters, event=event).action)
    except NotUnderstood as error:
        said = error.problem.message and error.problem.explanation
    assert said


def test_what_is_malformed_says_so() -> None:
    problem = malformed("no")
    assert (problem.code, problem.message) == ("malformed", "no")
