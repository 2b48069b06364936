"""Conversations with an HMP as plain text: ``tests/transcripts/*.txt``, read and played.

.. code-block:: text

    # a comment; blank lines are free
    = knob status_after_stop=040001        set a knob
    = fault error:*:070000:count=1         arm a fault
    = world                                TOML lines follow, each after "| ", on top of nothing
    | [[sources]]
    = wait 1.5                             let so many seconds pass
    > startRecording <session>             a request line, exactly as it goes over the wire
    < OK|<uuid:recording>                  its response line

``<uuid:name>`` in a response stands for any UUID and gives it that name; ``<name>`` stands for it
from then on, in both directions; ``<uuid>`` in a response is any UUID, in a request one that HMP
has never seen. Without ``= world`` the conversation is with the simulator's example world.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["TRANSCRIPTS", "Directive", "Exchange", "Names", "read_transcript"]

TRANSCRIPTS = sorted((Path(__file__).parent / "transcripts").glob("*.txt"))

_UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_NAME = re.compile(r"<(uuid)?:?(\w*)>")


@dataclass(frozen=True, slots=True)
class Directive:
    """A ``=`` line: the word, the rest, and the ``|`` lines below it."""

    place: str
    word: str
    text: str
    block: str = ""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A ``>`` line and the ``<`` line that answers it; None where nothing does."""

    place: str
    request: str
    response: str | None


class Names:
    """The UUIDs that a conversation has named so far."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}
        self._unseen = 0

    def fill(self, text: str) -> str:
        """A request line with its names replaced."""
        return _NAME.sub(self._value, text)

    def matches(self, expected: str, line: str) -> bool:
        """Whether a response line is the expected one; names what it names."""
        pattern, position = "", 0
        for name in _NAME.finditer(expected):
            pattern += re.escape(expected[position : name.start()])
            if name[1] and name[2]:
                pattern += f"(?P<{name[2]}>{_UUID})"
            elif name[1]:
                pattern += _UUID
            else:
                pattern += re.escape(self._known[name[2]])
            position = name.end()
        match = re.fullmatch(pattern + re.escape(expected[position:]), line, re.DOTALL)
        if match is not None:
            self._known.update(match.groupdict())
        return match is not None

    def _value(self, name: re.Match[str]) -> str:
        if not name[1]:
            return self._known[name[2]]
        self._unseen += 1
        return f"0badc0de-0000-4000-8000-{self._unseen:012x}"


def read_transcript(
    path: Path, read_text: Callable[[Path], str] = Path.read_text
) -> Iterator[Directive | Exchange]:
    """The parts of a transcript in order. Raises `ValueError` naming the line that is not one."""
    lines = [*enumerate(read_text(path).splitlines(), 1), (0, "")]
    directive: Directive | None = None
    request: tuple[str, str] | None = None
    for number, line in lines:
        place = f"{path.name}:{number}"
        mark, text = line[:2].rstrip(), line[2:]
        if mark == "|" and directive is not None:
            block = f"{directive.block}{text}\n"
            directive = Directive(directive.place, directive.word, directive.text, block)
            continue
        if directive is not None:
            yield directive
            directive = None
        if request is not None and mark != "#":
            yield Exchange(*request, text if mark == "<" else None)
            request = None
            if mark == "<":
                continue
        if mark == ">":
            request = (place, text)
        elif mark == "=":
            word, _, rest = text.partition(" ")
            directive = Directive(place, word, rest.strip())
        elif mark not in ("", "#"):
            raise ValueError(f"{place}: not a line of a transcript: {line!r}")
