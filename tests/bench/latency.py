"""Event to state: from a panel's press until `state` and `paused` say so, one press at a time."""

import json
import random
import sqlite3
import time
from collections import defaultdict
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from tests.brokers import Broker
from tests.npm import NODE_RED, has_npm_package

from .figures import Figure, Sample, percentile
from .panel import Panel
from .stage import Hmp, Options, Stage, stage

__all__ = ["MANY", "Press", "can_run", "commit_floor", "latency", "publications"]

MANY = 6
"""Publications of the bare loop that has as many to make; `publications` says whether it has.

Of the two that a pause and a resume take in turn it is the lower number.
"""

_PAUSE = ("pause", "paused", "true")
_RESUME = ("resume", "recording", "false")

_BROKERS = {"mosquitto's defaults": (), "set_tcp_nodelay true": ("set_tcp_nodelay true",)}
_LIVES = ("script", "aiomqtt", "node_red", "bare", "many", "tmpfs", "disk")
_WHO = {
    "script": "paho script as users run it",
    "aiomqtt": "aiomqtt script as users run it",
    "node_red": "Node-RED flow as users run it",
    "bare": "bare loop",
    "many": "bare loop with as many publications",
    "tmpfs": "daemon, journal on tmpfs",
    "disk": "daemon, journal on disk",
}


class Press:
    """A panel with two connections: one presses, one sees the light change."""

    def __init__(self, made: Stage, broker: Broker, base: str, room: str = "r0") -> None:
        self._room = f"{base}/room/{room}"
        self._buttons = made.panel(broker)
        self._light: Panel = made.panel(broker, f"{self._room}/state", f"{self._room}/paused")
        self._light.settle()
        self._paused = False

    def once(self) -> float:
        """Pause or resume; seconds until both scalars say so."""
        self._paused = not self._paused
        action, state, paused = _PAUSE if self._paused else _RESUME
        wanted = {(f"{self._room}/state", state), (f"{self._room}/paused", paused)}
        pressed = time.monotonic()
        self._buttons.publish([(f"{self._room}/press/{action}", "true")])
        while wanted:
            wanted.difference_update(self._light.receive())
        seen = time.monotonic()
        self._buttons.drain()
        return seen - pressed

    def during(self, seconds: float, *, least: int = 3) -> list[float]:
        """Press again and again for so many seconds, but not fewer than `least` times."""
        took: list[float] = []
        until = time.monotonic() + seconds
        while len(took) < least or time.monotonic() < until:
            took.append(self.once())
        return took


def publications(made: Stage, broker: Broker, base: str, press: Press, times: int = 5) -> Sample:
    """How many messages everybody is sent for a press, without the press itself."""
    panel = made.panel(broker, f"{base}/room/r0/#")
    panel.settle()
    counted = Sample()
    for _ in range(times):
        press.once()
        counted.add(len([said for said in panel.settle() if "/press/" not in said.topic]))
    panel.close()
    return counted


def latency(options: Options) -> Sequence[Figure]:
    """The peers and the daemon, on both kinds of broker; the journal on the disk; more rooms."""
    p50: dict[tuple[str, str], Sample] = defaultdict(Sample)
    p99: dict[tuple[str, str], Sample] = defaultdict(Sample)
    commit, own_commit = Sample(), Sample()
    lives = [who for who in _LIVES if can_run(who) and not (options.brief and who == "node_red")]
    with stage(options) as made:
        hmp = made.hmp()
        presses: dict[tuple[str, str], Press] = {}
        health = []
        for name, lines in _BROKERS.items():
            broker = made.broker(*lines)
            for who in lives:
                _bring(made, broker, hmp, who)
                presses[name, who] = Press(made, broker, f"{who}/hmp")
                presses[name, who].during(0.0, least=20)
            health.append(made.panel(broker, "disk/hmp/bridge/health"))
        folder = made.disk()
        said_of_one = publications(made, broker, "tmpfs/hmp", presses[name, "tmpfs"])
        for _ in range(options.repetitions):
            for key, press in random.sample(list(presses.items()), len(presses)):
                took = press.during(options.seconds / len(presses))
                p50[key].add(percentile(took, 50) * 1000)
                p99[key].add(percentile(took, 99) * 1000)
            commit.add(commit_floor(folder) * 1000)
            for panel in health:
                for _topic, payload in panel.drain():
                    if (said := json.loads(payload)["journal"]["commit_ms"]) is not None:
                        own_commit.add(said)
    return [
        *(row for name in _BROKERS for row in _rows(name, p50, p99, commit.median)),
        Figure("publications for a pause or resume", said_of_one, "messages", MANY, "bare loop"),
        Figure("one SQLite WAL commit on that disk", commit, "ms"),
        Figure("the daemon's own commit_ms on that disk", own_commit, "ms", commit.median),
        *_by_rooms(options),
    ]


def _by_rooms(options: Options) -> Sequence[Figure]:
    """A press beside so many rooms that are all recording, and looked at meanwhile."""
    p50: dict[int, Sample] = defaultdict(Sample)
    p99: dict[int, Sample] = defaultdict(Sample)
    with stage(options) as made:
        broker = made.broker()
        presses: dict[int, Press] = {}
        for size in options.sizes:
            base = f"rooms{size}/hmp"
            made.daemon(broker, made.hmp(), base=base, rooms=size)
            made.record(broker, base, size)
            presses[size] = Press(made, broker, base, f"r{size // 2}")
            presses[size].during(0.0, least=20)
        for _ in range(options.repetitions):
            for size, press in random.sample(list(presses.items()), len(presses)):
                took = press.during(options.seconds / len(presses))
                p50[size].add(percentile(took, 50) * 1000)
                p99[size].add(percentile(took, 99) * 1000)
    least = options.sizes[0]
    return [
        Figure(
            f"{what} of a press, all rooms recording, {size}",
            samples[size],
            "ms",
            samples[least].median,
            f"{least} rooms",
            f"≤ {size / least:g} x",
            samples[size].over(samples[least]).median <= size / least,
            samples[least],
            size=size,
        )
        for what, samples in (("p50", p50), ("p99", p99))
        for size in options.sizes
    ]


def can_run(who: str) -> bool:
    """Whether what it needs is installed: the extra `bench`, and Node-RED where npm is."""
    if who == "node_red":
        return has_npm_package(NODE_RED, "node-red")
    return who != "aiomqtt" or find_spec("aiomqtt") is not None


def _bring(made: Stage, broker: Broker, hmp: Hmp, who: str) -> None:
    """Have one of `_LIVES` ready for a press."""
    base = f"{who}/hmp"
    if who == "script":
        made.peer("paho_script", broker, hmp, base=base)
    elif who == "aiomqtt":
        made.peer("aiomqtt_script", broker, hmp, base=base)
    elif who == "node_red":
        made.peer("node_red_script", broker, hmp, base=base, ready="Connected to broker")
    elif who == "bare":
        made.peer("bare_loop", broker, hmp, base=base)
    elif who == "many":
        made.peer("bare_loop", broker, hmp, "--publications", str(MANY), base=base)
    else:
        state = made.disk() if who == "disk" else None
        made.daemon(broker, hmp, base=base, state=state)
        made.record(broker, base, 1)


def _rows(
    broker: str,
    p50: dict[tuple[str, str], Sample],
    p99: dict[tuple[str, str], Sample],
    commit: float,
) -> Sequence[Figure]:
    figures = []
    bare = p50[broker, "bare"]
    users = p50[broker, "script"].median
    for who in [each for each in _LIVES if (broker, each) in p50]:
        middle, tail = p50[broker, who], p99[broker, who]
        row = Figure(f"p50, {_WHO[who]}; {broker}", middle, "ms", bare.median, "bare loop")
        row.rounds = bare
        last = Figure(f"p99, {_WHO[who]}; {broker}", tail, "ms", middle.median, "its p50")
        if who == "tmpfs":
            row.target = f"≤ 3 x bare; {users / middle.median:.0f} x faster than users' script ≥ 40"
            row.met = middle.over(bare).median <= 3 and users >= 40 * middle.median
        if who == "disk":
            on_tmpfs = p50[broker, "tmpfs"].median
            row.floor, row.floor_is = on_tmpfs + commit, "tmpfs + one commit"
            row.rounds = None
            row.target, row.met = "≤ tmpfs + one commit", middle.median <= on_tmpfs + commit
        if who in ("tmpfs", "disk"):
            last.target, last.met = "≤ 4 x p50", tail.median <= 4 * middle.median
        figures += [row, last]
        if who == "tmpfs":
            many = p50[broker, "many"]
            floor = "bare loop, as many"
            figures.append(Figure(row.what, middle, "ms", many.median, floor, rounds=many))
    return figures


def commit_floor(folder: Path, times: int = 30) -> float:
    """Seconds, median, of one small commit as the journal's are: WAL, synchronous=FULL."""
    connection = sqlite3.connect(folder / "floor.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE IF NOT EXISTS rows (one INTEGER PRIMARY KEY, document TEXT)")
    took = []
    for number in range(times):
        began = time.perf_counter()
        connection.execute("INSERT OR REPLACE INTO rows VALUES (1, ?)", (f"{number:>1000}",))
        took.append(time.perf_counter() - began)
    connection.close()
    return percentile(took, 50)
