"""Lines of the Command Line API, both directions, without I/O (guide, *Syntax*).

Requests are words separated by spaces. A word with anything unusual in it stands in double quotes,
where ``\\n``, ``\\"`` and ``\\\\`` are line feed, quote and backslash; outside quotes a backslash
is an ordinary character. Responses are ``OK``, ``OK|value`` and ``ERROR|code|message``. A line feed
ends every line; everything is UTF-8.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from .error_table import code_for_message, normalise_code
from .errors import InvalidArgument, ProtocolViolation

__all__ = [
    "UNSENDABLE",
    "ErrorLine",
    "LineReceiver",
    "OkLine",
    "decode_response",
    "encode_command",
]

#: Words that mean themselves without quotes: IDs, keywords, addresses, numbers.
_BARE = re.compile(r"[A-Za-z0-9._:@/+-]+")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n"}
_NEEDS_ESCAPE = re.compile(r'[\\"\n]')
#: Controls other than tab and line feed, of which nothing in the guide says what HMP makes, and
#: halves of surrogate pairs, which UTF-8 cannot carry.
UNSENDABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


def encode_command(words: Sequence[str]) -> bytes:
    """One request line: the command's name and its arguments, quoted where needed.

    Whatever the words hold, the result is one line. Raises `InvalidArgument` for control
    characters, which `arguments.text` refuses earlier and with the parameter's name.
    """
    return (" ".join(_quote(word) for word in words) + "\n").encode()


def _quote(word: str) -> str:
    if _BARE.fullmatch(word):
        return word
    if found := UNSENDABLE.search(word):
        raise InvalidArgument("word", word, f"contains U+{ord(found[0]):04X}")
    return f'"{_NEEDS_ESCAPE.sub(lambda found: _ESCAPES[found[0]], word)}"'


@dataclass(frozen=True, slots=True)
class OkLine:
    """``OK`` (`value` is `None`) or ``OK|value``; `lenient` where a space stood for the pipe."""

    value: str | None = None
    lenient: bool = False


@dataclass(frozen=True, slots=True)
class ErrorLine:
    """``ERROR|code|message``: `code` has six digits, `raw_code` is as received, empty if absent."""

    code: str
    message: str
    raw_code: str
    lenient: bool = False


_LENIENT = re.compile(r"(?P<word>OK|ERROR) (?P<rest>.+)", re.DOTALL)
_CODED = re.compile(r"([0-9]{1,12})(?:\||$)(.*)|([0-9]{5,7}) (.*)", re.DOTALL)


def decode_response(line: bytes) -> OkLine | ErrorLine:
    """One response line, given without its line feed.

    Tolerates what the guide prints by mistake and what networks add: a trailing CR (E37), codes of
    five or seven digits (E8, E9), an error without code (E5), a space for the pipe (E1), a bare
    ``Not Authorized`` (E47), and bytes that are not UTF-8. A message may contain pipes, for it can
    echo the caller's text (E38). Raises `ProtocolViolation` for anything else.
    """
    decoded = line.removesuffix(b"\r").decode("utf-8", "replace")
    if decoded == "OK":
        return OkLine()
    word, pipe, rest = decoded.partition("|")
    lenient = False
    if word not in ("OK", "ERROR") and (found := _LENIENT.fullmatch(decoded)):
        word, rest, pipe, lenient = found["word"], found["rest"], "|", True
    if pipe and word == "OK":
        return OkLine(rest, lenient)
    if pipe and word == "ERROR":
        return _decode_error(rest, lenient)
    if decoded.strip().casefold() == "not authorized":
        return ErrorLine("020000", decoded.strip(), "")
    raise ProtocolViolation(f"HMP sent {decoded[:200]!r}, which is no response")


def _decode_error(rest: str, lenient: bool) -> ErrorLine:
    found = _CODED.fullmatch(rest)
    if found:
        piped, message, spaced, rest_of_it = found.groups("")
        raw_code = piped or spaced
        return ErrorLine(
            normalise_code(raw_code), message or rest_of_it, raw_code, lenient or bool(spaced)
        )
    return ErrorLine(code_for_message(rest), rest, "", lenient)


class LineReceiver:
    """Cuts a stream of bytes into lines, however the network cut it into chunks."""

    def __init__(self, limit: int = 65536) -> None:
        """`limit` bounds the bytes of one line, and so the memory a peer can make us hold."""
        self._limit = limit
        self._partial = bytearray()

    @property
    def partial(self) -> bytes:
        """The beginning of a line whose end has not come."""
        return bytes(self._partial)

    def receive(self, data: bytes | bytearray) -> list[bytes]:
        """The lines that `data` completes, without their line feeds.

        A line above the limit is not returned and stays in `partial`; see `overflowed`.
        """
        if self.overflowed:
            return []
        *lines, rest = (bytes(self._partial) + data).split(b"\n")
        complete: list[bytes] = []
        for line in lines:
            if len(line) > self._limit:
                self._partial = bytearray(line[: self._limit + 1])
                return complete
            complete.append(line)
        self._partial = bytearray(rest[: self._limit + 1])
        return complete

    @property
    def overflowed(self) -> bool:
        """True once a line has grown above the limit; nothing more is read then."""
        return len(self._partial) > self._limit
