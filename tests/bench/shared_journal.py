"""Event to state with the journal on etcd, beside the file of the same disk (R35).

A pause is said while it is being written; a start is written before HMP is asked (R6).
"""

import random
import time
from collections import defaultdict
from collections.abc import Sequence

from tests.brokers import Broker

from .figures import Figure, Sample, percentile
from .latency import Press
from .stage import Options, Stage, stage

__all__ = ["shared_journal"]

_STARTS = 5
"""Measured in a round, whatever its length: each needs a stop."""

_WHO = {"file": "a file", "one": "etcd, one member", "three": "etcd, three members"}


class _Start:
    """A panel that starts and stops another room."""

    def __init__(self, made: Stage, broker: Broker, base: str) -> None:
        self._room = f"{base}/room/r1"
        self._buttons = made.panel(broker)
        self._light = made.panel(broker, f"{self._room}/state")
        self._light.settle()

    def once(self) -> float:
        """Seconds from the press until HMP has begun to record; it is stopped then."""
        took = self._until("record", "recording")
        self._until("stop", "idle")
        return took

    def _until(self, action: str, state: str) -> float:
        began = time.monotonic()
        self._buttons.publish([(f"{self._room}/press/{action}", "true")])
        took = self._light.wait_for(f"{self._room}/state", state) - began
        self._buttons.drain()
        return took


def shared_journal(options: Options) -> Sequence[Figure]:
    """A press with the journal in a file, and on etcd of one and of three members, on one disk."""
    p50: dict[str, Sample] = defaultdict(Sample)
    p99: dict[str, Sample] = defaultdict(Sample)
    starts: dict[str, Sample] = defaultdict(Sample)
    with stage(options) as made:
        hmp = made.hmp()
        broker = made.broker()
        stores = {"one": made.etcd(1), "three": made.etcd(3)}
        presses, buttons = {}, {}
        for who in _WHO:
            base = f"{who}/hmp"
            made.daemon(broker, hmp, base=base, rooms=2, state=made.disk(), journal=stores.get(who))
            made.record(broker, base, 1)
            presses[who] = Press(made, broker, base)
            presses[who].during(0.0, least=20)
            buttons[who] = _Start(made, broker, base)
        for _ in range(options.repetitions):
            for who, press in random.sample(list(presses.items()), len(presses)):
                took = press.during(options.seconds / len(presses))
                p50[who].add(percentile(took, 50) * 1000)
                p99[who].add(percentile(took, 99) * 1000)
            for who, button in random.sample(list(buttons.items()), len(buttons)):
                took = [button.once() for _ in range(_STARTS)]
                starts[who].add(percentile(took, 50) * 1000)
    beside, begun = p50["file"], starts["file"]
    return [
        row
        for who, where in _WHO.items()
        for row in (
            Figure(f"p50, {where}", p50[who], "ms", beside.median, "file", rounds=beside),
            Figure(f"p99, {where}", p99[who], "ms", p50[who].median, "its p50"),
            Figure(f"a start, {where}", starts[who], "ms", begun.median, "file", rounds=begun),
        )
    ]
