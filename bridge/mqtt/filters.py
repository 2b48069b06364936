"""Topic filters: what matches, what overlaps, how few subscriptions serve many (MQTT 5, 4.7)."""

from collections.abc import Iterable, Sequence
from typing import TypeVar

__all__ = ["captures", "covers", "fault_of_filter", "fewest", "in_batches", "matches", "overlap"]

T = TypeVar("T")

# Some brokers (AWS IoT Core) hang up on a SUBSCRIBE with more filters, and cannot be asked.
_FILTERS_PER_SUBSCRIBE = 8


def fault_of_filter(topic_filter: str) -> str | None:
    """The fault of a topic filter and what would be right; None for a good one."""
    levels = topic_filter.split("/")
    if (
        not topic_filter
        or "\0" in topic_filter
        or len(topic_filter.encode(errors="replace")) > 65_535
    ):
        return "is no topic filter; it has 1 to 65,535 bytes and no NUL"
    if levels[0] == "$share":
        return "is a shared subscription; the bridge needs every message, write the filter alone"
    if any("#" in level for level in levels[:-1]) or levels[-1].strip("#") != levels[-1] != "#":
        return "is no topic filter; # stands alone, as the last level, such as shellies/#"
    if any("+" in level and level != "+" for level in levels):
        return "is no topic filter; + stands alone for one whole level, such as shellies/+/relay"
    return None


def captures(topic_filter: str, topic: str) -> tuple[str, ...] | None:
    """The levels that stand for ``+``, and the rest for ``#``, or None where it does not match."""
    wanted, levels = topic_filter.split("/"), topic.split("/")
    if levels[0].startswith("$") and wanted[0] in ("+", "#"):
        return None
    found: list[str] = []
    for position, level in enumerate(wanted):
        if level == "#":
            return (*found, "/".join(levels[position:]))
        if position == len(levels):
            return None
        if level == "+":
            found.append(levels[position])
        elif level != levels[position]:
            return None
    return tuple(found) if len(wanted) == len(levels) else None


def matches(topic_filter: str, topic: str) -> bool:
    """True if a message on this topic is delivered to who has subscribed to that filter."""
    return captures(topic_filter, topic) is not None


def covers(wide: str, narrow: str) -> bool:
    """True if everything that matches `narrow` matches `wide`."""
    wides, narrows = wide.split("/"), narrow.split("/")
    if wides[0] in ("+", "#") and narrows[0].startswith("$"):
        return False
    for position, level in enumerate(wides):
        if level == "#":
            return True
        if position == len(narrows) or narrows[position] == "#":
            return False
        if level not in ("+", narrows[position]):
            return False
    return len(wides) == len(narrows)


def overlap(one: str, other: str) -> bool:
    """True if there is a topic that matches both."""
    ones, others = one.split("/"), other.split("/")
    firsts = {ones[0], others[0]}
    if firsts & {"+", "#"} and any(level.startswith("$") for level in firsts):
        return False
    for position in range(max(len(ones), len(others)) + 1):
        here = ones[position] if position < len(ones) else None
        there = others[position] if position < len(others) else None
        if "#" in (here, there):
            return True
        if here is None or there is None:
            return here is there
        if here != there and "+" not in (here, there):
            return False
    return True


def fewest(topic_filters: Iterable[str]) -> list[str]:
    """Topic filters that match at least what the given ones do, no two of them the same topic.

    A broker may deliver a message once for each subscription that it matches; with these it has one
    only. Two that overlap, of which neither covers the other, become one that covers both, which
    matches more than was asked for.
    """
    given = list(dict.fromkeys(topic_filters))
    wild = [each for each in given if {"+", "#"} & set(each)]
    found: list[str] = []
    to_do = list(wild)
    while to_do:
        one = to_do.pop(0)
        other = next((each for each in found if overlap(each, one)), None)
        if other is None:
            found.append(one)
            continue
        found.remove(other)
        to_do.insert(0, _both(one, other))
    exact = (each for each in given if each not in wild)
    return [*found, *(each for each in exact if not any(covers(wide, each) for wide in found))]


def _both(one: str, other: str) -> str:
    """The narrowest filter of its kind that covers both."""
    if covers(one, other):
        return one
    if covers(other, one):
        return other
    ones, others = one.split("/"), other.split("/")
    levels: list[str] = []
    for here, there in zip(ones, others, strict=False):
        if "#" in (here, there):
            return "/".join([*levels, "#"])
        levels.append(here if here == there else "+")
    return "/".join(levels if len(ones) == len(others) else [*levels, "#"])


def in_batches(items: Sequence[T]) -> list[Sequence[T]]:
    """The filters, or what has one each, as many at a time as every broker takes."""
    count = _FILTERS_PER_SUBSCRIBE
    return [items[start : start + count] for start in range(0, len(items), count)]
