"""What boxes hear of each other, at a real broker."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import replace

import pytest
import trio
from trio.to_thread import run_sync as in_thread

from bridge.daemon.box_words import BoxState, BoxWord, render_word
from bridge.daemon.boxes import Boxes
from bridge.daemon.rivals import ForeignBridge
from bridge.mqtt.settings import BrokerSettings
from bridge.mqtt.topics import Topics
from tests.broker_fixtures import Launch
from tests.brokers import Broker
from tests.process.panel import Panel
from tests.process.watched import PATIENCE


class Running:
    """A box's word at a broker, and what it hears."""

    def __init__(self, broker: Broker, box: str, process: str, base: str = "boxes") -> None:
        self.news = trio.Event()
        settings = BrokerSettings(
            host=broker.host,
            port=broker.port,
            client_id=f"{base}-{box}-{process}",
            session_expiry=0,
        )
        self.word = BoxWord(BoxState.STANDBY, process, since="2026-11-29T15:00:00Z")
        self.boxes = Boxes(settings, Topics(base), box, process, changed=self._changed, ttl=5.0)

    def _changed(self) -> None:
        self.news.set()

    def say(self, **changes: object) -> None:
        self.word = replace(self.word, **changes)  # type: ignore[arg-type]
        self.boxes.say(self.word)

    async def until(self, look: Callable[[dict[str, BoxWord]], bool]) -> None:
        with trio.fail_after(PATIENCE):
            while not (self.boxes.heard and look(self.boxes.words)):
                self.news = trio.Event()
                await self.news.wait()


@asynccontextmanager
async def running(*boxes: Running) -> AsyncIterator[trio.Nursery]:
    async with trio.open_nursery() as nursery:
        for each in boxes:
            nursery.start_soon(each.boxes.run)
        yield nursery
        nursery.cancel_scope.cancel()


def states(words: dict[str, BoxWord]) -> dict[str, BoxState]:
    return {box: word.state for box, word in words.items()}


async def test_each_hears_the_others_and_not_itself(broker: Broker) -> None:
    a, b = Running(broker, "a", "aaaaaaaa", "each"), Running(broker, "b", "bbbbbbbb", "each")
    async with running(a, b) as nursery:
        a.say(state=BoxState.LEADER, store=True)
        await b.until(lambda others: states(others) == {"a": BoxState.LEADER})
        await a.until(lambda others: states(others) == {"b": BoxState.STANDBY})
        b.say(store=True)
        with trio.fail_after(PATIENCE):
            await b.boxes.said()
        await a.until(lambda others: others["b"].store)
        nursery.cancel_scope.cancel()
    # Both have said that they leave, in any order.
    c = Running(broker, "c", "cccccccc", "each")
    async with running(c):
        await c.until(lambda others: set(states(others).values()) == {BoxState.OFFLINE})


async def test_nobody_is_heard_while_the_broker_is_away(launch: Launch) -> None:
    broker = launch()
    a, b = Running(broker, "a", "aaaaaaaa"), Running(broker, "b", "bbbbbbbb")
    async with running(a, b):
        await a.until(lambda others: "b" in others)
        broker.kill()
        with trio.fail_after(PATIENCE):
            while a.boxes.heard:
                a.news = trio.Event()
                await a.news.wait()
        b.say(state=BoxState.LEADER)
        broker.start()
        await a.until(lambda others: states(others) == {"b": BoxState.LEADER})


async def test_a_late_word_of_its_own_is_put_right(broker: Broker) -> None:
    """As its will, of a connection before: the broker knew of the next one first."""
    a = Running(broker, "a", "aaaaaaaa", "late")
    with closing(Panel(broker.port, "late")) as panel:
        async with running(a):
            a.say(state=BoxState.LEADER, store=True)
            with trio.fail_after(PATIENCE):
                await a.boxes.said()
            word = render_word(a.word)
            await in_thread(panel.wait_for_newest, "bridge/standby/a", word)
            will = render_word(BoxWord(BoxState.OFFLINE, "aaaaaaaa"))
            panel.publish("bridge/standby/a", will, retain=True)
            await in_thread(panel.wait_for, "bridge/standby/a", will)
            await in_thread(panel.wait_for_newest, "bridge/standby/a", word)


async def test_two_with_one_name_do_not_go_on_both(broker: Broker) -> None:
    one, other = (Running(broker, "a", process, "name") for process in ("aaaaaaaa", "bbbbbbbb"))

    async def both() -> None:
        async with running(one):
            await one.until(lambda _: True)
            async with running(other):
                await trio.sleep(PATIENCE)

    with pytest.raises(BaseExceptionGroup) as raised:
        await both()
    assert raised.group_contains(ForeignBridge, match="another box has the name 'a'")
