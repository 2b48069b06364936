"""A `View` drawn with rich: links above, rooms in the middle, what happened below."""

import time
from collections.abc import Iterator

from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from .view import RoomView, View, result_text

__all__ = ["Screen"]

_STATES = {
    "idle": "dim",
    "recording": "bold red",
    "paused": "yellow",
    "error": "bold white on red",
    "unknown": "bold white on red",
}
_CHANGING = "cyan"
_GOOD = ("online", "ready")

_LEAST_EVENTS = 3
_MOST_EVENTS = 8


class Screen:
    """The part that fits on the terminal, at the instant at which it is drawn."""

    def __init__(self, view: View, broker: str, now: float) -> None:
        self._view = view
        self._broker = broker
        self._now = now

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> RenderResult:
        """As rich asks it, with the size of the terminal in `options`."""
        view = self._view
        height = options.max_height
        # Above: a line of links and one between; below: a line between.
        rooms_at_most = max(1, height - _LEAST_EVENTS - 5)
        rooms = self._most_interesting(rooms_at_most)
        left_out = [room for name, room in view.rooms.items() if name not in rooms]
        yield Group(self._links(), self._rooms(rooms))
        if left_out:
            busy = sum(_dullness(room) < _DULL for room in left_out)
            also = f", {busy} of them not idle: make the window taller" if busy else ", all idle"
            yield Text(f"and {len(left_out)} more rooms{also}", style="dim")
        room_left = height - len(rooms) - 5 - (1 if left_out else 0)
        yield Group(*self._events(max(0, min(_MOST_EVENTS, room_left))))

    def _links(self) -> Text:
        view = self._view
        line = Text.assemble(
            ("hmp-bridge watch  ", "bold"),
            f"{time.strftime('%H:%M:%S')}  ",
            f"broker {self._broker} ",
            no_wrap=True,
            overflow="ellipsis",
        )
        if view.failure:
            line.append(view.failure, style="bold white on red")
            return line
        line.append("connected", style="green")
        line.append("  bridge ")
        line.append(view.bridge, style=_good(view.bridge))
        if version := view.info.get("version"):
            line.append(f" {version}", style="dim")
        for name, state in view.servers.items():
            line.append(f"  {name} ")
            line.append(state, style=_good(state))
            if (took := view.round_trip(name)) is not None:
                line.append(f" {took:.1f} ms", style="dim")
        return line

    def _most_interesting(self, count: int) -> list[str]:
        """All rooms in their order, or, where there are too many, those with something to see."""
        names = list(self._view.rooms)
        if len(names) <= count:
            return names
        ranked = sorted(names, key=lambda name: _dullness(self._view.rooms[name]))
        kept = set(ranked[: max(1, count - 1)])
        return [name for name in names if name in kept]

    def _rooms(self, names: list[str]) -> Table:
        table = Table(box=None, pad_edge=False, header_style="bold", expand=True)
        table.add_column("room", no_wrap=True)
        table.add_column("state", no_wrap=True)
        table.add_column("elapsed", justify="right", no_wrap=True)
        table.add_column("alarm", no_wrap=True)
        table.add_column("title", no_wrap=True, overflow="ellipsis", ratio=1)
        table.add_column("last result", no_wrap=True, overflow="ellipsis", ratio=1)
        for name in names:
            room = self._view.rooms[name]
            table.add_row(escape(name), *self._cells(room))
        return table

    def _cells(self, room: RoomView) -> Iterator[Text]:
        status = room.status
        state = str(status.get("state", "not heard of"))
        shown = Text(state, style=_STATES.get(state, _CHANGING) if status else "dim")
        if status.get("stale"):
            shown.append(" (stale)", style="dim")
        yield shown
        yield Text(_clock(room.elapsed(self._now)) if status.get("recording") else "")
        alarm = status.get("alarm")
        yield Text(str(alarm) if alarm else "", style="bold red")
        yield Text(str(status.get("title") or ""))
        yield Text(result_text(room.last_result) if room.last_result else "", style="dim")

    def _events(self, count: int) -> Iterator[Text]:
        if not count:
            return
        yield Text("")
        for event in list(self._view.events)[-count:]:
            clock = time.strftime("%H:%M:%S", time.localtime(event.at))
            yield Text.assemble(
                (f"{clock}  ", "dim"),
                f"{event.subject}  ",
                (event.text, "" if event.good else "red"),
                no_wrap=True,
                overflow="ellipsis",
            )


_DULL = 2


def _dullness(room: RoomView) -> int:
    status = room.status
    if status.get("alarm"):
        return 0
    return _DULL if status.get("state", "idle") == "idle" else 1


def _good(state: str) -> str:
    return "green" if state in _GOOD else "bold red"


def _clock(seconds: int) -> str:
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
