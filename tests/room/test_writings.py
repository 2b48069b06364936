"""When what has come about in a room is written, and PUBACK with it (R27)."""

import pytest
import trio
import trio.testing

from bridge.room.facts.vocabulary import Action
from bridge.simulator.faults import Fault

from .house import House


@pytest.mark.parametrize(("answer", "acknowledged"), [(0.005, 0.005), (1.0, 0.02)])
async def test_puback_waits_for_what_comes_of_a_press_but_not_for_long(
    autojump_clock: trio.testing.MockClock, answer: float, acknowledged: float
) -> None:
    """One commit carries a press and HMP's answer, where that comes within 20 ms (R27)."""
    house = House()
    house.hmp.world.faults.add(Fault.from_text(f"delay:pauseRecording:{answer}"))
    async with house.running():
        await house.recording()
        await trio.sleep(1.0)
        began = trio.current_time()
        house.press(Action.PAUSE, "2")
        await house.until(lambda: house.accepted[-1:] == ["2"])
        assert trio.current_time() - began == pytest.approx(acknowledged)
        await house.until(lambda: len(house.results) == 2)
        assert trio.current_time() - began == pytest.approx(answer)


async def test_a_press_while_the_disk_is_at_work_waits_for_its_answer_as_any_other(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """It is not written before what comes of it, because something else was being written."""
    house = House(commit=0.01)
    house.hmp.world.faults.add(Fault.from_text("delay:resumeRecording:0.018"))
    async with house.running():
        await house.recording()
        await trio.sleep(1.0)
        began = trio.current_time()
        house.press(Action.PAUSE, "2")  # two commits, one after the other
        await trio.sleep(0.005)
        house.press(Action.RESUME, "3")
        await house.until(lambda: house.accepted[-1:] == ["3"])
        assert trio.current_time() - began == pytest.approx(0.005 + 0.018 + house.commit)
