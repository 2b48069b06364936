"""The command line: what each command does, and with which code it exits.

Commands import what they need when they run, so that a `send` does not wait for a broker's library.
"""

import argparse
import errno
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import NoReturn

from .. import __version__
from ..config.errors import ConfigurationError
from ..logs.redaction import SECRETS
from ..text.output import OUTPUT_ENDED, flush, output_ended, put, say
from ..text.visible import visible
from .operator import add_operator_commands
from .options import ExitCode, leaves, load_configuration

__all__ = ["ExitCode", "run"]


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(ExitCode.USAGE, f"{self.prog}: {message}\n")


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
    if arguments[:1] == ["simulate"]:
        from ..simulator.__main__ import main as simulate

        return simulate(arguments[1:], "hmp-bridge simulate", announce=put)
    options = _parser().parse_args(arguments)
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


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="hmp-bridge", description="MQTT for Haivision Media Platform recordings.")
    parser.add_argument("--version", action="version", version=f"hmp-bridge {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    configured = _Parser(add_help=False)
    configured.add_argument(
        "--config", type=Path, metavar="FILE", help="the configuration (default: the usual places)"
    )
    configured.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="override one key, such as mqtt.host=broker; can be repeated",
    )

    command = commands.add_parser("run", parents=[configured], help="the daemon")
    command.set_defaults(command=_run)

    command = commands.add_parser("demo", help="broker, simulated HMP and bridge, ready to try")
    command.add_argument(
        "--no-bridge", action="store_true", help="only broker and HMP, for a bridge of your own"
    )
    command.set_defaults(command=_demo)

    # Its options are its own program's; run() hands them over.
    commands.add_parser("simulate", add_help=False, help="the simulated HMP on its own")

    add_operator_commands(commands, configured)

    command = commands.add_parser(
        "try", parents=[configured], help="what would come of a message; sends nothing"
    )
    command.add_argument("--topic", required=True, help="the topic that it is published to")
    payload = command.add_mutually_exclusive_group()
    payload.add_argument("--payload", default="", help="its payload as text (default: empty)")
    payload.add_argument("--payload-file", type=Path, metavar="FILE", help="its payload, a file")
    command.add_argument("--retained", action="store_true", help="as if the broker had kept it")
    command.set_defaults(command=_try)

    command = commands.add_parser(
        "send", parents=[configured], help="one command to one HMP, correctly quoted"
    )
    command.add_argument("server", help="a server of the configuration")
    command.add_argument("name", metavar="command", help="such as getRecordingStatus")
    command.add_argument("parameters", nargs=argparse.REMAINDER, help="its parameters, unquoted")
    command.set_defaults(command=_send)
    return parser


def _run(options: argparse.Namespace) -> int:
    import structlog
    import trio

    from ..config.exposure import exposures
    from ..config.sources import find_file
    from ..daemon.app import ForeignBridge, run_bridge
    from ..journal.file import JournalUnusable
    from ..journal.instance import StateFolderError, claim_state_folder, state_folder
    from ..journal.journal import Journal
    from ..logs.log import configure_logs
    from ..process.descriptors import TooFewDescriptors, ensure_descriptors

    # Whatever is read again is the same file: another of the usual places has other rooms.
    options.config = find_file(options.config)
    load = partial(load_configuration, options)
    configuration = load()
    table = configuration.bridge
    configure_logs(table.log_level, levels=table.log_levels, form=table.log_format)
    log = structlog.get_logger("bridge")
    folder = state_folder(configuration.bridge.state_dir)
    for exposure in exposures(configuration, options.config):
        log.warning(exposure.what, what_to_do=exposure.what_to_do)
    foreign: list[str] = []
    try:
        ensure_descriptors(len(configuration.servers))
        with claim_state_folder(folder) as instance_id, closing(Journal(folder)) as journal:
            try:
                trio.run(run_bridge, configuration, instance_id, journal, load)
            except* ForeignBridge as group:
                foreign += [str(error) for error in leaves(group)]
    except (StateFolderError, JournalUnusable, TooFewDescriptors) as error:
        say(str(error))
        return ExitCode.UNAVAILABLE
    for reason in foreign:
        say(reason)
    return ExitCode.UNAVAILABLE if foreign else ExitCode.OK


def _demo(options: argparse.Namespace) -> int:
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


def _try(options: argparse.Namespace) -> int:
    from ..bindings.outcome import Arrival
    from ..mqtt.message import is_topic_name
    from ..room.facts.values import Now
    from .try_message import try_message

    configuration = load_configuration(options)
    if not is_topic_name(options.topic):
        say(f"--topic {options.topic!r}: nothing can be published to it; write it without + and #")
        return ExitCode.USAGE
    payload = options.payload.encode(errors="surrogateescape")
    if options.payload_file is not None:
        try:
            payload = options.payload_file.read_bytes()
        except OSError as error:
            say(f"--payload-file {options.payload_file}: {error.strerror}")
            return ExitCode.USAGE
    arrival = Arrival(options.topic, payload, options.retained)
    trial = try_message(configuration, arrival, Now(0.0, time.time()))
    put("\n".join(map(visible, trial.lines)))
    return ExitCode.OK if trial.acts else ExitCode.NOTHING


def _send(options: argparse.Namespace) -> int:
    import trio

    from ..hmp.commands import parse_command
    from ..hmp.errors import (
        InvalidArgument,
        LinkDown,
        NotAuthorized,
        OutcomeUnknown,
        Refused,
        explain,
    )
    from ..hmp.own_connection import send_once

    configuration = load_configuration(options)
    server = configuration.servers.get(options.server)
    if server is None:
        say(f"{options.server!r} is no server; configured are: {', '.join(configuration.servers)}")
        return ExitCode.USAGE
    try:
        command = parse_command(options.name, options.parameters)
        result = trio.run(send_once, server.link(options.server), command)
    except InvalidArgument as error:
        say(str(error))
        return ExitCode.USAGE
    except LinkDown as error:
        say("\n".join([str(error), *getattr(error, "__notes__", ())]))
        return ExitCode.UNAVAILABLE
    except OutcomeUnknown as error:
        say(str(error))
        return ExitCode.UNKNOWN_OUTCOME
    except Refused as error:
        put(f"ERROR|{error.raw_code}|{error.message}")
        say("\n".join(getattr(error, "__notes__", ())) or explain(error))
        unauthorized = isinstance(error, NotAuthorized)
        return ExitCode.NOT_AUTHORIZED if unauthorized else ExitCode.REFUSED
    put("OK" if result is None else f"OK|{result}")
    return ExitCode.OK
