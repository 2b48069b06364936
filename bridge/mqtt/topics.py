"""The MQTT interface as text: a message becomes an input, a room's state becomes publications.

Topics and payloads are section 2 of the contract. Pure: what is subscribed, published and how is
for the link to say.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ..room.facts.created import Restream
from ..room.facts.detail import Details
from ..room.facts.meeting import Meeting, owner_in_words
from ..room.facts.state import RoomState
from ..room.facts.values import Problem, Result
from ..room.facts.vocabulary import Outcome, State, folded_word
from .payload import LONGEST_ID, UnreadablePayload, read_id, read_json, read_text

__all__ = [
    "Input",
    "Malformed",
    "Nothing",
    "Topics",
    "parse",
    "render_ack",
    "render_result",
    "render_room",
    "timestamp",
]

_TRUTHY = frozenset({"", "true", "1", "on", "press"})
_FALSY = frozenset({"false", "0", "off", "release"})


@dataclass(frozen=True, slots=True)
class Topics:
    """Every topic below one base topic."""

    base: str = "hmp"

    @property
    def inputs(self) -> tuple[str, ...]:
        """Topic filters of everything that people send."""
        rooms = f"{self.base}/room/+"
        leaves = ("set", "press/+", "mark", "metadata/+", "event")
        return tuple(f"{rooms}/{leaf}" for leaf in leaves)

    @property
    def bridge_state(self) -> str:
        """`online` or `offline`, the will."""
        return f"{self.base}/bridge/state"

    @property
    def bridge_info(self) -> str:
        """What this bridge is."""
        return f"{self.base}/bridge/info"

    @property
    def bridge_health(self) -> str:
        """How its links do."""
        return f"{self.base}/bridge/health"

    @property
    def bridge_marker(self) -> str:
        """The bridge's own marker: once it has come back, so has everything retained before it."""
        return f"{self.base}/bridge/marker"

    @property
    def error(self) -> str:
        """Answers to inputs for a room or an action that does not exist."""
        return f"{self.base}/bridge/response/error"

    def server_state(self, server: str) -> str:
        """The state of a server link."""
        return f"{self.base}/server/{server}/state"

    def room(self, room: str, leaf: str) -> str:
        """One topic of a room."""
        return f"{self.base}/room/{room}/{leaf}"


@dataclass(frozen=True, slots=True)
class Input:
    """Something asked of a room, not yet checked against what rooms can do.

    `word` is folded: lower case, and in events ``-``, ``.`` and space are ``_``. `id` is the
    sender's, None where there was none. `left_out` says which parameters could not be made of a
    message, and why; what is asked for is asked for without them.
    """

    room: str
    word: str
    event: bool = False
    parameters: Mapping[str, object] = field(default_factory=dict)
    id: str | int | None = None
    left_out: tuple[str, ...] = ()


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


def parse(topics: Topics, topic: str, payload: bytes) -> Input | Nothing:
    """Understand a message on one of `topics.inputs`.

    Raises `Malformed`.
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


def _press(room: str, action: str, text: str) -> Input | Nothing:
    word = action.lower()
    edge = text.strip().lower()
    if edge in _TRUTHY:
        return Input(room, word)
    if edge in _FALSY:
        return Nothing()
    if not edge.startswith("{"):
        raise Malformed("a press takes true, 1, on, press or an empty payload", room, word)
    parameters = _object(room, word, text)
    given = parameters.pop("action", action)
    if not isinstance(given, str) or given.lower() != word:
        raise Malformed(f"the topic says {word}, the payload another action", room, word)
    return Input(room, word, parameters=parameters, id=_id(room, word, parameters))


def _set(room: str, text: str) -> Input:
    text = text.strip()
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
    text = text.strip()
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


def render_room(
    topics: Topics, room: str, state: RoomState, tally: Mapping[State, str]
) -> dict[str, str]:
    """Every retained topic of a room with its payload; scalars and JSON say the same."""
    recording = state.recording
    published = state.state
    values: dict[str, object] = {
        "availability": "online" if state.link_ready else "offline",
        "state": published,
        "recording": state.active,
        "paused": state.paused,
        "tally": tally[published],
        "recording_id": None if recording is None else recording.id,
        "last_recording_id": state.last_recording_id,
        "session_id": state.session,
        "stream_id": None if state.restream is None else state.restream.id,
        "started_at": None if recording is None else timestamp(recording.started_at),
        "ends_at": None if state.ends_at is None else timestamp(state.ends_at),
        "elapsed": state.elapsed,
        "title": None if recording is None else recording.title,
        "alarm": state.alarm,
    }
    publications = {topics.room(room, leaf): _scalar(value) for leaf, value in values.items()}
    verified_at = None if recording is None else recording.verified_at
    status = values | {
        "alarms": sorted(state.alarms),
        "target": state.target,
        "owner": None if recording is None else owner_in_words(recording.owner),
        "verified_at": None if verified_at is None else timestamp(verified_at),
        "stale": state.stale,
        "meetings": [_meeting(each) for each in state.meetings],
        "details": None if state.details is None else _details(state.details),
        "restream": _restream(state.restream),
        "error": _problem(state.problem),
    }
    publications[topics.room(room, "status")] = _json(status)
    return publications


def render_ack(result: Result) -> str:
    """One line for a panel: ``record ok``, ``stop failed 040001``."""
    words = [result.word, result.outcome]
    if result.outcome is Outcome.FAILED and result.problem is not None:
        words.append(result.problem.code)
    return " ".join(words)


def render_result(result: Result) -> str:
    """The one result of a request, as JSON."""
    return _json(
        {
            "id": result.id,
            "action": result.word,
            "outcome": result.outcome,
            "state": result.state,
            "error": _problem(result.problem),
            "origin": result.origin,
            "took_ms": round(result.took * 1000, 1),
        }
    )


def _problem(problem: Problem | None) -> dict[str, str] | None:
    if problem is None:
        return None
    return {
        "code": problem.code,
        "message": problem.message,
        "explanation": problem.explanation,
    }


def _restream(stream: Restream | None) -> dict[str, object] | None:
    if stream is None:
        return None
    return {
        "state": "unknown" if stream.doubt else stream.phase.name.lower(),
        "recording_id": stream.recording,
        "ip": stream.ip,
        "port": stream.port,
    }


def _meeting(meeting: Meeting) -> dict[str, object]:
    return {
        "id": meeting.id,
        "title": meeting.title,
        "organizer": meeting.organizer,
        "start": None if meeting.start is None else timestamp(meeting.start),
        "end": None if meeting.end is None else timestamp(meeting.end),
        "dismissed": meeting.dismissed,
    }


def _details(details: Details) -> dict[str, object]:
    """What became of each detail, by its name, and HMP's word where it did not take it yet."""
    return {
        item.name: {"state": item.fate, "error": _problem(item.problem)} for item in details.items
    }


def timestamp(wall: float) -> str:
    """RFC 3339 in UTC, to the second."""
    return datetime.fromtimestamp(wall, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _scalar(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
