"""Triggers, cuts and slowness on the way to the broker, on real sockets."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
import trio

from .mqtt_proxy import TRIGGERS, MqttProxy, Trigger
from .proxied import EchoServer

PATIENCE = 10.0


@dataclass
class Bench:
    """A proxy before a broker that answers lines, and what was done to the daemon."""

    broker: EchoServer = field(default_factory=EchoServer)
    done: list[str] = field(default_factory=list)
    killed: trio.Event = field(default_factory=trio.Event)
    proxy: MqttProxy = field(init=False)

    def kill(self, kind: str) -> None:
        self.done.append(kind)
        self.killed.set()

    async def connect(self) -> trio.SocketStream:
        return await trio.open_tcp_stream("127.0.0.1", self.proxy.port)

    async def ask(self, stream: trio.SocketStream, line: bytes) -> bytes:
        """Everything until a line feed or the end; empty when the connection was reset."""
        await stream.send_all(line)
        answer = b""
        try:
            while not answer.endswith(b"\n") and (data := await stream.receive_some()):
                answer += data
        except trio.BrokenResourceError:
            pass
        return answer


@asynccontextmanager
async def running() -> AsyncIterator[Bench]:
    bench = Bench()
    with trio.fail_after(PATIENCE):
        async with trio.open_nursery() as nursery:
            await nursery.start(bench.broker.run)
            bench.proxy = MqttProxy(bench.broker.port, bench.kill, bench.done.append)
            await nursery.start(bench.proxy.run)
            yield bench
            nursery.cancel_scope.cancel()


@pytest.mark.parametrize("kind", TRIGGERS)
async def test_a_trigger_acts_once_on_its_pattern(kind: str) -> None:
    async with running() as bench:
        bench.proxy.arm(Trigger(kind, b"/result"))
        async with await bench.connect() as stream:
            assert await bench.ask(stream, b"/state\n") == b"OK|/state\n"
            await bench.ask(stream, b"/result\n")
            if kind.startswith("kill"):
                await bench.killed.wait()
        assert bench.done == [kind]
        if kind.endswith("before_publish"):
            assert bench.broker.seen == [b"/state\n"]
        elif kind == "kill_after_publish":
            assert bench.broker.seen == [b"/state\n", b"/result\n"]
        async with await bench.connect() as stream:
            assert await bench.ask(stream, b"/result\n") == b"OK|/result\n"


async def test_what_was_published_before_the_cut_has_arrived() -> None:
    async with running() as bench:
        bench.proxy.arm(Trigger("cut_after_publish", b"/result"))
        async with await bench.connect() as stream:
            await bench.ask(stream, b"/result\n")
        while not bench.broker.seen:
            await bench.broker.changed.wait()
        assert bench.broker.seen == [b"/result\n"]


async def test_slow_and_split_change_nothing_of_the_content() -> None:
    async with running() as bench, await bench.connect() as stream:
        bench.proxy.delay, bench.proxy.split = 0.01, True
        assert await bench.ask(stream, b"0123456789" * 10 + b"\n") == (
            b"OK|" + b"0123456789" * 10 + b"\n"
        )


async def test_cut_refuse_silence_and_calm() -> None:
    async with running() as bench:
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
