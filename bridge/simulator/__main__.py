"""``python -m bridge.simulator``: the HMP simulator on its own."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial

import trio

from .faults import FaultError
from .knobs import KnobError
from .options import add_options
from .run import ListenError, run_simulator
from .worldfile import WorldFileError

__all__ = ["main", "simulate"]


def main(
    arguments: Sequence[str] | None = None,
    announce: Callable[[str], None] = partial(print, flush=True),  # noqa: B008 - it has no state
) -> int:
    """Run until a signal, `announce` what is to be said; the exit code is one of sysexits'."""
    parser = add_options(
        argparse.ArgumentParser(
            prog="python -m bridge.simulator",
            allow_abbrev=False,
            description="A simulated Haivision Media Platform: its Command Line API, its quirks, "
            "and faults on demand.",
            epilog="hmp-bridge simulate --help lists faults and knobs.",
        )
    )
    try:
        options = parser.parse_args(arguments)
    except SystemExit as leaving:
        # argparse says 2 where sysexits has a number of its own.
        return os.EX_USAGE if leaving.code else os.EX_OK
    return simulate(options, announce)


def simulate(options: argparse.Namespace, announce: Callable[[str], None]) -> int:
    """The same with options that have been read."""
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
