"""What a restart moves and what it forgets, for every field that a room keeps."""

from collections.abc import Iterator
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any, get_args, get_type_hints

from bridge.hmp.commands import RecordingStatus
from bridge.room.facts.created import Sessions
from bridge.room.facts.detail import Detail, DetailKind, Details
from bridge.room.facts.meeting import Meeting
from bridge.room.facts.restart import Monotonic, Passing, lasting, moved
from bridge.room.facts.state import Kept, LostStart, Recording, RoomState
from bridge.room.facts.values import Mark, Pending, Request
from bridge.room.facts.vocabulary import Action, Goal

from ..driven import POLICY, RECORDING_ID, SESSION

#: Numbers that no restart moves: wall times, which go on, and durations.
WALL_TIMES = {"started_at", "verified_at", "wall", "start", "end"}
DURATIONS = {"recorded", "extended", "length", "seconds", "ttl", "left"}

MONOTONIC = get_args(Monotonic)[1]
PASSING = get_args(Passing[int])[1]


def parts(hint: Any) -> Iterator[Any]:
    """What an annotation is made of."""
    yield hint
    for part in get_args(hint):
        yield from parts(part)


def kept_fields(kind: type, seen: set[type]) -> Iterator[tuple[Field[Any], list[Any]]]:
    """Every field of `kind`, and of whatever its fields hold, with the parts of its type."""
    seen.add(kind)
    hints = get_type_hints(kind, include_extras=True)
    for field in fields(kind):
        made_of = list(parts(hints[field.name]))
        yield field, made_of
        for part in made_of:
            if isinstance(part, type) and is_dataclass(part) and part not in seen:
                yield from kept_fields(part, seen)


FIELDS = list(kept_fields(Kept, set()))


def test_every_number_of_seconds_says_whose_clock_it_is_of() -> None:
    plain = {
        field.name for field, made_of in FIELDS if float in made_of and MONOTONIC not in made_of
    }
    assert plain == WALL_TIMES | DURATIONS


def test_what_is_passing_has_a_default_to_begin_with() -> None:
    assert not [
        field.name for field, made_of in FIELDS if PASSING in made_of and field.default is MISSING
    ]


REQUEST = Request(Action.STOP, 1, "stop", "t", received_at=1.0, meeting=Meeting(began=2.0))
ROOM = RoomState(
    POLICY,
    recording=Recording(
        RECORDING_ID,
        SESSION,
        started_at=1_700_000_000.0,
        status=RecordingStatus.RECORDING,
        running_since=3.0,
        unsettled=True,
        not_before=4.0,
        failures=3,
    ),
    lost_start=LostStart(SESSION, written_at=5.0, wall=1_700_000_000.0, ask_at=6.0),
    pending=(Pending(REQUEST, Goal.STOP, left=30.0),),
    marks=(Mark(None, "here", expires_at=7.0),),
    sessions=Sessions(remove_at=8.0),
    meetings=(Meeting("a", began=9.0), Meeting("b", began=10.0, ended_at=11.0)),
    details=Details(
        RECORDING_ID,
        SESSION,
        (Detail(DetailKind.TITLE, ("Weekly",), attempts=2, not_before=12.0),),
        until=13.0,
    ),
)


def test_every_instant_is_moved_however_deep_and_nothing_else() -> None:
    later = moved(ROOM, 100.0)
    assert later.recording is not None
    assert later.recording.running_since == 103.0
    assert later.recording.paused_since is None
    assert later.recording.started_at == 1_700_000_000.0
    assert later.lost_start is not None
    assert later.lost_start.written_at == 105.0
    [pending] = later.pending
    assert pending.left == 30.0
    assert pending.request.received_at == 101.0
    assert pending.request.meeting is not None
    assert pending.request.meeting.began == 102.0
    assert [mark.expires_at for mark in later.marks] == [107.0]
    assert [(each.began, each.ended_at) for each in later.meetings] == [
        (109.0, None),
        (110.0, 111.0),
    ]
    assert later.details is not None
    assert later.details.until == 113.0
    assert moved(later, -100.0) == ROOM


def test_what_only_steers_this_minute_is_left_out_however_deep() -> None:
    kept = Kept(**lasting(ROOM, Kept))
    assert kept.recording is not None
    assert not kept.recording.unsettled
    assert kept.recording.not_before == 0.0
    assert kept.recording.failures == 0
    assert kept.recording.running_since == 3.0
    assert kept.lost_start is not None
    assert (kept.lost_start.written_at, kept.lost_start.ask_at) == (5.0, 0.0)
    assert kept.sessions.remove_at == 0.0
    assert kept.details is not None
    [item] = kept.details.items
    assert (item.values, item.attempts, item.not_before) == (("Weekly",), 0, 0.0)
    assert lasting(kept, Kept) == lasting(ROOM, Kept)
