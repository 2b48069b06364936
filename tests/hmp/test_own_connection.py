# ruff: noqa: ARG002 - naming the clock is enough; fakes ignore arguments
"""One command over a connection of its own."""

from collections.abc import Awaitable, Callable

import pytest
import trio

from bridge.hmp.arguments import SessionId
from bridge.hmp.commands import StartRecording
from bridge.hmp.connection import NothingSent
from bridge.hmp.errors import (
    HmpError,
    LinkDown,
    NotAuthorized,
    NotUnderstood,
    OutcomeUnknown,
    Refused,
)
from bridge.hmp.link import LinkState
from bridge.hmp.own_connection import send_once
from tests.hmp.peer import SETTINGS, UUID, MemoryHmp, PeerConnection

START = StartRecording(SessionId(UUID))


async def exchange(behave: Callable[[PeerConnection], Awaitable[object]]) -> object:
    """What `send_once` returned or raised, against a peer that does `behave`."""
    hmp = MemoryHmp()
    result: list[object] = []

    async def send() -> None:
        try:
            result.append(await send_once(SETTINGS, START, hmp.connect))
        except HmpError as error:
            result.append(error)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(send)
        await behave(await hmp.accept())
    return result[0]


async def test_the_answer(autojump_clock: trio.abc.Clock) -> None:
    assert await exchange(lambda peer: peer.answer(f"OK|{UUID}", "startRecording")) == UUID


@pytest.mark.parametrize(
    ("response", "error", "text"),
    [
        ("ERROR|070027|Insufficient Disk Space", Refused, "070027"),
        ("ERROR|020000|Not Authorized", NotAuthorized, "startRecording: 020000"),
        ("Welcome", OutcomeUnknown, "Welcome"),
        ("OK", OutcomeUnknown, "UUID"),
        ("OK|nonsense", NotUnderstood, "UUID"),
    ],
)
async def test_other_answers(
    autojump_clock: trio.abc.Clock, response: str, error: type[HmpError], text: str
) -> None:
    raised = await exchange(lambda peer: peer.answer(response))
    assert type(raised) is error
    assert text in str(raised)


async def test_no_answer(autojump_clock: trio.abc.Clock) -> None:
    raised = await exchange(lambda peer: peer.line())
    assert isinstance(raised, OutcomeUnknown)
    assert "within 30 s" in str(raised)
    assert trio.current_time() == pytest.approx(30.3)


async def test_closed_before_the_answer(autojump_clock: trio.abc.Clock) -> None:
    async def close(peer: PeerConnection) -> None:
        await peer.line()
        await peer.send("OK|71")
        await peer.close()

    assert isinstance(await exchange(close), OutcomeUnknown)


async def test_not_authorized_says_what_to_do(autojump_clock: trio.abc.Clock) -> None:
    raised = await exchange(lambda peer: peer.send("ERROR|020000|Not Authorized\n"))
    assert isinstance(raised, NotAuthorized)
    assert "API Access" in raised.__notes__[0]


async def test_closed_at_once_is_only_a_guess_at_not_authorized(
    autojump_clock: trio.abc.Clock,
) -> None:
    raised = await exchange(lambda peer: peer.close())
    assert isinstance(raised, LinkDown)
    assert raised.state is LinkState.UNAUTHORIZED


async def test_not_connected(autojump_clock: trio.abc.Clock) -> None:
    hmp = MemoryHmp()
    hmp.failures = [ConnectionRefusedError()]
    with pytest.raises(LinkDown) as caught:
        await send_once(SETTINGS, START, hmp.connect)
    assert caught.value.state is LinkState.REFUSED
    assert "Command Line API on" in caught.value.__notes__[0]


class FailingWrite(trio.abc.Stream):
    """A silent peer, to whom a write fails with `error`; reads may break too."""

    def __init__(self, error: trio.BrokenResourceError | None) -> None:
        self._error = error
        self._written = trio.Event()

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        await trio.lowlevel.checkpoint()
        if self._error is not None:
            raise self._error
        self._written.set()

    async def wait_send_all_might_not_block(self) -> None:
        raise NotImplementedError

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        await self._written.wait()
        raise trio.BrokenResourceError("reset")

    async def aclose(self) -> None:
        await trio.lowlevel.checkpoint()


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (NothingSent("reset"), LinkDown),
        (trio.BrokenResourceError("reset"), OutcomeUnknown),
        (None, OutcomeUnknown),
    ],
)
async def test_a_connection_that_breaks(
    autojump_clock: trio.abc.Clock,
    error: trio.BrokenResourceError | None,
    raised: type[HmpError],
) -> None:
    async def connect(_host: str, _port: int) -> trio.abc.Stream:
        await trio.lowlevel.checkpoint()
        return FailingWrite(error)

    with pytest.raises(raised):
        await send_once(SETTINGS, START, connect)
