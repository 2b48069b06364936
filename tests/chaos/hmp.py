"""A simulated HMP as a process, and its control port: the truth about every recording."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import trio

from .lines import LineReader

__all__ = ["Hmp", "world_file"]

_SOURCE = "b86befc3-7b44-4655-852f-21a77935d110"


def world_file(sessions: Mapping[str, str]) -> str:
    """A world with these sessions (id → title), all of one source."""
    source = f'[[sources]]\nid = "{_SOURCE}"\n'
    tables = [
        f'[[sessions]]\nid = "{session}"\ntitle = "{title}"\nsources = ["{_SOURCE}"]\n'
        for session, title in sessions.items()
    ]
    return "\n".join([source, *tables])


@dataclass(slots=True)
class Hmp:
    """`python -m bridge.simulator`, asked over its control port."""

    name: str
    world: Path
    seed: int
    knobs: Sequence[str] = ()
    port: int = 0
    _control: trio.SocketStream | None = None
    _admission: trio.Lock = field(default_factory=trio.Lock)
    _answers: LineReader | None = None
    _next_entry: int = 0

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Run it until cancelled; reports when it listens. Raises when it ends by itself."""
        command = [sys.executable, "-m", "bridge.simulator", "--world", str(self.world)]
        command += ["--port", "0", "--control-port", "0", "--seed", str(self.seed)]
        for knob in self.knobs:
            command += ["--knob", knob]
        process = await trio.lowlevel.open_process(
            command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL
        )
        try:
            assert process.stdout is not None
            async for line in LineReader(process.stdout):
                if line.startswith(b"listening on "):
                    self.port = int(line.rpartition(b":")[2])
                if line.startswith(b"control on "):
                    control = int(line.rpartition(b":")[2])
                    self._control = await trio.open_tcp_stream("127.0.0.1", control)
                    self._answers = LineReader(self._control)
                    task_status.started()
            raise RuntimeError(f"the simulated HMP {self.name} has ended by itself")
        finally:
            process.kill()
            with trio.CancelScope(shield=True):
                await process.wait()

    async def ask(self, operation: str, **fields: object) -> dict[str, Any]:
        """One operation of the control port; its answer, which is an ``error`` when refused."""
        assert self._control is not None
        assert self._answers is not None
        with trio.CancelScope(shield=True):  # half an exchange would answer the next question
            async with self._admission:
                await self._control.send_all(
                    json.dumps({"do": operation, **fields}).encode() + b"\n"
                )
                answer: dict[str, Any] = json.loads(await anext(self._answers))
        return answer

    async def do(self, operation: str, **fields: object) -> dict[str, Any]:
        """The same for what cannot be refused."""
        answer = await self.ask(operation, **fields)
        assert answer.get("ok"), answer
        return answer

    async def recordings(self) -> list[dict[str, Any]]:
        """Every recording it holds."""
        rows: list[dict[str, Any]] = (await self.do("snapshot", log=0))["recordings"]
        return rows

    async def executed(self) -> list[dict[str, Any]]:
        """The commands executed since this was asked last."""
        answer = await self.do("log", since=self._next_entry)
        self._next_entry = answer["next"]
        entries: list[dict[str, Any]] = answer["log"]
        return entries

    async def lift(self) -> None:
        """No faults, API on, everybody allowed."""
        await self.do("clear_faults")
        await self.do("api", enabled=True)
        await self.do("allow", address="*")
