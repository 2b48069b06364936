"""What an action costs, counted: figures that the load of the machine does not move.

Each action is carried out several times, and the least is taken: what happens beside it (a look at
the clock, a PUBACK that comes by itself) only ever adds. On a late machine that may be so several
times in a row: it is carried out again until its figures are within the budget, or often enough.
"""

import socket
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
import trio
import trio.testing

import bridge
from bridge.config.configuration import Configuration
from bridge.daemon.app import Bridge
from bridge.daemon.parts import Parts
from bridge.journal.file import FileStore
from bridge.journal.journal import Journal
from tests.broker_fixtures import Launch
from tests.brokers import BrokerOptions
from tests.process.daemon import configuration
from tests.process.hmp import Hmp
from tests.process.panel import Panel

TIMES, MOST_TIMES = 8, 64
RESTS = 2
SOON = 0.1
"""Seconds: more than what only PUBACK waits for is kept back (R27)."""

FIGURES = (
    *("task steps", "calls", "commits"),
    *("sends (broker)", "receives (broker)", "sends (HMP)", "receives (HMP)"),
)

BUDGET = {
    action: dict(zip(FIGURES, figures, strict=True))
    for action, figures in {
        "record": (12, 1480, 3, 3, 14, 2, 4),
        "pause": (6, 860, 1, 2, 11, 1, 2),
        "resume": (6, 860, 1, 2, 10, 1, 2),
        "mark": (7, 735, 2, 2, 3, 1, 2),
        "stop": (8, 1300, 1, 2, 15, 2, 4),
    }.items()
}
"""At most so many of each, by action; of a record, with the status that verifies it and its commit.

A broker that is quicker than the bridge may answer each publication by itself, which is a receive
for each; all that is published takes few sends however many publications it is.
"""

ADVICE = """{action} takes {found} {what}; {budget} were enough.

Somebody has pressed a button and waits. See what has come upon the way (README, "Follow a press"):
a publication that says nothing new, a commit, a task that only hands on. If it is worth its price,
raise the figure in BUDGET and say in the commit what it buys; where an action takes less than its
figure, lower it. As found:

{everything}"""

READER = "bridge.mqtt.session.Session.run"
"""The task whose steps are the receives from the broker, which come as the broker sends."""

CALLS = {"send": "sends", "recv": "receives"}


class Counting(trio.abc.Instrument):
    """System calls on the sockets to broker and HMP, calls of the bridge's functions, steps of its
    tasks, and commits.

    `peers`: what is at the other end, by port.
    """

    def __init__(self, peers: dict[int, str]) -> None:
        self.figures: Counter[str] = Counter()
        self._peers = peers
        self._folder = str(Path(bridge.__file__).parent)

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        if task.coro.cr_code.co_filename.startswith(self._folder) and task.name != READER:
            self.figures["task steps"] += 1

    def profile(self, frame: FrameType, event: str, function: Any) -> None:
        """Told by the interpreter of every call, of a function in C too, a socket's among them."""
        if event == "call" and frame.f_code.co_filename.startswith(self._folder):
            self.figures["calls"] += 1
        if event != "c_call" or (call := CALLS.get(function.__name__)) is None:
            return
        if isinstance(whose := function.__self__, socket.socket) and whose.family.name == "AF_INET":
            self.figures[f"{call} ({self._peers[whose.getpeername()[1]]})"] += 1

    def committed(self, _seconds: float) -> None:
        self.figures["commits"] += 1


def press(panel: Panel, action: str) -> None:
    """Press a button of the room, and wait until it is answered."""
    mark = panel.mark()
    panel.publish(f"room/r0/press/{action}", "true")
    panel.wait_for("room/r0/ack", f"{action} ok", since=mark)


async def at_rest(parts: Parts) -> None:
    """Until the broker has confirmed, the journal has written, and nobody has more to do soon."""
    room = parts.rooms["r0"]
    for _ in range(RESTS):
        while room.progress.due_at < trio.current_time() + SOON:  # noqa: ASYNC110 - as promised
            await trio.sleep_until(room.progress.due_at)
        await parts.image.settled()
        await parts.journal.save_note("rest", "")
        await trio.testing.wait_all_tasks_blocked()


def beyond(least: dict[str, Counter[str]]) -> Iterator[tuple[str, str, int, int]]:
    """What is beyond the budget: action, figure, how many were found, how many were enough."""
    for action, found in least.items():
        for what, count in found.items():
            if count > (budget := BUDGET.get(action, {}).get(what, 0)):
                yield action, what, count, budget


async def carry_out(parts: Parts, counting: Counting, panel: Panel) -> dict[str, Counter[str]]:
    """The least that each action took, in as many rounds as it takes to be within the budget."""
    least: dict[str, Counter[str]] = {}
    await trio.to_thread.run_sync(panel.wait_for_newest, "room/r0/availability", "online")
    for times in range(MOST_TIMES):
        if times >= TIMES and not list(beyond(least)):
            break
        for action in BUDGET:
            await at_rest(parts)
            counting.figures.clear()
            await trio.to_thread.run_sync(press, panel, action)
            await at_rest(parts)
            found = counting.figures - Counter(commits=RESTS)
            least[action] = found & least.get(action, found)
    return least


@pytest.mark.mqtt5
async def test_no_action_takes_more_than_it_did(tmp_path: Path, launch: Launch) -> None:
    # A broker that waits with its small packets outlasts the 20 ms of a commit's patience (R27).
    broker = launch(BrokerOptions(extra=("set_tcp_nodelay true",)))
    hmp = Hmp(tmp_path)
    panel = Panel(broker.port, "budget")
    tables = configuration(
        broker_port=broker.port,
        hmp_port=hmp.port,
        base_topic="budget",
        server={"poll_interval": "1h"},
    )
    tables["bridge"] = {"health_every": "1h"}
    counting = Counting({broker.port: "broker", hmp.port: "HMP"})
    try:
        with closing(Journal(FileStore(tmp_path))) as journal:
            parts = Parts(Configuration(**tables), "budget", journal)
            journal.on_commit(counting.committed)
            running = Bridge(parts)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(running.run)
                trio.lowlevel.add_instrument(counting)
                sys.setprofile(counting.profile)
                try:
                    least = await carry_out(parts, counting, panel)
                finally:
                    sys.setprofile(None)
                    trio.lowlevel.remove_instrument(counting)
                running.stop()
    finally:
        panel.close()
        hmp.close()
    everything = "\n".join(f"    {action!r}: {dict(found)}," for action, found in least.items())
    for action, what, count, budget in beyond(least):
        raise AssertionError(
            ADVICE.format(
                action=action, what=what, found=count, budget=budget, everything=everything
            )
        )
