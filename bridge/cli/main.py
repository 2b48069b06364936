"""Running one command, and the code with which it exits.

Commands import what they need when they run, so that a `send` does not wait for a broker's library.
"""

import argparse
import errno
from collections.abc import Callable, Sequence

from ..config.errors import ConfigurationError
from ..logs.redaction import SECRETS
from ..text.output import OUTPUT_ENDED, flush, output_ended, say
from .command_line import make_parser
from .options import ExitCode, UsageError, leaves

__all__ = ["ExitCode", "run"]


def run(arguments: Sequence[str]) -> int:
    """Run one command; the exit code."""
    try:
        try:
            return _run_command(arguments)
        except OSError as error:
            if error.errno not in (errno.EMFILE, errno.ENFILE):
                raise
            say(f"{error.strerror}: raise this process's limit (ulimit -n, LimitNOFILE)")
            return ExitCode.UNAVAILABLE
        finally:
            flush()  # also of the help, which leaves by `SystemExit`
    except ConfigurationError as error:
        say(SECRETS.hide(str(error)))
        return ExitCode.CONFIGURATION
    except UsageError as error:
        say(str(error))
        return ExitCode.USAGE
    except _ENDS as error:
        return _ended_by(error)
    except BaseExceptionGroup as group:
        # Trio hands them over in a group where it met a nursery.
        if group.split(_ENDS)[1] is not None:
            return _internal_error(group)
        return _ended_by(leaves(group)[0])
    except Exception as error:  # noqa: BLE001 - nothing is outside of this but the interpreter
        return _internal_error(error)


def _run_command(arguments: Sequence[str]) -> int:
    options = make_parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = options.command
    return command(options)


_ENDS = (KeyboardInterrupt, *OUTPUT_ENDED)
"""Ends of a command from outside: Ctrl-C, and an output that takes no more."""


def _ended_by(error: BaseException) -> int:
    return 130 if isinstance(error, KeyboardInterrupt) else output_ended(error)


def _internal_error(error: BaseException) -> ExitCode:
    from ..logs.internal_error import report_internal_error

    report_internal_error(error)
    return ExitCode.INTERNAL
