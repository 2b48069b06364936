"""The MQTT interface as text: where things are, and a room's state as publications.

Topics and payloads are section 2 of the contract; `inputs` reads what people send. Pure: what is
subscribed, published and how is for the link to say.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache

from ..room.facts.created import Restream
from ..room.facts.detail import Details
from ..room.facts.meeting import Meeting, owner_in_words
from ..room.facts.state import RoomState
from ..room.facts.values import Problem, Result
from ..room.facts.vocabulary import Outcome, State

__all__ = [
    "ALL_ROOMS",
    "Input",
    "Topics",
    "render_ack",
    "render_problem",
    "render_result",
    "render_room",
    "render_values",
    "room_values",
    "timestamp",
]


ALL_ROOMS = "ALL"
"""In the place of a room's key, which has no capitals: every room. Only a stop is taken there."""

_SCALARS = (
    "state",
    "recording",
    "tally",
    "paused",
    "availability",
    "recording_id",
    "last_recording_id",
    "session_id",
    "stream_id",
    "started_at",
    "ends_at",
    "elapsed",
    "title",
    "alarm",
)
"""Members of ``status`` that have topics of their own, in the order in which they leave."""


@dataclass(frozen=True, slots=True)
class Topics:
    """Every topic below one base topic.

    Of several bridges that share it each has a `part` of the servers, and topics of its own in the
    place of those below ``bridge`` (R38).
    """

    base: str = "hmp"
    part: str = ""

    @property
    def own_path(self) -> str:
        """The place of the bridge's own topics below the base topic."""
        return f"bridges/{self.part}" if self.part else "bridge"

    def of_part(self, part: str) -> "Topics":
        """The topics as another one of several bridges has them; those of one alone without."""
        return replace(self, part=part)

    def owner(self, server: str) -> str:
        """Which of several bridges has a server (R38)."""
        return f"{self.base}/server/{server}/bridge"

    @property
    def inputs(self) -> tuple[str, ...]:
        """Topic filters of everything that people send."""
        rooms = f"{self.base}/room/+"
        leaves = ("set", "press/+", "mark", "metadata/+", "event")
        return tuple(f"{rooms}/{leaf}" for leaf in leaves)

    @property
    def bridge_state(self) -> str:
        """`online` or `offline`, the will."""
        return f"{self.base}/{self.own_path}/state"

    @property
    def bridge_info(self) -> str:
        """The topic of what this bridge is."""
        return f"{self.base}/{self.own_path}/info"

    @property
    def bridge_health(self) -> str:
        """How its links do."""
        return f"{self.base}/{self.own_path}/health"

    @property
    def bridge_marker(self) -> str:
        """The bridge's own marker: once it has come back, so has everything retained before it."""
        return f"{self.base}/{self.own_path}/marker"

    @property
    def bridge_rooms_recording(self) -> str:
        """How many rooms have an active recording."""
        return f"{self.base}/{self.own_path}/rooms_recording"

    @property
    def bridge_rooms_alarm(self) -> str:
        """How many rooms have an alarm."""
        return f"{self.base}/{self.own_path}/rooms_alarm"

    def request(self, verb: str) -> str:
        """Where the bridge itself is asked for something."""
        return f"{self.base}/{self.own_path}/request/{verb}"

    def response(self, verb: str) -> str:
        """Where the bridge answers what it was asked there."""
        return f"{self.base}/{self.own_path}/response/{verb}"

    def standby(self, box: str) -> str:
        """What one of several boxes that stand in for each other says of itself (R36)."""
        return f"{self.base}/{self.own_path}/standby/{box}"

    @property
    def error(self) -> str:
        """Answers to inputs for a room or an action that does not exist."""
        return self.response("error")

    def server_state(self, server: str) -> str:
        """The state of a server link."""
        return f"{self.base}/server/{server}/state"

    def room(self, room: str, leaf: str) -> str:
        """One topic of a room."""
        return f"{self.base}/room/{room}/{leaf}"

    def share(self, topic: str) -> str:
        """Whose turn a publication takes: a room's, and all else has one together (R28)."""
        rooms = f"{self.base}/room/"
        return topic[len(rooms) :].partition("/")[0] if topic.startswith(rooms) else ""


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


def render_room(
    topics: Topics, room: str, state: RoomState, tally: Mapping[State, str]
) -> dict[str, str]:
    """Every retained topic of a room with its payload, in the order in which they are published.

    Scalars and JSON say the same. What people look at leaves first (R1).
    """
    return render_values(topics, room, room_values(state, tally), {})


def render_values(
    topics: Topics, room: str, values: Mapping[str, object], before: Mapping[str, object]
) -> dict[str, str]:
    """The same of what `room_values` gives, but for topics that say so since `before`."""
    if values == before:
        return {}
    publications = {
        topics.room(room, leaf): _scalar(values[leaf])
        for leaf in _SCALARS
        if leaf not in before or values[leaf] != before[leaf]
    }
    publications[topics.room(room, "status")] = _json(values)
    return publications


def room_values(state: RoomState, tally: Mapping[State, str]) -> dict[str, object]:
    """The members of ``status``, of which the first have topics of their own."""
    recording = state.recording
    published = state.state
    verified_at = None if recording is None else recording.verified_at
    return {
        "state": published,
        "recording": state.active,
        "tally": tally[published],
        "paused": state.paused,
        "availability": "online" if state.link_ready else "offline",
        "recording_id": state.held_id,
        "last_recording_id": state.last_recording_id,
        "session_id": state.session,
        "stream_id": None if state.restream is None else state.restream.id,
        "started_at": None if recording is None else timestamp(recording.started_at),
        "ends_at": None if state.ends_at is None else timestamp(state.ends_at),
        "elapsed": state.elapsed,
        "title": None if recording is None else recording.title,
        "alarm": state.alarm,
        "alarms": sorted(state.alarms),
        "target": state.target,
        "owner": None if recording is None else owner_in_words(recording.owner),
        "verified_at": None if verified_at is None else timestamp(verified_at),
        "revision": state.revision,
        "stale": state.stale,
        "meetings": [_meeting(each) for each in state.meetings],
        "details": None if state.details is None else _details(state.details),
        "restream": _restream(state.restream),
        "error": _problem(state.problem),
    }


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


def render_problem(problem: Problem) -> str:
    """A problem alone, as JSON: where there is no result that it belongs to."""
    return _json({"error": _problem(problem)})


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
    """The fate of each detail, by its name, and HMP's word where it did not take it yet."""
    return {
        item.name: {"state": item.fate, "error": _problem(item.problem)} for item in details.items
    }


@lru_cache(maxsize=4096)
def timestamp(wall: float) -> str:
    """RFC 3339 in UTC, to the second."""
    return datetime.fromtimestamp(wall, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _scalar(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
