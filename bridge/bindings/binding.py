"""From any MQTT message to actions and events of rooms, as `[[bindings]]` say.

Pure: `take` gets a message and the time and says what each binding makes of it, `tick` lets time
pass, `due` says when there is something to tick for. What must be remembered between messages
(levels, presses being held, what was seen) is a `Memory`, a value.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ..mqtt.filters import captures
from ..mqtt.payload import LONGEST_PAYLOAD
from ..mqtt.topics import Input
from ..room.facts.values import Now
from ..templates.errors import TemplateError
from ..templates.template import Template
from ..text.json_text import told_in_words
from ..text.times import NoTime, read_time
from .conditions import Condition
from .matching import NOT_JSON, Answer, answer_to, find, plain
from .outcome import Arrival, Failed, Heard, Wish, made
from .timing import Timing, Track, act, due_of, moved, noted

__all__ = ["Binding", "Memory", "Verdict", "due", "take", "tick"]

_MOST_TRACKS = 1000
"""Bindings' topics that are remembered; the one that has been silent for longest is forgotten."""


@dataclass(frozen=True, slots=True)
class Binding:
    """One table of the configuration; `label` is how messages call it, `key` is its own for good.

    `conditions` are on the JSON of the payload, or `of_payload` on its text. `unique` is the dotted
    path of a counter or id, `age` that of a time, or a template for one; `max_age` is in seconds.
    """

    label: str
    key: str
    topic_filter: str
    wish: Wish
    timing: Timing
    conditions: tuple[Condition, ...] = ()
    of_payload: bool = False
    unique: str | None = None
    age: str | Template | None = None
    max_age: float | None = None
    ignore_empty: bool = True

    @property
    def remembers(self) -> bool:
        """It matters what came before."""
        return self.unique is not None or self.timing != Timing()


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict of a binding on a message: something to do, or why not.

    `later` are seconds after which, or within which, it may still act. `held_at` is the monotonic
    time at which a press had been held for long enough, None for what acts at once.
    """

    binding: Binding
    topic: str
    outcome: Input | Failed | None = None
    reason: str = ""
    later: float | None = None
    held_at: float | None = None


Memory = Mapping[tuple[int, str], Track]
"""The memory of bindings, by their number and a topic, in the order of the last message."""


def take(
    bindings: Sequence[Binding],
    memory: Memory,
    arrival: Arrival,
    now: Now,
    rooms: Mapping[str, str],
) -> tuple[Memory, list[Verdict]]:
    """The verdicts on a message of the bindings on its topic; `rooms` are display names by key.

    Never raises: a template that fails is a `Failed` of its binding, and no other binding's.
    """
    verdicts = []
    for number, binding in enumerate(bindings):
        captured = captures(binding.topic_filter, arrival.topic)
        if captured is None:
            continue
        key = (number, arrival.topic)
        track = memory.get(key, Track())
        after, verdict = _judge(binding, track, Heard(arrival, captured, now, rooms))
        if binding.remembers and after != track:
            memory = {each: kept for each, kept in memory.items() if each != key} | {key: after}
            if len(memory) > _MOST_TRACKS:
                memory.pop(next(iter(memory)))
        verdicts.append(verdict)
    return memory, verdicts


def tick(
    bindings: Sequence[Binding], memory: Memory, now: Now, rooms: Mapping[str, str]
) -> tuple[Memory, list[Verdict]]:
    """The verdicts on what has been held for long enough by now."""
    verdicts = []
    for (number, topic), track in memory.items():
        binding = bindings[number]
        moment = due_of(track, binding.timing.hold)
        if moment is None or moment > now.monotonic or not isinstance(track.held, Arrival):
            continue
        heard = Heard(track.held, captures(binding.topic_filter, topic) or (), now, rooms)
        after, refusal = act(track, binding.timing.debounce, now.monotonic)
        memory = {**memory, (number, topic): replace(after, held=None)}
        outcome = None if refusal else made(binding.wish, heard)
        verdicts.append(Verdict(binding, topic, outcome, refusal, held_at=moment))
    return memory, verdicts


def due(bindings: Sequence[Binding], memory: Memory) -> float | None:
    """The monotonic time at which `tick` has something to do, None while nothing is held."""
    moments = (due_of(track, bindings[number].timing.hold) for (number, _), track in memory.items())
    return min((moment for moment in moments if moment is not None), default=None)


def _judge(binding: Binding, track: Track, heard: Heard) -> tuple[Track, Verdict]:
    arrival, at = heard.arrival, heard.now.monotonic
    verdict = Verdict(binding, arrival.topic)
    answer, why = _answer(binding, arrival)
    level = answer is Answer.YES
    if level and (too_old := _too_old(binding, heard)):
        return track, replace(verdict, reason=too_old)
    if binding.unique is not None and not arrival.retained:
        value = _first(arrival.json, binding.unique)
        if value is not None:
            track, seen = noted(track, value, level)
            if seen:
                return track, replace(verdict, reason=f"{binding.unique}: {seen}")
    if answer is Answer.SILENT:
        return track, replace(verdict, reason=why)
    move = moved(track, binding.timing, level, at, arrival)
    if not move.acts:
        return move.track, replace(verdict, reason=move.reason or why, later=move.later)
    track, refusal = act(move.track, binding.timing.debounce, at)
    if refusal:
        return track, replace(verdict, reason=refusal)
    return track, replace(verdict, outcome=made(binding.wish, heard))


def _answer(binding: Binding, arrival: Arrival) -> tuple[Answer, str]:
    if arrival.retained:
        return Answer.SILENT, "it is retained: what a broker keeps is of the past"
    text = arrival.text
    if text is None and len(arrival.payload) > LONGEST_PAYLOAD:
        size = f"{len(arrival.payload):,} bytes; at most {LONGEST_PAYLOAD:,} are looked at"
        return Answer.SILENT, f"the payload has {size}"
    if text is None:
        return Answer.SILENT, "the payload is not UTF-8 text"
    if binding.ignore_empty and not text.strip():
        return Answer.SILENT, "the payload is empty, which is ignored"
    value = arrival.json
    if binding.of_payload:
        value = value if isinstance(value, str) else text
    elif binding.conditions and value is NOT_JSON:
        return Answer.SILENT, f"the payload is not JSON: {told_in_words(text)}"
    return answer_to(binding.conditions, value, ignore_empty=binding.ignore_empty)


def _too_old(binding: Binding, heard: Heard) -> str:
    if binding.max_age is None or binding.age is None:
        return ""
    if isinstance(binding.age, Template):
        where = "age"
        try:
            value: object = binding.age.render(heard.values())
        except TemplateError as error:
            return f"age: {told_in_words(binding.age.source)}: {error}"
    else:
        where, value = binding.age, _first(heard.arrival.json, binding.age)
    try:
        age = heard.now.wall - read_time(value)
    except NoTime:
        return f"{where}: {told_in_words(value)} is no time, so that its age cannot be told"
    if age <= binding.max_age:
        return ""
    return f"{where}: it is {age:,.0f} s old, and max_age is {binding.max_age:g} s"


def _first(value: object, path: str) -> object:
    return plain(next(iter(find(value, path)), None))
