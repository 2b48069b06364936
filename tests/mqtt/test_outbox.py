"""Who waits behind whom on the way out: a room that says much is in nobody's way (R28)."""

import hypothesis.strategies as st
import trio
import trio.testing
from hypothesis import given

from bridge.mqtt.image import Image
from bridge.mqtt.outbox import A_TURN
from bridge.mqtt.topics import Topics

from .recorder import Recorder, flushed

TOPICS = Topics("hmp")
FLOODED = [f"r{number}" for number in range(9)]
WINDOW = 20


def flooded() -> Image:
    """Nine rooms whose results wait, as many as there may be of each."""
    image = Image(share_of=TOPICS.share)
    for number in range(64):
        for room in FLOODED:
            for leaf in ("ack", "result"):
                image.send(TOPICS.room(room, leaf), str(number))
    return image


async def test_a_press_of_a_quiet_room_waits_for_one_turn_of_each_other() -> None:
    image, broker = flooded(), Recorder(window=WINDOW)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(image.flush, broker)
        await trio.testing.wait_all_tasks_blocked()
        image.set(TOPICS.room("quiet", "state"), "recording")
        image.send(TOPICS.room("quiet", "result"), "mine")
        while TOPICS.room("quiet", "result") not in (topic for topic, *_ in broker.posted):
            broker.acknowledge(WINDOW)
            await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    assert len(broker.posted) <= WINDOW + len(FLOODED) * A_TURN + WINDOW


async def test_a_press_of_a_quiet_room_waits_no_longer_after_a_lost_connection() -> None:
    image = flooded()
    image.send(TOPICS.room("quiet", "result"), "mine")
    first, second = Recorder(window=WINDOW), Recorder(window=1000)
    await flushed(image, first)
    image.connection_ended(lived=True)
    await flushed(image, second)
    posted = [topic for topic, *_ in second.posted]
    assert posted.index(TOPICS.room("quiet", "result")) <= (len(FLOODED) + 1) * A_TURN


async def test_what_is_a_rooms_by_name_alone_leaves_after_what_the_room_has_said() -> None:
    image, broker = Image(share_of=TOPICS.share), Recorder()
    for number in range(A_TURN):
        image.set(TOPICS.room("boardroom", f"metadata/{number}"), "x")
    image.set(TOPICS.room("boardroom", "state"), "recording")
    image.send("somebody/answer", "recording", share="boardroom")
    image.send("somebody/else", "not of a room")
    await flushed(image, broker)
    assert [topic for topic, *_ in broker.posted][-3:] == [
        "somebody/else",
        "hmp/room/boardroom/state",
        "somebody/answer",
    ]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=60), st.integers(1, 7))
def test_each_room_is_heard_in_the_order_in_which_it_spoke(
    said: list[tuple[str, bool]], window: int
) -> None:
    """Values and messages of three rooms, over a connection that is lost once."""

    async def main() -> None:
        image, first, second = Image(share_of=TOPICS.share), Recorder(window), Recorder()
        for number, (room, retain) in enumerate(said):
            (image.set if retain else image.send)(TOPICS.room(room, str(number)), "x")
        await flushed(image, first)
        image.connection_ended(lived=True)
        await flushed(image, second)
        second.acknowledge()
        assert image.unconfirmed == 0
        posted = [topic for topic, *_ in second.posted]
        for room in "abc":
            own = [topic for topic in posted if TOPICS.share(topic) == room]
            assert own == [
                TOPICS.room(room, str(number))
                for number, (whose, _) in enumerate(said)
                if whose == room
            ]

    trio.run(main)


def test_a_share_is_a_room_and_all_else_is_one() -> None:
    topics = [
        "hmp/room/r1/state",
        "hmp/room/r1/metadata/title",
        "hmp/bridge/info",
        "x/room/r1/state",
    ]
    assert [TOPICS.share(topic) for topic in topics] == ["r1", "r1", "", ""]
