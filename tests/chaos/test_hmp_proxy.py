"""Every arm does what its line in `ARMS` says, on real sockets."""

import pytest
import trio

from .hmp_proxy import ARMS, Arm, HmpProxy
from .proxied import Bench, running


def before_an_hmp(bench: Bench[HmpProxy]) -> HmpProxy:
    return HmpProxy(
        name="main",
        target=bench.server.port,
        kill=bench.kill,
        freeze=lambda kind, _seconds: bench.kill(kind),
        happened=bench.done.append,
    )


async def test_without_an_arm_it_forwards() -> None:
    async with running(before_an_hmp) as bench, await bench.connect() as stream:
        assert await bench.ask(stream, b"one two\n") == b"OK|one two\n"
        assert await bench.ask(stream, b"three\n") == b"OK|three\n"
        assert (bench.proxy.commands, bench.proxy.violations, bench.done) == (2, [], [])


@pytest.mark.parametrize(
    ("kind", "answer", "executed"),
    [
        ("cut_before_request", b"", []),
        ("cut_after_request", b"", [b"start 1\n"]),
        ("cut_in_reply", b"OK|s", [b"start 1\n"]),
        ("delay_reply", b"OK|start 1\n", [b"start 1\n"]),
        ("delay_request", b"OK|start 1\n", [b"start 1\n"]),
        ("split_reply", b"OK|start 1\n", [b"start 1\n"]),
        ("split_request", b"OK|start 1\n", [b"start 1\n"]),
        ("kill_before_request", b"", []),
        ("kill_after_request", b"", [b"start 1\n"]),
        ("kill_after_reply", b"OK|start 1\n", [b"start 1\n"]),
        ("stop_after_request", b"OK|start 1\n", [b"start 1\n"]),
    ],
)
async def test_an_arm_happens_once_to_the_command_it_is_for(
    kind: str, answer: bytes, executed: list[bytes]
) -> None:
    value = 4.0 if kind == "cut_in_reply" else 0.01
    async with running(before_an_hmp) as bench:
        bench.proxy.arm(Arm(kind, value, frozenset({"start"})))
        async with await bench.connect() as stream:
            assert await bench.ask(stream, b"status 1\n") == b"OK|status 1\n"
            assert await bench.ask(stream, b"start 1\n") == answer
            if kind.startswith("kill"):
                await bench.killed.wait()
        assert bench.server.seen == [b"status 1\n", *executed]
        assert bench.done == [kind]
        async with await bench.connect() as stream:
            assert await bench.ask(stream, b"start 2\n") == b"OK|start 2\n"
        assert bench.proxy.violations == []


def test_every_arm_is_tested() -> None:
    parameters = test_an_arm_happens_once_to_the_command_it_is_for.pytestmark[0].args[1]  # type: ignore[attr-defined]  # pytest puts it there
    assert {kind for kind, *_ in parameters} == set(ARMS)


async def test_a_second_command_in_flight_is_written_down() -> None:
    async with running(before_an_hmp) as bench:
        bench.server.hold = trio.Event()
        async with await bench.connect() as stream:
            await stream.send_all(b"first\n")
            while not bench.server.seen:
                await bench.server.changed.wait()
            await stream.send_all(b"second\n")
            while len(bench.proxy.violations) < 1:
                await trio.lowlevel.checkpoint()
            assert bench.proxy.violations == ["main: second while first is in flight"]


async def test_cut_refuse_and_calm() -> None:
    async with running(before_an_hmp) as bench:
        async with await bench.connect() as stream:
            assert await bench.ask(stream, b"one\n") == b"OK|one\n"
            bench.proxy.refuse(True)
            assert bench.proxy.cut() == 1
            assert await stream.receive_some() == b""
        async with await bench.connect() as stream:
            assert await stream.receive_some() == b""
        bench.proxy.arm(Arm("cut_before_request"))
        bench.proxy.calm()
        async with await bench.connect() as stream:
            assert await bench.ask(stream, b"two\n") == b"OK|two\n"


async def test_silence_holds_everything_until_it_ends() -> None:
    async with running(before_an_hmp) as bench, await bench.connect() as stream:
        bench.proxy.silence(True)
        await stream.send_all(b"one\n")
        while not bench.proxy.commands:
            await trio.lowlevel.checkpoint()
        assert bench.server.seen == []
        bench.proxy.silence(False)
        assert await bench.ask(stream, b"") == b"OK|one\n"
