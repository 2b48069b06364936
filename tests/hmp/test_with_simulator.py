"""The link against the simulated HMP over a real socket: both copies of the protocol, together."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio

from bridge.hmp.arguments import RecordingId
from bridge.hmp.client import ServerLink
from bridge.hmp.commands import (
    AddHotmark,
    CreateSession,
    GetRecordingStatus,
    PauseRecording,
    StartRecording,
    StopRecording,
)
from bridge.hmp.connection import connect_tcp
from bridge.hmp.errors import ErrorKind, LinkDown, NotAuthorized, Refused
from bridge.hmp.link import LinkSettings, LinkState, Priority
from bridge.hmp.own_connection import send_once
from bridge.simulator.knobs import Knobs
from bridge.simulator.server import Simulator, serve
from bridge.simulator.world import World
from tests.hmp.peer import UUID, States


def settings(port: int) -> LinkSettings:
    return LinkSettings(
        name="main",
        host="127.0.0.1",
        port=port,
        greeting_wait=0.02,
        longest_backoff=0.05,
        unauthorized_wait=0.05,
    )


@asynccontextmanager
async def linked() -> AsyncIterator[tuple[ServerLink, States, Simulator, int]]:
    world = World(now=trio.current_time, ids=random.Random(1), knobs=Knobs(apply_delay=0.0))
    simulator, states = Simulator(world), States()
    async with trio.open_nursery() as nursery:
        port: int = await nursery.start(serve, simulator)
        link = states.link(connect_tcp, settings(port))
        nursery.start_soon(link.run)
        await states.until(LinkState.READY)
        yield link, states, simulator, port
        nursery.cancel_scope.cancel()


async def test_ids_titles_and_refusals() -> None:
    async with linked() as (link, _, simulator, _port):
        title = 'He said "hi" \\ bye\nline2\té 🎥'
        session = await link.execute(CreateSession(title), Priority.REQUEST)
        assert [made.title for made in simulator.world.sessions.values()] == [title]
        with pytest.raises(Refused) as caught:
            await link.execute(StartRecording(session), Priority.CONTROL)
        assert caught.value.kind is ErrorKind.NO_SOURCE
        with pytest.raises(Refused) as caught:
            await link.execute(PauseRecording(RecordingId(UUID)), Priority.CONTROL)
        assert caught.value.kind is ErrorKind.RECORDING_NOT_FOUND
        with pytest.raises(Refused) as caught:
            await link.execute(AddHotmark(RecordingId(UUID), "A"), Priority.MARK)
        assert caught.value.code == "040002"


async def test_a_restart_of_hmp_is_survived() -> None:
    async with linked() as (link, states, simulator, _port):
        simulator.drop_connections()
        await states.until(LinkState.DOWN)
        with pytest.raises(LinkDown):
            await link.execute(StopRecording(RecordingId(UUID)), Priority.STOP)
        await states.until(LinkState.READY, times=2)
        with pytest.raises(Refused):
            await link.execute(GetRecordingStatus(RecordingId(UUID)), Priority.POLL)


async def test_a_box_that_is_not_on_the_list() -> None:
    async with linked() as (_, states, simulator, port):
        simulator.list_address("*", allowed=False)
        await states.until(LinkState.UNAUTHORIZED)
        with pytest.raises(NotAuthorized) as caught:
            await send_once(settings(port), GetRecordingStatus(RecordingId(UUID)))
        assert "127.0.0.1" in caught.value.__notes__[0]


async def test_the_api_switched_off() -> None:
    async with linked() as (_, states, simulator, _port):
        simulator.switch_api(enabled=False)
        await states.until(LinkState.REFUSED)
        simulator.switch_api(enabled=True)
        await states.until(LinkState.READY, times=2)


async def test_send_once_asks_and_leaves() -> None:
    async with linked() as (_, _states, simulator, port):
        session = await send_once(settings(port), CreateSession("Room 1"))
        assert session in simulator.world.sessions
