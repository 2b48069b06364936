"""A simulated HMP as a process of its own, to be killed, restarted and looked into."""

import json
import signal
import socket
import sys
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.brokers import free_port

from .programs import Program
from .watched import PATIENCE

__all__ = ["CATEGORY", "SOURCE", "UNKNOWN", "Hmp", "session_of", "sessions"]

CATEGORY = "692e9ab8-d446-4bfd-b64d-e39e8e57c4c5"
_PEOPLE = f'''[[users]]
name = "creator"
roles = ["Viewer"]
[[groups]]
name = "Surgeons"
roles = ["Viewer"]
[[categories]]
id = "{CATEGORY}"
'''

SOURCE = "b86befc3-7b44-4655-852f-21a77935d110"

UNKNOWN = "00000000-0000-4000-8000-000000000001"
"""An ID that nothing has."""


def session_of(number: int) -> str:
    """The session that the room with this number records."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"session {number}"))


def sessions(count: int) -> list[str]:
    """The first sessions of every world made here."""
    return [session_of(number) for number in range(count)]


class Hmp:
    """`python -m bridge.simulator` and its control port; keeps its ports over a restart."""

    def __init__(self, folder: Path, rooms: int = 2, *, knobs: Sequence[str] = ()) -> None:
        self._world = folder / "world.toml"
        self._rooms = rooms
        self._knobs = [word for knob in knobs for word in ("--knob", knob)]
        self._commands_before: list[dict[str, Any]] = []
        self.port, self.control_port = free_port(), free_port()
        self.start([])

    def start(self, recordings: Sequence[dict[str, Any]]) -> None:
        """Start with these recordings of before."""
        lines = [f'[[sources]]\nid = "{SOURCE}"\n', _PEOPLE]
        lines += [
            f'[[sessions]]\nid = "{each}"\ntitle = "Room {number}"\nsources = ["{SOURCE}"]\n'
            for number, each in enumerate(sessions(self._rooms))
        ]
        lines += [
            f'[[recordings]]\nid = "{each["id"]}"\nsession = "{each["session"]}"\n'
            f'state = "{each["state"]}"\n'
            for each in recordings
        ]
        self._world.write_text("\n".join(lines), encoding="utf-8")
        self.program = Program(
            [
                *(sys.executable, "-m", "bridge.simulator", "--world", str(self._world)),
                *("--port", str(self.port), "--control-port", str(self.control_port)),
                *self._knobs,
            ]
        )
        self.program.wait_for_line("control on ")
        self._control = socket.create_connection(("127.0.0.1", self.control_port), timeout=PATIENCE)
        self._stream = self._control.makefile("rw", encoding="utf-8")

    def do(self, operation: str, **fields: Any) -> dict[str, Any]:
        """One operation of the control port; what it answers."""
        self._stream.write(json.dumps({"do": operation} | fields) + "\n")
        self._stream.flush()
        answer: dict[str, Any] = json.loads(self._stream.readline())
        assert answer.get("ok"), answer
        return answer

    def fault(self, text: str) -> None:
        """Arm a fault."""
        self.do("fault", fault=text)

    def recordings(self, *states: str) -> list[dict[str, Any]]:
        """The recordings in these states, or all."""
        rows: list[dict[str, Any]] = self.do("snapshot", log=0)["recordings"]
        return [row for row in rows if not states or row["state"] in states]

    def commands(self, name: str = "") -> list[dict[str, Any]]:
        """The commands executed so far, with their answers, over all restarts."""
        executed = [*self._commands_before, *self.do("log")["log"]]
        return [entry for entry in executed if entry["line"].startswith(name)]

    def wait_until(self, look: Callable[["Hmp"], object], wanted: str) -> None:
        """Look into it until `look` sees what it wants."""
        deadline = time.monotonic() + PATIENCE
        while not look(self):
            assert time.monotonic() < deadline, f"HMP never had {wanted}"
            time.sleep(0.02)

    def freeze(self) -> None:
        """Have it answer nothing, and do nothing, until `thaw`; nor does `do` return before."""
        self.program.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Go on after `freeze`."""
        self.program.send_signal(signal.SIGCONT)

    def kill(self) -> list[dict[str, Any]]:
        """SIGKILL; the recordings as they stood, for `start`."""
        recordings = self.recordings()
        self._commands_before = self.commands()
        self.program.send_signal(signal.SIGKILL)
        self.program.wait()
        self.close()
        return recordings

    def close(self) -> None:
        """End it."""
        self._stream.close()
        self._control.close()
        self.program.close()
