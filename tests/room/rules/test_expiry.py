"""What is asked while HMP is out of reach, and for how long it counts (R8)."""

from bridge.room.facts.vocabulary import Action, Outcome, State

from ..driven import FINISHED, OK, STARTED, DrivenRoom, recording

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
    room.answers(OK, FINISHED)
    assert (room.outcome(stop), room.state, room.step) == (Outcome.OK, State.IDLE, None)


def test_the_title_of_a_start_that_expired_is_not_given_to_the_next() -> None:
    room = recording()
    room.press(Action.STOP)
    room.press(Action.RECORD, title="Weekly")
    room.cut(seconds=31)
    room.answer(FINISHED)
    room.press(Action.RECORD)
    room.answer(STARTED)
    assert room.room.recording is not None
    assert room.room.recording.title is None


def test_of_two_starts_that_wait_the_younger_keeps_the_room_starting() -> None:
    room = DrivenRoom(ready=False)
    first = room.press(Action.RECORD)
    room.wait(31)
    second = room.press(Action.RECORD)
    assert room.outcome(first) is Outcome.EXPIRED
    assert room.state is State.STARTING
    room.link(ready=True)
    assert room.outcome(second) is None
