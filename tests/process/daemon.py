"""`hmp-bridge run` as a process, with a configuration and a state folder of its own."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .hmp import session_of
from .programs import HMP_BRIDGE, Program

__all__ = ["UNHURRIED", "Daemon", "configuration", "toml"]


UNHURRIED: dict[str, Any] = {"poll_interval": "200ms"} | dict.fromkeys(
    ("connect_timeout", "query_timeout", "command_timeout", "start_timeout"), "1m"
)
"""Keys of a server that is asked often and never given up: a machine that is stopped for seconds is
no HMP that does not answer. Longer than any test waits."""

KEPT: dict[str, Any] = {"action_ttl": "1h", "mark_ttl": "1h"}
"""Keys of a room whose presses are carried out however late they come."""


def toml(tables: Mapping[str, Any]) -> str:
    """Nested tables as TOML."""
    return "\n".join(_lines(tables, ()))


def _lines(table: Mapping[str, Any], path: tuple[str, ...]) -> list[str]:
    lines = [f"[{'.'.join(path)}]"] if path else []
    for key, value in table.items():
        if not isinstance(value, Mapping):
            lines.append(f"{key} = {_inline(value)}")
    for key, value in table.items():
        if isinstance(value, Mapping):
            lines += _lines(value, (*path, key))
    return lines


def configuration(
    *,
    broker_port: int,
    hmp_port: int,
    base_topic: str,
    rooms: int = 2,
    mqtt: Mapping[str, Any] | None = None,
    server: Mapping[str, Any] | None = None,
    room: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Rooms `r0`, `r1`, … of one server `main`; a test that is about a time limit sets its own."""
    return {
        "mqtt": {"host": "127.0.0.1", "port": broker_port, "base_topic": base_topic}
        | dict(mqtt or {}),
        "bridge": {"health_every": "1s"},
        "servers": {
            "main": {"host": "127.0.0.1", "port": hmp_port} | UNHURRIED | dict(server or {})
        },
        "rooms": {
            f"r{number}": {"server": "main", "session": session_of(number)}
            | KEPT
            | dict(room or {})
            for number in range(rooms)
        },
    }


def _inline(value: Any) -> str:
    """A value on one line: tables within lists, as `[[bindings]]` are, among them."""
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{json.dumps(k)} = {_inline(v)}' for k, v in value.items())} }}"
    if isinstance(value, list):
        return f"[{', '.join(_inline(each) for each in value)}]"
    return json.dumps(value, ensure_ascii=False)


class Daemon(Program):
    """The daemon; `folder` holds its configuration and, unless told otherwise, its state.

    `before`: words before the command, of a program that becomes the daemon.
    """

    def __init__(
        self,
        folder: Path,
        tables: Mapping[str, Any],
        *,
        state: Path | None = None,
        environment: Mapping[str, str] | None = None,
        configured_state: bool = True,
        arguments: Sequence[str] = (),
        before: Sequence[str] = (),
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.state = state or folder / "state"
        self.file = folder / "bridge.toml"
        if configured_state:
            bridge = dict(tables.get("bridge", {})) | {"state_dir": str(self.state)}
            tables = dict(tables) | {"bridge": bridge}
        self.file.write_text(toml(tables), encoding="utf-8")
        super().__init__(
            [*before, HMP_BRIDGE, "run", "--config", str(self.file), *arguments],
            environment=environment,
            folder=folder,
        )

    def close(self) -> None:
        """End it; a bug over one message, or of one room, must not have gone unseen."""
        super().close()
        assert self.lines_with("internal error") == []
