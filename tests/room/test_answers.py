"""What HMP's answers do to a room: every kind of step with every kind of answer."""

import itertools
from dataclasses import replace

import pytest

from bridge.hmp.commands import AddHotmark, UpdateMetadata
from bridge.hmp.errors import Refused
from bridge.room.answer import Answer, NotSent
from bridge.room.meeting import Meeting
from bridge.room.vocabulary import Action, Alarm, Outcome, State, StepKind, Target

from .driven import (
    FINISHED,
    IS_ERROR,
    IS_PAUSED,
    IS_RECORDING,
    LOST,
    NOT_FOUND,
    OK,
    OTHER_ID,
    POLICY,
    RECORDING_ID,
    STARTED,
    WALL,
    DrivenRoom,
    refused,
)

DOWN = refused("070000", "Internal Server Error", "any")
STOP_FAILED = refused("070003", "Internal Server Error", "stopRecording")
PAUSE_FAILED = refused("070003", "Failed to update state", "pauseRecording")
STATUS_NOT_FOUND = refused("070003", "Recording not found", "getRecordingStatus")
HOLDING = replace(POLICY, restart_interrupted=False, restart_lost_start=False)


def recording(room: DrivenRoom | None = None) -> DrivenRoom:
    room = room or DrivenRoom()
    room.press(Action.RECORD)
    room.answers(STARTED, IS_RECORDING)
    return room


# -- the start ------------------------------------------------------------------------------------


def test_the_id_is_enough_to_be_recording_and_the_first_status_verifies_it() -> None:
    room = DrivenRoom()
    room.press(Action.MEETING_START, meeting=Meeting("7"))
    room.answer(STARTED)
    assert room.state is State.RECORDING
    assert room.room.recording is not None
    assert (room.room.recording.id, room.room.recording.owner) == (RECORDING_ID, "meeting:7")
    assert room.room.recording.verified_at is None
    assert room.step is StepKind.VERIFY
    room.wait(0.25)
    room.answer(IS_RECORDING)
    assert room.room.recording.verified_at == WALL + 0.25


@pytest.mark.parametrize(
    ("answer", "state", "alarm"),
    [
        (IS_PAUSED, State.PAUSED, None),
        (IS_ERROR, State.ERROR, Alarm.RECORDING_ERROR),
        (FINISHED, State.IDLE, Alarm.STOPPED_UNEXPECTEDLY),
    ],
)
def test_a_first_status_other_than_expected_is_published(
    answer: Answer, state: State, alarm: Alarm | None
) -> None:
    room = DrivenRoom()
    room.press(Action.RECORD)
    room.answers(STARTED, answer)
    assert (room.state, room.room.alarm) == (state, alarm)


@pytest.mark.parametrize(
    ("code", "message", "alarm"),
    [
        ("060009", "Session requires at least one source", Alarm.NO_SOURCE),
        ("070027", "Insufficient Disk Space", Alarm.DISK_FULL),
        ("070014", "Error writing to file", Alarm.WRITE_ERROR),
        ("040006", "Session not found", Alarm.SESSION_MISSING),
        ("070000", "Internal Server Error", None),
        ("000000", "Unknown Error", None),
    ],
)
def test_a_refused_start_fails_and_is_not_tried_again(
    code: str, message: str, alarm: Alarm | None
) -> None:
    room = DrivenRoom()
    request = room.press(Action.RECORD, title="Weekly")
    room.answer(refused(code, message, "startRecording"))
    assert (room.state, room.outcome(request), room.code(request)) == (State.IDLE, "failed", code)
    problem = room.results[request].problem
    assert problem is not None
    assert problem.message == message
    assert problem.explanation
    assert room.room.alarm is alarm
    room.wait(600)
    assert room.sent == [StepKind.START]
    # The next recording clears the alarm, and does not take the title of the one that failed.
    room.press(Action.RECORD)
    room.answer(STARTED)
    assert not room.room.alarms
    assert room.room.recording is not None
    assert room.room.recording.title is None


def test_a_session_that_is_recorded_by_others_is_asked_about() -> None:
    room = DrivenRoom()
    request = room.press(Action.RECORD)
    room.answer(refused("060003", "Active recording currently in progress", "startRecording"))
    assert room.outcome(request) is Outcome.FAILED
    assert Alarm.OUTCOME_UNKNOWN in room.room.alarms
    assert room.step is StepKind.QUESTION


def test_a_start_not_sent_is_sent_when_the_link_is_back() -> None:
    room = DrivenRoom()
    room.queueing = True
    room.press(Action.RECORD)
    room.link(ready=False)
    assert (room.state, room.step) == (State.STARTING, None)
    room.link(ready=True)
    assert room.step is StepKind.START


# -- pause and resume -----------------------------------------------------------------------------


#: the press, the status that it asks for, the other one
BOTH_WAYS = pytest.mark.parametrize(
    ("action", "reached", "other"),
    [(Action.PAUSE, IS_PAUSED, IS_RECORDING), (Action.RESUME, IS_RECORDING, IS_PAUSED)],
)


def pressed(action: Action) -> tuple[DrivenRoom, int, State]:
    """A room with a pause or resume on its way, the request, and the state before it."""
    room = recording()
    if action is Action.RESUME:
        room.press(Action.PAUSE)
        room.answer(OK)
    before = room.state
    return room, room.press(action), before


@pytest.mark.parametrize("action", [Action.PAUSE, Action.RESUME])
def test_paused_and_resumed(action: Action) -> None:
    room, request, before = pressed(action)
    room.answer(OK)
    assert room.outcome(request) is Outcome.OK
    assert room.state is not before


@BOTH_WAYS
def test_refused_because_already_so(action: Action, reached: Answer, other: Answer) -> None:
    room, request, before = pressed(action)
    room.answer(NOT_FOUND)  # E25: some HMPs answer a second pause so
    assert (room.step, room.outcome(request)) == (StepKind.SETTLE, None)
    room.answer(reached)
    assert room.outcome(request) is Outcome.OK
    assert room.state is not before


@BOTH_WAYS
def test_refused(action: Action, reached: Answer, other: Answer) -> None:
    room, request, before = pressed(action)
    room.answers(PAUSE_FAILED, other)
    assert (room.outcome(request), room.code(request)) == (Outcome.FAILED, "070003")
    assert room.state is before


@BOTH_WAYS
def test_lost_and_done(action: Action, reached: Answer, other: Answer) -> None:
    room, request, _ = pressed(action)
    room.cut(seconds=5)
    room.answer(reached)
    assert room.outcome(request) is Outcome.OK


@BOTH_WAYS
def test_lost_and_not_done(action: Action, reached: Answer, other: Answer) -> None:
    room, request, _ = pressed(action)
    room.cut(seconds=5)
    room.answer(other)
    assert room.step in (StepKind.PAUSE, StepKind.RESUME)
    room.answer(OK)
    assert room.outcome(request) is Outcome.OK


@BOTH_WAYS
def test_lost_for_too_long(action: Action, reached: Answer, other: Answer) -> None:
    room, request, before = pressed(action)
    room.cut(seconds=30)
    assert room.outcome(request) is Outcome.EXPIRED
    room.answer(other)
    assert (room.state, room.step) == (before, StepKind.POLL)


@pytest.mark.parametrize("action", [Action.PAUSE, Action.RESUME])
def test_refused_because_it_ended(action: Action) -> None:
    room, request, _ = pressed(action)
    room.answers(NOT_FOUND, FINISHED)
    assert (room.outcome(request), room.code(request)) == (Outcome.FAILED, "recording_ended")
    assert room.state is State.IDLE
    assert room.room.alarm is Alarm.STOPPED_UNEXPECTEDLY


def test_somebody_pauses_and_resumes_in_the_web_pages() -> None:
    room = recording()
    room.answer(IS_PAUSED)
    assert (room.state, room.room.target) == (State.PAUSED, Target.PAUSED)
    room.answer(IS_RECORDING)
    assert (room.state, room.room.target) == (State.RECORDING, Target.RECORDING)
    assert not room.room.alarms


# -- the stop -------------------------------------------------------------------------------------


def test_a_stop_counts_when_hmp_confirms_it() -> None:
    room = recording()
    request = room.press(Action.STOP)
    room.answer(OK)
    assert (room.state, room.outcome(request), room.step) == ("stopping", None, StepKind.CONFIRM)
    room.answer(IS_RECORDING)  # still finalising
    assert room.step is None
    room.wait(0.5)
    room.answer(FINISHED)
    assert (room.state, room.outcome(request)) == (State.IDLE, Outcome.OK)
    assert room.room.last_recording_id == RECORDING_ID
    assert room.room.elapsed == 0


@pytest.mark.parametrize("gone", [NOT_FOUND, STATUS_NOT_FOUND])
def test_not_found_confirms_the_stop_of_a_verified_recording(gone: Refused) -> None:
    room = recording()
    request = room.press(Action.STOP)
    room.answers(OK, gone)
    assert room.outcome(request) is Outcome.OK


def test_a_stop_answered_and_without_effect_is_sent_again() -> None:
    room = recording()
    room.press(Action.STOP)
    room.answer(OK)
    for _ in range(20):
        if room.sent.count(StepKind.STOP) == 2:
            break
        room.wait(0.5)
        if room.written:
            room.answer(IS_RECORDING)
    assert room.sent.count(StepKind.STOP) == 2
    assert room.clock >= 5.0


def test_a_refused_stop_is_tried_with_growing_pauses() -> None:
    room = recording()
    request = room.press(Action.STOP)
    moments = []
    for _ in range(8):
        assert room.step is StepKind.STOP
        moments.append(room.clock)
        room.answer(STOP_FAILED)
        assert room.room.problem is not None
        room.wait(30.0)
    pauses = [after - before for before, after in itertools.pairwise(moments)]
    assert all(pause <= 30.0 for pause in pauses)
    assert room.outcome(request) is None
    room.answers(OK, FINISHED)
    assert room.outcome(request) is Outcome.OK


def test_a_stop_outlives_the_link() -> None:
    room = recording()
    request = room.press(Action.STOP)
    room.cut(seconds=86_400)
    assert room.outcome(request) is None
    assert (room.state, room.step) == (State.STOPPING, StepKind.CONFIRM)
    room.answer(IS_RECORDING)
    assert room.step is StepKind.STOP
    room.cut()
    room.answer(FINISHED)
    assert room.outcome(request) is Outcome.OK


def test_a_stop_of_what_hmp_never_showed_ends_unknown_after_half_a_minute() -> None:
    room = DrivenRoom()
    room.press(Action.RECORD)
    room.answer(STARTED)
    room.answer(NOT_FOUND)
    request = room.press(Action.STOP)
    began = room.clock
    while room.outcome(request) is None and room.clock < began + 60:
        room.wait(0.5)
        if room.written:
            room.answer(NOT_FOUND)
    assert room.outcome(request) is Outcome.UNKNOWN
    assert 29.0 <= room.clock - began <= 32.0
    assert (room.state, room.room.alarm) == (State.UNKNOWN, Alarm.OUTCOME_UNKNOWN)
    # It turns up after all: the stop is carried out, and the alarm goes.
    room.answer(IS_RECORDING)
    assert room.step is StepKind.STOP
    room.answers(OK, FINISHED)
    assert (room.state, room.room.alarms) == (State.IDLE, frozenset())


def test_what_is_still_unknown_can_be_stopped_or_recorded_again() -> None:
    room = missing()
    request = room.press(Action.STOP)
    assert (room.state, room.step) == (State.STOPPING, StepKind.STOP)
    room.answers(OK, FINISHED)
    assert (room.outcome(request), room.room.alarms) == (Outcome.OK, frozenset())
    room = missing()
    request = room.press(Action.RECORD)
    room.answer(STARTED)
    assert (room.outcome(request), room.room.alarms) == (Outcome.OK, frozenset())


def missing() -> DrivenRoom:
    room = DrivenRoom()
    room.press(Action.RECORD)
    room.answers(STARTED, NOT_FOUND)
    while room.state is not State.UNKNOWN:
        room.wait(0.5)
        if room.written:
            room.answer(NOT_FOUND)
    assert 29.0 <= room.clock <= 32.0
    return room


def test_an_answer_about_a_recording_given_up_meanwhile_is_of_no_account() -> None:
    room = missing()
    room.wait(4.0)
    assert (room.step, room.written) == (StepKind.POLL, True)
    room.press(Action.RECORD)
    room.answer(NOT_FOUND)
    assert (room.state, room.step) == (State.STARTING, StepKind.START)


def test_a_resume_of_what_hmp_does_not_know_makes_no_storm() -> None:
    """A resume and the question after its refusal once took turns without a pause."""
    room = DrivenRoom()
    room.press(Action.RECORD)
    room.press(Action.PAUSE)
    room.answers(STARTED, OK)
    room.press(Action.RESUME)
    before = len(room.sent)
    for _ in range(200):
        if room.written:
            room.answer(NOT_FOUND)
        room.wait(0.5)
    assert len(room.sent) - before <= 100


def test_error_that_stays_after_the_stop_was_taken_is_the_end() -> None:
    room = recording()
    request = room.press(Action.STOP)
    room.answer(OK)
    while room.outcome(request) is None and room.clock < 60:
        room.wait(0.5)
        if room.written:
            room.answer(IS_ERROR)
    assert room.outcome(request) is Outcome.OK
    assert room.clock >= 30.0
    assert Alarm.RECORDING_ERROR in room.room.alarms


@pytest.mark.parametrize("kind", ["poll", "confirm", "settle"])
def test_a_question_that_hmp_cannot_answer_is_asked_again_later(kind: str) -> None:
    room = recording()
    if kind == "confirm":
        room.press(Action.STOP)
        room.answer(OK)
    elif kind == "settle":
        room.cut()
    room.answer(DOWN)
    asked = len(room.sent)
    assert room.room.problem is not None
    assert room.room.problem.code == "070000"
    room.wait(0.9)
    assert len(room.sent) == asked
    room.wait(0.1)
    room.answer(FINISHED)
    assert room.state is State.IDLE


@pytest.mark.parametrize("kind", ["poll", "confirm"])
def test_a_question_whose_answer_was_lost_is_asked_again(kind: str) -> None:
    room = recording()
    if kind == "confirm":
        room.press(Action.STOP)
        room.answer(OK)
    else:
        room.wait(2.0)
    room.answer(LOST)
    room.answer(FINISHED)
    assert room.state is State.IDLE


def test_a_poll_that_finds_the_end_confirms_a_stop_just_pressed() -> None:
    room = recording()
    room.wait(2.0)
    request = room.press(Action.STOP)
    assert room.step is StepKind.POLL
    room.answer(FINISHED)
    assert (room.outcome(request), room.room.alarms) == (Outcome.OK, frozenset())


# -- marks and titles -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (OK, Outcome.OK),
        (refused("010004", "'x' is not an active recording", "addHotmark"), Outcome.FAILED),
        (refused("040002", "Recording not found", "addHotmark"), Outcome.FAILED),
        (LOST, Outcome.UNKNOWN),
    ],
)
def test_a_mark_gets_one_answer_and_is_never_repeated(answer: Answer, outcome: Outcome) -> None:
    room = recording()
    request = room.press(Action.MARK, title="Vote")
    assert room.room.busy is not None
    assert room.room.busy.command == AddHotmark(RECORDING_ID, "Vote")
    room.answer(answer)
    assert room.outcome(request) is outcome
    room.wait(10)
    assert room.sent.count(StepKind.MARK) == 1


def test_a_mark_that_meets_another_is_moved_by_a_second_and_is_success_then() -> None:
    """R15: 060004 says that the second has its mark; the next one is free for this."""
    room = recording()
    request = room.press(Action.MARK, title="Vote")
    taken = refused("060004", "Hotmark already exists at this time", "addHotmark")
    room.answer(taken)
    assert room.outcome(request) is None
    room.wait(1.0)
    room.answer(taken)
    assert (room.outcome(request), room.sent.count(StepKind.MARK)) == (Outcome.OK, 2)


def test_a_mark_without_a_title_gets_the_rooms() -> None:
    room = recording()
    room.press(Action.MARK)
    assert room.room.busy is not None
    assert room.room.busy.command == AddHotmark(RECORDING_ID, "Mark")


def test_a_mark_waits_five_seconds_and_no_longer() -> None:
    room = DrivenRoom()
    room.press(Action.RECORD)
    early = room.press(Action.MARK)
    room.wait(4.9)
    assert room.outcome(early) is None
    room.wait(0.1)
    assert room.outcome(early) is Outcome.EXPIRED
    late = room.press(Action.MARK)
    room.answer(STARTED)
    assert room.step is StepKind.MARK
    room.wait(6.0)  # it is on its way: HMP's answer is its result
    assert room.outcome(late) is None
    room.answer(OK)
    assert room.outcome(late) is Outcome.OK


def test_a_mark_that_waits_in_the_queue_for_too_long_is_called_back() -> None:
    room = recording()
    room.queueing = True
    request = room.press(Action.MARK)
    room.wait(5.0)
    assert room.outcome(request) is Outcome.EXPIRED
    assert room.step is StepKind.POLL


def test_sixteen_marks_wait_and_a_seventeenth_is_refused() -> None:
    room = recording()
    room.queueing = True
    requests = [room.press(Action.MARK) for _ in range(17)]
    assert [room.outcome(request) for request in requests] == [None] * 16 + [Outcome.FAILED]
    assert room.code(requests[-1]) == "too_many_marks"


def test_marks_of_a_recording_that_ended_fail() -> None:
    room = recording()
    room.wait(2.0)
    request = room.press(Action.MARK)
    room.answer(FINISHED)
    assert (room.outcome(request), room.code(request)) == (Outcome.FAILED, "recording_ended")


def test_the_title_is_applied_after_the_start_and_never_fails_it() -> None:
    room = DrivenRoom()
    room.press(Action.RECORD, title="Weekly")
    room.answer(STARTED)
    assert room.room.busy is not None
    assert isinstance(room.room.busy.command, UpdateMetadata)
    room.answers(LOST, IS_RECORDING)
    room.wait(1.0)
    room.answer(refused("070017", "Failed to update a recording", "updateMetadata"))
    assert (room.state, room.room.alarm) == (State.RECORDING, Alarm.DETAILS_FAILED)
    assert room.sent == [StepKind.START, StepKind.DETAIL, StepKind.VERIFY, StepKind.DETAIL]
    room = DrivenRoom()
    room.press(Action.RECORD, title="Weekly")
    room.answers(STARTED, OK)
    assert (room.step, room.room.alarm) == (StepKind.VERIFY, None)


# -- adoption -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (FINISHED, "no_such_recording"),
        (IS_ERROR, "no_such_recording"),
        (NOT_FOUND, "no_such_recording"),
        (DOWN, "070000"),
    ],
)
def test_only_an_active_recording_can_be_adopted(answer: Answer, code: str) -> None:
    room = DrivenRoom()
    request = room.press(Action.ADOPT, recording_id=OTHER_ID)
    room.answer(answer)
    assert (room.outcome(request), room.code(request)) == (Outcome.FAILED, code)
    assert room.state is State.IDLE


def test_an_adoption_whose_answer_was_lost_is_asked_again_until_it_expires() -> None:
    room = DrivenRoom()
    request = room.press(Action.ADOPT, recording_id=OTHER_ID)
    room.cut(seconds=10)
    assert room.step is StepKind.ADOPT
    room.link(ready=False)
    room.answer(LOST)
    room.wait(20)
    assert room.outcome(request) is Outcome.EXPIRED
    room.link(ready=True)
    assert room.step is None


def test_a_second_adoption_overtakes_the_first() -> None:
    room = DrivenRoom()
    room.queueing = True
    first = room.press(Action.ADOPT, recording_id=OTHER_ID)
    second = room.press(Action.ADOPT, recording_id=RECORDING_ID)
    assert room.outcome(first) is Outcome.IGNORED
    room.let_go()
    room.answer(IS_RECORDING)
    assert room.outcome(second) is Outcome.OK
    assert room.room.recording is not None
    assert (room.room.recording.id, room.room.recording.owner) == (RECORDING_ID, "adopted")


# -- interruptions (R25) --------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [IS_ERROR, NOT_FOUND, STATUS_NOT_FOUND])
def test_what_hmp_lost_is_recorded_anew(answer: Answer) -> None:
    room = recording()
    room.answer(answer)
    if answer is IS_ERROR:
        assert room.state is State.STOPPING
        room.answers(OK, FINISHED)
    assert (room.state, room.step) == (State.STARTING, StepKind.START)
    room.answer(replace(STARTED, value=OTHER_ID))
    assert (room.state, room.room.alarm) == (State.RECORDING, Alarm.RECORDING_ERROR)
    assert room.room.last_recording_id == RECORDING_ID


def test_a_recording_is_restarted_once_in_half_a_minute() -> None:
    room = recording()
    room.answer(NOT_FOUND)
    first = room.clock
    room.answers(STARTED, IS_RECORDING, NOT_FOUND)
    assert (room.state, room.step) == (State.STARTING, None)
    room.wait(first + 30 - room.clock - 0.1)
    assert room.step is None
    room.wait(0.2)
    assert room.step is StepKind.START


def test_a_refused_restart_is_tried_again_but_never_with_a_full_disk() -> None:
    room = recording()
    room.answer(NOT_FOUND)
    room.answer(refused("060009", "Session requires at least one source", "startRecording"))
    assert (room.state, room.step) == (State.STARTING, None)
    room.wait(30.0)
    assert room.step is StepKind.START
    room.answer(refused("070027", "Insufficient Disk Space", "startRecording"))
    assert (room.state, room.room.alarm) == (State.IDLE, Alarm.DISK_FULL)
    room.wait(600)
    assert room.step is None


def test_a_press_instead_of_the_restart_to_come_gets_its_own_answer() -> None:
    room = recording()
    room.answers(NOT_FOUND, STARTED, IS_RECORDING, NOT_FOUND)  # the next restart waits
    room.press(Action.STOP)
    request = room.press(Action.RECORD)
    room.answer(refused("060009", "Session requires at least one source", "startRecording"))
    assert (room.outcome(request), room.state) == (Outcome.FAILED, State.IDLE)


def test_held_a_lost_recording_stays_in_error_until_somebody_presses() -> None:
    room = recording(DrivenRoom(HOLDING))
    room.answer(NOT_FOUND)
    assert (room.state, room.room.active) == (State.ERROR, True)
    room.answer(NOT_FOUND)
    request = room.press(Action.RECORD)
    room.answers(NOT_FOUND, NOT_FOUND, STARTED)
    assert (room.outcome(request), room.state) == (Outcome.OK, State.RECORDING)
    assert not room.room.alarms


def test_a_paused_recording_is_not_restarted() -> None:
    room = recording()
    room.press(Action.PAUSE)
    room.answers(OK, NOT_FOUND)
    assert room.state is State.ERROR


def test_finished_without_a_stop_is_a_person_and_is_left_so() -> None:
    room = recording()
    room.answer(FINISHED)
    assert (room.state, room.room.target) == (State.IDLE, Target.IDLE)
    assert room.room.alarm is Alarm.STOPPED_UNEXPECTEDLY
    room.wait(600)
    assert room.step is None


# -- expiry (R8) ----------------------------------------------------------------------------------


def test_a_record_expires_by_the_time_the_link_is_down_and_by_nothing_else() -> None:
    room = DrivenRoom()
    room.queueing = True
    request = room.press(Action.RECORD)
    room.wait(3600)
    assert room.outcome(request) is None
    room.link(ready=False)
    room.wait(20)
    room.link(ready=True)
    room.wait(3600)
    room.link(ready=False)
    room.wait(9)
    assert room.outcome(request) is None
    room.wait(1)
    assert (room.outcome(request), room.state) == (Outcome.EXPIRED, State.IDLE)


def test_a_record_whose_time_ran_out_unseen_is_not_started_when_the_link_is_back() -> None:
    """The box slept, or its disk held the room up: the link is the first to have a word."""
    room = DrivenRoom(ready=False)
    request, toggle = room.press(Action.RECORD), room.press(Action.TOGGLE)
    room.clock += 31
    room.link(ready=True)
    assert [room.outcome(each) for each in (request, toggle)] == [Outcome.EXPIRED] * 2
    assert (room.state, room.sent) == (State.IDLE, [])


def test_the_start_after_a_stop_expires_and_the_stop_stays() -> None:
    room = recording()
    stop = room.press(Action.STOP)
    start = room.press(Action.RECORD)
    room.cut(seconds=31)
    assert (room.outcome(start), room.outcome(stop)) == (Outcome.EXPIRED, None)
    room.answer(FINISHED)
    assert (room.outcome(stop), room.state, room.step) == (Outcome.OK, State.IDLE, None)


def test_of_two_starts_that_wait_the_younger_keeps_the_room_starting() -> None:
    room = DrivenRoom(ready=False)
    first = room.press(Action.RECORD)
    room.wait(31)
    second = room.press(Action.RECORD)
    assert room.outcome(first) is Outcome.EXPIRED
    assert room.state is State.STARTING
    room.link(ready=True)
    assert room.outcome(second) is None


# -- elapsed --------------------------------------------------------------------------------------


def test_elapsed_leaves_pauses_out_and_is_shown_every_ten_seconds() -> None:
    room = recording()
    room.wait(10)
    room.answer(IS_RECORDING)
    assert room.room.elapsed == 10
    room.wait(1.5)
    room.answer(IS_RECORDING)
    room.press(Action.PAUSE)
    room.answer(OK)
    shown = room.room.elapsed
    assert shown == 12
    room.wait(100)
    assert room.room.elapsed == shown
    room.answer(IS_PAUSED)
    room.press(Action.RESUME)
    room.answer(OK)
    room.wait(10)
    assert 20 <= room.room.elapsed <= 22


def test_nothing_sent_changes_nothing() -> None:
    room = recording()
    before = replace(room.room, busy=None)
    room.queueing = True
    room.wait(2.0)
    room.answer(NotSent())
    assert replace(room.room, busy=None) == before


def test_a_stop_that_hmp_took_is_confirmed_by_not_found() -> None:
    """Stopped before any status was asked: HMP's OK proves that it knew the recording (R8)."""
    driven = DrivenRoom()
    driven.press(Action.RECORD)
    driven.answer(STARTED)
    stop = driven.press(Action.STOP)
    driven.answers(NotSent(), OK, NOT_FOUND)
    assert driven.outcome(stop) is Outcome.OK
    assert driven.state is State.IDLE
