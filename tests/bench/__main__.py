"""``python -m tests.bench [NAME …]``: measure, and print a table per benchmark.

Nothing is asserted: a figure is of this machine, at this moment. What is compared runs interleaved
in one run, in random order; medians are reported, with the spread over the repetitions beside them,
and ratios within a round with their quartiles.
"""

import argparse
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from .burst import burst
from .campus import campus, campus_cluster
from .figures import Figure, table
from .flood import flood
from .footprint import memory
from .latency import latency
from .load import crowd, flooded_rooms, load
from .pages import pages
from .plots import draw
from .polls import polls
from .reconnect import reconnect
from .scale import scale
from .shared_journal import shared_journal
from .soak import soak
from .stage import Options
from .start import start
from .throughput import throughput

__all__ = ["BENCHMARKS", "main", "run"]

BENCHMARKS: dict[str, Callable[[Options], Sequence[Figure]]] = {
    "latency": latency,
    "burst": burst,
    "throughput": throughput,
    "polls": polls,
    "memory": memory,
    "pages": pages,
    "start": start,
    "reconnect": reconnect,
    "scale": scale,
    "campus": campus,
    "campus_cluster": campus_cluster,
    "flood": flood,
    "shared_journal": shared_journal,
    "load": load,
    "crowd": crowd,
    "flooded_rooms": flooded_rooms,
    "soak": soak,
}

WHEN_NAMED = {"campus", "campus_cluster", "load", "crowd", "flooded_rooms", "soak"}
"""What is measured only where it is asked for by name."""

QUICK = ("latency", "throughput", "start")
"""What `--quick` measures: two minutes for the figures that most changes can move."""


def run(name: str, options: Options) -> tuple[str, Sequence[Figure]]:
    """One benchmark: its title and table as text, and its rows."""
    began = time.monotonic()
    benchmark = BENCHMARKS[name]
    figures = benchmark(options)
    rows = table(figures)
    load = os.getloadavg()[0]
    title = f"## {name}: {(benchmark.__doc__ or '').strip()}"
    note = f"{time.monotonic() - began:.0f} s; load average {load:.1f} on {os.cpu_count()} cores"
    return f"{title}\n\n{rows}\n\n({note})\n", figures


def _sizes(text: str) -> list[int]:
    return [int(each) for each in text.split(",")]


def main(arguments: Sequence[str]) -> int:
    """The program."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHMARKS)}")
    parser.add_argument("--seconds", type=float, default=10.0, help="per repetition (%(default)s)")
    parser.add_argument("--repetitions", type=int, default=5, help="(%(default)s)")
    parser.add_argument(
        "--disk",
        type=Path,
        default=Path(tempfile.gettempdir()),
        help="where the journal on disk is (%(default)s)",
    )
    parser.add_argument("--all-cores", action="store_true", help="pin nothing to a core")
    parser.add_argument("--quick", action="store_true", help=f"{', '.join(QUICK)}, in two minutes")
    parser.add_argument(
        "--rooms",
        type=_sizes,
        default=(10, 100, 1000),
        help="of the bridges whose latency is compared, with commas (10,100,1000)",
    )
    parser.add_argument(
        "--minutes",
        type=float,
        help="of what is measured only by name; else repetitions times seconds",
    )
    parser.add_argument("--samples", type=Path, help="what soak notes every second, as JSON lines")
    parser.add_argument("--plots", type=Path, help="draw into this folder (extra bench)")
    parser.add_argument("--json", type=Path, help="write every value measured to this file")
    given = parser.parse_args(arguments)
    if given.quick:
        given.seconds, given.repetitions = min(given.seconds, 4.0), min(given.repetitions, 3)
    everything = [name for name in BENCHMARKS if name not in WHEN_NAMED]
    names = given.names or (QUICK if given.quick else everything)
    if unknown := [name for name in names if name not in BENCHMARKS]:
        parser.error(f"no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    options = Options(
        given.seconds,
        given.repetitions,
        given.disk,
        all_cores=given.all_cores,
        most_rooms=100 if given.quick else 1000,
        sizes=given.rooms,
        lasting=None if given.minutes is None else given.minutes * 60,
        samples=given.samples,
    )
    measured: dict[str, list[dict[str, object]]] = {}
    for name in names:
        text, figures = run(name, options)
        print(text, flush=True)
        if given.plots is not None:
            draw(name, figures, given.plots)
        measured[name] = [figure.document() for figure in figures]
    if given.json is not None:
        given.json.write_text(json.dumps(measured, indent=2, ensure_ascii=False), encoding="utf-8")
    return 0


if __name__ == "__main__":
    # Asked to end, it ends what it has started.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main(sys.argv[1:]))
