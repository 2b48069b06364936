"""The command API as text: requests to servers and to the bridge itself, and their answers.

Topics and payloads are section 2 of the contract. Pure; which commands there are, and which of them
are allowed, is not known here.
"""

import json
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass, field

from ..room.facts.values import Problem, Reply
from ..room.facts.vocabulary import Outcome
from ..text.shortened import shortened
from .filters import matches
from .message import Message
from .payload import UnreadablePayload, read_id, read_json, read_text
from .topics import Topics

__all__ = [
    "Answer",
    "Asked",
    "Caller",
    "CommandTopic",
    "MalformedRequest",
    "VerbTopic",
    "answer_topic",
    "may_answer_on",
    "parse_command_payload",
    "parse_topic",
    "parse_verb_payload",
    "render_answer",
    "reply_of",
    "request_filters",
]

_DISCOVERY = "homeassistant"
"""Who writes below it makes devices in Home Assistant."""

_LONGEST_WORD = 40
"""Characters of a command or verb that an answer's topic repeats; the longest real one has 23."""


@dataclass(frozen=True, slots=True)
class CommandTopic:
    """``hmp/server/<server>/request/<command>``; neither needs to exist."""

    server: str
    command: str


@dataclass(frozen=True, slots=True)
class VerbTopic:
    """``hmp/bridge/request/<verb>``."""

    verb: str


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asked, and where the answer goes.

    `id` is the sender's or a generated one, `origin` the topic of the request, `topic` ours for its
    answer, `reply` the sender's.
    """

    id: str | int
    origin: str
    topic: str
    reply: Reply | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A payload: parameters by name or by position, and what is reserved beside them."""

    id: str | int | None = None
    parameters: dict[str, object] | list[object] = field(default_factory=dict)
    #: `startRecording` and `reload` only
    force: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """The fate of a request: `ok`, `failed`, `expired` (never sent) or `unknown` (reply lost).

    `raw` is HMP's line.
    """

    outcome: Outcome
    value: object = None
    problem: Problem | None = None
    raw: str | None = None


class MalformedRequest(ValueError):
    """A payload that cannot be understood; the text says why, `id` is as far as it was read."""

    def __init__(self, reason: str, id: str | int | None = None) -> None:  # noqa: A002  # the contract's word
        super().__init__(reason)
        self.reason = reason
        self.id = id


def request_filters(topics: Topics) -> tuple[str, ...]:
    """Topic filters of every request."""
    return (f"{topics.base}/server/+/request/+", topics.request("+"))


def parse_topic(topics: Topics, topic: str) -> CommandTopic | VerbTopic | None:
    """The request that a topic is for; None where it is for none."""
    below = topic.removeprefix(f"{topics.base}/")
    if below == topic or "/request/" not in below:
        return None
    match below.split("/"):
        case ["server", server, "request", command]:
            return CommandTopic(server, command)
        case [*path, "request", verb] if "/".join(path) == topics.own_path:
            return VerbTopic(verb)
        case _:
            return None


def answer_topic(
    topics: Topics, asked_on: CommandTopic | VerbTopic, servers: Collection[str]
) -> str:
    """Where the sender of a request listens, as far as there is such a topic; else `error`."""
    match asked_on:
        case CommandTopic(server, word) if server in servers:
            topic = f"{topics.base}/server/{server}/response/{word}"
        case VerbTopic(word):
            topic = topics.response(word)
        case _:
            return topics.error
    return topic if word and len(word) <= _LONGEST_WORD else topics.error


def may_answer_on(topics: Topics, topic: str, allowed: Iterable[str]) -> bool:
    """Say if the bridge may write an answer to a sender's Response Topic (R31).

    An answer must not go to what the bridge listens to, for then one message could become two
    commands (R17), nor to what it publishes. Of the rest it goes where the topic filters `allowed`
    say: the bridge has rights at the broker that the sender may lack. A filter that begins with a
    wildcard does not reach Home Assistant's discovery.
    """
    taken = [f"{topics.base}/{each}/" for each in ("room", "server", "bridge", "bridges")]
    if topic.startswith((*taken, "$")):
        return False
    if topic.split("/", maxsplit=1)[0] == _DISCOVERY:
        allowed = (each for each in allowed if each.split("/")[0] == _DISCOVERY)
    return any(matches(each, topic) for each in allowed)


def reply_of(message: Message) -> Reply | None:
    """Where the sender wants the answer (MQTT 5)."""
    if message.response_topic is None:
        return None
    data = message.correlation_data
    return Reply(message.response_topic, None if data is None else data.hex())


def parse_command_payload(payload: bytes, *, takes_force: bool = False) -> Asked:
    """The parameters of a command: an object by name, an array by position, or nothing.

    ``{"id": …, "parameters": […]}`` gives an array an id. Raises `MalformedRequest`.
    """
    given = _json(payload)
    if isinstance(given, list):
        return Asked(parameters=given)
    return _object(given, takes_force=takes_force)


def parse_verb_payload(payload: bytes, *, word: str | None = None, takes_force: bool) -> Asked:
    """The parameters of a verb: an object, nothing, or plain text where it stands for `word`.

    Raises `MalformedRequest`.
    """
    if word is not None:
        try:
            text = read_text(payload).strip()
        except UnreadablePayload as error:
            raise MalformedRequest(str(error)) from None
        if text and text[0] not in '{["':
            return Asked(parameters={word: text})
    given = _json(payload)
    if isinstance(given, list):
        raise MalformedRequest("the payload is not a JSON object")
    return _object(given, takes_force=takes_force)


def _json(payload: bytes) -> dict[str, object] | list[object]:
    try:
        text = read_text(payload).strip()
        given = read_json(text, strict=True) if text else {}
    except UnreadablePayload as error:
        raise MalformedRequest(str(error)) from None
    if not isinstance(given, (dict, list)):
        raise MalformedRequest("the payload is neither a JSON object nor an array")
    return given


def _object(given: dict[str, object], *, takes_force: bool) -> Asked:
    rest = dict(given)
    try:
        request_id = read_id(rest.pop("id", None))
    except UnreadablePayload as error:
        raise MalformedRequest(str(error)) from None
    force = rest.pop("force", False) if takes_force else False
    if not isinstance(force, bool):
        raise MalformedRequest('"force" is true or false', request_id)
    parameters = rest.get("parameters")
    if not isinstance(parameters, (dict, list)):
        return Asked(request_id, rest, force)
    del rest["parameters"]
    if rest:
        names = ", ".join(_shown(name) for name in rest)
        raise MalformedRequest(f'{names} cannot stand beside "parameters"', request_id)
    return Asked(request_id, parameters, force)


def _shown(name: str) -> str:
    return repr(shortened(name, _LONGEST_WORD))


def render_answer(answer: Answer, caller: Caller, *, with_raw: bool, origin: bool = False) -> str:
    """An answer as JSON; `origin` adds the request's topic, where that cannot be told otherwise."""
    fields: dict[str, object] = {
        "id": caller.id,
        "outcome": answer.outcome,
        "value": answer.value,
        "error": None if answer.problem is None else asdict(answer.problem),
    }
    if with_raw:
        fields["raw"] = answer.raw
    if origin:
        fields["origin"] = caller.origin
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
