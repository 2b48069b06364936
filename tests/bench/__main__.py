"""``python -m tests.bench [NAME …]``: measure, and print a table per benchmark.

Nothing is asserted: a figure is of this machine, at this moment. What is compared runs interleaved
in one run; medians are reported, with the spread over the repetitions beside them.
"""

import argparse
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from .burst import burst
from .figures import Figure, table
from .flood import flood
from .footprint import memory
from .latency import latency
from .polls import polls
from .reconnect import reconnect
from .scale import scale
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
    "start": start,
    "reconnect": reconnect,
    "scale": scale,
    "flood": flood,
}


def run(name: str, options: Options) -> str:
    """One benchmark; its title and table."""
    began = time.monotonic()
    benchmark = BENCHMARKS[name]
    rows = table(benchmark(options))
    load = os.getloadavg()[0]
    title = f"## {name}: {(benchmark.__doc__ or '').strip()}"
    note = f"{time.monotonic() - began:.0f} s; load average {load:.1f} on {os.cpu_count()} cores"
    return f"{title}\n\n{rows}\n\n({note})\n"


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
    given = parser.parse_args(arguments)
    names = given.names or list(BENCHMARKS)
    if unknown := [name for name in names if name not in BENCHMARKS]:
        parser.error(f"no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    options = Options(given.seconds, given.repetitions, given.disk, all_cores=given.all_cores)
    for name in names:
        print(run(name, options), flush=True)
    return 0


if __name__ == "__main__":
    # Asked to end, it ends what it has started.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main(sys.argv[1:]))
