"""A bug in the log: said in one line, then where it was."""

import traceback

import structlog

from ..text.output import say
from .log import write_traceback
from .redaction import SECRETS

__all__ = ["OVER_A_MESSAGE", "report_internal_error"]

OVER_A_MESSAGE = (
    "this is a bug of hmp-bridge: report it with the traceback; the message was answered with "
    "failed, everything else goes on"
)
"""Advice about a fault that ended nothing but the handling of one message."""

_WHAT_TO_DO = (
    "this is a bug of hmp-bridge: report it with the traceback that follows; starting again is "
    "safe, recordings go on"
)


def report_internal_error(
    error: BaseException, what_to_do: str = _WHAT_TO_DO, *, where: bool = True, **about: str
) -> None:
    """Write what happened to the log, or to standard error where there is no log yet.

    `about` are fields of the line; `where` has the traceback follow.
    """
    causes = "; ".join(dict.fromkeys(_causes(error)))
    lines = "".join(traceback.format_exception(error))
    if structlog.is_configured():
        log = structlog.get_logger("bridge")
        log.critical("internal error", error=causes, what_to_do=what_to_do, **about)
        if where:
            write_traceback(lines)
    else:
        said = f"hmp-bridge: internal error: {causes}; {what_to_do}\n{lines}"
        say(SECRETS.hide(said).removesuffix("\n"))


def _causes(error: BaseException) -> list[str]:
    if isinstance(error, BaseExceptionGroup):
        return [cause for part in error.exceptions for cause in _causes(part)]
    return [" ".join(f"{type(error).__name__}: {error}".split())]
