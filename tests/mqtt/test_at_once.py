"""What leaves without waiting until `flush` has its turn, and what has to wait all the same."""

import trio
import trio.testing

from bridge.mqtt.image import Image

from .recorder import Recorder, flushed


async def test_what_is_given_leaves_before_anybody_else_has_a_turn() -> None:
    image, broker = Image(), Recorder()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(image.flush, broker)
        await trio.testing.wait_all_tasks_blocked()
        with image.at_once():
            image.set("room/state", "recording")
            with image.at_once():
                image.send("room/result", "ok")
            image.set("room/tally", "red")
        assert broker.topics(qos=1) == [
            ("room/state", b"recording"),
            ("room/result", b"ok"),
            ("room/tally", b"red"),
        ]
        broker.acknowledge()
        assert image.unconfirmed == 0
        nursery.cancel_scope.cancel()


async def test_what_the_window_does_not_take_follows_in_its_order() -> None:
    image, broker = Image(), Recorder(window=2)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(image.flush, broker)
        await trio.testing.wait_all_tasks_blocked()
        with image.at_once():
            for number in range(4):
                image.set(f"room/{number}", "x")
        assert [topic for topic, _ in broker.topics(qos=1)] == ["room/0", "room/1"]
        broker.acknowledge(1)
        with image.at_once():  # there is room, but not before those that have waited
            image.set("room/4", "x")
        while image.unconfirmed:
            await trio.testing.wait_all_tasks_blocked()
            broker.acknowledge()
        assert [topic for topic, _ in broker.topics(qos=1)] == [f"room/{each}" for each in range(5)]
        nursery.cancel_scope.cancel()


async def test_without_a_connection_it_waits_for_one() -> None:
    image, first, second = Image(), Recorder(), Recorder()
    await flushed(image, first)
    with image.at_once():
        image.set("room/state", "recording")
    assert first.posted == []
    await flushed(image, second)
    assert second.topics(qos=1) == [("room/state", b"recording")]


async def test_what_may_end_connections_goes_alone() -> None:
    image, broker = Image(), Recorder()
    image.set("room/title", "x")
    for _ in range(2):
        await flushed(image, Recorder())
        image.connection_ended(lived=False)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(image.flush, broker)
        await trio.testing.wait_all_tasks_blocked()
        with image.at_once():
            image.set("room/state", "recording")
        assert [topic for topic, _ in broker.topics(qos=1)] == ["room/title"]
        broker.acknowledge()
        await trio.testing.wait_all_tasks_blocked()
        assert [topic for topic, _ in broker.topics(qos=1)] == ["room/title", "room/state"]
        nursery.cancel_scope.cancel()
