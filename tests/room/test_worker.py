"""One room's loop at a real server link and the simulated HMP, over memory streams, virtual clock.

What the disk is told, and when, is seen by a journal that notes what HMP had executed and what had
been published at that moment.
"""

import json
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial

import pytest
import trio
import trio.testing

from bridge.hmp.client import ServerLink
from bridge.hmp.commands import GetRecordingStatus, RecordingId
from bridge.hmp.errors import Refused
from bridge.hmp.link import LinkSettings, LinkState, Priority
from bridge.inputs import InputKey
from bridge.room.memory import Memory
from bridge.room.stages import Stages
from bridge.room.state import Now, Request, Result, RoomState
from bridge.room.vocabulary import Action, Outcome, State
from bridge.room.worker import Delivery, Refusal, Room, ServerFacts
from bridge.simulator.faults import Fault
from bridge.simulator.server import Simulator
from bridge.simulator.wire import StreamWire
from bridge.simulator.worldfile import load_world

from .driven import POLICY, WALL


def clock() -> Now:
    """The virtual clock."""
    return Now(trio.current_time(), WALL + trio.current_time())


class House:
    """A room, its link, its HMP, and a disk that takes its time."""

    def __init__(self, *, commit: float = 0.0) -> None:
        world = load_world(None, now=clock_wall, ids=random.Random(1))
        self.hmp = Simulator(world)
        self.commit = commit
        #: Each document with the commands HMP had executed and the states published by then.
        self.disk: list[tuple[dict[str, object], list[str], list[State]]] = []
        self.inputs: list[InputKey] = []
        self.published: list[RoomState] = []
        self.results: list[Result] = []
        self.stages: list[Stages] = []
        self.accepted: list[str] = []
        self._changed = trio.Event()
        self._nursery: trio.Nursery
        self.link = ServerLink(
            LinkSettings(name="main", host="hmp"), changed=self._link_changed, connect=self._connect
        )
        self.room = Room(
            "boardroom",
            RoomState(POLICY, not_ready_since=0.0),
            self.link,
            memory=Memory("boardroom", self._save, None),
            facts=ServerFacts(),
            publish=self._publish,
            give=self._give,
            clock=clock,
        )

    @property
    def executed(self) -> list[str]:
        """Names of the commands that HMP has executed, probes left out."""
        lines = [entry.line for entry in self.hmp.world.log]
        return [line.split()[0] for line in lines]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[trio.CancelScope]:
        """Room and link at work; the scope is the room's, which ends before the link does."""
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            nursery.start_soon(self.link.run)
            async with trio.open_nursery() as rooms:
                rooms.start_soon(self.room.run)
                await self.until(lambda: self.room.state.link_ready)
                yield rooms.cancel_scope
                rooms.cancel_scope.cancel()
            nursery.cancel_scope.cancel()

    def press(self, action: Action, request_id: str = "1") -> None:
        """Ask something of the room."""
        request = Request(action, request_id, str(action), "topic", trio.current_time())
        accepted = partial(self.accepted.append, request_id)
        self.room.submit(Delivery(request, InputKey(7, request_id.encode()), accepted))

    async def until(self, look: Callable[[], object]) -> None:
        """Wait for something to have been published, given or written."""
        with trio.fail_after(120):
            while not look():
                await self._changed.wait()

    async def recording(self) -> None:
        """Record, and have it verified."""
        self.press(Action.RECORD, "start")
        await self.until(
            lambda: (
                self.room.state.recording is not None
                and self.room.state.recording.verified_at is not None
            )
        )

    def _link_changed(self, state: LinkState) -> None:
        self.room.link_changed(ready=state is LinkState.READY)

    async def _connect(self, _host: str, _port: int) -> trio.abc.Stream:
        ours, theirs = trio.testing.memory_stream_pair()
        talk = partial(self.hmp.talk, StreamWire(theirs), address="127.0.0.1", peer="link")
        self._nursery.start_soon(talk)
        return ours

    async def _save(self, _room: str, document: str, inputs: Sequence[InputKey]) -> None:
        await trio.sleep(self.commit)
        states = [state.state for state in self.published]
        self.disk.append((json.loads(document), self.executed, states))
        self.inputs += inputs
        self._note()

    def _publish(self, state: RoomState) -> None:
        self.published.append(state)
        self._note()

    def _give(self, result: Result, stages: Stages, arrived: Callable[[], None]) -> None:
        self.results.append(result)
        self.stages.append(stages)
        arrived()
        self._note()

    def _note(self) -> None:
        self._changed.set()
        self._changed = trio.Event()


def clock_wall() -> float:
    """The simulated HMP's clock."""
    return clock().wall


async def test_a_press_from_end_to_end(autojump_clock: trio.testing.MockClock) -> None:
    house = House()
    async with house.running():
        house.press(Action.RECORD)
        await house.until(lambda: house.results)
    states = [state.state for state in house.published]
    assert states[-1] is State.RECORDING
    assert State.STARTING in states
    assert [result.outcome for result in house.results] == [Outcome.OK]
    assert house.accepted == ["1"]
    assert house.inputs == [InputKey(7, b"1")]


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
    document, executed, _ = next(entry for entry in house.disk if entry[0]["sent"] == "start")
    assert "startRecording" not in executed
    assert document["target"] == "recording"


async def test_an_id_is_on_the_disk_before_anybody_sees_it(
    autojump_clock: trio.testing.MockClock,
) -> None:
    house = House(commit=0.01)
    async with house.running():
        await house.recording()
    _, _, published = next(entry for entry in house.disk if entry[0]["recording"] is not None)
    assert State.RECORDING not in published


async def test_a_pause_does_not_wait_for_the_disk_but_its_result_does(
    autojump_clock: trio.testing.MockClock,
) -> None:
    house = House(commit=0.05)
    async with house.running():
        await house.recording()
        house.results.clear()
        house.press(Action.PAUSE, "2")
        await house.until(lambda: house.disk[-1][0]["pending"])
        # The first commit that knows of the press ends after HMP has paused.
        assert "pauseRecording" in house.disk[-1][1]
        assert house.results == []
        await house.until(lambda: house.results)
        assert house.room.state.state is State.PAUSED


async def test_a_refusal_is_on_the_disk_before_it_is_given_or_acknowledged(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """Delivered again after a kill it is known, and never carried out later (R16, R27)."""
    house = House(commit=0.05)
    expired = Result("9", "record", "topic", Outcome.EXPIRED, State.IDLE)
    async with house.running():
        house.room.submit(Refusal(expired, InputKey(9, b"9"), partial(house.accepted.append, "9")))
        await trio.sleep(house.commit / 2)
        assert (house.results, house.accepted) == ([], [])
        await house.until(lambda: house.results)
    assert house.results == [expired]
    assert house.accepted == ["9"]
    assert house.inputs == [InputKey(9, b"9")]
    assert any(document["results"] for document, _, _ in house.disk)


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
