"""The simulator as a program: a world from a file, two ports, an end on SIGTERM or SIGINT."""

import random
import signal
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import trio

from .control import serve_control
from .faults import Fault
from .server import Simulator, serve
from .worldfile import load_world

__all__ = ["ListenError", "run_simulator", "wall_clock"]


class ListenError(OSError):
    """A port that cannot be listened on; the message says which, why, and what to do."""


def wall_clock() -> Callable[[], float]:
    """Unix time that never jumps: the wall clock once, then Trio's clock (virtual in tests)."""
    start = time.time() - trio.current_time()
    return lambda: start + trio.current_time()


async def run_simulator(
    *,
    world: Path | None = None,
    host: str = "127.0.0.1",
    port: int = 23233,
    control_port: int | None = None,
    faults: Sequence[str] = (),
    knobs: Mapping[str, str] | None = None,
    seed: int | None = None,
    announce: Callable[[str], None] = print,
    verbose: bool = False,
) -> None:
    """Run a simulated HMP until SIGTERM or SIGINT.

    `world` is a TOML file (None: the example), port 0 any free one, a `control_port` of None none
    at all, `faults` and `knobs` are in written form and come on top of the file's. The same `seed`
    gives the same ids. `announce` gets ``listening on HOST:PORT``, ``control on HOST:PORT``, and,
    `verbose`, a line for every event.

    Raises `ListenError`, `WorldFileError`, `FaultError` or `KnobError`, before anything listens.
    """
    loaded = load_world(world, now=wall_clock(), ids=random.Random(seed))
    for name, value in (knobs or {}).items():
        loaded.knobs = loaded.knobs.with_value(name, value)
    for text in faults:
        loaded.faults.add(Fault.from_text(text))
    simulator = Simulator(loaded, tell=announce if verbose else None)
    failure: ListenError | None = None
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async with trio.open_nursery() as nursery:
            try:
                bound = await _start(nursery, partial(serve, simulator), host, port)
                announce(f"listening on {host}:{bound}")
                if control_port is not None:
                    control = partial(serve_control, simulator)
                    bound = await _start(nursery, control, host, control_port)
                    announce(f"control on {host}:{bound}")
                async for _ in signals:
                    break
            except ListenError as error:
                failure = error
            nursery.cancel_scope.cancel()
    if failure is not None:
        raise failure


async def _start(
    nursery: trio.Nursery, serving: Callable[..., Awaitable[object]], host: str, port: int
) -> int:
    try:
        bound: int = await nursery.start(partial(serving, host=host, port=port))
    except OSError as error:
        raise ListenError(
            error.errno,
            f"cannot listen on {host}:{port}: {error.strerror or error}; "
            "choose another address or port (0 takes any free port)",
        ) from error
    return bound
