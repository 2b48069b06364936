"""The commands about one message, or one command: what would come of it, and having it done."""

import argparse
import time

from ..text.output import put, say
from ..text.visible import visible
from .options import ExitCode, load_configuration, name_of

__all__ = ["send", "try_out"]


def try_out(options: argparse.Namespace) -> int:
    """`try`: what would come of one message."""
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


def send(options: argparse.Namespace) -> int:
    """`send`: one command to one HMP, and its answer."""
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
    name = name_of("server", options.server, configuration.servers)
    server = configuration.servers[name]
    try:
        command = parse_command(options.name, options.parameters)
        result = trio.run(send_once, server.link(name), command)
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
