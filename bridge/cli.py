"""The command line: what each command does, and with which code it exits.

Exit codes are those of ``sysexits.h``. Commands import what they need when they run, so that a
`send` does not wait for a broker's library.
"""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from enum import IntEnum
from pathlib import Path
from typing import Any, NoReturn

from . import __version__
from .config_errors import ConfigurationError

__all__ = ["ExitCode", "run"]


class ExitCode(IntEnum):
    """What a command came to."""

    OK = 0
    #: HMP answered with an error.
    REFUSED = 1
    USAGE = 64
    UNAVAILABLE = 69
    INTERNAL = 70
    #: A command was sent and no reply came: it may have been carried out.
    UNKNOWN_OUTCOME = 76
    NOT_AUTHORIZED = 77
    CONFIGURATION = 78


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(ExitCode.USAGE, f"{self.prog}: {message}\n")


def run(arguments: Sequence[str]) -> int:
    """Run one command; the exit code."""
    if arguments[:1] == ["simulate"]:
        from .simulator.__main__ import main as simulate

        return simulate(arguments[1:], "hmp-bridge simulate")
    options = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        return command(options)
    except ConfigurationError as error:
        _say(str(error))
        return ExitCode.CONFIGURATION
    except KeyboardInterrupt:
        return 130
    except BaseExceptionGroup as group:
        # Trio hands an interrupt over in a group where it met a nursery.
        if group.split(KeyboardInterrupt)[1] is None:
            return 130
        return _internal_error(group)
    except Exception as error:  # noqa: BLE001 - nothing is outside of this but the interpreter
        return _internal_error(error)


def _internal_error(error: BaseException) -> ExitCode:
    from .internal_error import report_internal_error

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

    command = commands.add_parser("check", parents=[configured], help="validate the configuration")
    command.set_defaults(command=_check)

    command = commands.add_parser(
        "send", parents=[configured], help="one command to one HMP, correctly quoted"
    )
    command.add_argument("server", help="a server of the configuration")
    command.add_argument("name", metavar="command", help="such as getRecordingStatus")
    command.add_argument("parameters", nargs=argparse.REMAINDER, help="its parameters, unquoted")
    command.set_defaults(command=_send)
    return parser


def _run(options: argparse.Namespace) -> int:
    import trio

    from .app import ForeignBridge, run_bridge
    from .instance import StateFolderError, claim_state_folder, state_folder
    from .journal import Journal, JournalUnusable
    from .logs import configure_logs

    configuration = _load(options)
    table = configuration.bridge
    configure_logs(table.log_level, levels=table.log_levels, form=table.log_format)
    folder = state_folder(configuration.bridge.state_dir)
    foreign: list[str] = []
    try:
        with claim_state_folder(folder) as instance_id, closing(Journal(folder)) as journal:
            try:
                trio.run(run_bridge, configuration, instance_id, journal)
            except* ForeignBridge as group:
                foreign += [str(error) for error in _leaves(group)]
    except (StateFolderError, JournalUnusable) as error:
        _say(str(error))
        return ExitCode.UNAVAILABLE
    for reason in foreign:
        _say(reason)
    return ExitCode.UNAVAILABLE if foreign else ExitCode.OK


def _leaves(error: BaseException) -> list[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        return [leaf for part in error.exceptions for leaf in _leaves(part)]
    return [error]


def _demo(options: argparse.Namespace) -> int:
    import trio

    from .demo import DemoError, run_demo

    failures: list[str] = []
    try:
        trio.run(run_demo, not options.no_bridge)
    except* DemoError as group:
        failures += [str(error) for error in _leaves(group)]
    for failure in failures:
        _say(failure)
    return ExitCode.UNAVAILABLE if failures else ExitCode.OK


def _check(options: argparse.Namespace) -> int:
    from .config_sources import find_file

    configuration = _load(options)
    print(f"{find_file(options.config)}: ok")
    for name, server in configuration.servers.items():
        print(f"  server {name}: {server.host} port {server.port}")
    for name, room in configuration.rooms.items():
        sources = ", ".join(room.sources or ())
        recorded = f"sources {sources}" if room.session is None else f"session {room.session}"
        print(f"  room {name}: {recorded} on server {room.server}")
    return ExitCode.OK


def _send(options: argparse.Namespace) -> int:
    import trio

    from .hmp.commands import parse_command
    from .hmp.errors import (
        InvalidArgument,
        LinkDown,
        NotAuthorized,
        OutcomeUnknown,
        Refused,
        explain,
    )
    from .hmp.once import send_once

    configuration = _load(options)
    server = configuration.servers.get(options.server)
    if server is None:
        _say(f"{options.server!r} is no server; configured are: {', '.join(configuration.servers)}")
        return ExitCode.USAGE
    try:
        command = parse_command(options.name, options.parameters)
        result = trio.run(send_once, server.link(options.server), command)
    except InvalidArgument as error:
        _say(str(error))
        return ExitCode.USAGE
    except LinkDown as error:
        _say("\n".join([str(error), *getattr(error, "__notes__", ())]))
        return ExitCode.UNAVAILABLE
    except OutcomeUnknown as error:
        _say(str(error))
        return ExitCode.UNKNOWN_OUTCOME
    except Refused as error:
        print(f"ERROR|{error.raw_code}|{error.message}")
        _say("\n".join(getattr(error, "__notes__", ())) or explain(error))
        unauthorized = isinstance(error, NotAuthorized)
        return ExitCode.NOT_AUTHORIZED if unauthorized else ExitCode.REFUSED
    print("OK" if result is None else f"OK|{result}")
    return ExitCode.OK


def _load(options: argparse.Namespace) -> Any:
    from .config import load
    from .config_sources import find_file
    from .redaction import SECRETS

    configuration = load(find_file(options.config), _overrides(options.set))
    for secret in configuration.secrets:
        SECRETS.add(secret)
    return configuration


def _overrides(settings: Sequence[str]) -> Mapping[str, Any]:
    """Nested tables of ``table.key=value``."""
    tables: dict[str, Any] = {}
    for setting in settings:
        path, equals, value = setting.partition("=")
        *parents, key = path.split(".")
        if not equals or not parents or not all((*parents, key)):
            _say(f"--set {setting}: write KEY=VALUE with the whole key, such as mqtt.host=broker")
            raise SystemExit(ExitCode.USAGE)
        table = tables
        for parent in parents:
            table = table.setdefault(parent, {})
            if not isinstance(table, dict):
                _say(f"--set {setting}: {parent} has been set to a value, it cannot be a table too")
                raise SystemExit(ExitCode.USAGE)
        table[key] = value
    return tables


def _say(text: str) -> None:
    print(text, file=sys.stderr)
