"""Open pages of one room, and what they cost: memory, processor, and a press of a panel."""

import json
import socket
import statistics
import time
from collections.abc import Sequence

from .figures import Figure, Sample, percentile
from .latency import Press
from .processes import Process
from .stage import Options, Stage, stage

__all__ = ["pages"]

_PAGES = 300
_PATH = "/rooms/r0/events"
_BETWEEN = 0.25
"""Seconds between two presses."""


def pages(options: Options) -> Sequence[Figure]:
    """300 pages that show one room: memory, processor, a panel's presses, how soon they know."""
    alone, beside, late, told = Sample(), Sample(), Sample(), Sample()
    idle, memory = Sample(), Sample()
    count = _PAGES if options.whole else 10
    with stage(options, Stage.on_two_cores) as made:
        broker, hmp = made.broker(), made.hmp()
        daemon = made.daemon(broker, hmp, web={"listen": "127.0.0.1:0"})
        said = daemon.wait_for_line("web pages are served")
        address = said.partition("address=")[2].partition(" ")[0]
        made.record(broker, "hmp", 1)
        press = Press(made, broker, "hmp")
        before = daemon.resident
        for _ in range(options.repetitions):
            alone.add(statistics.median(_presses(press, options.seconds)) * 1e3)
            readers = made.readers(address, _PATH, count)
            readers.wait_for_line("reading")
            memory.add((daemon.resident - before) * 1e3 / count)
            idle.add(_processor(daemon, options.seconds))
            took = _presses(press, options.seconds)
            beside.add(statistics.median(took) * 1e3)
            late.add(percentile(took, 99) * 1e3)
            told.add(_told(press, address) * 1e3)
            readers.close()
    return [
        Figure(f"{count} pages: memory of each, 1st to last round", memory, "kB"),
        Figure(f"{count} pages: processor while nothing changes", idle, "% of a core"),
        Figure(f"{count} pages: event to state at a panel", beside, "ms", alone.median, "no page"),
        Figure(f"{count} pages: event to state at a panel, 99 of 100", late, "ms"),
        Figure(f"{count} pages: state at the panel to state on a page", told, "ms", met=None),
    ]


def _presses(press: Press, seconds: float) -> list[float]:
    """Seconds that presses take, of somebody who looks at the light before the next."""
    took: list[float] = []
    until = time.monotonic() + seconds
    while len(took) < 3 or time.monotonic() < until:
        took.append(press.once())
        time.sleep(_BETWEEN)
    return took


def _processor(daemon: Process, seconds: float) -> float:
    used = daemon.cpu
    time.sleep(seconds)
    return (daemon.cpu - used) / seconds * 100


def _told(press: Press, address: str) -> float:
    """Seconds from the state at the panel until one page more has it."""
    host, _, port = address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=60) as page:
        page.sendall(f"GET {_PATH} HTTP/1.1\r\nHost: {address}\r\n\r\n".encode())
        read = page.makefile("rb")
        paused = _next_paused(read)
        press.once()
        seen = time.monotonic()
        while _next_paused(read) == paused:
            pass
        return max(0.0, time.monotonic() - seen)


def _next_paused(read: object) -> bool:
    """The next view's `paused`."""
    for line in read:  # type: ignore[attr-defined]
        if line.startswith(b'data: {"room"') and b'"view"' in line:
            return bool(json.loads(line[6:])["view"]["paused"])
    raise EOFError
