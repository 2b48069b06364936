"""What bindings remember, as a document that survives a restart.

A device that publishes its last press again and again, or its level, must not be taken for a new
press because the bridge has begun anew. What is being held or debounced is of the moment and is
not kept.
"""

import json
from collections.abc import Sequence

from .binding import Binding, Memory
from .timing import Track

__all__ = ["carried_over", "from_document", "to_document"]


def to_document(bindings: Sequence[Binding], memory: Memory) -> str:
    """The levels of bindings with `edge`, the counters and ids of those with `unique`, as JSON.

    By the bindings' keys, so that it still fits when their order in the file has changed.
    """
    kept: dict[str, dict[str, object]] = {}
    for (number, topic), track in memory.items():
        binding = bindings[number]
        level = binding.timing.edge is not None and track.level
        if level or track.last is not None:
            kept.setdefault(binding.key, {})[topic] = {
                "level": level,
                "last": track.last,
                "counted": track.last_counted,
                "ids": track.ids,
            }
    return json.dumps(kept, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def from_document(bindings: Sequence[Binding], document: str) -> Memory:
    """The memory as far as it still fits; what cannot be read is as if it had never been kept."""
    try:
        kept = json.loads(document)
    except (ValueError, RecursionError):
        return {}
    memory: dict[tuple[int, str], Track] = {}
    for number, binding in enumerate(bindings):
        topics = kept.get(binding.key) if isinstance(kept, dict) else None
        for topic, entry in (topics if isinstance(topics, dict) else {}).items():
            track = _track(entry)
            if track is not None:
                memory[number, topic] = track
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
