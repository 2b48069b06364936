"""One client's connection: lines in, answers out, one at a time and in order (guide, *Command Line
API Syntax*), with the armed faults in between.
"""

from collections.abc import Callable

import trio

from . import messages
from .execution import execute, refusal
from .faults import Fault
from .lines import command_of
from .wire import Wire
from .world import World

__all__ = ["Connection"]

#: How long a client may take to close its side after our FIN, before we close all the same.
_FAREWELL = 2.0


class Connection:
    """A conversation with one peer, ended from either side, by a fault, or by `drop`.

    `address` is the peer's, for the list of authorized addresses; `peer` is what the log calls it;
    `tell` gets one line of text for everything that a person watching would want to know.
    """

    def __init__(
        self,
        world: World,
        wire: Wire,
        *,
        address: str,
        peer: str,
        tell: Callable[[str], None] | None = None,
    ) -> None:
        self.address = address
        self.peer = peer
        self._world = world
        self._wire = wire
        self._tell = tell
        self._scope = trio.CancelScope()
        self._farewell = b""
        self._held = b""

    async def run(self, *, excess: bool = False) -> None:
        """Talk until it is over; the wire is closed then. `excess`: one connection too many."""
        try:
            with self._scope:
                if excess:
                    await self._swallow()
                elif not self._world.access.permits(self.address):
                    await self._turn_away(self._world.knobs.unauth_style)
                elif not self._fault("close_on_connect", "*"):
                    await self._converse()
            if self._farewell:
                with trio.move_on_after(_FAREWELL, shield=True):
                    await self._wire.send(self._farewell)
                    await self._finish()
        except (OSError, trio.BrokenResourceError, trio.ClosedResourceError):
            # The client is gone. What it asked for has been done all the same (R7).
            self._say("lost")
        finally:
            await self._wire.close()

    def drop(self, style: str = "eof") -> None:
        """End the conversation, whatever it is doing; `line`: say 020000 first (E46)."""
        if style == "line":
            self._farewell = self._line(refusal(self._world.knobs, messages.NOT_AUTHORIZED))
        self._scope.cancel()

    async def _converse(self) -> None:
        world, wire, peer = self._world, self._wire, self.peer
        waiting = b""
        while data := await wire.receive():
            *lines, waiting = (waiting + data).split(b"\n")
            for number, line in enumerate(lines, 1):
                if world.faults:
                    if not await self._answer_badly(line, last=number == len(lines)):
                        return
                elif answer := execute(world, line, peer):
                    self._say(answer, line)
                    await wire.send(self._line(answer))
            # An endless line must not fill the memory: one byte more than the longest is enough
            # for it to be refused when its LF comes.
            waiting = waiting[: world.knobs.longest_line + 1]

    async def _answer_badly(self, line: bytes, *, last: bool) -> bool:
        """Answer while faults are armed; whether the conversation goes on."""
        command = command_of(line)
        if self._fault("not_authorized", command):
            await self._turn_away("line")
            return False
        if self._fault("close_before", command):
            return False
        if fault := self._fault("half_open", command):
            if fault.value == "executed":
                execute(self._world, line, self.peer)
            await self._swallow()
            return False
        if fault := self._fault("delay", command):
            await trio.sleep(fault.number)
        answer = execute(self._world, line, self.peer)
        if not answer:
            return True
        self._say(answer, line)
        if self._fault("lose_reply", command):
            return False
        if fault := self._fault("slow_reply", command):
            await trio.sleep(fault.number)
        return await self._send_badly(answer, command, last=last)

    async def _send_badly(self, answer: str, command: str, *, last: bool) -> bool:
        if fault := self._fault("garbage", command):
            answer = fault.value
        payload = answer.encode() + b"\r\n" if self._fault("crlf", command) else self._line(answer)
        if fault := self._fault("partial", command):
            # Never the whole of it, or it would be no partial line.
            await self._wire.send(payload[: min(int(fault.number), len(payload) - 1)])
            return False
        if fault := self._fault("merge", command):
            self._held += payload
            if not last:
                return True
            await trio.sleep(fault.number)
            payload = b""
        payload, self._held = self._held + payload, b""
        if fault := self._fault("split", command):
            for start in range(0, len(payload), size := int(fault.number)):
                await self._wire.send(payload[start : start + size])
                # Long enough for the other side to read what there is before the rest comes.
                await trio.sleep(0.001)
        else:
            await self._wire.send(payload)
        return True

    async def _turn_away(self, style: str) -> None:
        """Say, in one of the ways of E47, that the peer is not authorized."""
        self._say("not authorized")
        if style == "reset":
            self._wire.reset()
            return
        if style != "eof":
            row = messages.NOT_AUTHORIZED
            text = row.message if style == "bare" else refusal(self._world.knobs, row)
            await self._wire.send(self._line(text))
        await self._finish()

    async def _finish(self) -> None:
        """FIN, then read on for a while: closing on unread bytes sends RST and loses the line."""
        with trio.move_on_after(_FAREWELL):
            await self._wire.finish()
            await self._swallow()

    async def _swallow(self) -> None:
        """Read and ignore until the client closes: a half-open peer."""
        while await self._wire.receive():
            pass

    def _line(self, answer: str) -> bytes:
        # Echoed text may hold half a surrogate pair only if the request did, and that was refused.
        return answer.encode() + (b"\r\n" if self._world.knobs.crlf else b"\n")

    def _fault(self, kind: str, command: str) -> Fault | None:
        fault = self._world.faults.take(kind, command)
        if fault is not None:
            self._say(f"fault {fault}")
        return fault

    def _say(self, what: str, line: bytes | None = None) -> None:
        if self._tell is not None:
            request = "" if line is None else f"{line.decode(errors='replace').rstrip()} → "
            self._tell(f"{self.peer} {request}{what}")
