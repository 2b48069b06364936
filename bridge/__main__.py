"""``python -m bridge`` and the script ``hmp-bridge``."""

import os
import signal
import sys

from . import __version__
from .process.collector import loading
from .text.output import OUTPUT_ENDED, output_ended, prepare_output, put

__all__ = ["main"]

_RUN_UNTIL_TOLD = {"run", "demo", "simulate", "watch"}
"""Commands that have done what they were asked for when a signal ends them."""


def main() -> None:
    """Run the command line; the version is answered without importing what it does not need.

    From the first moment SIGTERM ends it, also as a container's process 1, to which the kernel
    gives only the signals that it handles. A command sets its own handlers once it has something
    to leave in order.
    """
    signal.signal(signal.SIGTERM, _end)
    if sys.argv[1:2] == ["run"]:
        # A hang-up that comes before, or after, there is anything to reload is none of ours.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        loading()
    prepare_output()
    try:
        if sys.argv[1:] == ["--version"]:
            put(f"hmp-bridge {__version__}")
            code = 0
        else:
            from .cli.main import run

            code = run(sys.argv[1:])
    except OUTPUT_ENDED as error:
        code = output_ended(error)
    except KeyboardInterrupt:
        code = 128 + signal.SIGINT
    sys.exit(code)


def _end(number: int, _frame: object) -> None:
    # In the middle of an import, say, where an exception could be caught by anybody.
    os._exit(0 if _RUN_UNTIL_TOLD.intersection(sys.argv[1:2]) else 128 + number)


if __name__ == "__main__":
    main()
