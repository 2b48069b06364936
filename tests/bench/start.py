"""From the process to the word `online`, and where the time goes."""

import random
import subprocess
import sys
import time
from collections.abc import Sequence

from tests.brokers import Broker
from tests.process.daemon import toml
from tests.process.programs import HMP_BRIDGE

from .figures import Figure, Sample
from .processes import Process, as_installed
from .stage import Hmp, Options, Stage, configuration, stage

__all__ = ["start"]

_SHOWN = 8


def start(options: Options) -> Sequence[Figure]:
    """Process start to `online` and to usable rooms; `--version`; what importing takes."""
    version, bare = Sample(), Sample()
    sizes = [10] if options.brief else [10, 1000]
    online = {rooms: Sample() for rooms in sizes}
    usable = {rooms: Sample() for rooms in sizes}
    with stage(options, _anywhere) as made:
        broker, hmp = made.broker(), made.hmp()
        _one_start(made, broker, hmp, "compiled", 1)
        for number in range(max(2, options.repetitions)):
            for rooms in random.sample(sizes, len(sizes)):
                first, last = _one_start(made, broker, hmp, f"start{number}-{rooms}", rooms)
                online[rooms].add(first)
                usable[rooms].add(last)
            version.add(_seconds(HMP_BRIDGE, "--version"))
            bare.add(_seconds(sys.executable, "-c", "pass"))
    targets = {10: 0.6, 1000: 1.0}
    return [
        *(
            Figure(
                f"process start to online, {rooms} rooms",
                online[rooms],
                "s",
                target=f"≤ {targets[rooms]} s" if rooms in targets else "",
                met=online[rooms].median <= targets[rooms] if rooms in targets else None,
            )
            for rooms in sizes
        ),
        *(
            Figure(f"process start to usable rooms, {rooms} rooms", usable[rooms], "s")
            for rooms in sizes
        ),
        Figure(
            "hmp-bridge --version",
            version,
            "s",
            bare.median,
            "python -c pass",
            "≤ 0.15 s",
            version.median <= 0.15,
        ),
        *_imports(options),
    ]


def _one_start(made: Stage, broker: Broker, hmp: Hmp, name: str, rooms: int) -> tuple[float, float]:
    """Seconds from the process to `online`, and until the last room is usable."""
    folder = made.folder / name
    folder.mkdir()
    file = folder / "bridge.toml"
    file.write_text(toml(configuration(broker.port, hmp.port, f"{name}/hmp", rooms, folder)))
    state = f"{name}/hmp/bridge/state"
    room = f"{name}/hmp/room/r{rooms - 1}/availability"
    # Each by itself: which of the two comes first is for the daemon to say.
    bridge_panel, room_panel = made.panel(broker, state), made.panel(broker, room)
    process = Process([HMP_BRIDGE, "run", "--config", str(file)], folder / "output")
    try:
        online = bridge_panel.wait_for(state, "online") - process.started_at
        return online, room_panel.wait_for(room, "online") - process.started_at
    finally:
        process.close()


def _anywhere(_made: Stage) -> None:
    """On any core, as it is for people."""


def _seconds(*command: str) -> float:
    began = time.monotonic()
    subprocess.run(command, check=True, capture_output=True, env=as_installed())
    return time.monotonic() - began


def _imports(options: Options) -> Sequence[Figure]:
    """The packages whose own modules take longest to import when the daemon starts."""
    took: dict[str, Sample] = {}
    for _ in range(max(2, options.repetitions)):
        for name, milliseconds in _import_times().items():
            took.setdefault(name, Sample()).add(milliseconds)
    heaviest = sorted(took.items(), key=lambda item: -item[1].median)[:_SHOWN]
    return [Figure(f"importing {name}, own modules", sample, "ms") for name, sample in heaviest]


def _import_times() -> dict[str, float]:
    """Milliseconds by top-level package: what its modules took themselves, not what they import."""
    # As `hmp-bridge run` does it.
    program = (
        "from bridge.process.imports import without\n"
        "with without('rich', 'dns'): import paho.mqtt.client, structlog\n"
        "import bridge.cli.main, bridge.daemon.app"
    )
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", program],
        check=True,
        capture_output=True,
        text=True,
        env=as_installed(),
    )
    by_package: dict[str, float] = {"everything": 0.0}
    for line in done.stderr.splitlines():
        own, _, name = line.removeprefix("import time:").split("|")
        if not own.strip().isdecimal():
            continue
        package = name.strip().partition(".")[0]
        milliseconds = int(own) / 1000
        by_package[package] = by_package.get(package, 0.0) + milliseconds
        by_package["everything"] += milliseconds
    return by_package
