"""How many presses per second, sustained, over many rooms."""

import random
import time
from collections import deque
from collections.abc import Sequence

from tests.brokers import Broker

from .figures import Figure, Sample
from .latency import MANY, can_run
from .stage import Options, Stage, stage

__all__ = ["Crowd", "throughput"]

_UNDER_WAY = 200
"""Presses whose state is still out: enough to keep everybody busy, few enough for any queue."""


class Crowd:
    """A panel for all rooms: presses the next one whenever one says that it has obeyed."""

    def __init__(self, made: Stage, broker: Broker, base: str, rooms: int) -> None:
        self._base = base
        self._panel = made.panel(broker, f"{base}/room/+/state")
        self._panel.settle()  # what is retained would pass for an answer to the first press
        self._resting = deque((f"r{number}", "pause") for number in range(rooms))
        self._under_way = min(_UNDER_WAY, rooms)

    def during(self, seconds: float) -> float:
        """Presses obeyed per second, in so many seconds."""
        began, done, out = time.monotonic(), 0, 0
        while True:
            pressing = time.monotonic() < began + seconds
            count = self._under_way - out if pressing else 0
            turns = [self._resting.popleft() for _ in range(min(count, len(self._resting)))]
            out += len(turns)
            self._panel.publish((f"{self._base}/room/{r}/press/{a}", "true") for r, a in turns)
            if not out:
                return done / (time.monotonic() - began)
            for topic, payload in self._panel.receive():
                if payload in ("paused", "recording"):
                    next_action = "resume" if payload == "paused" else "pause"
                    self._resting.append((topic.split("/")[-2], next_action))
                    done += 1
                    out -= 1


def throughput(options: Options) -> Sequence[Figure]:
    """Sustained actions per second, HMP at once, 200 presses under way at any time."""
    rooms = options.rooms(1000)
    names = {
        "script": "paho script as users run it",
        "aiomqtt": "aiomqtt script as users run it",
        "bare": "bare loop",
        "many": f"bare loop, {MANY} publications",
        "tmpfs": "daemon, journal on tmpfs",
        "disk": "daemon, on disk",
    }
    names = {who: name for who, name in names.items() if can_run(who)}
    rate = {who: Sample() for who in names}
    cost = {who: Sample() for who in names}
    with stage(options, Stage.on_two_cores) as made:
        hmp = made.hmp()
        broker = made.broker("set_tcp_nodelay true")
        many = ("--publications", str(MANY))
        processes = {
            **{
                who: made.peer(f"{module}_script", broker, hmp, base=f"{who}/hmp")
                for who, module in (("script", "paho"), ("aiomqtt", "aiomqtt"))
                if who in names
            },
            "bare": made.peer("bare_loop", broker, hmp, base="bare/hmp"),
            "many": made.peer("bare_loop", broker, hmp, *many, base="many/hmp"),
        }
        for who in ("tmpfs", "disk"):
            state = made.disk() if who == "disk" else None
            base = f"{who}/hmp"
            processes[who] = made.daemon(broker, hmp, base=base, rooms=rooms, state=state)
            made.record(broker, base, rooms)
        crowds = {who: Crowd(made, broker, f"{who}/hmp", rooms) for who in names}
        for _ in range(options.repetitions):
            for who, crowd in random.sample(list(crowds.items()), len(crowds)):
                spent, began = processes[who].cpu, time.monotonic()
                rate[who].add(crowd.during(options.seconds / len(names)))
                done = rate[who].values[-1] * (time.monotonic() - began)
                cost[who].add((processes[who].cpu - spent) / done * 1e6)
    bare = rate["bare"]
    figures = []
    for who, name in names.items():
        row = Figure(f"{name}, {rooms} rooms", rate[who], "actions/s", bare.median, "bare loop")
        row.rounds = bare
        if who in ("tmpfs", "disk"):
            row.target, row.met = "≥ 25 % of bare", rate[who].over(bare).median >= 0.25
        took = Figure(f"{name}, processor time an action", cost[who], "µs", cost["bare"].median)
        took.rounds = cost["bare"]
        figures += [row, took]
    return figures
