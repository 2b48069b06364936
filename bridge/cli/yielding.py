"""The command ``yield``: the box that leads leaves to another one, and no press is lost (R37)."""

import argparse

from ..text.output import put, say
from .options import ExitCode, leaves, load_configuration

__all__ = ["yield_to_another"]


def yield_to_another(options: argparse.Namespace) -> int:
    """`yield`: the box that leads from now on."""
    import trio

    from ..daemon.yielding import NobodyYields, RefusedToYield, ask_to_yield
    from ..logs.log import configure_logs

    configuration = load_configuration(options)
    configure_logs("error")
    refused, failed = [], []
    try:
        put(f"{trio.run(ask_to_yield, configuration)} leads")
    except* RefusedToYield as group:
        refused += [str(error) for error in leaves(group)]
    except* NobodyYields as group:
        failed += [str(error) for error in leaves(group)]
    for reason in (*refused, *failed):
        say(reason)
    if refused:
        return ExitCode.REFUSED
    return ExitCode.UNAVAILABLE if failed else ExitCode.OK
