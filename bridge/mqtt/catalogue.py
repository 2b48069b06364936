"""Every topic of the rooms, the servers and the bridge: a row each, for panels and documents.

What `topics` parses and renders is described here; a test renders and parses everything and finds
its row, so a topic cannot exist without one. Paths are below the base topic, with ``{room}`` and
``{server}`` for the configuration's names.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from ..room.facts.requests import ACTIONS, EVENTS, METADATA, parameters_of
from ..room.facts.vocabulary import ALARMS, Action, Happening, Outcome, State
from ..text.truth import TRUTH_PATTERN
from . import payloads
from .topic_values import (
    NULL,
    Schema,
    Values,
    count,
    free_text,
    identifier,
    instant,
    json_object,
    seconds,
    switch,
    words,
)
from .topics import ALL_ROOMS

__all__ = [
    "ACTION_MEANINGS",
    "BOX_ROWS",
    "ROWS",
    "Direction",
    "Row",
    "retained_topics",
    "tally_words",
    "watched_filters",
]

_LONGEST_TITLE = 255
_MOST_ELAPSED = 366 * 86400
_LONGEST_ACK = 80


class Direction(StrEnum):
    """As whoever speaks to the bridge sees it."""

    #: they publish, the bridge subscribes
    PUBLISH = "publish"
    #: the bridge publishes, they subscribe
    SUBSCRIBE = "subscribe"


@dataclass(frozen=True, slots=True)
class Row:
    """One topic. What is published is at QoS 1; `retained` is of what the bridge publishes.

    `as_json` is the schema of a JSON object that the topic takes as well as its text. `for_panels`
    is false where only programs have a use for it.
    """

    path: str
    direction: Direction
    values: Values
    meaning: str
    retained: bool = False
    as_json: Schema | None = None
    for_panels: bool = True

    def topic(self, base: str, *, bridge: str = "bridge", **names: str) -> str:
        """The topic itself; names that are not given stay as they are.

        `bridge` is the place of the bridge's own topics, `Topics.own_path`.
        """
        path = f"{bridge}{self.path[6:]}" if self.path.startswith("bridge/") else self.path
        for name, value in names.items():
            path = path.replace(f"{{{name}}}", value)
        return f"{base}/{path}"


def _in(path: str, values: Values, meaning: str, as_json: Schema | None = None) -> Row:
    return Row(path, Direction.PUBLISH, values, meaning, as_json=as_json)


def _out(
    path: str, values: Values, meaning: str, *, retained: bool = True, for_panels: bool = True
) -> Row:
    return Row(path, Direction.SUBSCRIBE, values, meaning, retained=retained, for_panels=for_panels)


ACTION_MEANINGS: Mapping[str, str] = {
    "record": "record; resume where the recording is paused",
    "stop": "stop; kept until HMP confirms it",
    "pause": "pause the recording",
    "resume": "go on with it",
    "toggle": "one button for record and stop",
    "toggle_pause": "one button for pause and resume",
    "mark": "HotMark at this moment",
    "extend": "let the recording run on beyond its end",
    "adopt": "take over a recording that HMP runs already, by its recording_id",
    "restream_start": "send the last finished recording to an address",
    "restream_stop": "end that",
    "live_on": "show the session live",
    "live_off": "do not show it live any more",
}
"""The meaning of each action; an action without a meaning here keeps the module from loading."""

_EDGE = Values(
    "true (1, on, press, pressed, yes); false (0, off, release) is ignored",
    len("released"),
    {"type": "string", "pattern": rf"^\s*({TRUTH_PATTERN}|\"\s*{TRUTH_PATTERN}?\s*\")?\s*$"},
    NULL,
)

_AVAILABILITY = words(["online", "offline"])
_STATE = words(State)


def _press(word: str, action: Action) -> Row:
    path, meaning = f"room/{{room}}/press/{word}", ACTION_MEANINGS[word]
    schema = payloads.action(word, parameters_of(action))
    if schema["required"]:  # an edge alone would be refused
        text = f"JSON with {' '.join(schema['required'])}"
        return replace(_in(path, json_object(text, schema), meaning), for_panels=False)
    return _in(path, _EDGE, meaning, schema)


_METADATA = {
    "title": (_LONGEST_TITLE, "title"),
    "description": (4000, "description"),
    "createdby": (255, "author"),
}

_SCALARS: Mapping[str, tuple[Values, str]] = {
    "availability": (
        _AVAILABILITY,
        "the bridge reaches HMP; true together with bridge/state only",
    ),
    "state": (_STATE, "what HMP says of the recording, and what is under way"),
    "recording": (switch(), "HMP has an active recording, running or paused"),
    "paused": (switch(), "the recording is paused"),
    "tally": (words(["off", "red", "amber", "blink", "fault"]), "the light"),
    "recording_id": (identifier(), "the active recording"),
    "last_recording_id": (identifier(), "the one before"),
    "session_id": (identifier(), "the session in use"),
    "stream_id": (identifier(), "the re-stream"),
    "started_at": (instant(), "when the recording began"),
    "ends_at": (instant(), "when it will end by itself"),
    "elapsed": (seconds(_MOST_ELAPSED), "recorded so far, pauses left out"),
    "title": (
        free_text(_LONGEST_TITLE, "text or none", or_none=True),
        "the title of the recording",
    ),
    "alarm": (words(ALARMS, or_none=True), "what somebody should look at, the worst of it"),
}
"""The retained topics of a room with one value each, which `status` has together."""


def _status(scalars: Mapping[str, Values]) -> Values:
    schemas = {leaf: values.inside for leaf, values in scalars.items()}
    return json_object("JSON", payloads.status(schemas))


_ANSWERS_WITHOUT_A_TOPIC = [
    payloads.answer(NULL, raw=for_hmp, origin=True) for for_hmp in (True, False)
]
"""To requests for a server that does not exist, or by a name that is too long for a topic."""

_PLAIN = {leaf: values for leaf, (values, _) in _SCALARS.items()}

ROWS: tuple[Row, ...] = (
    *(_press(word, action) for word, action in ACTIONS.items()),
    _in(
        "room/{room}/set",
        words(ACTIONS),
        "an action by its word",
        payloads.any_action({word: parameters_of(action) for word, action in ACTIONS.items()}),
    ),
    _in(
        "room/{room}/mark",
        free_text(_LONGEST_TITLE, "text, or empty"),
        "HotMark with this title",
    ),
    *(
        _in(
            f"room/{{room}}/{word}",
            free_text(_METADATA[field][0], "text; empty takes it back"),
            f"{_METADATA[field][1]} of the recording, or of the next one where none runs",
        )
        for word, field in METADATA.items()
    ),
    _in(
        "room/{room}/event",
        words(EVENTS),
        "what a booking system or a button says",
        payloads.event(list(EVENTS)),
    ),
    replace(
        _in(f"room/{ALL_ROOMS}/set", words([Action.STOP]), "stop every room"), for_panels=False
    ),
    *(
        _out(f"room/{{room}}/{leaf}", values, meaning)
        for leaf, (values, meaning) in _SCALARS.items()
    ),
    _out(
        "room/{room}/ack",
        free_text(_LONGEST_ACK, f"the word and {' '.join(Outcome)}, and a code where it failed"),
        "what became of the last request",
        retained=False,
    ),
    _out("room/{room}/status", _status(_PLAIN), "all of it in one object"),
    _out(
        "room/{room}/result",
        json_object("JSON", payloads.result()),
        "what became of each request, with its id",
        retained=False,
    ),
    _out(
        "room/{room}/happened",
        words(Happening),
        "what has just become of the room, once, where Home Assistant is shown it",
        retained=False,
        for_panels=False,
    ),
    _out(
        "server/{server}/state",
        words(["connecting", "ready", "degraded", "unauthorized", "refused", "down"]),
        "how HMP is reached",
    ),
    _out("bridge/state", _AVAILABILITY, "the bridge itself lives"),
    _out(
        "bridge/info",
        json_object("JSON", payloads.info()),
        "what this bridge is",
        for_panels=False,
    ),
    _out(
        "bridge/health",
        json_object("JSON", payloads.health()),
        "how its links do",
        for_panels=False,
    ),
    _out(
        "bridge/rooms_recording",
        count(),
        "how many rooms have an active recording, where Home Assistant is shown all of them",
        for_panels=False,
    ),
    _out(
        "bridge/rooms_alarm",
        count(),
        "how many rooms have an alarm, likewise",
        for_panels=False,
    ),
    _out(
        "bridge/response/error",
        json_object("JSON", {"anyOf": [payloads.result(), *_ANSWERS_WITHOUT_A_TOPIC]}),
        "what became of a request for a room, an action or a server that does not exist",
        retained=False,
        for_panels=False,
    ),
    _out(
        "bridge/marker",
        free_text(32, "hexadecimal digits, or empty"),
        "the bridge's own, by which it knows that everything before has arrived",
        retained=False,
        for_panels=False,
    ),
)
"""All of them, in the order in which a panel programmer reads them."""

BOX_ROWS: tuple[Row, ...] = (
    _out(
        "bridge/standby/{box}",
        json_object("JSON", payloads.box()),
        "what one of several boxes does, and what it reaches",
        for_panels=False,
    ),
)
"""More, where boxes stand in for each other."""


def retained_topics(base: str, kind: str, name: str) -> list[str]:
    """Every topic that the broker may retain of one ``room`` or ``server``: `kind` says which."""
    return [
        row.topic(base, **{kind: name})
        for row in ROWS
        if row.retained and row.path.startswith(f"{kind}/")
    ]


def watched_filters(base: str, bridge: str = "bridge") -> list[str]:
    """Filters of all that the bridge publishes retained; none matches what anybody sends to it.

    Without its own state and its info, to which it is subscribed anyway (R26).
    """
    watched = [row for row in ROWS if row.retained]
    heard = ("bridge/state", "bridge/info")
    named = {"bridge": bridge, "room": "+", "server": "+"}
    return [row.topic(base, **named) for row in watched if row.path not in heard]


def tally_words(row: Row, own: Iterable[str]) -> Row:
    """The row with a room's own words for the tally light, where it has any."""
    values = words(dict.fromkeys(own))
    if row.path.endswith("/tally"):
        return replace(row, values=values)
    if row.path.endswith("/status"):
        return replace(row, values=_status(_PLAIN | {"tally": values}))
    return row
