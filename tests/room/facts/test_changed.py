"""A value with other fields."""

from dataclasses import FrozenInstanceError, replace
from typing import Any

import pytest

from bridge.room.facts.changed import changed
from bridge.room.facts.state import RoomState

from ..driven import POLICY

ROOM = RoomState(POLICY, elapsed=3)


def test_it_is_what_the_constructor_would_make() -> None:
    after = changed(ROOM, {"elapsed": 4, "link_ready": True})
    assert after == replace(ROOM, elapsed=4, link_ready=True)
    assert (hash(after), repr(after)) == (hash(replace(after)), repr(replace(after)))


def test_the_value_before_stays_as_it_was() -> None:
    changed(ROOM, {"elapsed": 4})
    assert RoomState(POLICY, elapsed=3) == ROOM


def test_what_changes_nothing_is_the_same_value() -> None:
    assert changed(ROOM, {"elapsed": ROOM.elapsed, "policy": POLICY}) is ROOM


def test_what_was_changed_is_frozen() -> None:
    after: Any = changed(ROOM, {"elapsed": 4})
    with pytest.raises(FrozenInstanceError):
        after.elapsed = 5


@pytest.mark.parametrize("changes", [{"elapsd": 4}, {"elapsed": 4, "elapsd": 4}, {"state": 1}])
def test_a_field_that_it_has_not_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(AttributeError):
        changed(ROOM, changes)
