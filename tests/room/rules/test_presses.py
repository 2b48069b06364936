"""Presses while another action runs: the last target wins, and nothing is left over (R10)."""

import itertools

import pytest

from bridge.room.facts.answer import Answer, Done
from bridge.room.facts.vocabulary import Action, Outcome, State, StepKind

from ..driven import FINISHED, IS_PAUSED, IS_RECORDING, OK, OTHER_ID, STARTED, DrivenRoom

PRESSES = [Action.RECORD, Action.STOP, Action.PAUSE, Action.RESUME]


class Hmp:
    """An HMP that does as it is told, and remembers how often it was told to start."""

    def __init__(self, status: str) -> None:
        self.status = status
        self.starts = 0

    def answer(self, step: StepKind) -> Answer:
        match step:
            case StepKind.START:
                self.status = "recording"
                self.starts += 1
                return STARTED if self.starts == 1 else Done(OTHER_ID)
            case StepKind.STOP:
                self.status = "finished"
            case StepKind.PAUSE:
                self.status = "paused"
            case StepKind.RESUME:
                self.status = "recording"
            case _:
                told = {"recording": IS_RECORDING, "paused": IS_PAUSED, "finished": FINISHED}
                return told[self.status]
        return OK


def settle(room: DrivenRoom, hmp: Hmp) -> None:
    """Let HMP answer until the room only polls."""
    for _ in range(20):
        if room.step is None or (room.step is StepKind.POLL and not room.written):
            return
        room.answer(hmp.answer(room.step))
    raise AssertionError("the room does not come to rest")


def wanted(start: State, presses: tuple[Action, ...]) -> State:
    """What a person who pressed these expects to see; a pause during a stop is refused."""
    state, stopping = start, False
    for press in presses:
        if press is Action.STOP:
            stopping = stopping or (state is not State.IDLE and start is not State.IDLE)
            state = State.IDLE
        elif press is Action.RECORD or (press is Action.RESUME and state is not State.IDLE):
            state = State.RECORDING
        elif press is Action.PAUSE and state is not State.IDLE and not stopping:
            state = State.PAUSED
    return state


def at(start: State) -> tuple[DrivenRoom, Hmp]:
    room, hmp = DrivenRoom(), Hmp("finished")
    if start is not State.IDLE:
        room.press(Action.RECORD)
        settle(room, hmp)
    if start is State.PAUSED:
        room.press(Action.PAUSE)
        settle(room, hmp)
    return room, hmp


SEQUENCES = [*itertools.product(PRESSES, repeat=2), *itertools.product(PRESSES, repeat=3)]


@pytest.mark.parametrize("queueing", [False, True], ids=["written", "queued"])
@pytest.mark.parametrize("start", [State.IDLE, State.RECORDING, State.PAUSED])
@pytest.mark.parametrize("presses", SEQUENCES, ids="-".join)
def test_the_last_target_wins(presses: tuple[Action, ...], start: State, queueing: bool) -> None:
    room, hmp = at(start)
    room.queueing = queueing
    before = hmp.starts
    requests = [room.press(press) for press in presses]
    if queueing and room.step is not None:
        room.let_go()
    room.queueing = False
    settle(room, hmp)
    assert room.state is wanted(start, presses)
    assert all(room.outcome(request) is not None for request in requests)
    # Nothing is left over: no start that nobody waits for, no command to come.
    assert (
        hmp.status
        == {
            State.IDLE: "finished",
            State.RECORDING: "recording",
            State.PAUSED: "paused",
        }[room.state]
    )
    assert hmp.starts - before <= presses.count(Action.RECORD)
    sent = len(room.sent)
    for _ in range(5):
        if room.step is not None:
            room.answer(hmp.answer(room.step))
    assert set(room.sent[sent:]) <= {StepKind.POLL, StepKind.VERIFY}


def test_a_start_still_in_the_queue_is_called_back() -> None:
    room = DrivenRoom()
    room.queueing = True
    record = room.press(Action.RECORD)
    stop = room.press(Action.STOP)
    assert (room.state, room.step, room.sent) == (State.IDLE, None, [])
    assert room.outcome(record) is Outcome.IGNORED
    assert room.outcome(stop) is Outcome.IGNORED


def test_a_start_on_its_way_is_stopped_as_soon_as_it_has_an_id() -> None:
    room = DrivenRoom()
    record = room.press(Action.RECORD)
    stop = room.press(Action.STOP)
    assert room.state is State.STARTING
    room.answer(STARTED)
    assert room.outcome(record) is Outcome.OK
    assert (room.state, room.step) == (State.STOPPING, StepKind.STOP)
    room.answers(OK, FINISHED)
    assert room.outcome(stop) is Outcome.OK


def test_a_second_record_while_the_first_start_runs_is_ignored() -> None:
    room = DrivenRoom()
    room.press(Action.RECORD)
    assert room.outcome(room.press(Action.RECORD)) is Outcome.IGNORED
    room.answer(STARTED)
    assert room.outcome(room.press(Action.RECORD)) is Outcome.IGNORED
    assert room.sent.count(StepKind.START) == 1


@pytest.mark.parametrize("presses", range(1, 8))
def test_toggling_ends_where_counting_says(presses: int) -> None:
    room, hmp = DrivenRoom(), Hmp("finished")
    for _ in range(presses):
        room.press(Action.TOGGLE)
    settle(room, hmp)
    assert room.state is (State.RECORDING if presses % 2 else State.IDLE)


@pytest.mark.parametrize("presses", range(1, 6))
def test_toggling_the_pause_ends_where_counting_says(presses: int) -> None:
    room, hmp = at(State.RECORDING)
    for _ in range(presses):
        room.press(Action.TOGGLE_PAUSE)
    settle(room, hmp)
    assert room.state is (State.PAUSED if presses % 2 else State.RECORDING)


def test_pause_and_resume_on_the_way_to_a_start() -> None:
    room, hmp = DrivenRoom(), Hmp("finished")
    room.press(Action.RECORD)
    first = room.press(Action.TOGGLE_PAUSE)
    assert room.outcome(room.press(Action.PAUSE)) is Outcome.IGNORED
    assert room.outcome(room.press(Action.TOGGLE_PAUSE)) is Outcome.IGNORED
    assert room.outcome(first) is Outcome.IGNORED
    room.press(Action.STOP)
    assert room.outcome(room.press(Action.STOP)) is Outcome.IGNORED
    failed = room.press(Action.PAUSE)
    assert (room.outcome(failed), room.code(failed)) == (Outcome.FAILED, "not_recording")
    settle(room, hmp)
    assert room.state is State.IDLE
