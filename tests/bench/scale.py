"""What one room more costs, from ten rooms to a thousand."""

import time
from collections.abc import Mapping, Sequence

from .figures import Figure, Sample
from .stage import Options, Stage, stage

__all__ = ["scale"]

_SIZES = (10, 30, 100, 300, 1000)
_WIDTH = 30


def scale(options: Options) -> Sequence[Figure]:
    """Cost per room: a line that stays flat, or falls, is linear or better."""
    start: dict[int, Sample] = {}
    press: dict[int, Sample] = {}
    memory: dict[int, Sample] = {}
    for rooms in sorted({options.rooms(size) for size in _SIZES}):
        start[rooms], press[rooms], memory[rooms] = Sample(), Sample(), Sample()
        for _ in range(max(1, options.repetitions // 2)):
            with stage(options, Stage.on_two_cores) as made:
                broker, hmp = made.broker(), made.hmp()
                daemon = made.daemon(broker, hmp, rooms=rooms)
                start[rooms].add(daemon.cpu)
                before = daemon.cpu
                made.record(broker, "hmp", rooms)
                time.sleep(0.1)  # for the results behind the last state
                press[rooms].add((daemon.cpu - before) / rooms * 1e6)
                memory[rooms].add(daemon.resident)
    return [
        *_plot("processor to start, all rooms", start, "s"),
        *_plot("processor for a record, each room", press, "µs"),
        *_plot("resident, all rooms recording", memory, "MB"),
    ]


def _plot(what: str, samples: Mapping[int, Sample], unit: str) -> Sequence[Figure]:
    """A row per size, with a bar in the place of a target."""
    highest = max(sample.median for sample in samples.values())
    return [
        Figure(
            f"{what}, {rooms}",
            sample,
            unit,
            target="█" * max(1, round(sample.median / highest * _WIDTH)),
        )
        for rooms, sample in samples.items()
    ]
