"""The command line as it is typed: every command with its options, and which function it runs."""

import argparse
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

from .. import __version__
from ..simulator.options import add_options, faults, knobs
from . import operator, programs, shipped, single
from .clean import clean
from .description import Section
from .manual import sections_of
from .parser import Parser, one_of, path
from .yielding import yield_to_another

__all__ = ["make_parser"]


def make_parser() -> Parser:
    """The parser of all commands; `command` of what it reads is the function to call with that."""
    parser = Parser(
        prog="hmp-bridge",
        summary="MQTT for Haivision Media Platform recordings",
        sections=lambda: (_commands_of(parser), *sections_of("")),
    )
    parser.add_argument(
        "--version",
        action="version",
        version=f"hmp-bridge {__version__}",
        help="show the version and exit",
    )
    commands: Any = parser.add_subparsers(
        required=True, metavar="COMMAND", parser_class=Parser, help="one of those below"
    )
    add = partial(_add, commands)
    configured = _configured()

    add("run", programs.run_daemon, "the daemon", configured)

    command = add("demo", programs.demo, "broker, simulated HMP and bridge, ready to try")
    command.add_argument(
        "--no-bridge", action="store_true", help="only broker and HMP, for a bridge of your own"
    )

    command = add(
        "simulate",
        programs.simulate,
        "the simulated HMP on its own",
        more=_faults_and_knobs,
        words={
            "KIND": lambda: (kind for kind, _ in faults()),
            "NAME=VALUE": lambda: (f"{name.partition('=')[0]}=" for name, _ in knobs()),
        },
    )
    add_options(command, path)

    command = add("check", operator.check, "validate the configuration", configured)
    command.add_argument(
        "--live",
        action="store_true",
        help="also try broker, HMPs, sessions and state folder, without disturbing anything",
    )

    add("watch", operator.watch, "rooms and links, live in the terminal", configured)
    add("schema", operator.schema, "JSON Schema of the configuration, for editors")
    add("asyncapi", operator.asyncapi, "AsyncAPI 3 document of the MQTT interface", configured)
    add("openapi", operator.openapi, "OpenAPI 3.1 document of the HTTP interface", configured)

    command = add(
        "topics", operator.topics, "each room's topics, for panel programmers", configured
    )
    command.add_argument("--room", metavar="ROOM", help="only this one")
    command.add_argument(
        "--format",
        default="text",
        metavar="FORMAT",
        help="text, csv, json, or acl: the rights of the bridge, of each room's panel and of "
        "dashboards, for mosquitto (%(default)s)",
        **one_of("text", "csv", "json", "acl"),
    )

    command = add("try", single.try_out, "what would come of a message; sends nothing", configured)
    command.add_argument(
        "--topic", required=True, metavar="TOPIC", help="the topic that it is published to"
    )
    payload = command.add_mutually_exclusive_group()
    payload.add_argument(
        "--payload", default="", metavar="TEXT", help="its payload as text (default: empty)"
    )
    payload.add_argument("--payload-file", type=path, metavar="FILE", help="its payload, a file")
    command.add_argument("--retained", action="store_true", help="as if the broker had kept it")

    command = add(
        "send",
        single.send,
        "one command to one HMP, correctly quoted",
        configured,
        more=_hmp_commands,
        words={"COMMAND": _hmp_command_names},
    )
    command.add_argument("server", metavar="SERVER", help="a server of the configuration")
    command.add_argument("name", metavar="COMMAND", help="such as getRecordingStatus")
    command.add_argument(
        "parameters",
        nargs=argparse.REMAINDER,
        metavar="PARAMETER",
        help="its parameters as they are; the bridge quotes them for HMP",
    )

    command = add(
        "clean", clean, "empty everything that this bridge has left on the broker", configured
    )
    command.add_argument("--dry-run", action="store_true", help="only say what would be emptied")

    add("yield", yield_to_another, "have the box that leads leave to another one", configured)

    command = add(
        "completion",
        partial(programs.completion, parser),
        "what completes commands in your shell",
    )
    command.add_argument(
        "shell", metavar="SHELL", help="bash, zsh or fish", **one_of("bash", "zsh", "fish")
    )
    add("man", partial(programs.man, parser), "the manual page, for man")

    command = add(
        "example-config",
        shipped.example_config,
        "a configuration with every key, and files for what goes with it",
        more=partial(_files, shipped.configuration_files),
        words={"NAME": shipped.configuration_files},
    )
    command.add_argument(
        "name",
        nargs="?",
        default=shipped.CONFIGURATION,
        metavar="NAME",
        help="such as examples/shelly-gen2.toml (%(default)s)",
    )

    command = add(
        "unit",
        shipped.unit,
        "the service for systemd, as a file",
        more=partial(_files, shipped.unit_files),
        words={"NAME": shipped.unit_files},
    )
    command.add_argument(
        "name",
        nargs="?",
        default=shipped.UNIT,
        metavar="NAME",
        help="such as hmp-bridge@.service (%(default)s)",
    )
    return parser


def _commands_of(parser: Parser) -> Section:
    rows = ((name, command.summary) for name, command in parser.commands.items())
    return Section("commands", tuple(rows))


def _configured() -> Parser:
    """The options of all commands that read a configuration."""
    configured = Parser(add_help=False)
    configured.add_argument(
        "--config", type=path, metavar="FILE", help="the configuration (default: the usual places)"
    )
    configured.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="override one key, such as mqtt.host=broker; can be repeated",
    )
    configured.add_argument(
        "--servers",
        metavar="SERVERS",
        help="of several bridges the one with these servers, such as a,b (bridge.servers)",
    )
    return configured


def _add(
    commands: Any,
    name: str,
    function: Callable[[argparse.Namespace], int],
    summary: str,
    *parents: Parser,
    more: Callable[[], Iterable[Section]] = tuple,
    words: Mapping[str, Callable[[], Iterable[str]]] = MappingProxyType({}),
) -> Parser:
    command: Parser = commands.add_parser(
        name,
        parents=parents,
        summary=summary,
        sections=lambda: (*more(), *sections_of(name)),
        words={"KEY=VALUE": _keys, **words},
    )
    command.set_defaults(command=function)
    return command


def _keys() -> Iterator[str]:
    """The keys of the tables that are there once, as ``--set`` takes them."""
    from ..config.configuration import Configuration
    from ..config.findings import keys_below

    return (f"{key}=" for key in keys_below(Configuration))


def _hmp_command_names() -> Iterable[str]:
    from ..hmp.commands import COMMANDS

    return COMMANDS


def _hmp_commands() -> Iterator[Section]:
    """HMP's commands, with the parameters of each in their order."""
    from ..hmp.command import parameters
    from ..hmp.commands import COMMANDS

    rows = []
    for name, command in COMMANDS.items():
        words = [f"{each.argument.name}{' …' * each.many}" for each in parameters(command)]
        about = (command.__doc__ or "").partition("\n")[0]
        rows.append((" ".join([name, *words]), _without_rules(about)))
    yield Section("commands of HMP", tuple(rows))


def _faults_and_knobs() -> Iterator[Section]:
    yield Section("faults, KIND[:COMMAND[:VALUE]][:count=N][:seconds=S]", tuple(faults()))
    rows = tuple((name, _without_rules(meaning)) for name, meaning in knobs())
    yield Section("knobs, as they are without --knob", rows)


def _files(names: Callable[[], Iterable[str]]) -> Iterator[Section]:
    yield Section("files", tuple((name, "") for name in sorted(names())))


def _without_rules(text: str) -> str:
    """The text without references to rules, which are for whoever reads the code."""
    return re.sub(r" \([^()]*\b[ER]\d+\)", "", text).replace("``", "")
