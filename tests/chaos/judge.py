"""Whether a calm is as promised: a pure function from what was seen to what is wrong.

Every check has a name, and `tests/chaos/test_judge.py` shows for each that it can fail.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from .observation import Asked, Observation, Room, Told, WorldRecording

__all__ = ["MOST_MEMORY", "NAMES", "Violation", "judge"]

MOST_MEMORY: Final = 120_000
"""Resident kB: twice what ten rooms may take, for a process that is observed under fire."""

NAMES: Final = {
    "forgotten_recording": "an id that was journalled or published is active in HMP, unknown to us",
    "unreported_spare": "HMP records a session beside or without its room, and no alarm says so",
    "wrong_room": "a room has published or journalled a recording of another room's session",
    "stop_lost": "the last word was a stop, and a recording that the room knew goes on",
    "stop_not_done": "a stop ended ok, and what it should have stopped goes on",
    "stop_refused": "a stop ended as no stop may end",
    "started_too_often": "HMP has executed more starts than were asked for and allowed",
    "wrong_state": "retained topics do not say what HMP says",
    "wrong_last": "last_recording_id is not the newest recording that ended",
    "json_disagrees": "the room's JSON and its scalar topics differ",
    "not_online": "availability is not what it is",
    "topic_missing": "a retained topic is not there",
    "no_result": "a press that the broker took over has no result",
    "results_differ": "the results of one press contradict each other",
    "result_repeated": "a press has more than one result, and nothing happened to excuse it",
    "journal_missing": "there is no journal, or not of a room that records",
    "journal_disagrees": "the journal and the retained topics differ",
    "second_in_flight": "a command was sent while another was in flight",
    "not_one_leader": "of a pair not one box leads while the other stands by and reaches the store",
    "written_out_of_turn": "a commit of a box that did not have the lease is in the store",
    "sent_out_of_turn": "a box has told HMP to change something while another one had the lease",
    "daemon_ended": "the daemon ended by itself",
    "no_clean_end": "the daemon did not leave in order when told to",
    "traceback": "the daemon's log has a traceback",
    "memory": "the daemon's memory has grown beyond bounds",
}
"""Every violation that there is, and what it means."""

_STARTING = frozenset({"record", "toggle", "adopt"})
_SCALARS = (
    *("availability", "state", "recording", "paused", "tally", "recording_id"),
    *("last_recording_id", "session_id", "title", "alarm", "started_at"),
)


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken promise: its name, the room (empty: the whole bridge), and the evidence."""

    name: str
    room: str
    text: str


def judge(seen: Observation) -> list[Violation]:
    """Everything that is wrong at this calm."""
    found = [Violation(name, "", text) for name, text in seen.seen]
    if seen.memory > MOST_MEMORY:
        found.append(Violation("memory", "", f"{seen.memory} kB resident, at most {MOST_MEMORY}"))
    if seen.retained.get("bridge/state") != "online":
        state = seen.retained.get("bridge/state")
        found.append(Violation("not_online", "", f"bridge/state is {state}"))
    states = {room.server: seen.retained.get(f"server/{room.server}/state") for room in seen.rooms}
    found += [
        Violation("not_online", "", f"server/{server}/state is {state}")
        for server, state in states.items()
        if state != "ready"
    ]
    words = [_word(seen, box) for box in seen.boxes]
    if seen.boxes and sorted(words) != ["leader", *["standby"] * (len(words) - 1)]:
        found.append(Violation("not_one_leader", "", ", ".join(map(str, words))))
    if seen.journal is None:
        found.append(Violation("journal_missing", "", "no rooms in the journal"))
    for room in seen.rooms:
        view = _View(seen, room)
        for check in _CHECKS:
            found += [Violation(name, room.name, text) for name, text in check(view)]
    return found


def _word(seen: Observation, box: str) -> str:
    """What a box says of itself; that it leads or stands by, only where it reaches the store."""
    told = json.loads(seen.retained.get(f"bridge/standby/{box}") or "{}")
    state = str(told.get("state"))
    return state if told.get("store") == "reachable" else f"{state} without the store"


_Found = Iterator[tuple[str, str]]


class _View:
    """An observation as one room sees it."""

    def __init__(self, seen: Observation, room: Room) -> None:
        self.seen = seen
        self.room = room
        self.here = [each for each in seen.recordings if each.session == room.session]
        self.active = [each for each in self.here if each.active]
        self.published = seen.published.get(room.name, ())
        self.journalled = seen.journalled.get(room.name, ())
        self.known = {*self.published, *self.journalled}
        self.asked = [each for each in seen.asked if each.room == room.name]
        self.status = self._status()

    def topic(self, leaf: str) -> str | None:
        return self.seen.retained.get(f"room/{self.room.name}/{leaf}")

    @property
    def shown(self) -> str | None:
        """The recording's id as published, None for `none`."""
        shown = self.topic("recording_id")
        return None if shown == "none" else shown

    @property
    def alarmed(self) -> bool:
        """Whether people are told that something is recorded that nobody can name."""
        alarms = self.status.get("alarms")
        return isinstance(alarms, list) and "outcome_unknown" in alarms

    @property
    def reported(self) -> float:
        """When people were last told so, Unix time."""
        return self.seen.reported.get(self.room.name, 0.0)

    def told(self, press: Asked) -> Sequence[Told]:
        return self.seen.told.get(press.id, ())

    def recording(self, recording_id: str | None) -> WorldRecording | None:
        return next((each for each in self.here if each.id == recording_id), None)

    def _status(self) -> dict[str, Any]:
        try:
            status = json.loads(self.topic("status") or "{}")
        except ValueError:
            return {}
        return status if isinstance(status, dict) else {}


def _recordings_are_known(view: _View) -> _Found:
    for recording in view.active:
        if recording.id == view.shown:
            continue
        if recording.id in view.known:
            yield "forgotten_recording", f"{recording.id} is {recording.state}, shown: {view.shown}"
        elif recording.id in view.seen.unwritten:
            continue
        elif not view.alarmed and (view.room.proves or view.reported < recording.started_at):
            yield "unreported_spare", f"{recording.id} is {recording.state}, shown: {view.shown}"
    for recording_id in view.known:
        session = view.seen.sessions.get(recording_id)
        if session is not None and session != view.room.session:
            yield "wrong_room", f"{recording_id} is of session {session}"


def _stops_are_done(view: _View) -> _Found:
    for press in view.asked:
        if press.action != "stop" or press.excused:
            continue
        for result in view.told(press):
            going_on = [
                each.id
                for each in view.active
                if each.started_at < press.at and each.id in view.known
            ]
            if result.outcome == "ok" and going_on:
                yield "stop_not_done", f"{press.id} ended ok, {', '.join(going_on)} goes on"
            if result.outcome == "expired" or (
                result.outcome == "failed" and result.code != "id_unknown"
            ):
                yield "stop_refused", f"{press.id} ended {result.outcome} {result.code}"
            if result.outcome == "unknown" and result.code != "outcome_unknown":
                yield "stop_refused", f"{press.id} ended unknown {result.code}"
    last = _last_stop(view.asked)
    if last is not None:
        for recording in view.active:
            if recording.id in view.known:
                outcomes = [result.outcome for result in view.told(last)]
                yield (
                    "stop_lost",
                    f"{last.id} ended {outcomes}, {recording.id} is {recording.state}",
                )


def _last_stop(asked: Sequence[Asked]) -> Asked | None:
    """The stop that nothing can have overtaken, if there is one."""
    for press in reversed(asked):
        if press.action in _STARTING:
            return None
        if press.action == "stop" and press.acked and not press.excused:
            return press
    return None


def _starts_are_counted(view: _View) -> _Found:
    allowed = view.seen.restarts_allowed.get(view.room.session, 0)
    once = 2 if view.room.restarts_lost else 1
    if view.room.restarts_interrupted:
        # What a stop has ended that nobody knows of is taken for lost.
        ended = sum(press.gone and press.action in ("stop", "toggle") for press in view.asked)
        interruptions = view.seen.interruptions.get(view.room.session, 0)
        allowed += once * (interruptions + min(ended, 1))
    allowed += sum(_starts_of(press, view.told(press), once) for press in view.asked)
    starts = view.seen.starts.get(view.room.session, 0)
    if starts > allowed:
        yield "started_too_often", f"{starts} starts executed, {allowed} allowed"


def _starts_of(press: Asked, told: Sequence[Told], once: int) -> int:
    """How many starts a press may have caused, by what became of it (R7).

    `once` is how many starts one intent may take when its outcome is unknown.
    """
    if press.action not in ("record", "toggle"):
        return 0
    if not told:
        return once if press.excused or not press.acked else 0
    match told[0]:
        case Told(outcome="ok", state="idle"):
            return 0  # a toggle that was a stop
        case Told(outcome="ok"):
            return 1
        case Told(outcome="unknown"):
            return once
        case _:
            return 0


def _topics_say_what_hmp_says(view: _View) -> _Found:
    state, flag, paused = view.topic("state"), view.topic("recording"), view.topic("paused")
    if None in (state, flag, paused, view.topic("recording_id"), view.topic("status")):
        yield "topic_missing", f"state {state}, recording {flag}, paused {paused}"
        return
    said = f"state {state}, recording {flag}, paused {paused}, recording_id {view.shown}"
    if (availability := view.topic("availability")) != "online":
        yield "not_online", f"availability is {availability}"
    if view.shown is not None:
        recording = view.recording(view.shown)
        word = "forgotten" if recording is None else recording.state
        unsaid = state == "unknown" and not view.alarmed
        if unsaid or (state, flag, paused) not in _SHOWN.get(word, ()):
            yield "wrong_state", f"{said}; HMP: {word}"
    elif flag == "true":
        if state != "recording" or not view.alarmed:
            yield "wrong_state", f"{said}: without an id it is recording, with an alarm"
        if not view.active:
            yield "wrong_state", f"{said}; HMP records nothing"
    elif not (state == "idle" or (state == "unknown" and view.alarmed)):
        yield "wrong_state", f"{said}; a calm room without a recording is idle"


_SHOWN: Final = {
    "RECORDING": (("recording", "true", "false"),),
    "PAUSED": (("paused", "true", "true"),),
    # R25: HMP lost it, and the room's policy is hold.
    "ERROR": (("error", "true", "false"), ("error", "true", "true")),
    "forgotten": (
        ("error", "true", "false"),
        ("error", "true", "true"),
        ("unknown", "true", "false"),
        ("unknown", "true", "true"),
    ),
}
"""State, recording and paused that a calm room may show, by HMP's word for its recording.

One that HMP forgets without ever having been seen by us in state RECORDING is `unknown` (R8).
"""


def _last_id_is_the_newest(view: _View) -> _Found:
    last, known = view.topic("last_recording_id"), [*view.published]
    lost = view.seen.unwritten
    ended = [each for each in known if each != view.shown and each not in lost]
    if last in (None, "none"):
        if ended:
            yield "wrong_last", f"last_recording_id is {last}, {ended[-1]} has ended"
        return
    if last == view.shown:
        yield "wrong_last", f"{last} is shown as present and as last"
    if ended and last != ended[-1]:
        newest, named = view.recording(ended[-1]), view.recording(last)
        if newest is not None and named is not None and named.started_at < newest.started_at:
            yield "wrong_last", f"last_recording_id is {last}, {ended[-1]} ended after it"


def _json_agrees(view: _View) -> _Found:
    for leaf in _SCALARS:
        scalar, value = view.topic(leaf), view.status.get(leaf)
        written = (
            "none"
            if value is None
            else str(value).lower()
            if isinstance(value, bool)
            else str(value)
        )
        if scalar is not None and scalar != written:
            yield "json_disagrees", f"{leaf} is {scalar}, in the JSON {written}"


def _presses_are_answered(view: _View) -> _Found:
    missing = [
        f"{press.id} ({press.action})"
        for press in view.asked
        if press.acked and not press.excused and not view.told(press)
    ]
    if missing:
        yield "no_result", ", ".join(missing)
    for press in view.asked:
        told = view.told(press)
        if len({(each.outcome, each.code) for each in told}) > 1 and not press.unwritten:
            yield "results_differ", f"{press.id} ({press.action}): {_listed(told)}"
        elif len(told) > 1 and not press.may_repeat:
            yield "result_repeated", f"{press.id} ({press.action}): {_listed(told)}"


def _listed(told: Iterable[Told]) -> str:
    return ", ".join(f"{each.outcome} {each.code}".strip() for each in told)


def _journal_agrees(view: _View) -> _Found:
    if view.seen.journal is None:
        return
    document = view.seen.journal.get(view.room.name)
    if document is None:
        if view.shown is not None:
            yield "journal_missing", f"nothing of a room that records {view.shown}"
        return
    recording = document.get("recording")
    journalled = None if recording is None else recording.get("id")
    if journalled != view.shown:
        yield "journal_disagrees", f"recording {journalled}, published {view.shown}"
    last = document.get("last_recording_id")
    if (last or "none") != (view.topic("last_recording_id") or "none"):
        published = view.topic("last_recording_id")
        yield "journal_disagrees", f"last recording {last}, published {published}"


_CHECKS: Final[Sequence[Callable[[_View], _Found]]] = (
    _recordings_are_known,
    _stops_are_done,
    _starts_are_counted,
    _topics_say_what_hmp_says,
    _last_id_is_the_newest,
    _json_agrees,
    _presses_are_answered,
    _journal_agrees,
)
