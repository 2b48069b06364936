"""The tables `[[bindings]]`: what may stand in them, and the bindings that they make."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from ..bindings.binding import Binding
from ..bindings.conditions import Condition, condition, steps
from ..bindings.outcome import Wish, written
from ..bindings.timing import Timing
from ..room.facts.requests import ACTIONS, EVENTS
from ..room.facts.vocabulary import folded_word
from ..templates.template import Template
from ..text.nearest import did_you_mean
from .key_types import Duration, Table, TopicFilter

__all__ = ["BindingTable", "conditions_of", "make_bindings"]


def _one_of(words: Iterable[str], kind: str, value: str) -> str:
    word = folded_word(value)
    known = [str(each) for each in words]
    if word in known:
        return word
    hint = did_you_mean(word, known, f"there are: {', '.join(known)}")
    raise ValueError(f"{value!r} is no {kind}; {hint}")


def _action(value: str) -> str:
    if folded_word(value) in EVENTS:
        raise ValueError(f"{value!r} is an event; write event = {value!r} in place of do")
    return _one_of(ACTIONS, "action", value)


def _event(value: str) -> str:
    if folded_word(value) in ACTIONS:
        raise ValueError(f"{value!r} is an action; write do = {value!r} in place of event")
    return _one_of(EVENTS, "event", value)


def _field(value: object) -> object:
    if not isinstance(value, str | bool | int | float):
        reason = "must be text, a number or a truth value"
        raise ValueError(reason)  # noqa: TRY004 - of a file
    if isinstance(value, str):
        written(value)
    return value


def _room(value: str) -> str:
    template = written(value)
    if isinstance(template, Template) and "room" in template.names:
        raise ValueError("the room cannot be made of itself; use topic, payload, json or now")
    return value


def _path(value: str) -> str:
    steps(value)
    return value


def _age(value: str) -> str:
    return value if isinstance(written(value), Template) else _path(value)


def _text_or_pattern(value: object) -> object:
    if isinstance(value, Mapping) and value.keys() != {"regex"}:
        raise ValueError('must be text, a truth value, a list of these, or { regex = "..." }')
    return value


Path = Annotated[str, AfterValidator(_path)]


class BindingTable(Table):
    """One binding: which messages, and what they ask of which room."""

    topic: TopicFilter
    """The topic or topic filter; what `+` and `#` stand for is `topic.captures` in templates."""
    room: Annotated[str, AfterValidator(_room), Field(min_length=1)]
    """The room that is asked, by its key; may be a template."""
    match: dict[str, Any] | None = None
    """JSON must say this: by dotted path a value, a list of values, a regex, or exists."""
    payload: Annotated[Any, AfterValidator(_text_or_pattern)] = None
    """Plain text must say this; true and false stand for the words of both edges."""
    do: Annotated[str, AfterValidator(_action)] | None = None
    """The action that is asked for."""
    event: Annotated[str, AfterValidator(_event)] | None = None
    """The event that is said, instead of an action."""
    fields: dict[str, Annotated[Any, AfterValidator(_field)]] = Field({})
    """Parameters of the action, or fields of the event; text may be a template."""
    edge: Literal["rising", "falling", "both"] | None = None
    """Act only when the matched value becomes true, becomes false, or either."""
    hold: Annotated[Duration, Field(gt=0, le=60)] | None = None
    """Act once the press has lasted for so long."""
    tap: Annotated[Duration, Field(gt=0, le=60)] | None = None
    """Act at the release of a press that was shorter than this."""
    debounce: Annotated[Duration, Field(gt=0, le=3600)] | None = None
    """Act once within this time."""
    unique: Path | None = None
    """The path of an id or counter by which a message that is said again is known."""
    age: Annotated[str, AfterValidator(_age)] | None = None
    """The path or template of the time at which it happened."""
    max_age: Annotated[Duration, Field(gt=0)] | None = None
    """Do not act on what happened longer ago."""
    ignore_empty: bool = True
    """Pass over empty messages and empty values."""

    def binding(self, number: int) -> Binding:
        """The binding that the table describes; `number` counts the tables from 1."""
        return Binding(
            label=f"binding {number} ({self.topic})",
            key=hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16],
            topic_filter=self.topic,
            wish=Wish(
                room=written(self.room),
                word=self.do or self.event or "",
                is_event=self.event is not None,
                fields={
                    name: written(value) if isinstance(value, str) else value
                    for name, value in self.fields.items()
                },
            ),
            timing=Timing(self.edge, self.hold, self.tap, self.debounce),
            conditions=tuple(conditions_of(self.match, self.payload, self.ignore_empty)),
            of_payload=self.payload is not None,
            unique=self.unique,
            age=None if self.age is None else written(self.age),
            max_age=self.max_age,
            ignore_empty=self.ignore_empty,
        )


def conditions_of(match: Any, payload: Any, ignore_empty: bool) -> Iterator[Condition]:
    """The conditions of ``match`` and ``payload``; raises `ValueError`."""
    if payload is not None:
        yield condition("", payload, empty_counts=not ignore_empty)
    for path, wanted in (match or {}).items():
        yield condition(path, wanted, empty_counts=not ignore_empty)


def make_bindings(tables: Iterable[BindingTable]) -> list[Binding]:
    """The bindings, in the order of the file."""
    return [table.binding(number) for number, table in enumerate(tables, 1)]
