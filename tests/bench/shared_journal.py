"""Event to state with the journal on etcd, beside the file of the same disk (R35)."""

import random
from collections import defaultdict
from collections.abc import Sequence

from .figures import Figure, Sample, percentile
from .latency import Press
from .stage import Options, stage

__all__ = ["shared_journal"]

_WHO = {"file": "a file", "one": "etcd, one member", "three": "etcd, three members"}


def shared_journal(options: Options) -> Sequence[Figure]:
    """A press with the journal in a file, and on etcd of one and of three members, on one disk."""
    p50: dict[str, Sample] = defaultdict(Sample)
    p99: dict[str, Sample] = defaultdict(Sample)
    with stage(options) as made:
        hmp = made.hmp()
        broker = made.broker()
        stores = {"one": made.etcd(1), "three": made.etcd(3)}
        presses = {}
        for who in _WHO:
            base = f"{who}/hmp"
            made.daemon(broker, hmp, base=base, state=made.disk(), journal=stores.get(who))
            made.record(broker, base, 1)
            presses[who] = Press(made, broker, base)
            presses[who].during(0.0, least=20)
        for _ in range(options.repetitions):
            for who, press in random.sample(list(presses.items()), len(presses)):
                took = press.during(options.seconds / len(presses))
                p50[who].add(percentile(took, 50) * 1000)
                p99[who].add(percentile(took, 99) * 1000)
    beside = p50["file"]
    return [
        row
        for who, where in _WHO.items()
        for row in (
            Figure(f"p50, {where}", p50[who], "ms", beside.median, "file", rounds=beside),
            Figure(f"p99, {where}", p99[who], "ms", p50[who].median, "its p50"),
        )
    ]
