"""What survives a kill: every state that a room can be in, written, read, and made sense of."""

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.journal.inputs import InputKey
from bridge.journal.instant import Instant
from bridge.journal.store import Entry
from bridge.room.facts.state import Change, RoomState
from bridge.room.facts.values import Now, Result
from bridge.room.facts.vocabulary import Action, Alarm, Outcome, State, StepKind, Stop, Target
from bridge.room.memory.durable import DocumentError, from_document, remember, restore, to_document
from bridge.room.memory.memory import Memory, recall

from ..driven import IS_RECORDING, POLICY, RECORDING_ID, WALL, DrivenRoom, recording

BOOT = "boot-1"


def restarted(room: RoomState, *, saved_at: float, now: float, shift: float = 0.0) -> Change:
    """The room after its process was killed at `saved_at` and another one looked at `now`."""
    known = from_document(to_document(remember(room)))
    return restore(
        POLICY,
        known,
        saved_at=saved_at,
        shift=shift,
        same_boot=shift == 0.0,
        now=Now(now, WALL + now),
    )


ACTIONS = [action for action in Action if action is not Action.ADOPT]


@given(st.lists(st.sampled_from(ACTIONS), max_size=6), st.booleans(), st.booleans())
@settings(max_examples=200)
def test_every_document_reads_back_equal(
    actions: list[Action], queueing: bool, ready: bool
) -> None:
    driven = DrivenRoom(ready=ready)
    driven.queueing = queueing
    for action in actions:
        driven.press(action)
    known = remember(driven.room)
    assert from_document(to_document(known)) == known


def test_polling_alone_is_not_worth_a_flush() -> None:
    driven = recording()
    before = remember(driven.room)
    for _ in range(10):
        driven.answer(IS_RECORDING)
    assert driven.clock >= 10 * POLICY.poll_interval
    assert remember(driven.room) == before


def test_an_intent_that_was_written_down_is_an_unknown_outcome() -> None:
    driven = DrivenRoom()
    driven.press(Action.RECORD)
    assert driven.room.busy is not None
    state, results = restarted(driven.room, saved_at=0.0, now=3.0)
    assert state.state is State.UNKNOWN
    assert state.alarm is Alarm.OUTCOME_UNKNOWN
    assert [result.outcome for result in results] == [Outcome.UNKNOWN]
    assert state.lost_start is not None
    assert state.lost_start.written_at == 3.0  # at the latest: asked about for longest
    assert state.target is Target.RECORDING


def test_a_recording_is_kept_and_asked_about_first() -> None:
    driven = recording()
    state, results = restarted(driven.room, saved_at=1.0, now=61.0)
    assert results == ()
    assert state.recording is not None
    assert state.recording.id == RECORDING_ID
    assert state.recording.unsettled
    assert state.stale
    assert state.state is State.RECORDING
    assert state.elapsed >= 60


def test_a_stop_is_kept() -> None:
    driven = recording()
    driven.press(Action.STOP)
    state, _ = restarted(driven.room, saved_at=1.0, now=1000.0)
    assert state.recording is not None
    assert state.recording.stop is Stop.WANTED
    assert state.pending[0].left is None


def test_a_press_that_waited_for_hmp_goes_on_waiting_for_what_is_left_of_its_time() -> None:
    driven = DrivenRoom(ready=False)
    driven.press(Action.RECORD)
    state, results = restarted(driven.room, saved_at=0.0, now=10.0)
    assert results == ()
    assert state.pending[0].left == POLICY.action_ttl
    assert state.not_ready_since == 0.0  # the ten seconds count


def test_a_mark_on_its_way_is_never_repeated() -> None:
    driven = recording()
    driven.press(Action.MARK)
    assert driven.room.busy is not None
    assert driven.room.busy.kind is StepKind.MARK
    state, results = restarted(driven.room, saved_at=1.0, now=1.5)
    assert state.marks == ()
    assert [result.outcome for result in results] == [Outcome.UNKNOWN]


def test_another_boot_moves_every_clock() -> None:
    driven = recording()
    saved = Instant("boot-1", 1.0, WALL + 1.0)
    now = Instant("boot-2", 5.0, WALL + 100.0)
    state, _ = restarted(driven.room, saved_at=1.0, now=5.0, shift=saved.shift_to(now))
    assert state.recording is not None
    assert state.elapsed == pytest.approx(100, abs=2)


@pytest.mark.parametrize(
    "document", ["", "{", "[]", "{}", '{"target":"flying"}', "null", '{"recording":null}']
)
def test_what_cannot_be_read_is_said(document: str) -> None:
    with pytest.raises(DocumentError):
        from_document(document)


#: As the first version wrote it: what comes later must go on reading it.
FIRST_VERSION = """
{"target":"recording","recording":{"id":"f678f415-0665-48cd-b141-1e95283469f1",
"session":"71edd346-2cf0-4c62-b3d3-9d457b287394","started_at":1700000000.0,"status":"RECORDING"},
"pending":[{"request":{"action":"stop","id":"1","word":"stop","origin":"t","received_at":1.0},
"goal":"the confirmed end","left":null}],"a field of a later version":1}
"""


def test_a_document_of_another_version_is_read() -> None:
    known = from_document(FIRST_VERSION)
    assert known.recording is not None
    assert known.recording.id == RECORDING_ID
    assert known.pending[0].request.action is Action.STOP


# The memory of one room.


class Disk:
    """Where a memory is saved to: counts, and shows the last document."""

    def __init__(self) -> None:
        self.documents: list[dict[str, object]] = []
        self.inputs: list[InputKey] = []

    async def save(self, room: str, document: Callable[[], str], inputs: object = ()) -> None:
        """As the journal's."""
        assert room == "boardroom"
        self.documents.append(json.loads(document()))
        self.inputs += list(inputs)  # type: ignore[call-overload]


AT = Instant(BOOT, 0.0, WALL)
NOW = Now(0.0, WALL)


async def kept(
    memory: Memory, state: RoomState, results: Sequence[Result], keys: Sequence[InputKey]
) -> None:
    """Keep it, and wait until the disk has it."""
    if (saved := memory.keep(state, results, keys)) is not None:
        await saved


async def test_nothing_is_written_for_a_room_that_nobody_has_told_anything() -> None:
    disk = Disk()
    state, memory = recall("boardroom", None, POLICY, disk.save, at=AT, now=NOW)
    assert not memory.known
    await kept(memory, state, (), ())
    assert disk.documents == []


async def test_a_change_is_written_once(autojump_clock: object) -> None:
    disk = Disk()
    state, memory = recall("boardroom", None, POLICY, disk.save, at=AT, now=NOW)
    await kept(memory, state, (), ())
    changed = replace(state, target=Target.RECORDING)
    await kept(memory, changed, (), [InputKey(7, b"digest")])
    await kept(memory, changed, (), ())
    assert len(disk.documents) == 1
    assert disk.inputs == [InputKey(7, b"digest")]


async def test_results_are_kept_until_the_broker_has_them(autojump_clock: object) -> None:
    driven = DrivenRoom()
    driven.press(Action.STOP)
    [result] = driven.results.values()
    disk = Disk()
    state, memory = recall("boardroom", None, POLICY, disk.save, at=AT, now=NOW)
    await kept(memory, state, [result], ())
    assert len(disk.documents[-1]["results"]) == 1  # type: ignore[arg-type]
    assert memory.tidy_in() == math.inf

    again, with_results = recall(
        "boardroom",
        Entry(json.dumps(disk.documents[-1]), AT),
        POLICY,
        disk.save,
        at=AT,
        now=NOW,
    )
    assert again.state is State.IDLE
    assert with_results.results == (result,)

    memory.arrived(result)
    assert 0.0 < memory.tidy_in() <= 1.0
    await trio.sleep(memory.tidy_in())
    await kept(memory, state, (), ())
    assert "results" not in disk.documents[-1]


def test_an_unreadable_entry_leaves_the_room_to_its_retained_topics() -> None:
    state, memory = recall("boardroom", Entry("{", AT), POLICY, Disk().save, at=AT, now=NOW)
    assert state.recording is None
    assert not memory.known
