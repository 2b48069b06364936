"""The wish of a binding that acts: its templates, rendered with the message."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property

from ..hmp import arguments
from ..mqtt.payload import LONGEST_ID, UnreadablePayload, read_text
from ..mqtt.topics import Input
from ..room.facts.detail import FIELDS_OF_NOW, FIELDS_OF_ROOM
from ..room.facts.values import Now
from ..templates.errors import TemplateError
from ..templates.template import Template
from ..text.cut import cut
from ..text.json_text import told_in_words
from .matching import NOT_JSON, parse_json

__all__ = ["NAMES", "Arrival", "Failed", "Heard", "Wish", "made", "written"]

NAMES: dict[str, tuple[str, ...]] = {
    "json": (),
    "now": FIELDS_OF_NOW,
    "payload": (),
    "room": FIELDS_OF_ROOM,
    "topic": ("captures", "levels"),
}
"""The names that templates of bindings can use, with the fields of those that are known.

`room` is not known where the room itself is rendered.
"""


class _Topic(str):
    """A topic as templates see it: a text that has `levels`, and the `captures` of its filter."""

    __slots__ = ("captures", "levels")
    captures: tuple[str, ...]
    levels: tuple[str, ...]


@dataclass(frozen=True)
class Arrival:
    """A message on a topic that some binding names."""

    topic: str
    payload: bytes
    retained: bool = False

    @cached_property
    def text(self) -> str | None:
        """The payload as text; None where it is none, or too long."""
        try:
            return read_text(self.payload)
        except UnreadablePayload:
            return None

    @cached_property
    def json(self) -> object:
        """The payload as JSON, or `NOT_JSON`."""
        return parse_json(self.text or "")


@dataclass(frozen=True, slots=True)
class Heard:
    """A message as one binding hears it: with what its topic filter captured, at an instant.

    `rooms` are the display names of the rooms that there are, by their keys.
    """

    arrival: Arrival
    captures: tuple[str, ...]
    now: Now
    rooms: Mapping[str, str]

    def values(self) -> dict[str, object]:
        """The values that templates see of it."""
        topic = _Topic(self.arrival.topic)
        topic.captures = self.captures
        topic.levels = tuple(topic.split("/"))
        return {
            "topic": topic,
            "payload": self.arrival.text or "",
            "json": None if self.arrival.json is NOT_JSON else self.arrival.json,
            "now": datetime.fromtimestamp(self.now.wall, UTC).astimezone(),
        }


@dataclass(frozen=True, slots=True)
class Failed:
    """A binding matched and nothing could be made of it; `room` is as far as it is known."""

    word: str
    reason: str
    room: str | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """The wish of a binding: an action or an event of a room, and its parameters.

    Every text may be a template. `fields` that come out empty are left out. So are those whose
    template fails where the recording must not wait for them: recording comes first (R14).
    """

    room: str | Template
    word: str
    is_event: bool = False
    fields: Mapping[str, object] = field(default_factory=dict)

    def can_do_without(self, name: str) -> bool:
        """It acts without a field that cannot be made; a meeting needs its id."""
        if self.is_event:
            return self.word == "meeting_start" and name != "id"
        return self.word in {"record", "mark"}


def written(source: str) -> str | Template:
    """A text of the configuration: a template where it has something of one.

    Raises `TemplateError`, also for a name or a field that no message gives a value to.
    """
    if not re.search(r"\{[{%#]", source):
        return source
    template = Template(source)
    template.check(NAMES)
    return template


def made(wish: Wish, heard: Heard) -> Input | Failed:
    """The input that is asked for, its templates rendered; never raises."""
    try:
        return _made(wish, heard)
    except _Unmade as failure:
        return Failed(wish.word, str(failure), failure.room)


class _Unmade(Exception):
    def __init__(self, reason: str, room: str | None = None) -> None:
        super().__init__(reason)
        self.room = room


def _made(wish: Wish, heard: Heard) -> Input:
    values = heard.values()
    room = _rendered(wish.room, values, "room").strip()
    if room not in heard.rooms:
        raise _Unmade(
            f"room: {told_in_words(room)} is no room; configured are: {', '.join(heard.rooms)}"
        )
    values["room"] = {"key": room, "name": heard.rooms[room]}
    parameters: dict[str, object] = {}
    left_out: list[str] = []
    for name, source in wish.fields.items():
        value = source
        if isinstance(source, str | Template):
            try:
                text = _rendered(source, values, f"fields.{name}", room)
            except _Unmade as failure:
                if not wish.can_do_without(name):
                    raise
                left_out.append(str(failure))
                continue
            text = arguments.drop_control_characters(text).strip()
            value = cut(text, arguments.TITLE_LIMIT) if name == "title" else text
        if value != "":
            parameters[name] = value
    request_id = parameters.get("id") if wish.is_event else parameters.pop("id", None)
    if isinstance(request_id, str):
        request_id = request_id[:LONGEST_ID]  # as on our own topics: a long id is no obstacle
        parameters |= {"id": request_id} if wish.is_event else {}
    given = request_id if isinstance(request_id, str | int) else None
    return Input(room, wish.word, wish.is_event, parameters, given, tuple(left_out))


def _rendered(
    source: str | Template, values: Mapping[str, object], where: str, room: str | None = None
) -> str:
    if isinstance(source, str):
        return source
    try:
        text = source.render(values)
    except TemplateError as error:
        raise _Unmade(f"{where}: {told_in_words(source.source)}: {error}", room) from None
    return text.encode(errors="ignore").decode()  # half of a surrogate pair is no text
