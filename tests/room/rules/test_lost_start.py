"""A start whose reply never came: the way back to certainty (R7b)."""

from dataclasses import replace

import pytest

from bridge.hmp.commands import RemoveSourceFromSession
from bridge.room.facts.answer import Answer, Done
from bridge.room.facts.vocabulary import Action, Alarm, Outcome, State, StepKind
from bridge.room.rules.plan import NIL_SOURCE

from ..driven import (
    DOWN,
    FINISHED,
    IS_PAUSED,
    IS_RECORDING,
    LOST,
    NOT_FOUND,
    OK,
    OTHER_ID,
    POLICY,
    RECORDING_ID,
    SESSION,
    STARTED,
    WALL,
    DrivenRoom,
    refused,
)

PROVED = refused("060003", "Active recording currently in progress", "removeSourceFromSession")
INCONCLUSIVE = refused("040009", "Source not found", "removeSourceFromSession")
SESSION_GONE = refused("040006", "Session not found", "removeSourceFromSession")
HOLDING = replace(POLICY, restart_lost_start=False)


def lost(policy: object = POLICY, *, proves: bool = False) -> tuple[DrivenRoom, int]:
    """A room after a record whose reply was lost; the link is back, the question is out."""
    room = DrivenRoom(policy)  # type: ignore[arg-type]  # a Policy
    room.room = replace(room.room, server_proves=proves)
    request = room.press(Action.RECORD, title="Weekly")
    room.cut()
    return room, request


def ask(room: DrivenRoom, answer: Answer, *, until: float) -> None:
    """Answer every question until a moment."""
    while room.clock < until:
        if room.written and room.step is StepKind.QUESTION:
            room.answer(answer)
        elif room.step is not None:
            return
        room.wait(min(0.5, until - room.clock))
    if room.written and room.step is StepKind.QUESTION:
        room.answer(answer)


def test_the_outcome_is_unknown_and_the_question_changes_nothing() -> None:
    room, request = lost()
    assert (room.outcome(request), room.state) == (Outcome.UNKNOWN, State.UNKNOWN)
    assert room.room.alarm is Alarm.OUTCOME_UNKNOWN
    assert room.room.busy is not None
    assert room.room.busy.command == RemoveSourceFromSession(SESSION, NIL_SOURCE)


def test_proved_the_room_records_without_an_id() -> None:
    room, _ = lost()
    room.answer(PROVED)
    assert room.state is State.RECORDING
    recording = room.room.recording
    assert recording is not None
    assert (recording.id, recording.owner, recording.title) == (None, "manual", "Weekly")
    assert Alarm.OUTCOME_UNKNOWN in room.room.alarms
    assert room.room.server_proves
    assert room.outcome(room.press(Action.RECORD)) is Outcome.IGNORED
    for action in (Action.STOP, Action.TOGGLE, Action.PAUSE, Action.TOGGLE_PAUSE, Action.MARK):
        request = room.press(action)
        assert (room.outcome(request), room.code(request)) == (Outcome.FAILED, "id_unknown")
    assert room.sent.count(StepKind.START) == 1


def test_the_end_of_what_has_no_id_is_seen() -> None:
    room, _ = lost()
    room.answer(PROVED)
    room.wait(1.9)
    assert room.step is None
    room.wait(0.1)
    room.answer(PROVED)
    room.wait(2.0)
    room.answer(INCONCLUSIVE)  # it has been seen to prove, so that not doing so tells
    assert (room.state, room.room.alarms) == (State.IDLE, frozenset())
    assert room.step is None


def test_without_an_id_a_lost_link_is_got_over() -> None:
    room, _ = lost()
    room.answer(PROVED)
    room.cut(seconds=5)
    toggle = room.press(Action.TOGGLE)
    assert room.outcome(toggle) is None
    room.answer(PROVED)
    assert not room.room.stale
    assert (room.outcome(toggle), room.code(toggle)) == (Outcome.FAILED, "id_unknown")


@pytest.mark.parametrize(("answer", "state"), [(IS_RECORDING, "recording"), (IS_PAUSED, "paused")])
def test_the_id_is_handed_over(answer: Answer, state: str) -> None:
    room, _ = lost()
    room.answer(PROVED)
    room.wait(60)
    request = room.press(Action.ADOPT, recording_id=OTHER_ID)
    if room.step is StepKind.QUESTION:
        room.answer(PROVED)
    room.answer(answer)
    assert (room.outcome(request), room.state, room.room.alarms) == ("ok", state, frozenset())
    recording = room.room.recording
    assert recording is not None
    assert (recording.id, recording.started_at) == (OTHER_ID, WALL)


def test_a_kept_stop_ends_what_is_handed_over() -> None:
    room, _ = lost()
    stop = room.press(Action.STOP)
    adopt = room.press(Action.ADOPT, recording_id=OTHER_ID)
    room.answer(INCONCLUSIVE)
    room.answer(IS_RECORDING)
    assert (room.outcome(adopt), room.step) == (Outcome.OK, StepKind.STOP)
    room.answers(OK, FINISHED)
    assert room.outcome(stop) is Outcome.OK


def test_a_kept_stop_fails_where_the_id_is_lost() -> None:
    room, _ = lost()
    stop = room.press(Action.STOP)
    room.answer(PROVED)
    assert (room.outcome(stop), room.code(stop)) == (Outcome.FAILED, "id_unknown")
    assert room.state is State.RECORDING


def test_a_record_overtakes_a_kept_stop() -> None:
    room, _ = lost()
    stop = room.press(Action.STOP)
    record = room.press(Action.RECORD)
    assert (room.outcome(stop), room.outcome(record)) == (Outcome.IGNORED, Outcome.IGNORED)


def test_the_question_is_asked_until_half_a_minute_after_the_write() -> None:
    room, _ = lost()
    ask(room, INCONCLUSIVE, until=29.9)
    assert room.sent.count(StepKind.START) == 1
    assert room.sent.count(StepKind.QUESTION) >= 15
    ask(room, INCONCLUSIVE, until=30.1)
    assert room.sent.count(StepKind.START) == 2
    assert room.state is State.STARTING
    assert Alarm.OUTCOME_UNKNOWN in room.room.alarms


def restarted() -> DrivenRoom:
    room, _ = lost()
    ask(room, INCONCLUSIVE, until=30.1)
    room.answer(STARTED)
    recording = room.room.recording
    assert recording is not None
    assert (recording.owner, recording.title) == ("manual", "Weekly")
    room.answers(OK, IS_RECORDING)  # the title, the status
    return room


def test_a_restart_keeps_the_alarm_and_asks_for_the_spare_file_afterwards() -> None:
    room = restarted()
    assert (room.state, room.room.alarm) == (State.RECORDING, Alarm.OUTCOME_UNKNOWN)
    room.press(Action.STOP)
    room.answers(OK, FINISHED)
    assert (room.state, room.step) == (State.IDLE, StepKind.QUESTION)
    room.answer(PROVED)
    assert (room.state, room.room.alarm) == (State.RECORDING, Alarm.OUTCOME_UNKNOWN)
    room.wait(2.0)
    room.answer(OK)
    assert (room.state, room.room.alarms) == (State.IDLE, frozenset())


def test_an_inconclusive_answer_about_the_spare_file_proves_nothing() -> None:
    room = restarted()
    room.press(Action.STOP)
    room.answers(OK, FINISHED, INCONCLUSIVE)
    assert (room.state, room.room.alarm) == (State.IDLE, Alarm.OUTCOME_UNKNOWN)
    assert room.step is None


def test_the_spare_file_is_asked_about_before_another_press_starts() -> None:
    room = restarted()
    room.press(Action.STOP)
    record = room.press(Action.RECORD)
    room.answers(OK, FINISHED)
    assert room.step is StepKind.QUESTION
    room.answer(DOWN)
    room.wait(2.0)
    room.answer(PROVED)
    assert (room.outcome(record), room.state) == (Outcome.IGNORED, State.RECORDING)
    assert room.sent.count(StepKind.START) == 2


def test_there_is_one_restart_and_no_more() -> None:
    room, _ = lost()
    ask(room, INCONCLUSIVE, until=30.1)
    room.cut()
    ask(room, INCONCLUSIVE, until=120)
    assert room.state is State.UNKNOWN
    assert room.sent.count(StepKind.START) == 2


def test_a_restart_comes_within_two_minutes_of_the_press_or_not_at_all() -> None:
    room = DrivenRoom()
    room.press(Action.RECORD)
    room.cut(seconds=121)
    room.answer(INCONCLUSIVE)
    assert room.state is State.UNKNOWN
    assert room.sent.count(StepKind.START) == 1


def test_a_restart_that_the_link_held_up_is_given_up() -> None:
    room, _ = lost()
    ask(room, INCONCLUSIVE, until=29.0)
    room.queueing = True
    if not room.written:
        room.wait(30.0 - room.clock)
        room.let_go()
        room.queueing = True
    room.answer(INCONCLUSIVE)
    room.wait(2.0)
    if room.step is StepKind.QUESTION:
        room.let_go()
        room.queueing = True
        room.answer(INCONCLUSIVE)
    assert (room.state, room.step) == (State.STARTING, StepKind.START)
    room.link(ready=False)
    room.wait(120)
    assert (room.state, room.room.alarm) == (State.IDLE, Alarm.OUTCOME_UNKNOWN)
    room.queueing = False
    room.link(ready=True)
    assert room.step is StepKind.QUESTION
    assert room.sent.count(StepKind.START) == 1


def test_a_server_that_proves_need_not_be_asked_twice_what_it_does_not_prove() -> None:
    room, _ = lost(HOLDING, proves=True)
    ask(room, INCONCLUSIVE, until=30.1)
    assert (room.state, room.room.alarms) == (State.IDLE, frozenset())


def test_a_stop_is_nothing_to_do_where_nothing_was_recorded() -> None:
    room, _ = lost(proves=True)
    stop = room.press(Action.STOP)
    ask(room, INCONCLUSIVE, until=30.1)
    assert (room.outcome(stop), room.state) == (Outcome.IGNORED, State.IDLE)


def test_held_nothing_starts_until_somebody_presses() -> None:
    room, _ = lost(HOLDING)
    ask(room, INCONCLUSIVE, until=300)
    assert (room.state, room.sent.count(StepKind.START)) == (State.UNKNOWN, 1)
    record = room.press(Action.RECORD)
    if room.step is StepKind.QUESTION:
        room.answer(INCONCLUSIVE)
    room.answer(STARTED)
    assert (room.outcome(record), room.state) == (Outcome.OK, State.RECORDING)


def test_held_a_stop_ends_the_asking() -> None:
    room, _ = lost(HOLDING)
    ask(room, INCONCLUSIVE, until=40)
    stop = room.press(Action.STOP)
    assert (room.outcome(stop), room.state) == (Outcome.UNKNOWN, State.IDLE)
    assert room.room.alarm is Alarm.OUTCOME_UNKNOWN


def test_a_session_that_is_gone_is_not_recorded() -> None:
    room, _ = lost()
    room.insist(SESSION_GONE)
    assert (room.state, room.room.alarm) == (State.IDLE, Alarm.SESSION_MISSING)


def test_a_question_that_cannot_be_answered_is_asked_again() -> None:
    room, _ = lost()
    room.answer(DOWN)
    room.wait(1.9)
    assert room.sent.count(StepKind.QUESTION) == 1
    room.wait(0.1)
    room.answers(LOST, PROVED)
    room.wait(2.0)
    room.answer(DOWN)
    room.wait(2.0)
    room.insist(SESSION_GONE)
    assert room.state is State.IDLE


@pytest.mark.parametrize("answer", [NOT_FOUND, FINISHED])
def test_the_alarm_of_a_spare_file_outlives_the_answers_about_the_other(answer: Answer) -> None:
    room = restarted()
    room.press(Action.STOP)
    room.answers(OK, answer)
    assert Alarm.OUTCOME_UNKNOWN in room.room.alarms
    assert room.room.last_recording_id == RECORDING_ID


def test_what_the_server_said_is_for_all_its_rooms() -> None:
    room, _ = lost()
    room.answer(Done())
    assert not room.room.server_proves
    room.wait(2.0)
    room.answer(PROVED)
    assert room.room.server_proves
