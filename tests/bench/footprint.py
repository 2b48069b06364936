"""What the daemon takes while nobody asks anything of it."""

import time
from collections.abc import Sequence

from .figures import Figure, Sample
from .stage import Options, Stage, stage

__all__ = ["memory"]


def memory(options: Options) -> Sequence[Figure]:
    """Resident memory with 10 and with 1,000 rooms, and the processor that idling takes."""
    figures = []
    for rooms, limit in ((10, 60), (options.rooms(1000), 100)):
        idle, recording, after, share = Sample(), Sample(), Sample(), Sample()
        with stage(options, Stage.on_two_cores) as made:
            broker, hmp = made.broker(), made.hmp()
            daemon = made.daemon(broker, hmp, rooms=rooms)
            idle.add(daemon.resident)
            measured = max(options.seconds, 10.0 if options.whole else 0.0)
            for _ in range(2):
                before = daemon.cpu
                time.sleep(measured)
                share.add((daemon.cpu - before) / measured * 100)
            made.record(broker, "hmp", rooms)
            recording.add(daemon.resident)
            # What lasts would grow with each of these.
            panel = made.panel(broker, "hmp/room/r0/state")
            for _ in range(10 if not options.whole else 500):
                for action, state in (("pause", "paused"), ("resume", "recording")):
                    panel.publish([(f"hmp/room/r0/press/{action}", "true")])
                    panel.wait_for("hmp/room/r0/state", state)
            after.add(daemon.resident)
        met = max(recording.median, after.median) <= limit
        figures += [
            Figure(f"{rooms} rooms idle", idle, "MB", target=f"≤ {limit} MB", met=met),
            Figure(f"{rooms} rooms recording", recording, "MB", target=f"≤ {limit} MB", met=met),
            Figure(f"{rooms} rooms, 1,000 presses later", after, "MB", recording.median, "before"),
        ]
        row = Figure(f"{rooms} rooms idle, processor", share, "% of a core")
        if rooms == 10:
            row.target, row.met = "≤ 0.3 %", share.median <= 0.3
        figures.append(row)
    return figures
