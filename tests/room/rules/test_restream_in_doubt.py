"""A re-stream whose reply was lost (E45), or over which the bridge was killed."""

from dataclasses import replace

import pytest

from bridge.hmp.commands import StartRestreamRecording
from bridge.room.facts.answer import Answer
from bridge.room.facts.created import Phase
from bridge.room.facts.vocabulary import Outcome, StepKind
from bridge.room.rules.plan import next_step

from ..driven import LOST, OK, OTHER_ID, RECORDING_ID, refused
from ..restreams import (
    IN_USE,
    MULTI,
    NOT_READY,
    START,
    STOP,
    STREAM_ID,
    STREAMS,
    published,
    recorded,
    streaming,
    without_id,
)

# A lost reply (E45).


def test_the_first_start_did_not_work() -> None:
    room = recorded()
    start = room.press(START)
    room.cut()
    assert room.outcome(start) is Outcome.UNKNOWN
    assert room.command() == StartRestreamRecording(RECORDING_ID, "239.1.1.1", 5000)
    room.answer(STREAMS)
    assert published(room) == STREAM_ID
    assert room.sent.count(StepKind.RESTREAM) == 2


def test_the_first_start_worked_and_its_id_is_lost() -> None:
    room = without_id()
    assert room.room.restream is not None
    assert room.room.restream.phase is Phase.RUNNING
    assert published(room) == "none"
    stop = room.press(STOP)
    assert (room.outcome(stop), room.code(stop)) == (Outcome.FAILED, "stream_id_unknown")
    assert room.step is None
    other = room.press(START, ip="10.0.0.9", port=6000)
    assert room.code(other) == "stream_id_unknown"


@pytest.mark.parametrize(
    ("answer", "outcome", "phase"),
    [
        (IN_USE, Outcome.IGNORED, Phase.RUNNING),
        (STREAMS, Outcome.OK, Phase.RUNNING),
        (MULTI, Outcome.FAILED, None),
        (NOT_READY, Outcome.FAILED, Phase.RUNNING),
    ],
)
def test_a_start_asks_whether_the_one_without_id_still_runs(
    answer: Answer, outcome: Outcome, phase: Phase | None
) -> None:
    room = without_id()
    start = room.press(START)
    assert room.sends(StepKind.RESTREAM)
    room.answer(answer)
    stream = room.room.restream
    assert (room.outcome(start), None if stream is None else stream.phase) == (outcome, phase)
    assert room.step is None


def test_the_question_may_expire_and_the_stream_stays_known() -> None:
    room = without_id()
    room.link(ready=False)
    start = room.press(START)
    room.wait(31.0)
    assert room.outcome(start) is Outcome.EXPIRED
    assert room.room.restream is not None
    assert room.room.restream.phase is Phase.RUNNING


def test_it_is_repeated_once() -> None:
    room = recorded()
    room.press(START)
    room.cut()
    room.cut()
    assert room.step is None
    assert room.room.restream is not None
    assert room.room.restream.phase is Phase.RUNNING  # as far as anybody knows
    assert room.sent.count(StepKind.RESTREAM) == 2


@pytest.mark.parametrize("answer", [MULTI, refused("070004", "Error while starting stream", START)])
def test_the_repeat_is_refused_for_another_reason(answer: Answer) -> None:
    room = recorded()
    room.press(START)
    room.cut()
    stop = room.press(STOP)
    room.answer(answer)
    assert room.room.restream is None
    assert room.outcome(stop) is Outcome.IGNORED


@pytest.mark.parametrize(("answer", "outcome"), [(STREAMS, Outcome.OK), (IN_USE, Outcome.FAILED)])
def test_a_stop_waits_for_the_repeat(answer: Answer, outcome: Outcome) -> None:
    room = recorded()
    room.press(START)
    room.link(ready=False)
    room.answer(LOST)
    stop = room.press(STOP)
    again = room.press(STOP)
    assert room.outcome(again) is Outcome.IGNORED
    room.link(ready=True)
    room.answer(answer)
    if outcome is Outcome.OK:
        assert room.sends(StepKind.RESTREAM_STOP)
        room.answer(OK)
    assert room.outcome(stop) is outcome


# A restart.


def test_a_kill_while_the_start_is_on_its_way() -> None:
    room = recorded()
    start = room.press(START)
    assert room.sends(StepKind.RESTREAM)
    room.kill()
    assert room.outcome(start) is Outcome.UNKNOWN
    room.link(ready=True)
    assert room.sends(StepKind.RESTREAM)
    room.kill()
    room.link(ready=True)
    assert room.step is None


def test_a_kill_while_it_runs() -> None:
    room = streaming()
    room.kill()
    assert published(room) == STREAM_ID
    stop = room.press(STOP)
    room.kill()
    room.link(ready=True)
    assert next_step(room.room, room.now) == room.room.busy
    room.answer(OK)
    assert room.outcome(stop) is Outcome.OK


def test_a_kill_while_it_waits() -> None:
    room = recorded()
    room.link(ready=False)
    start = room.press(START)
    room.kill()
    room.link(ready=True)
    room.answer(STREAMS)
    assert room.outcome(start) is Outcome.OK


def test_another_recording_finishes_meanwhile() -> None:
    """The question after a lost reply is about the recording that was to be streamed."""
    room = recorded()
    room.press(START)
    room.link(ready=False)
    room.answer(LOST)
    room.room = replace(room.room, last_recording_id=OTHER_ID)
    room.link(ready=True)
    assert room.command() == StartRestreamRecording(RECORDING_ID, "239.1.1.1", 5000)
    room.answer(STREAMS)
    stream = room.room.restream
    assert stream is not None
    assert (stream.recording, stream.id, stream.doubt) == (RECORDING_ID, STREAM_ID, False)
