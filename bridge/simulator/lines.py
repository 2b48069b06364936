"""The request line, read as HMP reads it (guide, *Command Syntax*).

.. code-block:: text

    line      = command *( SP argument ) LF
    argument  = bare / quoted
    bare      = 1*( any character except SP and LF, not beginning with DQUOTE )
    quoted    = DQUOTE *( any character except DQUOTE and backslash / escape ) DQUOTE
    escape    = "\\n" / '\\"' / "\\\\"

Where the guide is silent: runs of spaces count as one and a tab belongs to its word (E35); a quote
means something only at the beginning of a word, the closing one must end the word, and an unknown
escape stays as it was written (E36); a CR before the LF and Telnet negotiation are dropped (E37).
"""

import re
from dataclasses import dataclass

__all__ = ["LineSyntaxError", "Request", "command_of", "read_line"]

_QUOTED_WORD = re.compile(r'"((?:[^"\\]++|\\.)*+)"(?= |\Z)', re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED = {"n": "\n", '"': '"', "\\": "\\"}

# IAC SB … IAC SE, IAC WILL/WONT/DO/DONT option, IAC command (RFC 854). The byte 0xFF never occurs
# in UTF-8, so nothing that a client meant to say is lost.
_TELNET = re.compile(rb"\xff(?:\xfa.*?\xff\xf0|[\xfb-\xfe].|.|\Z)", re.DOTALL)

_UNQUOTED: frozenset[int] = frozenset()


class LineSyntaxError(ValueError):
    """HMP answers 000001: quotes are not balanced, the line is not UTF-8, or it is too long."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request line in its words, the command first; no words for a blank line.

    `quoted` holds the positions of the words that were written in quotes (E39 needs to know).
    """

    words: list[str]
    quoted: frozenset[int] = _UNQUOTED


def read_line(line: bytes | str, longest: int = 65_536) -> Request:
    """Read one line, given without its LF, of at most `longest` bytes. Raises `LineSyntaxError`."""
    if len(line) > longest:
        raise LineSyntaxError(f"longer than {longest} bytes")
    try:
        # Text goes both ways too: half a surrogate pair is no UTF-8.
        encoded = line if isinstance(line, bytes) else line.encode()
        if b"\xff" in encoded:
            encoded = _TELNET.sub(b"", encoded)
        text = encoded.decode()
    except UnicodeError as error:
        raise LineSyntaxError(f"not UTF-8: {error}") from error
    text = text.removesuffix("\r")
    if '"' not in text:
        return Request([word for word in text.split(" ") if word])
    return _read_quoted(text)


def _read_quoted(text: str) -> Request:
    words: list[str] = []
    quoted: set[int] = set()
    position, end = 0, len(text)
    while position < end:
        if text[position] == " ":
            position += 1
        elif text[position] == '"':
            word = _QUOTED_WORD.match(text, position)
            if word is None:
                raise LineSyntaxError(f"unbalanced quote at character {position + 1}")
            quoted.add(len(words))
            words.append(_ESCAPE.sub(_unescape, word[1]))
            position = word.end()
        else:
            stop = text.find(" ", position)
            stop = end if stop < 0 else stop
            words.append(text[position:stop])
            position = stop
    return Request(words, frozenset(quoted))


def _unescape(escape: re.Match[str]) -> str:
    return _ESCAPED.get(escape[1], escape[0])


def command_of(line: bytes) -> str:
    """The command word of a raw line, for faults that name one; need not be a command at all."""
    return line.lstrip(b" ").partition(b" ")[0].rstrip(b"\r").decode(errors="replace")
