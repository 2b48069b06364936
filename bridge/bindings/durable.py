"""The memory of bindings, as a document that survives a restart.

A device that publishes its last press again and again, or its level, must not be taken for a new
press because the bridge has begun anew. Nor must a press be lost that is acknowledged and has yet
to be held for long enough, or to be released (R27): it is kept while the machine runs, whose clock
it was timed by. What is debounced is of the moment and is not kept.
"""

import json
from collections.abc import Sequence
from dataclasses import replace

from ..text.json_text import read_object
from .binding import Binding, Memory
from .outcome import Arrival
from .timing import Track

__all__ = ["carried_over", "from_document", "to_document"]


def to_document(bindings: Sequence[Binding], memory: Memory, boot: str) -> str:
    """The levels of bindings with `edge`, the counters and ids of those with `unique`, as JSON.

    And what is pressed, where `hold` or `tap` is still to come of it. By the bindings' keys, so
    that it still fits when their order in the file has changed. `boot` is this start of the
    machine.
    """
    kept: dict[str, dict[str, object]] = {}
    for (number, topic), track in memory.items():
        binding = bindings[number]
        level = binding.timing.edge is not None and track.level
        press = _press(binding, track, boot)
        if level or press or track.last is not None:
            kept.setdefault(binding.key, {})[topic] = {
                "level": level,
                "last": track.last,
                "counted": track.last_counted,
                "ids": track.ids,
            } | press
    return json.dumps(kept, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def from_document(bindings: Sequence[Binding], document: str, boot: str) -> Memory:
    """The memory as far as it still fits; what cannot be read is as if it had never been kept."""
    kept = read_object(document)
    memory: dict[tuple[int, str], Track] = {}
    for number, binding in enumerate(bindings):
        topics = kept.get(binding.key)
        for topic, entry in (topics if isinstance(topics, dict) else {}).items():
            track = _track(entry)
            if track is not None:
                memory[number, topic] = _pressed(track, binding, topic, entry, boot)
    return memory


def carried_over(before: Sequence[Binding], after: Sequence[Binding], memory: Memory) -> Memory:
    """The memory of the bindings that are in both, whatever their places; nothing else stays.

    Of equal ones the first follows the first, and so on.
    """
    places: dict[str, list[int]] = {}
    for place, binding in enumerate(after):
        places.setdefault(binding.key, []).append(place)
    new_place = {
        place: places[binding.key].pop(0)
        for place, binding in enumerate(before)
        if places.get(binding.key)
    }
    return {
        (new_place[place], topic): track
        for (place, topic), track in memory.items()
        if place in new_place
    }


def _press(binding: Binding, track: Track, boot: str) -> dict[str, object]:
    """The press that `hold` or `tap` waits with, nothing where there is none."""
    match track.held:
        case Arrival(payload=payload) if binding.timing.hold is not None:
            return {"pressed": track.pressed_at, "boot": boot, "payload": payload.decode()}
        case _ if binding.timing.tap is not None and track.level:
            return {"pressed": track.pressed_at, "boot": boot}
        case _:
            return {}


def _pressed(track: Track, binding: Binding, topic: str, entry: object, boot: str) -> Track:
    match entry:
        case {"pressed": float(at), "boot": str(then), "payload": str(text)} if (
            then == boot and binding.timing.hold is not None
        ):
            held = Arrival(topic, text.encode(errors="replace"))
            return replace(track, level=True, pressed_at=at, held=held)
        case {"pressed": float(at), "boot": str(then)} if (
            then == boot and binding.timing.tap is not None
        ):
            return replace(track, level=True, pressed_at=at)
        case _:
            return track


def _track(entry: object) -> Track | None:
    match entry:
        case {
            "level": bool(level),
            "last": str() | None as last,
            "counted": bool(counted),
            "ids": list(ids),
        } if all(isinstance(each, str) for each in ids):
            return Track(level=level, last=last, last_counted=counted, ids=tuple(ids))
        case _:
            return None
