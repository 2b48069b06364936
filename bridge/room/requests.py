"""From the words of an input to a request that a room can decide, all of it checked (R17)."""

import secrets
from collections.abc import Mapping

from ..hmp import arguments
from ..hmp.errors import InvalidArgument
from .state import Problem, Request
from .vocabulary import Action

__all__ = ["EVENTS", "NotUnderstood", "malformed", "outlives", "request"]

EVENTS: Mapping[str, Action] = {
    "meeting_start": Action.RECORD,
    "meeting_end": Action.STOP,
    "button": Action.TOGGLE,
}
"""What an event asks of a room. `button` is one button for both ways."""

_TITLED = frozenset({Action.RECORD, Action.MARK})


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
    action = EVENTS.get(word) if event else _ACTIONS.get(word)
    if action is None:
        kind, words = ("event", EVENTS) if event else ("action", _ACTIONS)
        raise NotUnderstood(
            Problem(
                f"unknown_{kind}",
                f"{_shown(word)} is no {kind}",
                f"Send one of: {', '.join(words)}.",
            ),
            known=False,
        )
    try:
        title, recording_id = _checked(action, parameters, event=event)
    except InvalidArgument as error:
        raise NotUnderstood(malformed(str(error)), known=True) from None
    return Request(
        action=action,
        id=secrets.token_hex(8) if request_id is None else request_id,
        word=word,
        origin=origin,
        received_at=received_at,
        title=title,
        recording_id=recording_id,
        owner=_owner(parameters) if event else "manual",
    )


def outlives(asked: Request) -> bool:
    """Whether a request counts however old it is (R16): a stop, and what a meeting's events say."""
    return asked.action is Action.STOP or asked.word.startswith("meeting_")


def malformed(reason: str) -> Problem:
    """The problem of an input that cannot be understood."""
    return Problem("malformed", reason, "Nothing was done. Correct the message and send it again.")


_ACTIONS = {str(action): action for action in Action}


def _checked(
    action: Action, parameters: Mapping[str, object], *, event: bool
) -> tuple[str | None, arguments.RecordingId | None]:
    title = parameters.get("title")
    if event:
        # Booking systems send what they have: only what a room uses is looked at, and no title
        # is a reason not to record.
        text = arguments.drop_control_characters(title).strip() if isinstance(title, str) else ""
        return text[: arguments.TITLE_LIMIT] or None, None
    allowed = {"title"} if action in _TITLED else set()
    if action is Action.ADOPT:
        allowed = {"recording_id"}
        if "recording_id" not in parameters:
            raise InvalidArgument("recording_id", "", "is missing: the recording to hand over")
    for name in parameters:
        if name not in allowed:
            takes = f"takes {', '.join(sorted(allowed))}" if allowed else "takes no parameters"
            raise InvalidArgument(name, parameters[name], f"does not belong here: {action} {takes}")
    recording_id = None
    if action is Action.ADOPT:
        recording_id = arguments.recording_id(parameters["recording_id"], "recording_id")
    return (None if title is None else arguments.title(title)), recording_id


def _owner(parameters: Mapping[str, object]) -> str:
    meeting = parameters.get("id")
    return "meeting" if meeting is None else f"meeting:{meeting}"


def _shown(word: str) -> str:
    return repr(word if len(word) <= 40 else f"{word[:37]}...")
