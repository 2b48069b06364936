"""The commands of whoever runs the bridge: what is wrong, what happens, and what it looks like.

``check``, ``watch``, and the descriptions that are generated: ``schema``, ``asyncapi``,
``openapi``, ``topics``.
"""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from .. import __version__
from ..text.output import put
from .options import ExitCode, load_configuration, name_of

if TYPE_CHECKING:  # so that `--help` does not wait for the import
    from ..config.configuration import Configuration

__all__ = ["asyncapi", "check", "openapi", "schema", "topics", "watch"]


def check(options: argparse.Namespace) -> int:
    """`check`: what is wrong with the configuration, and, live, around it."""
    from ..config.exposure import exposures
    from ..config.sources import find_file

    configuration = load_configuration(options, look_into_files=True)
    file = find_file(options.config)
    if options.live:
        return _check_live(file, configuration)
    put(f"{file}: ok")
    broker = configuration.broker("")
    user = "no user name" if broker.username is None else f"user name {broker.username}"
    password = "a password" if broker.password else "no password"
    for host, port in broker.nodes:
        put(f"  broker: {host} port {port}, {user}, {password}")
    if (etcd := configuration.etcd("check")) is not None:
        put(f"  journal: {etcd.where}")
    for name, server in configuration.servers.items():
        put(f"  server {name}: {server.host} port {server.port}")
    for name, room in configuration.rooms.items():
        sources = ", ".join(room.sources or ())
        recorded = f"sources {sources}" if room.session is None else f"session {room.session}"
        put(f"  room {name}: {recorded} on server {room.server}")
    if configuration.bindings:
        put(f"  bindings: {len(configuration.bindings)}")
    for exposure in exposures(configuration, file):
        put(f"  warning: {exposure.what}\n      → {exposure.what_to_do}")
    return ExitCode.OK


def _check_live(file: Path, configuration: "Configuration") -> int:
    import trio

    from ..check.everything import check_everything
    from ..check.report import Blame, Finding, noted, passed, render, summary, worst
    from ..config.exposure import exposures
    from ..logs.log import configure_logs

    def tell(finding: Finding) -> None:
        put(render(finding))

    configure_logs("error")
    findings = [passed(f"configuration {file}", "understood")]
    findings += [noted(f"configuration {file}", *each) for each in exposures(configuration, file)]
    for finding in findings:
        tell(finding)
    findings += trio.run(check_everything, configuration, tell)
    put(summary(findings))
    match worst(findings):
        case None:
            return ExitCode.OK
        case Blame.CONFIGURATION:
            return ExitCode.CONFIGURATION
        case Blame.NOT_AUTHORIZED:
            return ExitCode.NOT_AUTHORIZED
        case Blame.UNAVAILABLE:
            return ExitCode.UNAVAILABLE


def watch(options: argparse.Namespace) -> int:
    """`watch`: rooms and links as they change, until it is told to end."""
    import trio

    from ..logs.log import configure_logs
    from ..watch.watch import watch as watch_broker

    configuration = load_configuration(options)
    configure_logs("error")
    trio.run(watch_broker, configuration)
    return ExitCode.OK


def schema(_options: argparse.Namespace) -> int:
    """`schema`: the JSON Schema of the configuration."""
    from ..config.schema import configuration_schema

    _print_json(configuration_schema())
    return ExitCode.OK


def asyncapi(options: argparse.Namespace) -> int:
    """`asyncapi`: the AsyncAPI document of the MQTT interface."""
    from ..interface.asyncapi import Interface, asyncapi_document

    configuration = load_configuration(options)
    rooms = configuration.rooms
    interface = Interface(
        version=__version__,
        topics=configuration.topics,
        broker=configuration.broker("hmp-bridge"),
        servers=list(configuration.servers),
        rooms=list(rooms),
        tally_words=[word for room in rooms.values() for word in room.tally_words().values()],
        boxes=configuration.bridge.journal is not None,
    )
    _print_json(asyncapi_document(interface))
    return ExitCode.OK


def openapi(options: argparse.Namespace) -> int:
    """`openapi`: the OpenAPI document of the HTTP interface."""
    from ..interface.openapi import openapi_document

    _print_json(openapi_document(__version__, list(load_configuration(options).rooms)))
    return ExitCode.OK


def topics(options: argparse.Namespace) -> int:
    """`topics`: each room's topics, or those of one room."""
    from ..interface.broker_rights import render_rights
    from ..interface.topic_sheet import render_sheets, sheet

    configuration = load_configuration(options)
    rooms = configuration.rooms
    only = None if options.room is None else name_of("room", options.room, rooms)
    if options.format == "acl":
        shown = configuration.homeassistant
        rights = render_rights(
            configuration.topics,
            {name: room.server for name, room in rooms.items() if only in (None, name)},
            bound=[*(each.topic for each in configuration.bindings), *shown.heard],
            answers=[*configuration.mqtt.response_topics, *shown.written],
            boxes=configuration.bridge.journal is not None,
        )
        put(rights.removesuffix("\n"))
        return ExitCode.OK
    sheets = [
        sheet(
            configuration.topics,
            name,
            room.name or name,
            room.server,
            room.tally_words().values(),
        )
        for name, room in rooms.items()
        if only in (None, name)
    ]
    put(render_sheets(sheets, options.format).removesuffix("\n"))
    return ExitCode.OK


def _print_json(value: object) -> None:
    put(json.dumps(value, indent=2, ensure_ascii=False))
