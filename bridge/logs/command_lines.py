"""HMP's commands in the log, one line each, at the level `debug`."""

from typing import Any

import outcome
import structlog

from ..hmp.command import Command
from ..hmp.errors import LinkDown, OutcomeUnknown, Refused
from ..hmp.link import Passage
from .log import hears

__all__ = ["ending", "log_command"]

log = structlog.get_logger("hmp")

_LONGEST = 200
"""Characters of a command's arguments."""


def ending(result: outcome.Outcome[Any]) -> str:
    """The ending of a command in one word: `ok`, `refused`, `unknown`, `not_sent`."""
    match result:
        case outcome.Error(error=Refused()):
            return "refused"
        case outcome.Error(error=OutcomeUnknown()):
            return "unknown"
        case outcome.Error(error=LinkDown()):
            return "not_sent"
    return "ok"


def log_command(
    server: str, command: Command[Any], passage: Passage, result: outcome.Outcome[Any]
) -> None:
    """Write that `command` was settled, if anybody wants to know."""
    if not hears("hmp", "debug"):
        return
    error = result.error if isinstance(result, outcome.Error) else None
    times = {}
    if passage.queued_at is not None and passage.sent_at is not None:
        times["queued_ms"] = round((passage.sent_at - passage.queued_at) * 1000, 2)
    if passage.sent_at is not None and passage.ended_at is not None:
        times["ms"] = round((passage.ended_at - passage.sent_at) * 1000, 2)
    log.debug(
        "command done",
        server=server,
        command=command.name,
        arguments=" ".join(command.arguments())[:_LONGEST],
        outcome=ending(result),
        **({} if error is None else {"error": str(error)}),
        **times,
    )
