"""A room that its retained topics tell nothing: it need not be looked at again (R9)."""

import json

import trio
import trio.testing

from .driven import OTHER_ID, SESSION
from .house import House


async def test_a_room_that_is_told_nothing_has_been_told_at_once(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """Of a thousand rooms that begin together each would have another turn, and change nothing."""
    house = House()
    async with house.running():
        said = len(house.published)
        assert house.room.adopt(b"").is_set()
        assert house.room.known
        await trio.testing.wait_all_tasks_blocked()
        assert house.disk == []  # nothing is known that would be worth it
        assert len(house.published) == said


async def test_before_its_first_turn_a_room_is_told_nothing_in_its_turn(
    autojump_clock: trio.testing.MockClock,
) -> None:
    house = House()
    told = house.room.adopt(b"")
    assert not told.is_set()
    async with house.running():
        with trio.fail_after(10):
            await told.wait()


async def test_what_it_is_told_it_takes_over_before_that_is_heard_of(
    autojump_clock: trio.testing.MockClock,
) -> None:
    house = House()
    retained = {"state": "recording", "recording_id": OTHER_ID, "session_id": SESSION}
    async with house.running():
        told = house.room.adopt(json.dumps(retained).encode())
        assert not told.is_set()
        with trio.fail_after(10):
            await told.wait()
        assert house.room.state.held_id == OTHER_ID
