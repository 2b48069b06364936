"""The end of a command that met a bug: said in one line, then where it was."""

import traceback

import structlog

from ..logs.log import write_traceback
from ..logs.redaction import SECRETS
from ..text.output import say

__all__ = ["report_internal_error"]

_WHAT_TO_DO = (
    "this is a bug of hmp-bridge: report it with the traceback that follows; starting again is "
    "safe, recordings go on"
)


def report_internal_error(error: BaseException) -> None:
    """Write what happened to the log, or to standard error where there is no log yet."""
    causes = "; ".join(dict.fromkeys(_causes(error)))
    lines = "".join(traceback.format_exception(error))
    if structlog.is_configured():
        log = structlog.get_logger("bridge")
        log.critical("internal error", error=causes, what_to_do=_WHAT_TO_DO)
        write_traceback(lines)
    else:
        said = f"hmp-bridge: internal error: {causes}; {_WHAT_TO_DO}\n{lines}"
        say(SECRETS.hide(said).removesuffix("\n"))


def _causes(error: BaseException) -> list[str]:
    if isinstance(error, BaseExceptionGroup):
        return [cause for part in error.exceptions for cause in _causes(part)]
    return [" ".join(f"{type(error).__name__}: {error}".split())]
