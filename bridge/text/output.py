"""Standard output and standard error of the commands: any text, on whatever they are.

What the encoding does not have is spelt as JSON spells it. A pipe that nobody reads raises
`BrokenPipeError`; a disk that is full, or the like, `OutputFailed`.
"""

import codecs
import os
import sys
from contextlib import suppress

from .visible import visible_lines

__all__ = ["OUTPUT_ENDED", "OutputFailed", "flush", "output_ended", "prepare_output", "put", "say"]


class OutputFailed(Exception):
    """Standard output cannot be written; the message says why."""


OUTPUT_ENDED = (BrokenPipeError, OutputFailed)


def prepare_output() -> None:
    """Have any text written; to be called before anything is opened.

    A standard stream that was closed becomes `/dev/null`: the next file opened would take its
    place, and get what is meant for nobody.
    """
    for standard in range(3):
        try:
            os.fstat(standard)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free: this one
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123
        getattr(sys, name).reconfigure(errors=_SPELT)


def put(text: str) -> None:
    """Print `text`, lines for a person or a program. Raises `OutputFailed`, `BrokenPipeError`."""
    flush(f"{visible_lines(text)}\n")


def flush(more: str = "") -> None:
    """Write what has been printed, and `more`. Raises `OutputFailed`, `BrokenPipeError`."""
    try:
        sys.stdout.write(more)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputFailed(f"standard output cannot be written: {error.strerror}") from error


def output_ended(error: BaseException) -> int:
    """The exit code when standard output takes no more: SIGPIPE's, or 74, which is said."""
    # Python would complain once more when it flushes what is left.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if isinstance(error, BrokenPipeError):
        return 141
    say(str(error))
    return os.EX_IOERR


def say(text: str) -> None:
    """To whoever runs the command; what it was asked for goes to standard output."""
    with suppress(OSError):
        print(visible_lines(text), file=sys.stderr, flush=True)


_SPELT = "hmp-bridge.spelt"


def _spell(error: UnicodeError) -> tuple[str, int]:
    """As JSON does, which stays JSON so."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4)), error.end


codecs.register_error(_SPELT, _spell)
