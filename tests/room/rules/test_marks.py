"""HotMarks: one result each, one a second, and those that a room sets by itself (R15)."""

from dataclasses import replace

import pytest

from bridge.hmp.commands import AddHotmark
from bridge.room.facts.answer import Answer
from bridge.room.facts.vocabulary import Action, Outcome, StepKind

from ..bookings import BOOKED, BookedRoom
from ..driven import FINISHED, LOST, OK, RECORDING_ID, STARTED, DrivenRoom, recording, refused

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


# -- at a simulated HMP ----------------------------------------------------------------------------


# -- marks ----------------------------------------------------------------------------------------


def test_marks_of_one_second_are_moved_to_the_next() -> None:
    room = BookedRoom()
    room.ask("record")
    room.live(10)
    requests = [room.press("mark", title=title) for title in "ABC"]
    room.live(3)
    assert [room.outcome(each) for each in requests] == ["ok"] * 3
    assert room.newest.hotmarks == {10: "A", 11: "B", 12: "C"}


def test_a_mark_that_finds_no_second_in_time_expires() -> None:
    room = BookedRoom(replace(BOOKED, mark_ttl=1.5))
    room.ask("record")
    requests = [room.press("mark", title=title) for title in "ABC"]
    room.live(5)
    assert [room.outcome(each) for each in requests] == ["ok", "ok", "expired"]


def test_a_pause_can_be_marked_by_the_room() -> None:
    room = BookedRoom(replace(BOOKED, pause_mark="Break", resume_mark="Go on"))
    room.ask("record")
    room.live(10)
    room.ask("pause")
    room.live(60)
    room.ask("resume")
    room.live(5)
    assert room.newest.hotmarks == {10: "Break", 11: "Go on"}
    assert set(room.results) == set(room.asked)
