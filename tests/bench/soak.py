"""Hours of work with links that fail: does anything grow?"""

import itertools
import json
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import trio

from tests.chaos.tcp_proxy import TcpProxy

from .figures import Figure, Sample
from .panel import Panel
from .processes import Process
from .stage import Options, Stage, stage

__all__ = ["soak"]

_RATE = 50
"""Presses a second, over all rooms."""
_ROOMS = 100
_CYCLE = ("record", "pause", "resume", "mark", "stop")
_FAULT_EVERY = 15.0
_FAULT_LASTS = 3.0
_HEALED = 6.0
"""Seconds within which a link is up again, however long it has waited to try again."""


class _Door(TcpProxy):
    """What a link goes through."""

    def between(
        self, nursery: trio.Nursery, client: trio.SocketStream, server: trio.SocketStream
    ) -> None:
        """Bytes both ways."""
        for here, there in ((client, server), (server, client)):
            nursery.start_soon(self._carry, here, there, nursery.cancel_scope)

    async def _carry(
        self, here: trio.SocketStream, there: trio.SocketStream, connection: trio.CancelScope
    ) -> None:
        async for data in here:
            await self.while_silent()
            await there.send_all(data)
        connection.cancel()


class _Reading(NamedTuple):
    """The daemon as it is seen from outside, at one moment."""

    seconds: float
    megabytes: float
    descriptors: int
    threads: int
    tasks: int
    journal_kilobytes: float
    done: int


class _Soak:
    """One daemon behind two doors, everybody who uses it, and what is noted of it."""

    def __init__(self, made: Stage, seconds: float, samples: Path | None) -> None:
        self._made = made
        self._seconds = seconds
        self._samples = samples
        self._broker, self._hmp = made.broker(), made.hmp()
        self._doors = [_Door(target=self._broker.port), _Door(target=self._hmp.port)]
        self._state = made.disk()
        self._census = made.folder / "tasks"
        self.readings: list[_Reading] = []
        self.outcomes: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()

    async def run(self) -> None:
        """Until the time is over, and every room has obeyed once more with all links whole."""
        async with trio.open_nursery() as nursery:
            for door in self._doors:
                await nursery.start(door.run)
            self._daemon = await trio.to_thread.run_sync(self._begin)
            panel = self._made.panel(
                self._broker, "hmp/room/+/result", "hmp/room/+/ack", "hmp/room/+/state"
            )
            panel.settle()
            with trio.move_on_after(self._seconds):
                async with trio.open_nursery() as busy:
                    busy.start_soon(self._press, panel)
                    busy.start_soon(self._fail)
                    busy.start_soon(self._read)
            for door in self._doors:
                door.calm()
            await self._obeyed_by_all(panel)
            nursery.cancel_scope.cancel()

    def _begin(self) -> Process:
        broker_door, hmp_door = self._doors
        return self._made.daemon(
            self._broker,
            self._hmp,
            through=broker_door.port,
            rooms=_ROOMS,
            state=self._state,
            census=self._census,
            port=hmp_door.port,
        )

    async def _press(self, panel: Panel) -> None:
        """The rooms in turn, each going through its cycle, whatever came of the press before."""
        turns = itertools.cycle([(f"r{n}", action) for action in _CYCLE for n in range(_ROOMS)])
        began = time.monotonic()
        for count, (room, action) in enumerate(turns):
            panel.publish([(f"hmp/room/{room}/press/{action}", "true")])
            self._hear(panel)
            await trio.sleep(max(0.0, began + (count + 1) / _RATE - time.monotonic()))

    def _hear(self, panel: Panel) -> list[tuple[str, str]]:
        said = panel.drain()
        for topic, payload in said:
            if topic.endswith("/result"):
                self.outcomes[json.loads(payload)["outcome"]] += 1
        return [(topic, payload) for topic, payload in said if topic.endswith("/state")]

    async def _fail(self) -> None:
        """One link after another is cut, refused or silent for a while."""
        while True:
            await trio.sleep(random.uniform(0.5, 1.5) * _FAULT_EVERY)
            which = random.randrange(2)
            door, link = self._doors[which], ("broker", "HMP")[which]
            kind = random.choice(("cut", "refused", "silent"))
            self.faults[f"{link} {kind}"] += 1
            if kind == "silent":
                door.silence(True)
            else:
                door.refuse(kind == "refused")
                door.cut()
            await trio.sleep(random.uniform(0.1, 1.0) * _FAULT_LASTS)
            door.calm()

    async def _read(self) -> None:
        """Once a second."""
        began = time.monotonic()
        for count in itertools.count():
            await trio.sleep(max(0.0, began + count - time.monotonic()))
            self.readings.append(self._look(began))
            if self._samples is not None:
                with self._samples.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(self.readings[-1]._asdict()) + "\n")
            if count % 60 == 0:
                self._hmp.log()  # else it keeps all of it

    def _look(self, began: float) -> _Reading:
        folder = Path(f"/proc/{self._daemon.pid}")
        files = [each.stat().st_size for each in self._state.iterdir() if each.is_file()]
        return _Reading(
            seconds=round(time.monotonic() - began, 3),
            megabytes=round(self._daemon.resident, 3),
            descriptors=len(list((folder / "fd").iterdir())),
            threads=len(list((folder / "task").iterdir())),
            tasks=int(self._census.read_text(encoding="ascii") or 0),
            journal_kilobytes=sum(files) / 1024,
            done=sum(self.outcomes.values()),
        )

    async def _obeyed_by_all(self, panel: Panel) -> None:
        """Return once every room has stopped and recorded when told so: nothing is stuck."""
        await trio.sleep(_HEALED)
        self._hear(panel)
        for action, state in (("stop", "idle"), ("record", "recording"), ("stop", "idle")):
            lights = self._made.panel(self._broker, "hmp/room/+/state")
            left = {f"hmp/room/r{n}/state" for n in range(_ROOMS)}
            panel.publish((f"hmp/room/r{n}/press/{action}", "true") for n in range(_ROOMS))
            with trio.fail_after(60):
                while left:
                    left -= {topic for topic, said in lights.drain() if said == state}
                    self._hear(panel)
                    await trio.sleep(0.02)
            lights.close()


_SERIES: Sequence[tuple[str, str, Callable[[_Reading], float]]] = (
    ("resident memory", "MB", lambda reading: reading.megabytes),
    ("file descriptors", "", lambda reading: reading.descriptors),
    ("threads", "", lambda reading: reading.threads),
    ("tasks", "", lambda reading: reading.tasks),
    ("journal", "KB", lambda reading: reading.journal_kilobytes),
)


def soak(options: Options) -> Sequence[Figure]:
    """50 actions a second in 100 rooms while links are cut, refused and silent: what grows."""
    with stage(options, Stage.on_two_cores) as made:
        soaked = _Soak(made, options.lasting, options.samples)
        trio.run(soaked.run)
    tenth = max(1, len(soaked.readings) // 10)
    figures = []
    for what, unit, value in _SERIES:
        series = [float(value(reading)) for reading in soaked.readings]
        early = Sample(series[tenth : 2 * tenth] or series)
        last = Sample(series[-tenth:])
        row = Figure(f"{what}, last tenth of the time", last, unit, early.median, "second tenth")
        row.series = series
        figures.append(row)
    counted = [
        *(("results", name, number) for name, number in sorted(soaked.outcomes.items())),
        *(("faults", name, number) for name, number in sorted(soaked.faults.items())),
    ]
    figures += [
        Figure(f"{kind}: {name}", Sample([float(number)]), "") for kind, name, number in counted
    ]
    return figures
