"""Faults of bindings beyond their single keys: among these, with rooms and topics."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ..mqtt.filters import covers, fault_of_filter, fewest, overlap
from ..room.facts.requests import ACTIONS, parameters_of
from ..room.facts.vocabulary import Action, folded_word
from ..text.nearest import did_you_mean
from .bindings import conditions_of
from .errors import Fault

__all__ = ["faults_of_bindings", "own_topics"]


def faults_of_bindings(data: Mapping[str, Any]) -> list[Fault]:
    """Found in the text as it was written, as everything that is wrong between tables."""
    tables, rooms = data.get("bindings"), data.get("rooms")
    if not isinstance(tables, list | tuple):
        return []
    own = own_topics(data)
    faults, topics = [], {}
    for number, table in enumerate(tables, 1):
        if not isinstance(table, Mapping):
            continue
        found = [*_of_one(table), *_of_room(table, rooms if isinstance(rooms, Mapping) else {})]
        topic = table.get("topic")
        if isinstance(topic, str) and fault_of_filter(topic) is None:
            if any(overlap(topic, mine) for mine in own):
                found.append(("topic", f"{topic!r} {_MATCHES_US}"))
            else:
                topics[number] = topic
        faults += [Fault(("bindings", str(number), key), reason) for key, reason in found]
    for both in fewest(topics.values()):
        if any(overlap(both, mine) for mine in own):
            number = next(each for each, topic in topics.items() if covers(both, topic))
            reason = f"{topics[number]!r} {_OVERLAPS.format(both)}"
            faults.append(Fault(("bindings", str(number), "topic"), reason))
    return faults


def own_topics(data: Mapping[str, Any]) -> list[str]:
    """Topic filters of all that the bridge itself publishes and is told."""
    mqtt = data.get("mqtt")
    base = mqtt.get("base_topic") if isinstance(mqtt, Mapping) else None
    return [f"{base or 'hmp'}/{part}/#" for part in ("room", "server", "bridge")]


_MATCHES_US = (
    "matches topics of the bridge itself; its inputs need no binding, and what it publishes must "
    "not come back: name the device's topic, or at least its first level"
)
_OVERLAPS = (
    "overlaps with the topic of another binding, and the subscription that covers both, {}, "
    "matches topics of the bridge itself; name the first level of each"
)


def _of_room(table: Mapping[str, Any], rooms: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    room = table.get("room")
    if isinstance(room, str) and "{" not in room and room not in rooms:
        hint = did_you_mean(room, rooms, f"configured are: {', '.join(rooms)}")
        yield "room", f"{room!r} is no room; {hint}"


def _of_one(table: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    match, payload = table.get("match"), table.get("payload")
    has = {key for key, value in table.items() if value is not None}
    if not has & {"do", "event"}:
        yield "do", 'is missing: do = "record", or event = "meeting_start"'
    elif {"do", "event"} <= has:
        yield "event", "cannot stand beside do; keep one of the two, or write two bindings"
    if {"match", "payload"} <= has:
        yield "payload", "is for text, match is for JSON; keep one of the two"
    elif match == {}:
        yield "match", "is empty; write what is to be so, or leave it out to take every message"
    else:
        yield from _of_conditions(match, payload, table.get("ignore_empty") is not False)
    modes = [key for key in ("edge", "hold", "tap") if key in has]
    if len(modes) > 1:
        yield modes[1], f"cannot stand beside {modes[0]}; write two bindings"
    if modes and not has & {"match", "payload"}:
        yield modes[0], "needs match or payload, or it is never released"
    if "unique" in has and "payload" in has:
        yield "unique", "is a path into JSON, and payload is for text; use match"
    for one, other in (("age", "max_age"), ("max_age", "age")):
        if one in has and other not in has:
            yield other, f"is missing, and {one} says nothing without it"
    yield from _of_fields(table)


_INSTEAD = {
    "regex": 'payload = { regex = "…" }, where it is text',
    "exists": "leave match out, to take every message",
}


def _of_conditions(match: Any, payload: Any, ignore_empty: bool) -> Iterator[tuple[str, str]]:
    match list(match.items()) if isinstance(match, Mapping) else []:
        # A message that has such a key is matched by a list.
        case [(("regex" | "exists") as key, wanted)] if not isinstance(wanted, list | tuple):
            needed = f"{key} needs the path of what it is about: match = {{ action = {{ {key} = …"
            yield "match", f"{needed} }} }}, or {_INSTEAD[key]}"
        case _:
            pass
    try:
        list(conditions_of(match if isinstance(match, Mapping) else None, None, ignore_empty))
    except ValueError as error:
        yield "match", str(error)
    if isinstance(payload, Mapping) and "regex" not in payload:
        return  # no such table can stand here, which is said by the key itself
    try:
        list(conditions_of(None, payload, ignore_empty))
    except ValueError as error:
        yield "payload", str(error)


_NO_NAME = "is no name that templates can use; write letters, digits and _, such as {}"


def _of_fields(table: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Parameters that the action does not take, and the one that it must have.

    And fields of an event that no template could name, which a meeting would be without.
    """
    word, fields = table.get("do"), table.get("fields", {})
    for name in fields if "event" in table and isinstance(fields, Mapping) else ():
        if not name.isidentifier():
            yield f"fields.{name}", _NO_NAME.format(re.sub(r"\W+", "_", name.strip()) or "course")
    action = ACTIONS.get(folded_word(word)) if isinstance(word, str) else None
    if action is None or not isinstance(fields, Mapping):
        return
    takes = parameters_of(action)
    if action is Action.ADOPT and "recording_id" not in fields:
        yield "fields.recording_id", "is missing: the id of the recording to adopt"
    for name in fields:
        if name not in ("id", *takes):
            words = f"takes {', '.join(takes)}" if takes else "takes no parameters"
            yield f"fields.{name}", f"does not belong here: {action} {words}"
