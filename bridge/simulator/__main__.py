"""``python -m bridge.simulator``: the HMP simulator on its own."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import trio

from .faults import FaultError
from .knobs import KnobError
from .run import ListenError, run_simulator
from .worldfile import WorldFileError

__all__ = ["main"]


def _knob(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


def _port(text: str) -> int:
    if text.isdecimal() and int(text) <= 65535:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a port (0 to 65535)")


def _arguments(program: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=program,
        description="A simulated Haivision Media Platform: its Command Line API, its quirks, "
        "and faults on demand.",
        epilog="faults: KIND[:COMMAND[:VALUE]][:count=N][:seconds=S], such as "
        "delay:startRecording:2.5 or error:*:070000:seconds=60",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=_port, default=23233, help="0 = any (%(default)s)")
    parser.add_argument("--control-port", type=_port, help="JSON lines; 0 = any (default: none)")
    parser.add_argument("--world", type=Path, help="TOML file (default: the example world)")
    parser.add_argument("--fault", action="append", default=[], help="arm a fault; repeatable")
    parser.add_argument(
        "--knob", action="append", default=[], type=_knob, metavar="NAME=VALUE", help="repeatable"
    )
    parser.add_argument("--seed", type=int, help="the same ids every time")
    parser.add_argument("--verbose", action="store_true", help="one line per event")
    return parser


def main(
    arguments: Sequence[str] | None = None,
    program: str = "python -m bridge.simulator",
    announce: Callable[[str], None] = partial(print, flush=True),  # noqa: B008 - it has no state
) -> int:
    """Run until a signal, `announce` what is to be said; the exit code is one of sysexits'."""
    try:
        options = _arguments(program).parse_args(arguments)
    except SystemExit as leaving:
        # argparse says 2 where sysexits has a number of its own.
        return os.EX_USAGE if leaving.code else os.EX_OK
    try:
        trio.run(
            partial(
                run_simulator,
                world=options.world,
                host=options.host,
                port=options.port,
                control_port=options.control_port,
                faults=options.fault,
                knobs=dict(options.knob),
                seed=options.seed,
                announce=announce,
                verbose=options.verbose,
            )
        )
    except ListenError as error:
        print(error.strerror, file=sys.stderr)
        return os.EX_UNAVAILABLE
    except (FaultError, KnobError) as error:
        print(error, file=sys.stderr)
        return os.EX_USAGE
    except WorldFileError as error:
        print(error, file=sys.stderr)
        return os.EX_CONFIG
    return os.EX_OK


if __name__ == "__main__":
    sys.exit(main())
