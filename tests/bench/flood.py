"""One sender that never stops, and a press of another room beside it."""

import json
import time
from collections.abc import Sequence
from itertools import count

from tests.brokers import Broker

from .figures import Figure, Sample, percentile
from .panel import Panel
from .processes import Process
from .stage import Options, Stage, stage

__all__ = ["flood"]

RATE = 5000
"""Messages a second."""

_TURN = 0.01
_EVERY = 0.1
_PATIENCE = 30.0
_MOST = 150.0
"""Microseconds of processor time that a refused message may cost."""

#: What is sent: topic and payload, with the message's number in the place of `%d`.
KINDS = {
    "an unknown room": ("hmp/room/nowhere/press/record", "true"),
    "an unknown action": ("hmp/room/r0/press/dance", "true"),
    "unreadable JSON": ("hmp/room/r0/set", '{"action":'),
    "a wrong value, each with its id": (
        "hmp/room/r0/set",
        '{"action":"extend","minutes":-1,"id":"%d"}',
    ),
    "a title that is too long": (
        "hmp/room/r0/set",
        json.dumps({"action": "record", "title": "x" * 5000}),
    ),
    "an unknown command": ("hmp/server/main/request/getWeather", "{}"),
    "a right press": ("hmp/room/r0/press/record", "true"),
}


def flood(options: Options) -> Sequence[Figure]:
    """5,000 messages a second on one topic, and what a press of another room waits meanwhile."""
    figures: list[Figure] = []
    kinds = list(KINDS.items())
    for kind, (topic, payload) in kinds if options.whole else kinds[:1]:
        for qos in (0, 1):
            figures += _of(f"{kind}, QoS {qos}", topic, payload, qos, options)
    return figures


def _of(what: str, topic: str, payload: str, qos: int, options: Options) -> Sequence[Figure]:
    cost, waited, lines, lost = Sample(), Sample(), Sample(), Sample()
    with stage(options, Stage.on_two_cores) as made:
        # What the broker drops for want of room would cost the daemon nothing.
        broker, hmp = made.broker("max_queued_messages 0"), made.hmp()
        daemon = made.daemon(broker, hmp, rooms=2)
        bench = _Bench(made, broker, daemon)
        for _ in range(options.repetitions):
            before, said = daemon.cpu, _lines(daemon)
            sent, latencies, unanswered = bench.during(options.seconds, topic, payload, qos)
            cost.add((daemon.cpu - before) / sent * 1e6)
            waited.add(max(latencies, default=_PATIENCE))
            lines.add(_lines(daemon) - said)
            lost.add(unanswered)
    refused = "right" not in what
    return [
        Figure(
            f"{what}: processor time of each",
            cost,
            "µs",
            target=f"≤ {_MOST:g}" if refused else "",
            met=cost.median <= _MOST if refused else None,
        ),
        Figure(
            f"{what}: longest wait of another room",
            waited,
            "s",
            target="≤ 1",
            met=percentile(waited.values, 100) <= 1.0,
        ),
        Figure(
            f"{what}: presses of another room lost", lost, "", target="0", met=not any(lost.values)
        ),
        Figure(f"{what}: lines of the log", lines, ""),
    ]


class _Bench:
    """The sender, and the panel of another room."""

    def __init__(self, made: Stage, broker: Broker, daemon: Process) -> None:
        self._daemon = daemon
        self._sender: Panel = made.panel(broker)
        self._quiet: Panel = made.panel(broker, "hmp/room/r1/result")
        self._ids = count()

    def during(
        self, seconds: float, topic: str, payload: str, qos: int
    ) -> tuple[int, list[float], int]:
        """How many messages were sent, how long each press waited, and how many still wait."""
        took: list[float] = []
        pressed: dict[str, float] = {}
        sent, began = 0, time.monotonic()
        due = 0.0
        while (now := time.monotonic() - began) < seconds:
            wanted = int(now * RATE)
            self._sender.publish(
                ((topic, payload.replace("%d", str(number))) for number in range(sent, wanted)),
                qos=qos,
            )
            sent = wanted
            self._sender.drain()
            if now >= due:
                due = now + _EVERY
                press = f"p{next(self._ids)}"
                pressed[press] = time.monotonic()
                self._quiet.publish(
                    [("hmp/room/r1/set", json.dumps({"action": "record", "id": press}))]
                )
            self._hear(pressed, took, self._quiet.drain())
            time.sleep(_TURN)
        end = time.monotonic() + _PATIENCE
        while pressed and time.monotonic() < end:
            self._sender.drain()
            self._hear(pressed, took, self._quiet.drain())
            time.sleep(_TURN)
        self._settle()
        return max(1, sent), took, len(pressed)

    @staticmethod
    def _hear(
        pressed: dict[str, float], took: list[float], said: Sequence[tuple[str, str]]
    ) -> None:
        for _, text in said:
            at = pressed.pop(json.loads(text)["id"], None)
            if at is not None:
                took.append(time.monotonic() - at)

    def _settle(self) -> None:
        """Wait until the daemon has nothing left to do."""
        busy = 1.0
        end = time.monotonic() + _PATIENCE
        while busy > 0.1 and time.monotonic() < end:
            before = self._daemon.cpu
            time.sleep(0.3)
            self._sender.drain()
            busy = (self._daemon.cpu - before) / 0.3


def _lines(daemon: Process) -> int:
    return daemon.output.read_bytes().count(b"\n")
