"""A broker that breaks every rule of MQTT: nothing that it says ends the daemon or stops a room.

Either the connection is ended, with a reason that a person understands, and made again after a
pause that grows, or what was said is refused, or does nothing, and the connection goes on.
"""

from collections.abc import Callable

import pytest
import trio
from trio.testing import MockClock

from tests.mqtt.hostile_broker import HostileBroker, packet, text
from tests.process.hmp import Hmp

from .hostile_house import USABLE, house
from .hostile_words import (
    BASE,
    CONNACKS_3_1_1,
    CONNACKS_5,
    IN_3_1_1,
    IN_5,
    IN_BOTH,
    NOT_MQTT,
    PRESS,
    TOO_FEW,
)

ODD = packet(0x90, b"\0")
"""What ends a connection: half a SUBACK."""


@pytest.fixture
def clock() -> MockClock:
    return MockClock()


BOTH = pytest.mark.parametrize("mqtt5", [True, False], ids=["5", "3.1.1"])


@BOTH
async def test_whatever_it_says(
    mqtt5: bool, hmp: Hmp, clock: MockClock, capsys: pytest.CaptureFixture[str]
) -> None:
    async with house(mqtt5, hmp, clock, capsys) as home:
        broker = home.broker
        for name, said in (IN_BOTH | (IN_5 if mqtt5 else IN_3_1_1)).items():
            home.heard()
            before = len(broker.connections)
            await trio.sleep(USABLE)
            await broker.say(said.data)
            if said.ends:
                await home.more_than(before)
            await home.works()
            assert (len(broker.connections) > before) is said.ends, name
            assert said.log in home.heard(), name


@BOTH
async def test_however_it_accepts(
    mqtt5: bool, hmp: Hmp, clock: MockClock, capsys: pytest.CaptureFixture[str]
) -> None:
    async with house(mqtt5, hmp, clock, capsys) as home:
        broker = home.broker
        for name, said in (CONNACKS_5 if mqtt5 else CONNACKS_3_1_1).items():
            before = len(broker.connections)
            broker.connacks = [packet(0x20, said.data)]
            await trio.sleep(USABLE)
            await broker.say(ODD)
            await home.more_than(before)
            home.heard()
            await home.works()
            assert len(broker.connections) - before == 1 + said.ends, name
            assert said.log in home.heard(), name


First = Callable[[HostileBroker], bytes]
FIRST: dict[str, First] = {
    "a press": lambda broker: broker.publish(PRESS, b"true"),
    "SUBACK": lambda broker: packet(0x90, b"\0\1" + broker.nothing + b"\1"),
    "PUBACK": lambda _: packet(0x40, b"\0\1"),
    "PINGRESP": lambda _: b"\xd0\0",
}


@BOTH
async def test_what_comes_before_connack_and_a_second_one(
    mqtt5: bool, hmp: Hmp, clock: MockClock, capsys: pytest.CaptureFixture[str]
) -> None:
    async with house(mqtt5, hmp, clock, capsys) as home:
        broker = home.broker
        accepted = packet(0x20, b"\0\0" + broker.nothing)
        for name, first in FIRST.items():
            before = len(broker.connections)
            broker.connacks = [first(broker) + accepted]
            await trio.sleep(USABLE)
            await broker.say(ODD)
            await home.more_than(before)
            home.heard()
            await home.works()
            assert len(broker.connections) - before == 2, name
            assert NOT_MQTT in home.heard(), name
        before = len(broker.connections)
        await broker.say(accepted)
        await home.more_than(before)
        await home.works()
        assert NOT_MQTT in home.heard()


@BOTH
async def test_however_it_answers(
    mqtt5: bool, hmp: Hmp, clock: MockClock, capsys: pytest.CaptureFixture[str]
) -> None:
    """SUBACK with too few codes, and one for what was published."""
    async with house(mqtt5, hmp, clock, capsys) as home:
        broker = home.broker
        broker.subacks = [lambda mid, _: packet(0x90, mid + broker.nothing)]
        await broker.hang_up()
        await home.works()
        assert TOO_FEW in home.heard()
        for first in (0x90, 0xB0):
            before = len(broker.connections)
            broker.pubacks = [first]
            await home.more_than(before)
            await home.works()
            assert NOT_MQTT in home.heard()


@BOTH
async def test_one_byte_at_a_time(
    mqtt5: bool, hmp: Hmp, clock: MockClock, capsys: pytest.CaptureFixture[str]
) -> None:
    async with house(mqtt5, hmp, clock, capsys) as home:
        broker, state = home.broker, f"{BASE}/room/r0/state"
        before = len(broker.connections)
        stop = broker.publish(f"{BASE}/room/r0/press/stop", b"true")
        await broker.say(stop, at_once=1)
        await home.until(lambda: broker.retained[state] == b"idle")
        assert len(broker.connections) == before


@BOTH
@pytest.mark.parametrize("when", ["with CONNACK", "once online"])
async def test_it_is_left_alone_for_longer_and_longer(
    mqtt5: bool, when: str, hmp: Hmp, clock: MockClock, capsys: pytest.CaptureFixture[str]
) -> None:
    """What ends each connection comes again with the next one, for ever (R21)."""
    async with house(mqtt5, hmp, clock, capsys) as home:
        broker = home.broker
        if when == "once online":
            broker.greeting = ODD
        else:
            broker.connacks = [ODD] * 1000
        await broker.say(ODD)
        began = trio.current_time()
        await trio.sleep(100)
        attempts = [at for at in broker.connections if at > began]
        assert 3 < len(attempts) < 30
        broker.greeting, broker.connacks = b"", []
        await home.works()


async def test_what_is_too_long_is_read_past(
    hmp: Hmp, clock: MockClock, capsys: pytest.CaptureFixture[str]
) -> None:
    """A broker of MQTT 3.1.1 cannot be told what that is."""
    async with house(False, hmp, clock, capsys) as home:
        before = len(home.broker.connections)
        await home.broker.say(packet(0x32, text(PRESS) + b"\0\1" + bytes(4_000_000)))
        await home.works()
        assert "too long" in home.heard()
        assert len(home.broker.connections) == before
