"""Everything a benchmark needs around what it measures: broker, HMP, daemon, peers, panels."""

import itertools
import json
import shutil
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar

from tests.brokers import Broker, BrokerOptions
from tests.cluster.nats import nats_cluster
from tests.cluster.servers import Members
from tests.process.daemon import toml
from tests.process.hmp import session_of
from tests.process.programs import HMP_BRIDGE

from .panel import Panel
from .processes import Process, on_cores

__all__ = ["Hmp", "Options", "Stage", "configuration", "stage"]

T = TypeVar("T")

# Logged packets would be the broker's main work.
_QUIET = "log_type none"


class Options:
    """How long and how often to measure, and where."""

    def __init__(
        self,
        seconds: float,
        repetitions: int,
        disk: Path,
        *,
        all_cores: bool,
        most_rooms: int = 1000,
        sizes: Sequence[int] = (10, 100, 1000),
        lasting: float | None = None,
        samples: Path | None = None,
    ) -> None:
        #: of each repetition of each variant
        self.seconds = seconds
        self.repetitions = repetitions
        #: a folder on the disk that the journal is measured on
        self.disk = disk
        #: whether to leave it to the kernel who runs where
        self.all_cores = all_cores
        self._most_rooms = most_rooms
        #: rooms of the bridges whose latency is compared
        self.sizes = sorted({self.rooms(size) for size in sizes})
        #: seconds that something lasts which is measured once, over a long time
        self.lasting = seconds * repetitions if lasting is None else lasting
        #: where that is noted as it goes on, one JSON object a line
        self.samples = samples

    @property
    def whole(self) -> bool:
        """Whether sizes and waits are those of the targets, and not of a quick look."""
        return self.seconds >= 1.0

    @property
    def brief(self) -> bool:
        """Whether what takes long to start is left out."""
        return not self.whole or self._most_rooms < 1000

    def rooms(self, count: int) -> int:
        """So many rooms, or few for a quick look."""
        return min(count, self._most_rooms if self.whole else 20)


class Hmp:
    """The HMP that answers at once; see `instant_hmp`."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.port = int(process.wait_for_line("listening on ").rpartition(":")[2])
        self._control = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        self._lines = self._control.makefile("rw", encoding="utf-8")

    def close(self) -> None:
        """Hang up and end it."""
        self._lines.close()
        self._control.close()
        self.process.close()

    def ask(self, line: str) -> str:
        """One line, one answer."""
        self._lines.write(f"{line}\n")
        self._lines.flush()
        return self._lines.readline().rstrip("\n")

    def delay(self, seconds: float) -> None:
        """How long every answer takes from now on."""
        self.ask(f"delay {seconds}")

    def log(self) -> list[tuple[float, float, str]]:
        """Received at, answered at, command; of all since the last call."""
        return [(received, at, name) for received, at, name in json.loads(self.ask("log"))]


def configuration(
    broker: int, hmp: int, base: str, rooms: int, state: Path, **server: Any
) -> dict[str, dict[str, Any]]:
    """The daemon's tables: rooms `r0`, `r1`, … of one server, everything else by default."""
    return {
        "mqtt": {"host": "127.0.0.1", "port": broker, "base_topic": base},
        "bridge": {"state_dir": str(state), "health_every": "1s"},
        "servers": {"main": {"host": "127.0.0.1", "port": hmp} | server},
        "rooms": {
            f"r{number}": {"server": "main", "session": session_of(number)}
            for number in range(rooms)
        },
    }


class Stage:
    """Starts things; all of them end with the stage.

    What is measured runs on `subject_cores`, everything else on `other_cores`.
    """

    def __init__(self, options: Options, folder: Path, stack: ExitStack) -> None:
        self.options = options
        self.folder = folder
        self.subject_cores: set[int] | None = None
        self.other_cores: set[int] | None = None
        self._stack = stack
        self._names = itertools.count()

    def on_one_core(self) -> None:
        """Everybody together, this process too: no wake-up has to cross from core to core."""
        if not self.options.all_cores:
            self.subject_cores = self.other_cores = {0}
            self._stack.enter_context(on_cores({0}))

    def on_two_cores(self) -> None:
        """What is measured alone, everybody else on another core."""
        if not self.options.all_cores:
            self.subject_cores, self.other_cores = {1}, {0}
            self._stack.enter_context(on_cores({0}))

    def broker(self, *lines: str) -> Broker:
        """A mosquitto with its defaults but for the log, and these lines."""
        folder = self._new_folder()
        options = BrokerOptions(queued=None, extra=(_QUIET, *lines))
        broker = Broker(folder, options, kind="mosquitto")
        with on_cores(self.other_cores):
            broker.start()
        self._stack.callback(broker.stop)
        return broker

    def hmp(self, delay: float = 0.0) -> Hmp:
        """An HMP."""
        command = [sys.executable, "-m", "tests.bench.instant_hmp", "--delay", str(delay)]
        return self._kept(Hmp(self._start(command, self.other_cores)))

    def daemon(
        self,
        broker: Broker,
        hmp: Hmp,
        *,
        base: str = "hmp",
        rooms: int = 1,
        state: Path | None = None,
        through: int | None = None,
        census: Path | None = None,
        web: dict[str, Any] | None = None,
        journal: Members | None = None,
        mqtt: dict[str, Any] | None = None,
        **server: Any,
    ) -> Process:
        """`hmp-bridge run`; returns when its last room is usable.

        `web`, `mqtt`: keys of these tables. `through`: a port in place of the broker's. `census`:
        where `counted_daemon` writes. `journal`: where it is in place of a file.
        """
        state = state or self._new_folder()
        tables = configuration(through or broker.port, hmp.port, base, rooms, state, **server)
        tables |= {} if web is None else {"web": web}
        if journal is not None:
            tables["bridge"]["journal"] = {"etcd": list(journal.endpoints)}
        tables["mqtt"] |= mqtt or {}
        counted = [sys.executable, "-m", "tests.bench.counted_daemon", str(census)]
        daemon = self.run(tables, program=None if census is None else counted)
        self.wait_online(broker, base, rooms - 1)
        return daemon

    def run(
        self, tables: dict[str, Any], *arguments: str, program: list[str] | None = None
    ) -> Process:
        """`hmp-bridge run` with these tables and further arguments; returns at once."""
        file = self._new_folder() / "bridge.toml"
        file.write_text(toml(tables), encoding="utf-8")
        command = [*(program or [HMP_BRIDGE]), "run", "--config", str(file), *arguments]
        return self._kept(self._start(command, self.subject_cores))

    def wait_online(self, broker: Broker, base: str, room: int) -> None:
        """Until this room is usable."""
        panel = self.panel(broker, f"{base}/room/r{room}/availability")
        panel.wait_for(f"{base}/room/r{room}/availability", "online")
        panel.close()

    def peer(
        self,
        module: str,
        broker: Broker,
        hmp: Hmp,
        *options: str,
        base: str,
        ready: str = "ready",
    ) -> Process:
        """`bare_loop` or a script; returns when it says that it is `ready`."""
        command = [sys.executable, "-m", f"tests.bench.{module}", "--base", base, *options]
        command += ["--broker-port", str(broker.port), "--hmp-port", str(hmp.port)]
        peer = self._kept(self._start(command, self.subject_cores))
        peer.wait_for_line(ready)
        return peer

    def announcer(self, broker: Broker, messages: Path, *, base: str, qos: int) -> Process:
        """`bare_loop --announce`."""
        command = [sys.executable, "-m", "tests.bench.bare_loop", "--base", base]
        command += ["--broker-port", str(broker.port), "--announce", str(messages)]
        return self._kept(self._start([*command, "--qos", str(qos)], self.subject_cores))

    def readers(self, address: str, path: str, count: int) -> Process:
        """Pages that are open."""
        program = [sys.executable, "-m", "tests.bench.page_readers", address, path, str(count)]
        return self._kept(self._start(program, self.other_cores))

    def panel(self, broker: Broker, *filters: str, qos: int = 0, level: int = 4) -> Panel:
        """A panel's connection."""
        return self._kept(Panel(broker.port, filters, qos=qos, level=level))

    def etcd(self, count: int) -> Members:
        """A store of so many members, on the disk."""
        with on_cores(self.other_cores):
            return self._stack.enter_context(Members(self.disk(), count).running())

    def nats(self) -> Sequence[Broker]:
        """Three NATS that are one broker, with their streams on the disk."""
        with on_cores(self.other_cores):
            return self._stack.enter_context(nats_cluster(self.disk()))

    def disk(self) -> Path:
        """A fresh folder on the disk."""
        return Path(self._stack.enter_context(tempfile.TemporaryDirectory(dir=self.options.disk)))

    def record(self, broker: Broker, base: str, rooms: int) -> None:
        """Press `record` in every room and wait until all of them do."""
        panel = self.panel(broker, f"{base}/room/+/state")
        panel.drain()
        left = {f"{base}/room/r{number}/state" for number in range(rooms)}
        panel.publish((f"{base}/room/r{number}/press/record", "true") for number in range(rooms))
        while left:
            left -= {topic for topic, payload in panel.receive() if payload == "recording"}
        panel.close()

    def _kept(self, thing: T) -> T:
        self._stack.enter_context(closing(thing))  # type: ignore[type-var]  # all of ours can close
        return thing

    def _new_folder(self) -> Path:
        folder = self.folder / str(next(self._names))
        folder.mkdir()
        return folder

    def _start(self, command: list[str], cores: set[int] | None) -> Process:
        with on_cores(cores):
            return Process(command, self._new_folder() / "output")


@contextmanager
def stage(
    options: Options, prepare: Callable[[Stage], None] = Stage.on_one_core
) -> Iterator[Stage]:
    """A stage whose own files, configurations, journals and logs are on a tmpfs where there is one.

    `prepare` chooses who runs where.
    """
    memory = Path("/dev/shm")  # noqa: S108 - the point is that it is memory
    folder = tempfile.mkdtemp(prefix="hmp-bench-", dir=memory if memory.is_dir() else None)
    try:
        with ExitStack() as stack:
            made = Stage(options, Path(folder), stack)
            prepare(made)
            yield made
    finally:
        shutil.rmtree(folder, ignore_errors=True)
