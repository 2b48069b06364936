"""One room's loop: what is sent, written down, published and answered, and in which order."""

import json

import pytest
import trio
import trio.testing

from bridge.hmp.commands import GetRecordingStatus, RecordingId
from bridge.hmp.errors import Refused
from bridge.hmp.link import Priority
from bridge.journal.inputs import InputKey
from bridge.room.delivery import Refusal
from bridge.room.facts.values import Result
from bridge.room.facts.vocabulary import Action, Outcome, State
from bridge.simulator.faults import Fault

from .driven import OTHER_ID, POLICY, SESSION
from .house import Carried, House


async def test_a_press_from_end_to_end(autojump_clock: trio.testing.MockClock) -> None:
    house = House()
    house.hmp.world.faults.add(Fault.from_text("delay:startRecording:0.04"))
    async with house.running():
        house.press(Action.RECORD)
        await house.until(lambda: house.results)
    states = [state.state for state in house.published]
    assert states[-1] is State.RECORDING
    assert State.STARTING in states
    assert [result.outcome for result in house.results] == [Outcome.OK]
    assert house.accepted == ["1"]
    assert house.inputs == [InputKey(7, b"1")]


ACTIONS = [Action.RECORD, Action.PAUSE, Action.RESUME, Action.STOP]


async def test_what_hmp_answers_at_once_is_said_at_once_and_alone(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """No light flickers: of an ``-ing`` state nobody hears that has passed within 30 ms (R1)."""
    house = House()
    house.hmp.world.faults.add(Fault.from_text("delay:*:0.012"))  # a stop takes two answers
    async with house.running():
        for number, action in enumerate(ACTIONS):
            house.press(action, str(number))
            await house.answered(number + 1)
    said = [state.state for state in house.published if state.link_ready]
    said = [state for state, before in zip(said, [None, *said], strict=False) if state != before]
    assert said == [State.IDLE, State.RECORDING, State.PAUSED, State.RECORDING, State.IDLE]


@pytest.mark.parametrize("commit", [0.0, 0.02])
async def test_it_is_said_what_hmp_is_asked_for_where_the_answer_takes_longer(
    autojump_clock: trio.testing.MockClock, commit: float
) -> None:
    """After 30 ms, counted from when nothing but HMP was waited for."""
    house = House(commit=commit)
    house.hmp.world.faults.add(Fault.from_text("delay:*:1"))
    async with house.running():
        for number, (action, word) in enumerate(
            zip(ACTIONS, ["starting", "pausing", "resuming", "stopping"], strict=True)
        ):
            began = trio.current_time()
            house.press(action, str(number))
            await house.said(word)
            first = commit if action is Action.RECORD else 0.0  # its intent is written before (R6)
            assert trio.current_time() - began == pytest.approx(0.03 + first)
            await house.answered(number + 1)


async def test_a_result_never_speaks_of_a_state_that_was_not_said(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """The second press is answered while HMP has not yet answered the first (R1)."""
    house = House()
    house.hmp.world.faults.add(Fault.from_text("delay:startRecording:0.02"))
    async with house.running():
        house.press(Action.RECORD, "1")
        await trio.sleep(0.01)
        before = [state.state for state in house.published]
        house.press(Action.RECORD, "2")
        await house.answered(1)
        then = [state.state for state in house.published[len(before) :]]
        assert (house.results[0].outcome, house.results[0].state) == ("ignored", State.STARTING)
        assert (set(before), then) == ({State.IDLE}, [State.STARTING])
        await house.answered(2)
    assert house.published[-1].state is State.RECORDING


async def test_what_hmp_is_not_being_asked_for_is_said_at_once(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """No answer is to be expected within 30 ms: the press waits for the link (R8)."""
    house = House()
    async with house.running():
        house.room.link_changed(ready=False)
        began = trio.current_time()
        house.press(Action.RECORD)
        await house.said(State.STARTING)
        assert trio.current_time() == began


async def test_a_shutdown_says_what_was_still_unsaid(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """HMP does not confirm the stop before the room's run ends: then nothing is held back."""
    house = House()
    house.hmp.world.faults.add(Fault.from_text("delay:stopRecording:0.01"))
    async with house.running() as rooms:
        await house.recording()
        house.press(Action.STOP, "2")
        await trio.sleep(0.005)
        rooms.cancel()
    assert "stopRecording" in house.executed
    assert house.published[-1].state is State.STOPPING


async def test_an_answer_does_not_wait_for_the_commit_of_the_press(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """The light follows HMP while the disk is at work; the result comes when it has it (R6)."""
    house = House(commit=2.0)
    async with house.running():
        await house.recording()
        await trio.sleep(2 * house.commit)  # the disk has nothing more to do
        began = trio.current_time()
        house.press(Action.PAUSE, "2")
        await house.said(State.PAUSED)
        assert trio.current_time() == began
        await trio.sleep(0.99 * house.commit)
        assert [result.id for result in house.results] == house.accepted == ["start"]
        await house.until(lambda: len(house.results) == 2)
        assert trio.current_time() == pytest.approx(began + house.commit)
        assert house.accepted == ["start", "2"]


async def test_the_stages_of_a_press_are_told_with_its_result(
    autojump_clock: trio.testing.MockClock,
) -> None:
    house = House(commit=0.25)
    house.hmp.world.faults.add(Fault.from_text("delay:startRecording:2"))
    async with house.running():
        began = trio.current_time()
        house.press(Action.RECORD, "1")
        await house.until(lambda: house.results)
        house.press(Action.RECORD, "2")  # it records already: nothing is sent
        await house.until(lambda: len(house.results) == 2)
        ignored_at = trio.current_time()
    started, ignored = house.stages
    # The intent is on the disk before anything is sent (R6).
    assert started.received_at == pytest.approx(began)
    assert started.sent_at == pytest.approx(began + 0.25)
    assert started.answered_at == pytest.approx(began + 2.25)
    assert house.results[0].took == pytest.approx(2.25)
    assert ignored.sent_at is None
    assert ignored.answered_at is None
    assert began + 2.25 < ignored.received_at <= ignored_at


async def test_the_answer_to_a_stop_is_what_confirms_it(
    autojump_clock: trio.testing.MockClock,
) -> None:
    house = House()
    house.hmp.world.faults.add(Fault.from_text("delay:stopRecording:1"))
    house.hmp.world.faults.add(Fault.from_text("delay:getRecordingStatus:3"))
    async with house.running():
        await house.recording()
        began = trio.current_time()
        house.press(Action.STOP, "2")
        await house.until(lambda: house.room.state.recording is None)
        await house.until(lambda: len(house.results) == 2)
    stages = house.stages[-1]
    assert stages.received_at == pytest.approx(began)
    assert stages.sent_at is not None
    assert stages.answered_at is not None
    assert began <= stages.sent_at <= stages.answered_at - 1


async def test_the_intent_is_on_the_disk_before_hmp_hears_of_it(
    autojump_clock: trio.testing.MockClock,
) -> None:
    house = House(commit=0.01)
    async with house.running():
        await house.recording()
    document, executed, _ = next(entry for entry in house.disk if entry[0].get("sent") == "start")
    assert "startRecording" not in executed
    assert document["target"] == "recording"


async def test_an_id_is_on_the_disk_before_anybody_sees_it(
    autojump_clock: trio.testing.MockClock,
) -> None:
    house = House(commit=0.01)
    async with house.running():
        await house.recording()
    _, _, published = next(entry for entry in house.disk if "recording" in entry[0])
    assert State.RECORDING not in published


async def test_a_pause_does_not_wait_for_the_disk_but_its_result_does(
    autojump_clock: trio.testing.MockClock,
) -> None:
    house = House(commit=0.05)
    async with house.running():
        await house.recording()
        house.results.clear()
        written = len(house.disk)
        house.press(Action.PAUSE, "2")
        await house.said(State.PAUSED)
        # The first commit that knows of the press ends after HMP has paused.
        assert len(house.disk) == written
        assert house.results == []
        await house.until(lambda: house.results)
        assert house.disk[written][0]["results"]
        assert house.room.state.state is State.PAUSED


async def test_a_refusal_is_on_the_disk_before_it_is_given_or_acknowledged(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """Delivered again after a kill it is known, and never carried out later (R16, R27)."""
    house = House(commit=0.05)
    expired = Result("9", "record", "topic", Outcome.EXPIRED, State.IDLE)
    async with house.running():
        house.room.submit(Refusal(expired, InputKey(9, b"9"), Carried("9", house.accepted)))
        await trio.sleep(house.commit / 2)
        assert (house.results, house.accepted) == ([], [])
        await house.until(lambda: house.results)
    assert house.results == [expired]
    assert house.accepted == ["9"]
    assert house.inputs == [InputKey(9, b"9")]
    assert any(document.get("results") for document, _, _ in house.disk)


async def test_a_toggle_is_on_the_disk_before_it_acts(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """Delivered again after a kill it would do the opposite (R27)."""
    house = House(commit=0.05)
    async with house.running():
        await house.recording()
        house.press(Action.TOGGLE, "2")
        await house.until(lambda: house.inputs[-1:] == [InputKey(7, b"2")])
        assert "stopRecording" not in house.disk[-1][1]
        await house.until(lambda: house.room.state.recording is None)


async def test_quick_presses_do_not_put_polls_off(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """However many polls a room has given up for a press, the next comes in time (R3)."""
    house = House()
    async with house.running():
        await house.recording()
        for number in range(200):
            action = Action.PAUSE if number % 2 == 0 else Action.RESUME
            house.results.clear()
            house.press(action, str(number))
            await house.until(lambda: house.results)
        polls = house.executed.count("getRecordingStatus")
        await trio.sleep(2 * POLICY.poll_interval)
        assert house.executed.count("getRecordingStatus") > polls


async def test_a_room_without_a_recording_rests(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """The moment of a poll that came to nothing wakes nobody: not after a stop, not in an outage.

    A room that span there would keep the virtual clock from ever advancing.
    """
    house = House()
    async with house.running():
        await house.recording()
        await trio.sleep(POLICY.poll_interval / 4)  # the next poll has its moment
        house.press(Action.STOP, "2")
        await house.until(lambda: house.room.state.recording is None)
        await trio.sleep(10 * POLICY.poll_interval)
        await house.recording()
        await trio.sleep(POLICY.poll_interval / 4)
        house.room.link_changed(ready=False)
        await trio.sleep(10 * POLICY.poll_interval)


async def test_a_start_in_flight_is_taken_in_when_the_room_is_shut_down(
    autojump_clock: trio.testing.MockClock,
) -> None:
    house = House(commit=0.01)
    house.hmp.world.faults.add(Fault.from_text("slow_reply:startRecording:5"))
    async with house.running() as rooms:
        house.press(Action.RECORD)
        await house.until(lambda: "startRecording" in house.executed)
        rooms.cancel()
    [recording_id] = house.hmp.world.recordings
    recording = house.disk[-1][0]["recording"]
    assert isinstance(recording, dict)
    assert recording["id"] == recording_id
    assert house.published[-1].state is State.RECORDING
    assert [result.outcome for result in house.results] == [Outcome.OK]


async def test_a_shutdown_in_the_middle_of_a_commit_loses_no_result(
    autojump_clock: trio.testing.MockClock,
) -> None:
    house = House(commit=1.0)
    async with house.running() as rooms:
        house.press(Action.STOP)  # ignored: nothing is recorded, and the result is written down
        await trio.sleep(0.5)
        rooms.cancel()
    assert [result.outcome for result in house.results] == [Outcome.IGNORED]
    assert house.accepted == ["1"]


async def test_what_waits_in_the_queue_is_called_back_by_a_stop(
    autojump_clock: trio.testing.MockClock,
) -> None:
    house = House()
    house.hmp.world.faults.add(Fault.from_text("delay:getRecordingStatus:3"))
    async with house.running():

        async def occupy() -> None:
            other = GetRecordingStatus(RecordingId("0f0f0f0f-0665-48cd-b141-1e95283469f1"))
            with pytest.raises(Refused, match="040001"):
                await house.link.execute(other, Priority.STOP)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(occupy)
            await trio.sleep(0.1)
            house.press(Action.RECORD, "1")
            await house.until(lambda: house.room.state.busy is not None)
            house.press(Action.STOP, "2")
            await house.until(lambda: len(house.results) == 2)
    assert {result.outcome for result in house.results} == {Outcome.IGNORED}
    assert "startRecording" not in house.executed


async def test_what_fell_due_while_the_disk_was_at_work_is_due_at_once(
    autojump_clock: trio.testing.MockClock,
) -> None:
    house = House(commit=6.0)  # longer than a mark keeps
    house.hmp.world.faults.add(Fault.from_text("delay:startRecording:25"))
    async with house.running():
        house.press(Action.RECORD, "1")
        await house.until(lambda: house.disk)
        began = trio.current_time()
        house.press(Action.MARK, "2")
        await house.until(lambda: house.results)
        assert (house.results[0].id, house.results[0].outcome) == ("2", Outcome.EXPIRED)
        assert trio.current_time() - began <= 3 * house.commit


async def test_what_the_broker_retains_is_taken_over_before_anything_else_happens(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """Who brings it hears when the room holds it, has written it down and has said so (R9)."""
    house = House()
    retained = {"state": "recording", "recording_id": OTHER_ID, "session_id": SESSION}
    async with house.running():
        with trio.fail_after(10):
            await house.room.adopt(json.dumps(retained).encode()).wait()
        held = house.room.state.recording
        assert held is not None
        assert held.id == OTHER_ID
        assert OTHER_ID in str(house.disk[-1][0])
        assert house.published[-1].recording is not None
