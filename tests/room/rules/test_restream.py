"""The re-stream of the last finished recording: every answer, and the last press that counts."""

import pytest

from bridge.hmp.commands import StartRestreamRecording, StopRestreamRecording
from bridge.room.facts.answer import Answer, Done
from bridge.room.facts.vocabulary import Action, Outcome, State, StepKind
from bridge.room.memory.durable import must_precede, remember
from bridge.room.rules.plan import PRIORITY
from tests.room.policies import policy_of

from ..driven import (
    FINISHED,
    IS_RECORDING,
    LOST,
    OK,
    OTHER_ID,
    RECORDING_ID,
    SESSION,
    STARTED,
    DrivenRoom,
    refused,
)
from ..restreams import (
    IN_USE,
    MULTI,
    NO_STREAM,
    NOT_READY,
    NOT_STOPPED,
    POLICY,
    START,
    STOP,
    STREAM_ID,
    STREAMS,
    published,
    recorded,
    streaming,
)


def test_it_streams_the_last_finished_recording_and_stops() -> None:
    room = recorded()
    assert published(room) == "none"
    start = room.press(START)
    assert room.command() == StartRestreamRecording(RECORDING_ID, "239.1.1.1", 5000)
    assert (room.state, published(room)) == (State.IDLE, "none")
    room.answer(STREAMS)
    assert (room.outcome(start), published(room)) == (Outcome.OK, STREAM_ID)
    again = room.press(START)
    assert (room.outcome(again), room.step) == (Outcome.IGNORED, None)
    stop = room.press(STOP)
    assert room.command() == StopRestreamRecording(STREAM_ID)
    assert published(room) == STREAM_ID  # R1: until HMP has answered
    room.answer(OK)
    assert (room.outcome(stop), published(room)) == (Outcome.OK, "none")
    assert room.room.restream is None


def test_the_press_says_where_to() -> None:
    room = recorded()
    room.press(START, ip="10.0.0.9", port=6000)
    assert room.command() == StartRestreamRecording(RECORDING_ID, "10.0.0.9", 6000)


@pytest.mark.parametrize(("ip", "port"), [(None, None), ("10.0.0.9", None), (None, 6000)])
def test_nobody_says_where_to(ip: str | None, port: int | None) -> None:
    room = recorded(policy_of(SESSION))
    request = room.press(START, ip=ip, port=port)
    assert room.code(request) == "no_destination"
    assert room.step is None


def test_nothing_was_recorded() -> None:
    room = DrivenRoom(POLICY)
    assert room.code(room.press(START)) == "nothing_to_stream"
    assert room.outcome(room.press(STOP)) is Outcome.IGNORED


def test_it_waits_for_the_confirmed_end_of_the_recording() -> None:
    room = DrivenRoom(POLICY)
    room.press(Action.RECORD)
    room.answers(STARTED, IS_RECORDING)
    start = room.press(START)
    room.wait(300.0)
    assert room.outcome(start) is None
    room.press(Action.STOP)
    room.answers(IS_RECORDING, OK)  # a poll was under way
    assert room.sends(StepKind.CONFIRM)
    room.answer(FINISHED)
    assert room.sends(StepKind.RESTREAM)
    room.answer(STREAMS)
    assert room.outcome(start) is Outcome.OK


def test_it_waits_although_an_earlier_recording_could_be_streamed() -> None:
    room = recorded()
    room.press(Action.RECORD)
    room.answers(Done(OTHER_ID), IS_RECORDING)
    room.press(START)
    assert room.sends(StepKind.POLL)
    room.press(Action.STOP)
    room.answers(OK, FINISHED)
    assert room.command() == StartRestreamRecording(OTHER_ID, "239.1.1.1", 5000)


def test_it_waits_for_a_recording_that_never_starts() -> None:
    room = DrivenRoom(POLICY)
    room.press(Action.RECORD)
    start = room.press(START)
    room.answer(refused("070027", "Insufficient Disk Space", "startRecording"))
    assert room.code(start) == "nothing_to_stream"


def test_a_recording_whose_id_is_lost_cannot_be_streamed() -> None:
    room = recorded()
    room.press(Action.RECORD)
    start = room.press(START)
    room.cut()
    room.answer(refused("060003", "Active recording currently in progress", "removeSource"))
    assert room.state is State.RECORDING
    assert room.code(start) == "id_unknown"
    assert room.room.restream is None


def test_a_press_for_the_recording_goes_first() -> None:
    room = recorded()
    room.queueing = True
    room.press(START)
    assert room.sends(StepKind.RESTREAM)
    room.press(Action.RECORD)
    assert room.sends(StepKind.START)
    assert PRIORITY[StepKind.START] < PRIORITY[StepKind.RESTREAM]


def test_it_expires_only_while_hmp_is_out_of_reach() -> None:
    room = recorded()
    room.queueing = True
    start = room.press(START)
    room.wait(300.0)
    assert room.outcome(start) is None
    room.link(ready=False)
    room.wait(31.0)
    assert room.outcome(start) is Outcome.EXPIRED
    assert room.room.restream is None
    room.link(ready=True)
    assert room.step is None


@pytest.mark.parametrize(
    ("refusal", "code"), [(MULTI, "010005"), (IN_USE, "010006"), (NOT_READY, "070000")]
)
def test_hmp_refuses(refusal: Answer, code: str) -> None:
    room = recorded()
    start = room.press(START)
    room.answer(refusal)
    assert (room.outcome(start), room.code(start)) == (Outcome.FAILED, code)
    assert room.room.restream is None
    assert room.room.problem is not None
    assert room.room.problem.code == code


# The last press counts (R10).


def test_a_stop_overtakes_a_start_that_waits() -> None:
    room = DrivenRoom(POLICY)
    room.press(Action.RECORD)
    start, stop = room.press(START), room.press(STOP)
    assert (room.outcome(start), room.outcome(stop)) == (Outcome.IGNORED, Outcome.IGNORED)
    assert room.room.restream is None


def test_a_stop_follows_a_start_on_its_way() -> None:
    room = recorded()
    start = room.press(START)
    stop = room.press(STOP)
    room.answer(STREAMS)
    assert (room.outcome(start), room.step) == (Outcome.OK, StepKind.RESTREAM_STOP)
    room.answer(OK)
    assert (room.outcome(stop), room.room.restream) == (Outcome.OK, None)


def test_a_start_follows_a_stop_on_its_way() -> None:
    room = streaming()
    stop = room.press(STOP)
    start = room.press(START)
    assert room.sends(StepKind.RESTREAM_STOP)
    room.answer(OK)
    assert (room.outcome(stop), room.step) == (Outcome.OK, StepKind.RESTREAM)
    room.answer(STREAMS)
    assert room.outcome(start) is Outcome.OK


def test_a_start_overtakes_a_stop_that_waits() -> None:
    room = streaming()
    room.link(ready=False)
    stop = room.press(STOP)
    start = room.press(START)
    assert (room.outcome(stop), room.outcome(start)) == (Outcome.IGNORED, Outcome.IGNORED)
    assert published(room) == STREAM_ID


def test_the_last_destination_wins_while_it_waits() -> None:
    room = DrivenRoom(POLICY)
    room.press(Action.RECORD)
    room.answers(STARTED, IS_RECORDING)
    first, second = room.press(START), room.press(START, ip="239.1.1.9", port=6000)
    assert room.outcome(first) is Outcome.IGNORED
    room.press(Action.STOP)
    room.answers(OK, FINISHED)
    assert room.command() == StartRestreamRecording(RECORDING_ID, "239.1.1.9", 6000)
    room.answer(STREAMS)
    assert room.outcome(second) is Outcome.OK


def test_one_that_runs_is_not_said_to_be_sent_elsewhere() -> None:
    room = streaming()
    start = room.press(START, port=6000)
    assert (room.outcome(start), room.code(start)) == (Outcome.FAILED, "streams_elsewhere")
    assert room.outcome(room.press(START)) is Outcome.IGNORED
    assert room.step is None


def test_one_on_its_way_is_not_said_to_be_sent_elsewhere() -> None:
    room = recorded()
    first, second = room.press(START), room.press(START, ip="239.1.1.9")
    assert (room.outcome(second), room.code(second)) == (Outcome.FAILED, "streams_elsewhere")
    room.answer(STREAMS)
    assert room.outcome(first) is Outcome.OK


@pytest.mark.parametrize(
    ("answer", "outcomes"),
    [(OK, (Outcome.OK, None)), (NOT_STOPPED, (Outcome.FAILED, Outcome.FAILED))],
)
def test_a_start_elsewhere_follows_a_stop_on_its_way(
    answer: Answer, outcomes: tuple[Outcome, Outcome | None]
) -> None:
    room = streaming()
    stop = room.press(STOP)
    start = room.press(START, ip="239.1.1.9", port=6000)
    assert room.sends(StepKind.RESTREAM_STOP)
    room.answer(answer)
    assert (room.outcome(stop), room.outcome(start)) == outcomes
    if answer is OK:
        assert room.command() == StartRestreamRecording(RECORDING_ID, "239.1.1.9", 6000)
    else:
        assert (published(room), room.step) == (STREAM_ID, None)


@pytest.mark.parametrize("last", [START, STOP])
def test_the_press_after_a_start_elsewhere_counts(last: Action) -> None:
    room = streaming()
    room.press(STOP)
    elsewhere = room.press(START, ip="239.1.1.9", port=6000)
    room.press(last)
    assert room.outcome(elsewhere) is Outcome.IGNORED
    room.answer(OK)
    again = StartRestreamRecording(RECORDING_ID, "239.1.1.1", 5000)
    assert room.command() == (again if last is START else None)


def test_a_start_elsewhere_may_expire() -> None:
    room = streaming()
    room.link(ready=False)
    room.press(STOP)
    start = room.press(START, ip="239.1.1.9", port=6000)
    room.wait(31.0)
    assert room.outcome(start) is Outcome.EXPIRED
    room.link(ready=True)
    room.answer(OK)
    assert (room.room.restream, room.step) == (None, None)


@pytest.mark.parametrize(
    ("answers", "outcome", "left"),
    [
        ([NO_STREAM], Outcome.OK, "none"),
        ([NOT_STOPPED], Outcome.FAILED, STREAM_ID),
        ([LOST, NO_STREAM], Outcome.OK, "none"),
    ],
)
def test_what_hmp_says_to_a_stop(answers: list[Answer], outcome: Outcome, left: str) -> None:
    room = streaming()
    stop = room.press(STOP)
    room.answers(*answers)
    assert (room.outcome(stop), published(room), room.step) == (outcome, left, None)


def test_the_start_and_the_id_are_written_down_first() -> None:
    room = recorded()
    before = remember(room.room)
    room.press(START)
    sent = remember(room.room)
    assert must_precede(sent, before)
    room.answer(STREAMS)
    assert must_precede(remember(room.room), sent)
