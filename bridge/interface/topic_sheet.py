"""The topics of a room as a panel programmer needs them: exact, with values and lengths.

Pure; what there is to say comes from `mqtt.catalogue`.
"""

import csv
import io
import json
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from ..mqtt.catalogue import ROWS, Direction, Row, tally_words
from ..mqtt.topics import Topics

__all__ = ["RoomSheet", "render_sheets", "sheet"]

_WIDTH = 100

_HEADINGS = {
    Direction.PUBLISH: "Publish to, at QoS 1 and never retained",
    Direction.SUBSCRIBE: "Subscribe to, at QoS 1",
}


@dataclass(frozen=True, slots=True)
class RoomSheet:
    """One room: its key, its name for people, and its topics with their rows."""

    room: str
    name: str
    topics: Sequence[tuple[str, Row]]


def sheet(topics: Topics, room: str, name: str, server: str, tally: Iterable[str]) -> RoomSheet:
    """The topics of `room`, of its server's state and of the bridge's."""
    rows = [tally_words(row, tally) for row in ROWS if row.for_panels]
    names = {"bridge": topics.own_path, "room": room, "server": server}
    return RoomSheet(room, name, [(row.topic(topics.base, **names), row) for row in rows])


def render_sheets(sheets: Sequence[RoomSheet], form: str) -> str:
    """All sheets as `text`, `csv` or `json`."""
    return _FORMATS[form](sheets)


def _text(sheets: Sequence[RoomSheet]) -> str:
    return "\n".join(line for each in sheets for line in _lines(each)) + "\n"


def _lines(room: RoomSheet) -> Iterator[str]:
    yield f"{room.name} ({room.room})"
    wide = max(len(topic) for topic, _ in room.topics)
    for direction, topics in groupby(room.topics, key=lambda item: item[1].direction):
        yield ""
        yield f"  {_HEADINGS[direction]:<{wide + 2}}longest"
        before = ""
        for topic, row in topics:
            longest = "" if row.values.longest is None else row.values.longest
            kept = "" if row.retained or direction is Direction.PUBLISH else " (not retained)"
            yield f"    {topic:<{wide}}  {longest:>5}  {row.meaning}{kept}"
            if row.values.text != before:
                indent = " " * 8
                yield from textwrap.wrap(
                    row.values.text, _WIDTH, initial_indent=indent, subsequent_indent=indent
                )
            before = row.values.text
    yield ""


def _csv(sheets: Sequence[RoomSheet]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(_COLUMNS), lineterminator="\n")
    writer.writeheader()
    for each in sheets:
        for topic, row in each.topics:
            entry = _entry(topic, row)
            retained = "yes" if row.retained else "no"
            writer.writerow({"room": each.room} | entry | {"retained": retained})
    return out.getvalue()


def _json(sheets: Sequence[RoomSheet]) -> str:
    rooms = [
        {
            "room": each.room,
            "name": each.name,
            "topics": [_entry(topic, row) for topic, row in each.topics],
        }
        for each in sheets
    ]
    return json.dumps(rooms, indent=2, ensure_ascii=False) + "\n"


_COLUMNS = ("room", "topic", "direction", "qos", "retained", "longest", "values", "meaning")


def _entry(topic: str, row: Row) -> dict[str, Any]:
    return {
        "topic": topic,
        "direction": str(row.direction),
        "qos": 1,
        "retained": row.retained,
        "longest": row.values.longest,
        "values": row.values.text,
        "meaning": row.meaning,
    }


_FORMATS = {"text": _text, "csv": _csv, "json": _json}
