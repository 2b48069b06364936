"""The broker comes back empty, and everything has to be said again."""

import json
import signal
import time
from collections.abc import Sequence
from contextlib import closing

from tests.brokers import Broker

from .figures import Figure, Sample
from .panel import Panel, SlowPanel
from .processes import Process
from .stage import Options, Stage, stage

__all__ = ["reconnect"]

_SLOWNESS = 0.001
_SMALL_BUFFER = 16_384
"""Bytes: a small device's; what it does not take stays with the broker."""
_AT_ONCE = 50
"""Rooms read back at once: fewer retained messages than a broker queues for one client."""


class _Watch:
    """Sees a connection begin, with its marker, and end its announcement, with `online`."""

    def __init__(self, broker: Broker) -> None:
        self._panel = Panel(broker.port, ["hmp/bridge/#"])

    def took(self) -> float:
        """Seconds from the one to the other."""
        began = 0.0
        with closing(self._panel):
            while True:
                for topic, payload in self._panel.receive(60.0):
                    now = time.monotonic()
                    if topic == "hmp/bridge/marker":
                        began = began or now
                    if began and (topic, payload) == ("hmp/bridge/state", "online"):
                        return now - began


def reconnect(options: Options) -> Sequence[Figure]:
    """A broker restart with a thousand rooms' topics to publish, and a subscriber that is slow."""
    rooms = options.rooms(1000)
    daemon_took, bare = Sample(), {0: Sample(), 1: Sample()}
    wrong = {None: Sample(), _SMALL_BUFFER: Sample()}
    with stage(options, Stage.on_two_cores) as made:
        broker = made.broker()
        daemon = made.daemon(broker, made.hmp(), rooms=rooms)
        made.record(broker, "hmp", rooms)
        retained = _retained(broker, rooms)
        said = made.folder / "said.json"
        said.write_text(json.dumps(list(retained.items())), encoding="utf-8")
        for _ in range(options.repetitions):
            for qos, sample in bare.items():
                _restart(broker, daemon)
                watch = _Watch(broker)
                peer = made.announcer(broker, said, base="hmp", qos=qos)
                sample.add(watch.took())
                peer.wait()
            _restart(broker, daemon)
            watch = _Watch(broker)
            daemon.send_signal(signal.SIGCONT)
            daemon_took.add(watch.took())
        _stop_all(made, broker, rooms)
        for buffer, sample in wrong.items():
            quiet = 3.0 if options.whole else 0.5
            sample.add(_wrong(broker, daemon, rooms, buffer, quiet))
    topics = f"{len(retained):,} topics"
    return [
        Figure(
            f"said again: {rooms} rooms, {topics}",
            daemon_took,
            "s",
            bare[0].median,
            "bare loop at QoS 0",
            "≤ 2 x bare",
            daemon_took.median <= 2 * bare[0].median,
        ),
        Figure("as many by the bare loop at QoS 0", bare[0], "s"),
        Figure("as many by the bare loop at QoS 1", bare[1], "s"),
        *(
            Figure(
                f"topics wrong at a QoS 1 subscriber of 1 ms, {name}",
                wrong[buffer],
                "topics",
                target="0",
                met=not any(wrong[buffer].values),
            )
            for buffer, name in ((None, "usual buffers"), (_SMALL_BUFFER, "small buffers"))
        ),
    ]


def _restart(broker: Broker, daemon: Process) -> None:
    """An empty broker, and a daemon that waits for SIGCONT: the watcher is to be there first."""
    daemon.send_signal(signal.SIGSTOP)
    broker.stop()
    broker.start()


def _wrong(broker: Broker, daemon: Process, rooms: int, buffer: int | None, quiet: float) -> float:
    """How many topics a slow subscriber has wrong or not at all when all is quiet again.

    While it still takes in the announcement some rooms start and stop, so that old and fresh values
    of a topic are under way at the same time.
    """
    _restart(broker, daemon)
    slow = SlowPanel(broker.port, ["hmp/room/#"], seconds=_SLOWNESS, receive_buffer=buffer)
    buttons = Panel(broker.port, ["hmp/bridge/state"])
    with closing(slow), closing(buttons):
        daemon.send_signal(signal.SIGCONT)
        buttons.wait_for("hmp/bridge/state", "online", 60.0)
        names = [f"hmp/room/r{number}/press" for number in range(0, rooms, 50)]
        buttons.publish((f"{name}/record", "true") for name in names)
        seen = dict(slow.receive())
        buttons.publish((f"{name}/stop", "true") for name in names)
        seen.update(slow.settle(quiet))
        return float(
            sum(seen.get(topic) != text for topic, text in _retained(broker, rooms).items())
        )


def _retained(broker: Broker, rooms: int) -> dict[str, str]:
    """Everything that the broker retains of the rooms, read in pieces that no queue drops."""
    found: dict[str, str] = {}
    for start in range(0, rooms, _AT_ONCE):
        numbers = range(start, min(start + _AT_ONCE, rooms))
        with closing(Panel(broker.port, [f"hmp/room/r{number}/#" for number in numbers])) as panel:
            found.update(panel.settle(0.1))
    return found


def _stop_all(made: Stage, broker: Broker, rooms: int) -> None:
    panel = made.panel(broker, "hmp/room/+/state")
    panel.drain()
    left = {f"hmp/room/r{number}/state" for number in range(rooms)}
    panel.publish((f"hmp/room/r{number}/press/stop", "true") for number in range(rooms))
    while left:
        left -= {topic for topic, payload in panel.receive() if payload == "idle"}
