"""The other end of a link, in memory: tests read its lines and say what it answers."""

import trio
import trio.testing

from bridge.hmp.client import ServerLink
from bridge.hmp.connection import Connect
from bridge.hmp.link import LinkSettings, LinkState
from bridge.hmp.syntax import LineReceiver

__all__ = ["NOT_FOUND", "SETTINGS", "UUID", "MemoryHmp", "PeerConnection", "States"]

UUID = "71edd346-2cf0-4c62-b3d3-9d457b287394"
NOT_FOUND = "ERROR|040001|Active recording not found"
SETTINGS = LinkSettings(name="main", host="hmp.test")


class PeerConnection:
    """One accepted connection."""

    def __init__(self, stream: trio.abc.Stream) -> None:
        self.stream = stream
        self._lines = LineReceiver()
        self._read: list[bytes] = []

    async def line(self) -> str:
        """The next command line; raises `EOFError` at the end."""
        while not self._read:
            data = await self.stream.receive_some(4096)
            if not data:
                raise EOFError
            self._read += self._lines.receive(data)
        return self._read.pop(0).decode()

    async def send(self, text: str) -> None:
        await self.stream.send_all(text.encode())

    async def answer(self, response: str, expect: str = "") -> str:
        """Read a command, which has to begin with `expect`, and answer it."""
        line = await self.line()
        assert line.startswith(expect), line
        await self.send(f"{response}\n")
        return line

    async def alive(self) -> None:
        """Answer the probe as a healthy HMP."""
        await self.answer(NOT_FOUND, "getRecordingStatus ")

    async def close(self) -> None:
        await self.stream.aclose()


class MemoryHmp:
    """Hands out memory streams; `connect` is given to the link."""

    def __init__(self, *, lockstep: bool = False) -> None:
        self._pair = (
            trio.testing.lockstep_stream_pair if lockstep else trio.testing.memory_stream_pair
        )
        self._send, self._receive = trio.open_memory_channel[trio.abc.Stream](100)
        self.attempts: list[float] = []
        #: raised by the next attempts to connect, first one first
        self.failures: list[OSError] = []

    async def connect(self, host: str, port: int) -> trio.abc.Stream:
        assert (host, port) == ("hmp.test", 23233)
        self.attempts.append(trio.current_time())
        await trio.lowlevel.checkpoint()
        if self.failures:
            raise self.failures.pop(0)
        ours, theirs = self._pair()
        self._send.send_nowait(theirs)
        return ours

    async def accept(self) -> PeerConnection:
        return PeerConnection(await self._receive.receive())


class States:
    """Collects a link's states and lets tests wait for one."""

    def __init__(self) -> None:
        self.seen: list[LinkState] = []
        self._changed = trio.Event()

    def __call__(self, state: LinkState) -> None:
        self.seen.append(state)
        self._changed.set()

    async def until(self, state: LinkState, times: int = 1) -> None:
        while self.seen.count(state) < times:
            self._changed = trio.Event()
            await self._changed.wait()

    def link(self, connect: Connect, settings: LinkSettings = SETTINGS) -> ServerLink:
        return ServerLink(settings, changed=self, connect=connect)
