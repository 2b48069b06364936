"""When a command passed through a link, and whoever is told of it."""

from typing import Any

import outcome
import pytest
import trio

from bridge.hmp.arguments import RecordingId, SessionId
from bridge.hmp.client import ServerLink
from bridge.hmp.command import Command
from bridge.hmp.commands import PauseRecording, StartRecording, StopRecording
from bridge.hmp.errors import LinkDown, OutcomeUnknown, Refused
from bridge.hmp.link import LinkState, Passage, Priority
from bridge.logs.command_lines import ending
from tests.hmp.peer import SETTINGS, UUID, MemoryHmp, States

START = StartRecording(SessionId(UUID))
STOP = StopRecording(RecordingId(UUID))
PAUSE = PauseRecording(RecordingId(UUID))


async def test_a_command_s_times_and_what_became_of_it(autojump_clock: trio.abc.Clock) -> None:
    hmp, states = MemoryHmp(), States()
    told: list[tuple[str, Passage, str]] = []

    def exchanged(command: Command[Any], passage: Passage, result: outcome.Outcome[Any]) -> None:
        told.append((command.name, passage, ending(result)))

    link = ServerLink(SETTINGS, changed=states, connect=hmp.connect, exchanged=exchanged)

    async def ask(command: Command[Any], error: type[Exception] | None) -> None:
        if error is None:
            await link.execute(command, Priority.CONTROL)
        else:
            with pytest.raises(error):
                await link.execute(command, Priority.CONTROL)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(link.run)
        peer = await hmp.accept()
        await peer.alive()
        await states.until(LinkState.READY)
        began = trio.current_time()
        async with trio.open_nursery() as callers:
            callers.start_soon(ask, START, None)
            await trio.sleep(0.5)
            callers.start_soon(ask, STOP, Refused)
            await trio.sleep(0.5)
            await peer.answer(f"OK|{UUID}", "startRecording")
            await trio.sleep(2)
            await peer.answer("ERROR|040001|Active recording not found", "stopRecording")
            await trio.lowlevel.checkpoint()
            callers.start_soon(ask, START, OutcomeUnknown)
            await peer.line()
            callers.start_soon(ask, PAUSE, LinkDown)
            await trio.sleep(1)
            await peer.close()
        nursery.cancel_scope.cancel()
    assert told[0][0] == "getRecordingStatus"  # the link's own
    assert told[1:] == [
        ("startRecording", Passage(began, began, began + 1), "ok"),
        ("stopRecording", Passage(began + 0.5, began + 1, began + 3), "refused"),
        ("startRecording", Passage(began + 3, began + 3, began + 4), "unknown"),
        ("pauseRecording", Passage(began + 3, None, began + 4), "not_sent"),
    ]
