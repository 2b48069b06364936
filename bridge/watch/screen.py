"""A `View` drawn with rich: links above, rooms in the middle, what happened below."""

import time
from collections.abc import Iterable, Iterator

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, JustifyMethod, RenderResult
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

_NARROWEST = ("state", "elapsed", "alarm")
"""Columns that are always there, beside the room's name."""

_WIDER = (("title", 28), ("last result", 14))
"""Columns for which so many characters must be left, and those left to share."""

_GAP = 2
"""Spaces between two columns, or two links."""

_LEAST_NAME = 6
"""Characters of a room's name that are left of it on the narrowest terminal."""

_LEAST_EVENTS = 3
_MOST_EVENTS = 8


class Screen:
    """The part that fits on the terminal, at the instant at which it is drawn."""

    def __init__(self, view: View, broker: str, now: float, *, keys: str = "q leaves") -> None:
        self._view = view
        self._broker = broker
        self._now = now
        self._keys = keys

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> RenderResult:
        """As rich asks it, with the size of the terminal in `options`."""
        view = self._view
        width, height = options.max_width, options.max_height
        links = list(_packed(self._links(), width, most=max(1, height // 5)))
        # Above: the links and one line between; below: a line between.
        around = len(links) + 4
        rooms = self._most_interesting(max(1, height - _LEAST_EVENTS - around))
        left_out = [room for name, room in view.rooms.items() if name not in rooms]
        yield Group(*links, self._rooms(rooms, width))
        if left_out:
            busy = sum(_dullness(room) < _DULL for room in left_out)
            also = f", {busy} of them not idle: make the window taller" if busy else ", all idle"
            more = f"and {len(left_out)} more rooms{also}"
            yield Text(more, style="dim", no_wrap=True, overflow="ellipsis")
        room_left = height - len(rooms) - around - (1 if left_out else 0)
        yield Group(*self._events(max(0, min(_MOST_EVENTS, room_left))))

    def _links(self) -> Iterator[Text]:
        view = self._view
        yield Text("hmp-bridge watch", style="bold")
        yield Text(self._keys)
        yield Text(time.strftime("%H:%M:%S"))
        if view.failure:
            failure = (view.failure, "bold white on red")
            yield Text.assemble(f"broker {self._broker} ", failure)
            return
        yield Text.assemble(f"broker {self._broker} ", ("connected", "green"))
        bridge = Text.assemble("bridge ", (view.bridge, _good(view.bridge)))
        if version := view.info.get("version"):
            bridge.append(f" {version}", style="dim")
        yield bridge
        for name, state in view.servers.items():
            server = Text.assemble(f"{name} ", (state, _good(state)))
            if (took := view.round_trip(name)) is not None:
                server.append(f" {took:.1f} ms", style="dim")
            yield server

    def _most_interesting(self, count: int) -> list[str]:
        """All rooms in their order, or, where there are too many, those with something to see."""
        names = list(self._view.rooms)
        if len(names) <= count:
            return names
        ranked = sorted(names, key=lambda name: _dullness(self._view.rooms[name]))
        kept = set(ranked[: max(1, count - 1)])
        return [name for name in names if name in kept]

    def _rooms(self, names: list[str], width: int) -> Table:
        """The table of rooms; where it is narrow, without titles, then without results."""
        rows = [list(self._cells(self._view.rooms[name])) for name in names]
        widths = [
            max([len(title), *(cells[number].cell_len for cells in rows)])
            for number, title in enumerate(_NARROWEST)
        ]
        longest = max([len("room"), *map(cell_len, names)])
        rest = width - sum(widths) - _GAP * len(widths)
        reserved = next((least for _, least in _WIDER if rest >= 2 * least), 0)
        room = max(_LEAST_NAME, min(longest, rest - reserved))
        left = rest - room
        wide = [title for title, least in _WIDER if left >= least]
        table = Table(box=None, pad_edge=False, header_style="bold", expand=True)
        table.add_column("room", no_wrap=True, max_width=room, overflow="ellipsis")
        for title in _NARROWEST:
            justify: JustifyMethod = "right" if title == "elapsed" else "left"
            table.add_column(title, justify=justify, no_wrap=True, overflow="ellipsis")
        for title in wide:
            table.add_column(title, no_wrap=True, overflow="ellipsis", ratio=1)
        for name, cells in zip(names, rows, strict=True):
            shown = dict(zip((*_NARROWEST, "title", "last result"), cells, strict=True))
            table.add_row(escape(name), *(shown[title] for title in (*_NARROWEST, *wide)))
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


def _packed(parts: Iterable[Text], width: int, most: int) -> Iterator[Text]:
    """The parts with space between them, on as few lines as they need, and at `most` so many."""
    line, lines = Text(), 1
    for part in parts:
        if line and lines < most and line.cell_len + _GAP + part.cell_len > width:
            yield line
            line, lines = Text(), lines + 1
        line = Text.assemble(line, " " * _GAP if line else "", part)
        line.no_wrap, line.overflow = True, "ellipsis"
    yield line


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
