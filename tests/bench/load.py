"""5,000 messages a second for a minute, from one client, a crowd, to many rooms: what grows."""

import itertools
import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from .figures import Figure, Sample, percentile
from .flood import KINDS, RATE
from .panel import Panel
from .processes import Process
from .stage import Options, Stage, stage

__all__ = ["crowd", "flooded_rooms", "load"]

_CLIENTS = 200
_PROTOCOLS = {"5": 5, "3.1.1": 4}
"""Of the daemon, with the level of its one client; a crowd has both."""

_TURN = 0.01
_PRESS_EVERY = 0.1
_READ_EVERY = 0.5
_PATIENCE = 30.0
_LONG_EVERY = 1000
"""Of so many messages one has a topic of almost 64 kB, another one each time."""

_FLOODED = 3
"""Rooms that are flooded, where not all are: so many presses of each may be under way at a time."""

_ROOMS = 10
"""The last of which is pressed by somebody who wants something, and never flooded."""


def load(options: Options) -> Sequence[Figure]:
    """5,000 messages a second, valid and not, from one client: what grows, and who waits."""
    return _both(1, options)


def crowd(options: Options) -> Sequence[Figure]:
    """5,000 messages a second, valid and not, from 200 clients: what grows, and who waits."""
    return _both(_CLIENTS, options)


def flooded_rooms(options: Options) -> Sequence[Figure]:
    """5,000 messages a second to nine rooms, with the journal on the disk: who waits."""
    return _both(1, options, flooded=_ROOMS - 1, on_disk=True)


def _both(
    clients: int, options: Options, *, flooded: int = _FLOODED, on_disk: bool = False
) -> Sequence[Figure]:
    return [
        figure
        for protocol in _PROTOCOLS
        for figure in _over(protocol, clients, options, flooded=flooded, on_disk=on_disk)
    ]


def _over(
    protocol: str, clients: int, options: Options, *, flooded: int, on_disk: bool
) -> Sequence[Figure]:
    with stage(options, Stage.on_two_cores) as made:
        # What the broker drops for want of room would cost the daemon nothing.
        broker, hmp = made.broker("max_queued_messages 0"), made.hmp()
        # Elsewhere in memory: a slow disk is another measurement.
        state = made.disk() if on_disk else made.folder / "state"
        daemon = made.daemon(broker, hmp, rooms=_ROOMS, state=state, mqtt={"protocol": protocol})
        senders = [
            made.panel(broker, level=4 + number % 2 if clients > 1 else _PROTOCOLS[protocol])
            for number in range(clients)
        ]
        quiet = made.panel(broker, f"hmp/room/r{_ROOMS - 1}/result")
        during = _Load(daemon, state, senders, quiet, flooded)
        during.run(options.lasting)
        return during.figures(f"MQTT {protocol}")


def _messages(flooded: int) -> Iterator[tuple[str, str, int]]:
    """Topic, payload and QoS of one message after another: every kind, at both QoS."""
    kinds = list(KINDS.values())
    for number in itertools.count():
        turn, which = divmod(number, len(kinds))
        topic, payload = kinds[which]
        topic = topic.replace("/r0/", f"/r{turn % flooded}/")
        if number % _LONG_EVERY == 0:
            topic = f"hmp/room/r0/press/{'x' * 60_000}{number}"
        elif "nowhere" in topic:
            topic = topic.replace("nowhere", f"nowhere{number}")
        yield topic, payload.replace("%d", str(number)), turn % 2


class _Load:
    """The senders, the panel of a room that they leave alone, and what is read of the daemon."""

    def __init__(
        self,
        daemon: Process,
        state: Path,
        senders: Sequence[Panel],
        quiet: Panel,
        flooded: int,
    ) -> None:
        self._daemon = daemon
        self._state = state
        self._senders = itertools.cycle(senders)
        self._all = senders
        self._quiet = quiet
        self._flooded = flooded
        self._pressed: dict[str, float] = {}
        self._took: list[float] = []
        self._memory: list[float] = []
        self._journal: list[float] = []
        self._sent = 0
        self._seconds = 0.0

    def run(self, seconds: float) -> None:
        """Send for so long, and wait until every press is answered."""
        messages, names = _messages(self._flooded), itertools.count()
        self._said, self._used = self._lines(), self._daemon.cpu
        began = time.monotonic()
        press_at = read_at = 0.0
        while (now := time.monotonic() - began) < seconds:
            wanted = int(now * RATE)
            self._send(list(itertools.islice(messages, wanted - self._sent)))
            self._sent = wanted
            if now >= press_at:
                press_at = now + _PRESS_EVERY
                name = f"p{next(names)}"
                self._pressed[name] = time.monotonic()
                press = json.dumps({"action": "record", "id": name})
                self._quiet.publish([(f"hmp/room/r{_ROOMS - 1}/set", press)])
            if now >= read_at:
                read_at = now + _READ_EVERY
                self._read()
            self._hear()
            time.sleep(_TURN)
        self._seconds = time.monotonic() - began
        self._used = self._daemon.cpu - self._used
        end = time.monotonic() + _PATIENCE
        while self._pressed and time.monotonic() < end:
            for sender in self._all:
                sender.drain()
            self._hear()
            time.sleep(_TURN)
        self._read()

    def _send(self, messages: Sequence[tuple[str, str, int]]) -> None:
        """Shared out among as many senders as there are messages."""
        for at in range(min(len(self._all), len(messages))):
            sender, share = next(self._senders), messages[at :: len(self._all)]
            for qos in (0, 1):
                sender.publish(((topic, text) for topic, text, its in share if its == qos), qos=qos)
            sender.drain()

    def _hear(self) -> None:
        for _, text in self._quiet.drain():
            at = self._pressed.pop(json.loads(text)["id"], None)
            if at is not None:
                self._took.append(time.monotonic() - at)

    def _read(self) -> None:
        self._memory.append(self._daemon.resident)
        files = [each.stat().st_size for each in self._state.iterdir() if each.is_file()]
        self._journal.append(sum(files) / 1024)

    def _lines(self) -> int:
        return self._daemon.output.read_bytes().count(b"\n")

    def figures(self, over: str) -> Sequence[Figure]:
        """What was measured."""
        answered = self._took or [_PATIENCE]
        said = self._daemon.output.stat().st_size / 1024
        core = self._used / self._seconds * 100
        return [
            self._level(f"{over}: resident memory", self._memory, "MB"),
            self._level(f"{over}: journal", self._journal, "KB"),
            Figure(
                f"{over}: longest wait of another room",
                Sample([max(answered)]),
                "s",
                target="≤ 1",
                met=max(answered) <= 1.0,
                series=self._took,
            ),
            Figure(f"{over}: median of that wait", Sample([percentile(answered, 50)]), "s"),
            Figure(
                f"{over}: presses of another room lost",
                Sample([float(len(self._pressed))]),
                "",
                target="0",
                met=not self._pressed,
            ),
            Figure(f"{over}: messages a second", Sample([self._sent / self._seconds]), ""),
            Figure(f"{over}: processor", Sample([core]), "% of a core"),
            Figure(f"{over}: lines of the log", Sample([float(self._lines() - self._said)]), ""),
            Figure(f"{over}: log", Sample([said]), "KB"),
        ]

    def _level(self, what: str, series: list[float], unit: str) -> Figure:
        """The last tenth, beside the second."""
        tenth = max(1, len(series) // 10)
        before = Sample(series[tenth : 2 * tenth] or series)
        row = Figure(
            f"{what}, last tenth", Sample(series[-tenth:]), unit, before.median, "second tenth"
        )
        row.series = series
        return row
