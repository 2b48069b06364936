"""Floods of refused messages: a few answers and lines, every one acknowledged and counted."""

from dataclasses import dataclass

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock

from bridge.intake.admission import Admission
from bridge.intake.pace import AT_ONCE, PER_SECOND, TELL_EVERY, Pace
from bridge.intake.sources import MOST_UNDER_WAY, Sources
from bridge.mqtt.acknowledgements import Acknowledgements, Part
from bridge.mqtt.inputs import parse
from bridge.mqtt.message import Message, Receipt
from bridge.mqtt.topics import Input, Topics
from bridge.room.facts.values import Now

from .test_guard import Refusals, nothing

TOPICS = Topics()
MESSAGES = 10_000
SECONDS = 2.0


@dataclass
class Busy:
    """A room that has yet to answer so much."""

    unanswered: int = 0


@given(st.lists(st.tuples(st.sampled_from("ab"), st.floats(0, 3)), max_size=300))
def test_every_refusal_is_answered_or_told(steps: list[tuple[str, float]]) -> None:
    pace, now, answered, told = Pace(), 0.0, 0, 0
    for number, (name, later) in enumerate(steps):
        now += later
        answered += pace.admits(name, now)
        if number % 50 == 0:
            told += sum(count for _, count in pace.untold())
    told += sum(count for _, count in pace.untold())
    assert answered + told == len(steps)
    assert told == pace.unanswered
    assert answered <= 2 * (AT_ONCE + now * PER_SECOND)


async def test_ten_thousand_refused_messages(autojump_clock: MockClock) -> None:
    """All with other topics, as if to have an answer for each."""
    sources = Sources(TOPICS, {"r0": Busy()}, lambda _: None)
    acknowledged: list[int] = []
    refusals, acknowledgements = Refusals(), Acknowledgements(nothing)
    admission = Admission({}, refusals=refusals, clock=lambda: Now(0.0, 0.0), sources=sources)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(admission.tell_unanswered)
        for number in range(MESSAGES):
            topic = f"hmp/room/nowhere{number}/press/record"
            receipt = Receipt(number, 0, acknowledged.append)
            message = Message(topic, b"1", 1, False, False, trio.current_time(), receipt=receipt)
            given_input = parse(TOPICS, topic, b"1")
            assert isinstance(given_input, Input)
            admission.submit(given_input, Part(acknowledgements.place(message), 0.0))
            if number % 100 == 0:
                await trio.sleep(SECONDS / 100)
        assert acknowledged == list(range(MESSAGES))
        await trio.sleep(TELL_EVERY)
        answers = len(refusals.results)
        assert AT_ONCE <= answers <= AT_ONCE + SECONDS * PER_SECOND + 1
        assert refusals.counted == {"hmp/room/+/#": MESSAGES - answers}
        nursery.cancel_scope.cancel()


async def test_what_is_left_to_tell_is_told_in_the_end(autojump_clock: MockClock) -> None:
    refusals = Refusals()
    sources = Sources(TOPICS, {}, lambda _: None)
    admission = Admission({}, refusals=refusals, clock=lambda: Now(0.0, 0.0), sources=sources)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(admission.tell_unanswered)
        await trio.testing.wait_all_tasks_blocked()
        assert sum(admission.answers("hmp/room/x/set") for _ in range(AT_ONCE + 3)) == AT_ONCE
        nursery.cancel_scope.cancel()
    assert refusals.counted == {"hmp/room/+/#": 3}


@pytest.mark.parametrize(
    ("topic", "share", "rank", "name"),
    [
        ("hmp/room/r0/press/record", "room/r0", 0, "hmp/room/r0/press/+"),
        ("hmp/room/r0/press/dance", "room/r0", 0, "hmp/room/r0/press/+"),
        ("hmp/room/r0/set", "room/r0", 0, "hmp/room/r0/set"),
        ("hmp/room/r0/event", "room/r0", 0, "hmp/room/r0/event"),
        ("hmp/room/r0/metadata/title", "room/r0", 1, "hmp/room/r0/metadata/+"),
        ("hmp/room/r0/mark", "room/r0", 2, "hmp/room/r0/mark"),
        ("hmp/room/nowhere/mark", "", 0, "hmp/room/+/#"),
        ("hmp/server/main/request/x", "server", 0, "hmp/server/#"),
        ("hmp/bridge/request/x", "bridge", 0, "hmp/bridge/#"),
        ("one/button", "room/r0", 0, "one/+"),
        ("any/button", "bound any/+", 0, "any/+"),
        ("elsewhere", "", 0, "#"),
    ],
)
def test_sources(topic: str, share: str, rank: int, name: str) -> None:
    bound = {"one/button": ("r0", "one/+"), "any/button": (None, "any/+")}
    assert Sources(TOPICS, {"r0": Busy()}, bound.get).of(topic) == (share, rank, name)


def test_a_room_whose_results_pile_up_is_held_and_no_other_share() -> None:
    rooms = {"r0": Busy(MOST_UNDER_WAY), "r1": Busy(MOST_UNDER_WAY - 1)}
    sources = Sources(TOPICS, rooms, lambda _: None)
    shares = ("room/r0", "room/r1", "room/r2", "", "server", "bridge", "bound any/+")
    assert [each for each in shares if sources.held(each)] == ["room/r0"]
    rooms["r0"].unanswered -= 1
    assert not sources.held("room/r0")
