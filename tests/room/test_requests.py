"""From words to requests: everything checked before a room decides (R17)."""

from collections.abc import Mapping

import hypothesis.strategies as st
import pytest
from hypothesis import given

from bridge.room.requests import EVENTS, NotUnderstood, malformed, outlives, request
from bridge.room.state import Request
from bridge.room.vocabulary import Action

from .driven import OTHER_ID

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


@pytest.mark.parametrize("action", [action for action in Action if action is not Action.ADOPT])
def test_every_action_by_its_word(action: Action) -> None:
    assert ask(str(action)) == Request(action, "7", str(action), "hmp/room/r/set", 5.0)


@pytest.mark.parametrize(
    ("word", "action"),
    [("meeting_start", Action.RECORD), ("meeting_end", Action.STOP), ("button", Action.TOGGLE)],
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
    assert all(str(action) in error.problem.explanation for action in Action)
    error = refusal("fire", event=True)
    assert error.problem.code == "unknown_event"
    assert all(event in error.problem.explanation for event in EVENTS)


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
        {"id": "42", "title": " Board\x00 meeting \n", "organizer": {"x": 1}},
        event=True,
    )
    assert asked.owner == "meeting:42"
    assert asked.title is not None
    assert asked.title.startswith("Board meeting")
    assert ask("meeting_start", event=True).owner == "meeting"
    assert ask("meeting_start", {"title": 7}, event=True).title is None
    assert ask("meeting_start", {"title": "\x00 "}, event=True).title is None
    assert len(ask("meeting_start", {"title": "x" * 9999}, event=True).title or "") == 255


def test_a_button_is_a_person_and_no_meeting() -> None:
    """R11: no meeting's end stops what somebody started by hand."""
    asked = ask("button", {"id": "42", "title": "Weekly"}, event=True)
    assert asked.owner == "manual"
    assert asked.title == "Weekly"


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
