"""Buttons: on where the action does something, off where it is refused or so already."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.room.facts.values import Now, Request
from bridge.room.facts.vocabulary import Action, Outcome
from bridge.room.rehearse import rehearse
from bridge.room.rules.possible import BUTTONS, possible
from tests.room.driven import POLICY, STARTED, DrivenRoom


def never(error: Exception, _about: str) -> None:
    """No rule fails."""
    raise error


def recording_room() -> DrivenRoom:
    """A room that HMP has just said it records."""
    driven = DrivenRoom()
    driven.press(Action.RECORD)
    driven.answer(STARTED)
    return driven


@pytest.mark.parametrize("recording", [False, True])
@pytest.mark.parametrize("action", BUTTONS)
def test_what_is_possible_succeeds_with_an_hmp_that_says_yes(
    action: Action, recording: bool
) -> None:
    driven = recording_room() if recording else DrivenRoom()
    request = Request(action, "1", str(action), "topic", 0.0)
    end = rehearse(POLICY, request, Now(0.0, 1e9), recording=recording).result
    assert end is not None
    is_on = action in possible(driven.room, driven.now, never)
    assert is_on is (end.outcome is Outcome.OK)


LINK_LOST, LINK_BACK = "the link is lost", "the link is back"


def played(course: list[Action | str], recording: bool) -> DrivenRoom:
    """A room after this course of presses and losses."""
    driven = recording_room() if recording else DrivenRoom()
    for each in course:
        if isinstance(each, Action):
            driven.press(each)
        elif driven.room.link_ready is not (each == LINK_BACK):
            driven.link(ready=each == LINK_BACK)
    return driven


@given(
    st.lists(st.sampled_from([*BUTTONS, LINK_LOST, LINK_BACK]), max_size=8),
    st.booleans(),
)
def test_it_says_what_a_press_comes_to_and_presses_nothing(
    course: list[Action | str], recording: bool
) -> None:
    """In any state: off means refused or ignored at once, on means done or under way."""
    driven = played(course, recording)
    before = driven.room
    found = possible(driven.room, driven.now, never)
    assert driven.room is before
    for action in BUTTONS:
        other = played(course, recording)
        said = other.results.get(other.press(action))
        assert (action in found) is (said is None or said.outcome is Outcome.OK), action


def test_where_a_rule_fails_its_button_is_off() -> None:
    faults: list[str] = []
    driven = DrivenRoom()
    broken = driven.room.__class__(policy=None, not_ready_since=0.0)  # type: ignore[arg-type]
    found = possible(broken, driven.now, lambda _error, about: faults.append(about))
    assert Action.RECORD not in found
    assert faults
