"""When what a binding waits for is so: does it act now, later, or not at all?

A button speaks of a level, pressed or not, and of that this module decides, with the time as it is
given. Until a message has told it, a level counts as not pressed. Times are seconds on a monotonic
clock.

- nothing: every message that says so acts.
- `edge`: ``rising`` acts when it becomes so, ``falling`` when it ceases, ``both`` on either.
- `hold`: acts once when it has been so for that long.
- `tap`: acts when it ceases, if it was so for less than that.
"""

import hashlib
from dataclasses import dataclass, replace

__all__ = ["Move", "Timing", "Track", "act", "due_of", "moved", "noted"]

_NO_COUNTER = 1e9
"""No counter gets so far; the seconds since 1970 have been more since 2001."""

_LONGEST_KEY = 80
"""Characters of an id that are kept; of a longer one it is a digest."""

_MOST_IDS = 20
"""Ids of one topic that are known to have acted."""


@dataclass(frozen=True, slots=True)
class Timing:
    """The keys of a binding that are about time; durations in seconds."""

    edge: str | None = None
    hold: float | None = None
    tap: float | None = None
    debounce: float | None = None


@dataclass(frozen=True, slots=True)
class Track:
    """The memory of one binding and one topic."""

    level: bool = False
    pressed_at: float | None = None
    #: The message that began what is being held, until it has acted or was let go.
    held: object = None
    acted_at: float | None = None
    #: The counter or id of the last message that had one, and whether that message counted.
    last: str | None = None
    last_counted: bool = False
    #: Ids that have counted, the newest last.
    ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Move:
    """The move that a level comes to. `later`: it acts after so many seconds if nothing intervenes.

    Without a `reason`, why nothing is done is that it is not so.
    """

    track: Track
    acts: bool = False
    reason: str = ""
    later: float | None = None


def moved(track: Track, timing: Timing, level: bool, at: float, message: object) -> Move:
    """A message says at the time `at` that the level is this."""
    after = replace(track, level=level)
    if level and not track.level:
        after = replace(after, pressed_at=at)
    elif not level:
        after = replace(after, pressed_at=None, held=None)
    if timing.hold is not None:
        return _hold(track, after, timing.hold, at, message)
    if timing.tap is not None:
        return _tap(track, after, timing.tap, at)
    if timing.edge is not None:
        return _edge(track, after, timing.edge)
    return Move(after, acts=level)


def _edge(before: Track, after: Track, edge: str) -> Move:
    changed = before.level is not after.level
    match edge, after.level:
        case "rising", True:
            why = "it has been so before; edge = 'rising' acts when it becomes so"
        case "rising", False:
            return Move(after)
        case "falling", True:
            return Move(after, reason="it is so; edge = 'falling' acts when it ceases to be so")
        case _:
            why = f"that is no change; edge = {edge!r} acts on changes only"
    return Move(after, acts=changed, reason="" if changed else why)


def _hold(before: Track, after: Track, hold: float, at: float, message: object) -> Move:
    if after.level and before.level:
        return Move(after, reason="it has been so before; hold acts once per press")
    if after.level:
        reason = f"acts in {hold:g} s, unless it is released before"
        return Move(replace(after, held=message), reason=reason, later=hold)
    if before.held is None or before.pressed_at is None:
        return Move(after)
    lasted = at - before.pressed_at
    return Move(after, reason=f"released after {lasted:.1f} s, and hold is {hold:g} s")


def _tap(before: Track, after: Track, tap: float, at: float) -> Move:
    if after.level and before.level:
        return Move(after, reason="it has been so before; tap acts on the release")
    if after.level:
        return Move(after, reason=f"acts when it is released within {tap:g} s", later=tap)
    if before.pressed_at is None:
        return Move(after)
    lasted = at - before.pressed_at
    if lasted < tap:
        return Move(after, acts=True)
    return Move(after, reason=f"released after {lasted:.1f} s, and tap is less than {tap:g} s")


def due_of(track: Track, hold: float | None) -> float | None:
    """When what is being held acts; None while nothing is."""
    if hold is None or track.held is None or track.pressed_at is None:
        return None
    return track.pressed_at + hold


def act(track: Track, debounce: float | None, at: float) -> tuple[Track, str]:
    """It acts now, or, with a reason, it has done so just before."""
    if debounce is not None and track.acted_at is not None and at - track.acted_at < debounce:
        return track, f"it acted {at - track.acted_at:.2f} s ago, and debounce is {debounce:g} s"
    return replace(track, acted_at=at), ""


def noted(track: Track, value: object, counts: bool) -> tuple[Track, str]:
    """The counter or id of a message, or, with a reason, one that has been seen.

    `counts` says whether the message is what the binding waits for. A small number is a counter,
    which may begin again: only the latest is compared. Anything else, a time too, is an id.
    """
    counter = isinstance(value, int | float) and abs(value) < _NO_COUNTER
    text = repr(value)
    key = (
        text
        if len(text) <= _LONGEST_KEY
        else hashlib.sha256(text.encode(errors="replace")).hexdigest()
    )
    again = (track.last == key and track.last_counted) or (not counter and key in track.ids)
    if counts and again:
        return track, f"is {text[:_LONGEST_KEY]} once more"
    after = replace(track, last=key, last_counted=counts)
    if counts and not counter:
        after = replace(after, ids=(*track.ids, key)[-_MOST_IDS:])
    return after, ""
