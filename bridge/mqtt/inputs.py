"""Messages of people, as text: one on an input topic of ours becomes an `Input`. Pure."""

from dataclasses import dataclass

from ..room.facts.vocabulary import folded_word
from ..text.truth import read_truth
from .payload import LONGEST_ID, UnreadablePayload, read_id, read_json, read_text
from .topics import Input, Topics

__all__ = ["EmptyPress", "Malformed", "Nothing", "parse"]


@dataclass(frozen=True, slots=True)
class EmptyPress:
    """An empty message on a press topic.

    It clears what the broker retains there, or it is a press: the room's settings say which.
    """

    press: Input


@dataclass(frozen=True, slots=True)
class Nothing:
    """A message that means nothing by design: the falling edge of a button."""


class Malformed(ValueError):
    """A message on an input topic that cannot be understood; the text says what would be.

    `room` and `word` are as far as they could be read, `id` likewise.
    """

    def __init__(self, reason: str, room: str, word: str, id: str | int | None = None) -> None:  # noqa: A002  # the contract's word
        super().__init__(reason)
        self.reason = reason
        self.room = room
        self.word = word
        self.id = id


def parse(topics: Topics, topic: str, payload: bytes) -> Input | EmptyPress | Nothing:
    """Understand a message on one of `topics.inputs`.

    Where a word is expected, a JSON text is as good as the word alone. Raises `Malformed`.
    """
    room, _, leaf = topic.removeprefix(f"{topics.base}/room/").partition("/")
    kind, _, action = leaf.partition("/")
    text = _text(room, leaf if kind == "metadata" else action or kind, payload)
    match kind:
        case "press":
            return _press(room, action, text)
        case "set":
            return _set(room, text)
        case "mark":
            return Input(room, "mark", parameters={"title": text} if text.strip() else {})
        case "metadata":
            return Input(room, leaf, parameters={"text": text})
        case "event":
            return _event(room, text)
        case _:
            raise Malformed(f"{topic} is no topic of this bridge", room, kind)


def _text(room: str, word: str, payload: bytes) -> str:
    try:
        return read_text(payload)
    except UnreadablePayload as error:
        raise Malformed(str(error), room, word) from None


def _word(text: str) -> str:
    """The text where a word is expected; programs that write JSON put it in quotes."""
    text = text.strip()
    try:
        return str(read_json(text)).strip() if text.startswith('"') else text
    except UnreadablePayload:
        return text


def _press(room: str, action: str, text: str) -> Input | EmptyPress | Nothing:
    word = action.lower()
    text = _word(text)
    if not text:
        return EmptyPress(Input(room, word))
    truth = read_truth(text)
    if truth is not None:
        return Input(room, word) if truth else Nothing()
    if not text.startswith("{"):
        raise Malformed("a press takes true, 1, on, press or pressed", room, word)
    parameters = _object(room, word, text)
    given = parameters.pop("action", action)
    if not isinstance(given, str) or given.lower() != word:
        raise Malformed(f"the topic says {word}, the payload another action", room, word)
    return Input(room, word, parameters=parameters, id=_id(room, word, parameters))


def _set(room: str, text: str) -> Input:
    text = _word(text)
    if not text:
        raise Malformed("the payload is empty; send an action word such as record", room, "set")
    if not text.startswith("{"):
        return Input(room, text.lower())
    parameters = _object(room, "set", text)
    request_id = _id(room, "set", parameters)
    action = parameters.pop("action", None)
    if not isinstance(action, str) or not action.strip():
        reason = 'the object needs "action" with an action word, such as {"action": "record"}'
        raise Malformed(reason, room, "set", request_id)
    return Input(room, action.strip().lower(), parameters=parameters, id=request_id)


def _event(room: str, text: str) -> Input:
    text = _word(text)
    if not text:
        reason = "the payload is empty; send an event word such as meeting_start"
        raise Malformed(reason, room, "event")
    if not text.startswith("{"):
        return Input(room, folded_word(text), event=True)
    # A meeting that is half understood is recorded all the same.
    parameters = _object(room, "event", text, mend=True)
    if isinstance(meeting_id := parameters.get("id"), (str, float)):
        parameters["id"] = str(meeting_id)[:LONGEST_ID]
    event = parameters.pop("event", None)
    word = folded_word(event) if isinstance(event, str) else ""
    left_out: tuple[str, ...] = ()
    try:
        request_id = read_id(parameters.get("id"))
    except UnreadablePayload as error:
        if word != "meeting_start":
            raise Malformed(str(error), room, "event") from None
        del parameters["id"]
        request_id, left_out = None, (str(error),)
    if not word:
        reason = 'the object needs "event" with a word, such as {"event": "meeting_start"}'
        raise Malformed(reason, room, "event", request_id)
    return Input(room, word, event=True, parameters=parameters, id=request_id, left_out=left_out)


def _object(room: str, word: str, text: str, *, mend: bool = False) -> dict[str, object]:
    try:
        value = read_json(text, mend=mend)
    except UnreadablePayload as error:
        raise Malformed(str(error), room, word) from None
    if not isinstance(value, dict):
        raise Malformed("the payload is not a JSON object", room, word)
    return value


def _id(room: str, word: str, parameters: dict[str, object]) -> str | int | None:
    try:
        return read_id(parameters.pop("id", None))
    except UnreadablePayload as error:
        raise Malformed(str(error), room, word) from None
