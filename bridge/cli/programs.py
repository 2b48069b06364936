"""The commands that run until they are told to end, and what is made of all commands together."""

import argparse
from contextlib import closing
from functools import partial

from .. import __version__
from ..text.output import put, say
from .options import ExitCode, leaves, load_configuration
from .parser import Parser, describe

__all__ = ["completion", "demo", "man", "run_daemon", "simulate"]


def run_daemon(options: argparse.Namespace) -> int:
    """`run`: the daemon, until it is told to end."""
    from ..process.imports import without

    # They would prettify tracebacks and look up service records, and each start waits for them.
    with without("rich", "dns"):
        import paho.mqtt.client  # noqa: F401 - as others import it from here on
        import structlog
    import trio

    from ..config.exposure import exposures
    from ..config.sources import find_file
    from ..daemon.app import ForeignBridge, run_bridge
    from ..journal.file import FileStore
    from ..journal.instance import StateFolderError, claim_state_folder, state_folder
    from ..journal.journal import Journal
    from ..journal.store import JournalUnusable
    from ..logs.log import configure_logs
    from ..process.collector import loaded
    from ..process.descriptors import MOST_CONNECTIONS, TooFewDescriptors, ensure_descriptors

    # Whatever is read again is the same file: another of the usual places has other rooms.
    options.config = find_file(options.config)
    load = partial(load_configuration, options)
    configuration = load()
    table = configuration.bridge
    configure_logs(table.log_level, levels=table.log_levels, form=table.log_format)
    log = structlog.get_logger("bridge")
    for exposure in exposures(configuration, options.config):
        log.warning(exposure.what, what_to_do=exposure.what_to_do)
    shared = configuration.etcd(configuration.box)
    foreign: list[str] = []
    try:
        folder = state_folder(configuration.bridge.state_dir)
        served = MOST_CONNECTIONS if configuration.web.listen else 0
        ensure_descriptors(len(configuration.servers), wanted=served)
        with claim_state_folder(folder) as instance_id:
            try:
                if shared is not None:
                    from ..daemon.standby import run_beside_others

                    loaded()  # it may be long until this box leads
                    trio.run(run_beside_others, configuration, load, shared, instance_id)
                else:
                    with closing(Journal(FileStore(folder))) as journal:
                        trio.run(run_bridge, configuration, instance_id, journal, load)
            except* (ForeignBridge, JournalUnusable) as group:
                foreign += [str(error) for error in leaves(group)]
    except (StateFolderError, JournalUnusable, TooFewDescriptors) as error:
        say(str(error))
        return ExitCode.UNAVAILABLE
    for reason in foreign:
        say(reason)
    return ExitCode.UNAVAILABLE if foreign else ExitCode.OK


def demo(options: argparse.Namespace) -> int:
    """`demo`: everything that there is to try, until Ctrl-C."""
    import trio

    from ..demo.demo import DemoError, run_demo

    failures: list[str] = []
    try:
        trio.run(run_demo, not options.no_bridge)
    except* DemoError as group:
        failures += [str(error) for error in leaves(group)]
    for failure in failures:
        say(failure)
    return ExitCode.UNAVAILABLE if failures else ExitCode.OK


def simulate(options: argparse.Namespace) -> int:
    """`simulate`: the simulated HMP, until Ctrl-C."""
    from ..simulator.__main__ import simulate as simulated

    return simulated(options, put)


def completion(parser: Parser, options: argparse.Namespace) -> int:
    """`completion`: a script for a shell, made from the `parser` of all commands."""
    from .completion.script import completion_script

    put(completion_script(describe(parser), options.shell).removesuffix("\n"))
    return ExitCode.OK


def man(parser: Parser, _options: argparse.Namespace) -> int:
    """`man`: the manual page, made from the `parser` of all commands."""
    from .man_page import man_page

    put(man_page(describe(parser), __version__).removesuffix("\n"))
    return ExitCode.OK
