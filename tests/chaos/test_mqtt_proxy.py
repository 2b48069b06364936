"""Triggers, cuts and slowness on the way to the broker, on real sockets."""

import pytest

from .mqtt_proxy import TRIGGERS, MqttProxy, Trigger
from .proxied import Bench, running


def before_a_broker(bench: Bench[MqttProxy]) -> MqttProxy:
    """The broker is one that answers lines."""
    return MqttProxy(target=bench.server.port, kill=bench.kill, happened=bench.done.append)


@pytest.mark.parametrize("kind", TRIGGERS)
async def test_a_trigger_acts_once_on_its_pattern(kind: str) -> None:
    async with running(before_a_broker) as bench:
        bench.proxy.arm(Trigger(kind, b"/result"))
        async with await bench.connect() as stream:
            assert await bench.ask(stream, b"/state\n") == b"OK|/state\n"
            await bench.ask(stream, b"/result\n")
            if kind.startswith("kill"):
                await bench.killed.wait()
        assert bench.done == [kind]
        if kind.endswith("before_publish"):
            assert bench.server.seen == [b"/state\n"]
        elif kind == "kill_after_publish":
            assert bench.server.seen == [b"/state\n", b"/result\n"]
        async with await bench.connect() as stream:
            assert await bench.ask(stream, b"/result\n") == b"OK|/result\n"


async def test_what_was_published_before_the_cut_has_arrived() -> None:
    async with running(before_a_broker) as bench:
        bench.proxy.arm(Trigger("cut_after_publish", b"/result"))
        async with await bench.connect() as stream:
            await bench.ask(stream, b"/result\n")
        while not bench.server.seen:
            await bench.server.changed.wait()
        assert bench.server.seen == [b"/result\n"]


async def test_slow_and_split_change_nothing_of_the_content() -> None:
    async with running(before_a_broker) as bench, await bench.connect() as stream:
        bench.proxy.delay, bench.proxy.split = 0.01, True
        assert await bench.ask(stream, b"0123456789" * 10 + b"\n") == (
            b"OK|" + b"0123456789" * 10 + b"\n"
        )


async def test_cut_refuse_silence_and_calm() -> None:
    async with running(before_a_broker) as bench:
        async with await bench.connect() as stream:
            assert await bench.ask(stream, b"one\n") == b"OK|one\n"
            bench.proxy.refuse(True)
            assert bench.proxy.cut() == 1
            assert await stream.receive_some() == b""
        assert len(bench.proxy.ended) == 1
        async with await bench.connect() as stream:
            assert await stream.receive_some() == b""
        bench.proxy.silence(True)
        bench.proxy.arm(Trigger("cut_before_publish", b"two"))
        bench.proxy.calm()
        async with await bench.connect() as stream:
            assert await bench.ask(stream, b"two\n") == b"OK|two\n"
