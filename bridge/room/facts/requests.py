"""From the words of an input to a request that a room can decide, all of it checked (R17)."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ...hmp import arguments
from ...hmp.commands import MetadataField
from ...hmp.errors import InvalidArgument
from ...text.durations import NoDuration, read_duration
from ...text.shortened import shortened
from .meeting import Meeting, read_meeting, read_words
from .values import Problem, Request
from .vocabulary import ALWAYS_COUNT, Action

__all__ = [
    "ACTIONS",
    "EVENTS",
    "METADATA",
    "NotUnderstood",
    "malformed",
    "outlives",
    "parameters_of",
    "request",
]

_MOST_MINUTES = 60 * 24 * 366

EVENTS: Mapping[str, Action] = {
    "meeting_start": Action.MEETING_START,
    "meeting_end": Action.MEETING_END,
    "meeting_extend": Action.MEETING_EXTEND,
    "button": Action.TOGGLE,
}
"""The action that an event asks of a room. `button` is one button for both ways."""

ACTIONS: Mapping[str, Action] = {
    str(action): action
    for action in Action
    if action not in (*EVENTS.values(), Action.DESCRIBE) or action is Action.TOGGLE
}
"""The words that a panel can send."""

METADATA: Mapping[str, MetadataField] = {f"metadata/{each}": each for each in MetadataField}
"""The words of metadata given as text, by the end of their topic."""


class NotUnderstood(ValueError):
    """The request cannot be decided: `problem` says why, `known` whether the word was known."""

    def __init__(self, problem: Problem, *, known: bool) -> None:
        super().__init__(problem.message)
        self.problem = problem
        self.known = known


def request(
    word: str,
    parameters: Mapping[str, object],
    *,
    event: bool,
    request_id: str | int | None,
    origin: str,
    received_at: float,
    left_out: Sequence[str] = (),
) -> Request:
    """The request that `word` stands for; an id is made up where the sender gave none.

    `left_out` says which parameters are missing because they could not be made of a message.
    Raises `NotUnderstood` for an unknown word and for parameters that are wrong or do not belong.
    """
    action = EVENTS.get(word) if event else ACTIONS.get(word)
    if not event and word in METADATA:
        action = Action.DESCRIBE
    if action is None:
        raise NotUnderstood(_unknown(word, event=event), known=False)
    try:
        if event:
            checked, unread = _of_event(action, parameters)
            left_out = [*left_out, *unread]
        elif action is Action.DESCRIBE:
            checked = {"text": _metadata(word, parameters)}
        else:
            checked = _of_action(action, parameters)
    except InvalidArgument as error:
        raise NotUnderstood(malformed(str(error)), known=True) from None
    advice = "Correct what the message carries, or the template that uses it."
    return Request(
        doubt=Problem("left_out", "; ".join(left_out), advice) if left_out else None,
        action=action,
        id=secrets.token_hex(8) if request_id is None else request_id,
        word=word,
        origin=origin,
        received_at=received_at,
        **checked,
    )


def _unknown(word: str, *, event: bool) -> Problem:
    kind, words = ("event", EVENTS) if event else ("action", ACTIONS)
    if not event and word.startswith("metadata/"):
        advice = f"Publish to one of: {', '.join(METADATA)}."
        return Problem("unknown_action", f"{_shown(word)} is no metadata of a recording", advice)
    advice = f"Send one of: {', '.join(words)}."
    return Problem(f"unknown_{kind}", f"{_shown(word)} is no {kind}", advice)


def outlives(asked: Request) -> bool:
    """True if a request counts however old it is (R16): a stop, and what a meeting's events say."""
    return asked.action in ALWAYS_COUNT


def malformed(reason: str) -> Problem:
    """The problem of an input that cannot be understood."""
    return Problem("malformed", reason, "Nothing was done. Correct the message and send it again.")


def _minutes(value: object, field: str) -> float:
    """Seconds of a number of minutes, also where it is written as text, or as a duration."""
    try:
        seconds = read_duration(value, unit=60.0)
    except NoDuration:
        seconds = 0.0
    if not 0 < seconds <= _MOST_MINUTES * 60:
        raise InvalidArgument(field, value, "must be a number of minutes above 0, such as 15")
    return seconds


_CHECKS: Mapping[str, tuple[str, Callable[[object, str], object]]] = {
    "title": ("title", arguments.title),
    "minutes": ("seconds", _minutes),
    "recording_id": ("recording_id", arguments.recording_id),
    "ip": ("ip", arguments.ip_address),
    "port": ("port", arguments.port),
}
"""A parameter's name: the field of `Request` that it becomes, and its check."""

_TAKES: Mapping[Action, tuple[str, ...]] = {
    Action.RECORD: ("title",),
    Action.MARK: ("title",),
    Action.EXTEND: ("minutes",),
    Action.ADOPT: ("recording_id",),
    Action.RESTREAM_START: ("ip", "port"),
}
"""The parameters of each action; those of a request that are null count as absent."""


def parameters_of(action: Action) -> tuple[str, ...]:
    """The parameters that an action takes beside its `id`."""
    return _TAKES.get(action, ())


def _of_action(action: Action, parameters: Mapping[str, object]) -> dict[str, Any]:
    takes = parameters_of(action)
    if action is Action.ADOPT and "recording_id" not in parameters:
        reason = "recording_id is missing: the id of the recording to hand over"
        raise NotUnderstood(malformed(reason), known=True)
    for name in parameters:
        if name not in takes:
            words = f"takes {', '.join(takes)}" if takes else "takes no parameters"
            raise InvalidArgument(name, parameters[name], f"does not belong here: {action} {words}")
    checked = {}
    for name, value in parameters.items():
        if value is not None or name == "recording_id":
            field, check = _CHECKS[name]
            checked[field] = check(value, name)
    return checked


def _of_event(
    action: Action, parameters: Mapping[str, object]
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The part of a booking system's words that a room uses, and what could not be understood.

    That is no reason not to record a start; it is said in the result. A button is pressed by a
    person: what it starts belongs to no meeting (R11).
    """
    if action is Action.TOGGLE:
        doubts: list[str] = []
        title = read_words(dict(parameters), "title", doubts)
        return {"title": title and title[: arguments.TITLE_LIMIT]}, tuple(doubts)
    others = {name: value for name, value in parameters.items() if name != "minutes"}
    meeting, unread = read_meeting(others)
    asked: dict[str, Any] = {"meeting": meeting}
    if action is Action.MEETING_EXTEND:
        asked["seconds"], unread = _extension(parameters.get("minutes"), meeting, unread)
    elif action is Action.MEETING_START and parameters.get("minutes") not in (None, ""):
        unread = (*unread, "minutes: is of an extension; a meeting has an end or a duration")
    return asked, unread


def _extension(
    minutes: object, meeting: Meeting, unread: tuple[str, ...]
) -> tuple[float | None, tuple[str, ...]]:
    """By how many seconds an end is moved, and what could not be understood.

    One thing that says how far is enough; where nothing readable does, nobody guesses.
    """
    seconds = None
    try:
        seconds = None if minutes in (None, "") else _minutes(minutes, "minutes")
    except InvalidArgument as error:
        unread = (*unread, str(error))
    if unread and seconds is None and meeting.end is None and meeting.length is None:
        raise NotUnderstood(malformed("; ".join(unread)), known=True)
    return seconds, unread


def _metadata(word: str, parameters: Mapping[str, object]) -> str:
    field, text = METADATA[word], parameters.get("text")
    for name in parameters:
        if name != "text":
            raise InvalidArgument(
                name, parameters[name], f"does not belong here: {word} has a text"
            )
    if isinstance(text, str) and not text.strip():
        return ""
    if field is MetadataField.TITLE:
        return arguments.title(text, field)
    limit = arguments.TEXT_LIMIT if field is MetadataField.DESCRIPTION else arguments.NAME_LIMIT
    return arguments.text(text, field, limit=limit)


def _shown(word: str) -> str:
    return repr(shortened(word, 40))
