"""What it costs to look at many recordings, and whom it delays."""

import time
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from .figures import Figure, Sample, percentile
from .latency import Press
from .stage import Options, Stage, stage

__all__ = ["polls"]

_ANSWER = 0.005


def polls(options: Options) -> Sequence[Figure]:
    """A thousand recording rooms at the default budget of 20 polls per second."""
    rooms = options.rooms(1000)
    share, alone, asked = Sample(), Sample(), Sample()
    p50: dict[str, Sample] = defaultdict(Sample)
    p99: dict[str, Sample] = defaultdict(Sample)
    with stage(options, Stage.on_two_cores) as made:
        hmp = {who: made.hmp() for who in ("polls", "silence")}
        broker = made.broker()
        daemons, presses = {}, {}
        # The same rooms and recordings, but nobody looks at them.
        never = {"poll_interval": "1000h", "max_polls_per_second": 0.01}
        tables: dict[str, dict[str, Any]] = {"polls": {}, "silence": never}
        for who, server in tables.items():
            base = f"{who}/hmp"
            daemons[who] = made.daemon(broker, hmp[who], base=base, rooms=rooms, **server)
            made.record(broker, base, rooms)
            presses[who] = Press(made, broker, base)
        hmp["polls"].log()
        measured = max(options.seconds, 10.0 if options.whole else 0.0)
        for _ in range(options.repetitions if not options.whole else 2):
            before = {who: daemon.cpu for who, daemon in daemons.items()}
            time.sleep(measured)
            share.add((daemons["polls"].cpu - before["polls"]) / measured * 100)
            alone.add((daemons["silence"].cpu - before["silence"]) / measured * 100)
            asked.add(len(hmp["polls"].log()) / measured)
        for each in hmp.values():
            each.delay(_ANSWER)
        for _ in range(options.repetitions):
            for who, press in presses.items():
                took = press.during(options.seconds / 2)
                p50[who].add(percentile(took, 50) * 1000)
                p99[who].add(percentile(took, 99) * 1000)
    allowed = p99["silence"].median + _ANSWER * 1000
    return [
        Figure(
            f"processor, {rooms} recording rooms",
            share,
            "% of a core",
            target="≤ 15 %",
            met=share.median <= 15,
        ),
        Figure("the same, never polled", alone, "% of a core"),
        Figure("polls that HMP sees", asked, "per s", target="≤ 20", met=asked.median <= 20.5),
        Figure("p50 of a press on an HMP of 5 ms, never polled", p50["silence"], "ms"),
        Figure("p50 of it, polled", p50["polls"], "ms", p50["silence"].median, "never polled"),
        Figure("p99 of it, never polled", p99["silence"], "ms"),
        Figure(
            "p99 of it, polled",
            p99["polls"],
            "ms",
            allowed,
            "never polled + one command",
            "≤ floor",
            p99["polls"].median <= allowed,
        ),
    ]
