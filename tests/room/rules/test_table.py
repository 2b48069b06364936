"""Every published state × every action: outcome, target and next command, from the rules.

The expectations are written from the table of `bridge/RULES.md`, not from the code. A state is
reached by driving the room as people, link and HMP would.
"""

from collections.abc import Callable
from typing import NamedTuple

import pytest

from bridge.room.facts.vocabulary import Action, Alarm, Outcome, State, StepKind, Target
from tests.room.policies import policy_of

from ..driven import (
    FINISHED,
    IS_ERROR,
    IS_PAUSED,
    IS_RECORDING,
    OK,
    OTHER_ID,
    RECORDING_ID,
    SESSION,
    STARTED,
    DrivenRoom,
    refused,
)

HOLD = policy_of(
    SESSION,
    restart_lost_start=False,
    restart_interrupted=False,
    restream_ip="239.1.1.1",
    restream_port=5000,
)
INCONCLUSIVE = refused("040009", "Source not found", "removeSourceFromSession")


def idle() -> DrivenRoom:
    return DrivenRoom(HOLD)


def starting() -> DrivenRoom:
    room = idle()
    room.press(Action.RECORD)
    return room


def recording() -> DrivenRoom:
    room = starting()
    room.answers(STARTED, IS_RECORDING)
    return room


def pausing() -> DrivenRoom:
    room = recording()
    room.press(Action.PAUSE)
    return room


def paused() -> DrivenRoom:
    room = pausing()
    room.answer(OK)
    return room


def resuming() -> DrivenRoom:
    room = paused()
    room.press(Action.RESUME)
    return room


def stopping() -> DrivenRoom:
    room = recording()
    room.press(Action.STOP)
    return room


def error() -> DrivenRoom:
    room = recording()
    room.answer(IS_ERROR)
    return room


def unknown() -> DrivenRoom:
    """A start whose reply was lost, not yet asked about for long."""
    room = starting()
    room.cut()
    room.answer(INCONCLUSIVE)
    return room


STATES: dict[State, Callable[[], DrivenRoom]] = {
    State.IDLE: idle,
    State.STARTING: starting,
    State.RECORDING: recording,
    State.PAUSING: pausing,
    State.PAUSED: paused,
    State.RESUMING: resuming,
    State.STOPPING: stopping,
    State.ERROR: error,
    State.UNKNOWN: unknown,
}


@pytest.mark.parametrize("state", State)
def test_the_state_is_reached(state: State) -> None:
    assert STATES[state]().state is state


class Expected(NamedTuple):
    """`outcome` None: it waits. `target` and `step` are the room's after the press."""

    outcome: Outcome | None
    target: Target
    step: StepKind | None = None
    code: str | None = None


IGNORED, FAILED, OK_OUTCOME = Outcome.IGNORED, Outcome.FAILED, Outcome.OK
T, K = Target, StepKind

#: A re-stream says nothing about the recording: it waits until nothing is being recorded.
ASIDE = {
    State.IDLE: Expected(FAILED, T.IDLE, None, "nothing_to_stream"),
    State.STARTING: Expected(None, T.RECORDING, K.START),
    State.RECORDING: Expected(None, T.RECORDING, K.POLL),
    State.PAUSING: Expected(None, T.PAUSED, K.PAUSE),
    State.PAUSED: Expected(None, T.PAUSED, K.POLL),
    State.RESUMING: Expected(None, T.RECORDING, K.RESUME),
    State.STOPPING: Expected(None, T.IDLE, K.STOP),
    State.ERROR: Expected(None, T.RECORDING, K.POLL),
    State.UNKNOWN: Expected(None, T.RECORDING),
}

TABLE: dict[State, dict[str, Expected]] = {
    State.IDLE: {
        "record": Expected(None, T.RECORDING, K.START),
        "stop": Expected(IGNORED, T.IDLE),
        "pause": Expected(FAILED, T.IDLE, None, "not_recording"),
        "resume": Expected(FAILED, T.IDLE, None, "not_recording"),
        "toggle": Expected(None, T.RECORDING, K.START),
        "toggle_pause": Expected(FAILED, T.IDLE, None, "not_recording"),
        "mark": Expected(FAILED, T.IDLE, None, "not_recording"),
        "adopt": Expected(None, T.IDLE, K.ADOPT),
    },
    State.STARTING: {  # the start is on its way: nothing else can go out before its answer
        "record": Expected(IGNORED, T.RECORDING, K.START),
        "stop": Expected(None, T.IDLE, K.START),
        "pause": Expected(None, T.PAUSED, K.START),
        "resume": Expected(IGNORED, T.RECORDING, K.START),
        "toggle": Expected(None, T.IDLE, K.START),
        "toggle_pause": Expected(None, T.PAUSED, K.START),
        "mark": Expected(None, T.RECORDING, K.START),
        "adopt": Expected(FAILED, T.RECORDING, K.START, "already_recording"),
    },
    State.RECORDING: {
        "record": Expected(IGNORED, T.RECORDING, K.POLL),
        "stop": Expected(None, T.IDLE, K.STOP),
        "pause": Expected(None, T.PAUSED, K.PAUSE),
        "resume": Expected(IGNORED, T.RECORDING, K.POLL),
        "toggle": Expected(None, T.IDLE, K.STOP),
        "toggle_pause": Expected(None, T.PAUSED, K.PAUSE),
        "mark": Expected(None, T.RECORDING, K.MARK),
        "adopt": Expected(FAILED, T.RECORDING, K.POLL, "already_recording"),
    },
    State.PAUSING: {  # the pause is on its way
        "record": Expected(None, T.RECORDING, K.PAUSE),
        "stop": Expected(None, T.IDLE, K.PAUSE),
        "pause": Expected(IGNORED, T.PAUSED, K.PAUSE),
        "resume": Expected(None, T.RECORDING, K.PAUSE),
        "toggle": Expected(None, T.IDLE, K.PAUSE),
        "toggle_pause": Expected(None, T.RECORDING, K.PAUSE),
        "mark": Expected(None, T.PAUSED, K.PAUSE),
        "adopt": Expected(FAILED, T.PAUSED, K.PAUSE, "already_recording"),
    },
    State.PAUSED: {
        "record": Expected(None, T.RECORDING, K.RESUME),
        "stop": Expected(None, T.IDLE, K.STOP),
        "pause": Expected(IGNORED, T.PAUSED, K.POLL),
        "resume": Expected(None, T.RECORDING, K.RESUME),
        "toggle": Expected(None, T.IDLE, K.STOP),
        "toggle_pause": Expected(None, T.RECORDING, K.RESUME),
        "mark": Expected(None, T.PAUSED, K.MARK),
        "adopt": Expected(FAILED, T.PAUSED, K.POLL, "already_recording"),
    },
    State.RESUMING: {  # the resume is on its way; a pause is the last target and wins (R10)
        "record": Expected(None, T.RECORDING, K.RESUME),
        "stop": Expected(None, T.IDLE, K.RESUME),
        "pause": Expected(None, T.PAUSED, K.RESUME),
        "resume": Expected(None, T.RECORDING, K.RESUME),
        "toggle": Expected(None, T.IDLE, K.RESUME),
        "toggle_pause": Expected(None, T.PAUSED, K.RESUME),
        "mark": Expected(None, T.RECORDING, K.RESUME),
        "adopt": Expected(FAILED, T.RECORDING, K.RESUME, "already_recording"),
    },
    State.STOPPING: {  # the stop is on its way
        "record": Expected(None, T.RECORDING, K.STOP),
        "stop": Expected(IGNORED, T.IDLE, K.STOP),
        "pause": Expected(FAILED, T.IDLE, K.STOP, "not_recording"),
        "resume": Expected(FAILED, T.IDLE, K.STOP, "not_recording"),
        "toggle": Expected(None, T.RECORDING, K.STOP),
        "toggle_pause": Expected(FAILED, T.IDLE, K.STOP, "not_recording"),
        "mark": Expected(FAILED, T.IDLE, K.STOP, "not_recording"),
        "adopt": Expected(FAILED, T.IDLE, K.STOP, "already_recording"),
    },
    State.ERROR: {
        "record": Expected(None, T.RECORDING, K.STOP),
        "stop": Expected(None, T.IDLE, K.STOP),
        "pause": Expected(FAILED, T.RECORDING, K.POLL, "not_recording"),
        "resume": Expected(FAILED, T.RECORDING, K.POLL, "not_recording"),
        "toggle": Expected(FAILED, T.RECORDING, K.POLL, "not_certain"),
        "toggle_pause": Expected(FAILED, T.RECORDING, K.POLL, "not_certain"),
        "mark": Expected(FAILED, T.RECORDING, K.POLL, "not_recording"),
        "adopt": Expected(FAILED, T.RECORDING, K.POLL, "already_recording"),
    },
    State.UNKNOWN: {
        "record": Expected(IGNORED, T.RECORDING),
        "stop": Expected(None, T.IDLE),
        "pause": Expected(FAILED, T.RECORDING, None, "not_recording"),
        "resume": Expected(FAILED, T.RECORDING, None, "not_recording"),
        "toggle": Expected(FAILED, T.RECORDING, None, "not_certain"),
        "toggle_pause": Expected(FAILED, T.RECORDING, None, "not_certain"),
        "mark": Expected(FAILED, T.RECORDING, None, "not_recording"),
        "adopt": Expected(None, T.RECORDING, K.ADOPT),
    },
}


#: Where there is a recording that goes on, what is asked of it can be sent at once in these.
FREE = {State.RECORDING, State.PAUSED, State.ERROR}

for each, waits in ASIDE.items():
    active = each in FREE | {State.PAUSING, State.RESUMING}
    described = active or each is State.STOPPING
    TABLE[each] |= {
        "restream_start": waits,
        "restream_stop": Expected(IGNORED, waits.target, waits.step),
        "extend": Expected(OK_OUTCOME, waits.target, waits.step)
        if active
        else Expected(FAILED, waits.target, waits.step, "not_recording"),
        "describe": Expected(None, waits.target, K.DETAIL if each in FREE else waits.step)
        if described
        else Expected(OK_OUTCOME, waits.target, waits.step),
        "meeting_end": Expected(IGNORED, waits.target, waits.step),
        "meeting_extend": Expected(FAILED, waits.target, waits.step, "no_such_meeting"),
        # A person's recording covers the meeting; where it has gone wrong, it is replaced.
        "meeting_start": Expected(IGNORED, waits.target, waits.step),
    }
    for live in ("live_on", "live_off"):
        sent = K.LIVE if each in FREE | {State.IDLE, State.UNKNOWN} else waits.step
        TABLE[each][live] = Expected(None, waits.target, sent)
TABLE[State.IDLE]["meeting_start"] = Expected(None, T.RECORDING, K.START)
TABLE[State.STOPPING]["meeting_start"] = Expected(None, T.RECORDING, K.STOP)
TABLE[State.ERROR]["meeting_start"] = Expected(None, T.RECORDING, K.STOP)


@pytest.mark.parametrize(
    ("state", "action"), [(state, action) for state in State for action in Action]
)
def test_a_press(state: State, action: Action) -> None:
    expected = TABLE[state][action]
    room = STATES[state]()
    request = room.press(action, recording_id=OTHER_ID if action is Action.ADOPT else None)
    assert (room.outcome(request), room.room.target, room.step) == expected[:3]
    if expected.outcome is Outcome.FAILED:
        assert room.code(request) == expected.code
        assert room.state is state


def test_the_table_is_whole() -> None:
    assert {state: set(row) for state, row in TABLE.items()} == {
        state: set(Action) for state in State
    }


VALUES = {
    State.IDLE: (False, False),
    State.STARTING: (False, False),
    State.RECORDING: (True, False),
    State.PAUSING: (True, False),
    State.PAUSED: (True, True),
    State.RESUMING: (True, True),
    State.STOPPING: (True, False),
    State.ERROR: (True, False),
    State.UNKNOWN: (False, False),
}


@pytest.mark.parametrize("state", State)
def test_recording_and_paused_follow_hmp_and_never_the_press(state: State) -> None:
    room = STATES[state]().room
    assert (room.active, room.paused) == VALUES[state]


def test_stopping_a_paused_recording_leaves_it_paused_until_it_ends() -> None:
    room = paused()
    room.press(Action.STOP)
    assert (room.state, room.room.paused) == (State.STOPPING, True)
    room.answers(OK, FINISHED)
    assert (room.state, room.room.active, room.room.paused) == (State.IDLE, False, False)


@pytest.mark.parametrize(
    ("state", "action", "answers", "outcome", "ends"),
    [
        (State.IDLE, "record", [STARTED], "ok", State.RECORDING),
        (State.IDLE, "toggle", [STARTED], "ok", State.RECORDING),
        (State.IDLE, "adopt", [IS_RECORDING], "ok", State.RECORDING),
        (State.IDLE, "adopt", [IS_PAUSED], "ok", State.PAUSED),
        (State.STARTING, "stop", [STARTED, OK, FINISHED], "ok", State.IDLE),
        (State.STARTING, "pause", [STARTED, OK], "ok", State.PAUSED),
        (State.RECORDING, "stop", [OK, FINISHED], "ok", State.IDLE),
        (State.RECORDING, "pause", [OK], "ok", State.PAUSED),
        (State.RECORDING, "mark", [OK], "ok", State.RECORDING),
        (State.PAUSING, "record", [OK, OK], "ok", State.RECORDING),
        (State.PAUSING, "stop", [OK, OK, FINISHED], "ok", State.IDLE),
        (State.PAUSED, "record", [OK], "ok", State.RECORDING),
        (State.PAUSED, "mark", [OK], "ok", State.PAUSED),
        (State.RESUMING, "pause", [OK, OK], "ok", State.PAUSED),
        (State.STOPPING, "record", [OK, FINISHED, STARTED], "ok", State.RECORDING),
        (State.ERROR, "stop", [OK, FINISHED], "ok", State.IDLE),
        (State.ERROR, "record", [OK, FINISHED, STARTED], "ok", State.RECORDING),
        (State.UNKNOWN, "adopt", [IS_RECORDING], "ok", State.RECORDING),
    ],
)
def test_what_waits_comes_to_pass(
    state: State, action: str, answers: list[object], outcome: str, ends: State
) -> None:
    room = STATES[state]()
    request = room.press(Action(action), recording_id=OTHER_ID if action == "adopt" else None)
    for answer in answers:
        assert room.outcome(request) is None
        room.answer(answer)  # type: ignore[arg-type]  # a table of answers
    assert (room.outcome(request), room.state) == (outcome, ends)


def test_a_stop_in_unknown_is_kept_until_nothing_more_can_be_learnt() -> None:
    room = unknown()
    request = room.press(Action.STOP)
    again = room.press(Action.STOP)
    assert room.outcome(again) is Outcome.IGNORED
    for _ in range(40):
        if room.outcome(request) is not None:
            break
        room.wait(2.0)
        if room.written:
            room.answer(INCONCLUSIVE)
    assert room.outcome(request) is Outcome.UNKNOWN
    assert room.state is State.IDLE
    assert Alarm.OUTCOME_UNKNOWN in room.room.alarms


def test_adopting_what_the_room_has_is_nothing_to_do() -> None:
    room = recording()
    assert room.outcome(room.press(Action.ADOPT, recording_id=RECORDING_ID)) is Outcome.IGNORED


def test_a_stop_is_meant_for_the_recording_that_is_being_handed_over() -> None:
    room = idle()
    adopting = room.press(Action.ADOPT, recording_id=OTHER_ID)
    stopping_it = room.press(Action.STOP)
    room.answers(IS_RECORDING, OK, FINISHED)
    assert (room.outcome(adopting), room.outcome(stopping_it)) == (Outcome.OK, Outcome.OK)
    assert room.state is State.IDLE


def test_stops_of_a_recording_that_is_handed_over_do_not_add_up() -> None:
    room = DrivenRoom(ready=False)
    adopt = room.press(Action.ADOPT, recording_id=RECORDING_ID)
    first, second = room.press(Action.STOP), room.press(Action.STOP)
    assert room.outcome(second) is Outcome.IGNORED
    room.link(ready=True)
    room.answers(IS_RECORDING, OK, FINISHED)
    assert (room.outcome(adopt), room.outcome(first)) == (Outcome.OK, Outcome.OK)
