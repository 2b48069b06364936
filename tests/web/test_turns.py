"""Turns, counted: whoever asks for much has as many as whoever asks for little."""

import trio
import trio.testing

from bridge.web.turns import Turns


async def order(*addresses: str) -> list[str]:
    """In which order these have their turns, who come in this one."""
    turns, had, all_there = Turns(), list[str](), trio.Event()

    async def ask(address: str) -> None:
        async with turns.turn(address):
            await all_there.wait()
            had.append(address)

    async with trio.open_nursery() as nursery:
        for each in addresses:
            nursery.start_soon(ask, each)
            await trio.testing.wait_all_tasks_blocked()
        all_there.set()
    assert len(turns) == 0
    return had


async def test_addresses_go_round() -> None:
    many, few = "192.0.2.1", "192.0.2.2"
    assert await order(*[many] * 20, few, few) == [many, few, many, few, *[many] * 18]


async def test_a_network_is_one_address() -> None:
    """Of IPv6, somebody has as many as he likes."""
    own = [f"2001:db8::{n:x}" for n in range(20)]
    other = "2001:db8:0:1::1"
    assert (await order(*own, other)).index(other) <= 2


async def test_a_turn_ends_early_and_once() -> None:
    turns = Turns()
    async with turns.turn("a") as over:
        over()
        async with turns.turn("a"), trio.open_nursery() as nursery:
            over()
            nursery.start_soon(_fails_to_have, turns)


async def _fails_to_have(turns: Turns) -> None:
    with trio.move_on_after(0) as patience:
        async with turns.turn("b"):
            pass
    assert patience.cancelled_caught


async def test_who_leaves_the_line_holds_up_nobody(autojump_clock: trio.abc.Clock) -> None:
    turns = Turns()
    async with turns.turn("a"), trio.open_nursery() as nursery:
        for address in ("a", "b"):
            nursery.start_soon(_gives_up, turns, address)
    with trio.fail_after(1):
        for address in ("a", "b"):
            async with turns.turn(address):
                pass
    assert len(turns) == 0


async def _gives_up(turns: Turns, address: str) -> None:
    with trio.move_on_after(1) as patience:
        async with turns.turn(address):
            pass
    assert patience.cancelled_caught
