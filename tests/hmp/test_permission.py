"""The right to act, asked for immediately before a command leaves that changes something (R36)."""

import pytest
import trio

from bridge.hmp.arguments import RecordingId
from bridge.hmp.client import ServerLink
from bridge.hmp.commands import GetRecordingStatus, StopRecording
from bridge.hmp.errors import LinkDown
from bridge.hmp.link import LinkState, Priority
from bridge.hmp.permission import Permission
from tests.hmp.peer import SETTINGS, UUID, MemoryHmp, States


class Refusing(Permission):
    """Nothing may be changed."""

    def to_change(self) -> bool:
        return False


async def test_what_may_not_leave_was_not_sent(autojump_clock: trio.abc.Clock) -> None:
    hmp, states = MemoryHmp(), States()
    link = ServerLink(SETTINGS, changed=states, connect=hmp.connect, permission=Refusing())
    async with trio.open_nursery() as nursery:
        nursery.start_soon(link.run)
        peer = await hmp.accept()
        await peer.alive()
        await states.until(LinkState.READY)
        async with trio.open_nursery() as callers:  # a question may always be asked
            callers.start_soon(link.execute, GetRecordingStatus(RecordingId(UUID)), Priority.POLL)
            await peer.answer("OK|RECORDING", "getRecordingStatus")
        with pytest.raises(LinkDown):
            await link.execute(StopRecording(RecordingId(UUID)), Priority.STOP)
        assert link.state is LinkState.DOWN
        nursery.cancel_scope.cancel()
