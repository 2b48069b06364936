"""From the words of an input to a request that a room can decide, all of it checked (R17)."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ..hmp import arguments
from ..hmp.errors import InvalidArgument
from .state import Problem, Request
from .vocabulary import Action

__all__ = [
    "ACTIONS",
    "EVENTS",
    "NotUnderstood",
    "malformed",
    "outlives",
    "parameters_of",
    "request",
]

EVENTS: Mapping[str, Action] = {
    "meeting_start": Action.RECORD,
    "meeting_end": Action.STOP,
    "button": Action.TOGGLE,
}
"""What an event asks of a room. `button` is one button for both ways."""


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
) -> Request:
    """The request that `word` stands for; an id is made up where the sender gave none.

    Raises `NotUnderstood` for an unknown word and for parameters that are wrong or do not belong.
    """
    action = EVENTS.get(word) if event else ACTIONS.get(word)
    if action is None:
        kind, words = ("event", EVENTS) if event else ("action", ACTIONS)
        raise NotUnderstood(
            Problem(
                f"unknown_{kind}",
                f"{_shown(word)} is no {kind}",
                f"Send one of: {', '.join(words)}.",
            ),
            known=False,
        )
    try:
        checked = _of_event(action, parameters) if event else _of_action(action, parameters)
    except InvalidArgument as error:
        raise NotUnderstood(malformed(str(error)), known=True) from None
    asked = Request(
        action=action,
        id=secrets.token_hex(8) if request_id is None else request_id,
        word=word,
        origin=origin,
        received_at=received_at,
    )
    return replace(asked, **checked)


def outlives(asked: Request) -> bool:
    """Whether a request counts however old it is (R16): a stop, and what a meeting's events say."""
    return asked.action in (Action.STOP, Action.RESTREAM_STOP) or asked.word.startswith("meeting_")


def malformed(reason: str) -> Problem:
    """The problem of an input that cannot be understood."""
    return Problem("malformed", reason, "Nothing was done. Correct the message and send it again.")


ACTIONS: Mapping[str, Action] = {str(action): action for action in Action}
"""The words that a panel can send."""


_CHECKS: Mapping[str, Callable[[object, str], object]] = {
    "title": arguments.title,
    "recording_id": arguments.recording_id,
    "ip": arguments.ip_address,
    "port": arguments.port,
}

_TAKES: Mapping[Action, tuple[str, ...]] = {
    Action.RECORD: ("title",),
    Action.MARK: ("title",),
    Action.ADOPT: ("recording_id",),
    Action.RESTREAM_START: ("ip", "port"),
}
"""The parameters of each action; those of a request that are null count as absent."""


def parameters_of(action: Action) -> tuple[str, ...]:
    """What an action takes beside its `id`."""
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
    return {
        name: _CHECKS[name](value, name)
        for name, value in parameters.items()
        if value is not None or name == "recording_id"
    }


def _of_event(action: Action, parameters: Mapping[str, object]) -> dict[str, Any]:
    """What a room uses of what booking systems send; no title is a reason not to record.

    A button is pressed by a person: what it starts belongs to no meeting (R11).
    """
    title, meeting = parameters.get("title"), parameters.get("id")
    text = arguments.drop_control_characters(title).strip() if isinstance(title, str) else ""
    asked: dict[str, Any] = {"title": text[: arguments.TITLE_LIMIT] or None}
    if action is not Action.TOGGLE:
        asked["owner"] = "meeting" if meeting is None else f"meeting:{meeting}"
    return asked


def _shown(word: str) -> str:
    return repr(word if len(word) <= 40 else f"{word[:37]}...")
