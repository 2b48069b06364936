"""Foreign text as it may be shown: what would act on a terminal is spelt out instead. Pure.

A title can hold an escape sequence that sets the window's title, a line feed that forges a line,
or a bidirectional override that turns the rest of the line around.
"""

import re

__all__ = ["ACTING", "visible", "visible_lines"]

ACTING = "\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff"
"""Control characters, line separators, controls of direction, halves of surrogate pairs; as the
inside of a character class."""

_SHORT = {"\t": r"\t", "\n": r"\n", "\r": r"\r"}

_acting = re.compile(f"[{ACTING}]")
_acting_in_lines = re.compile(f"(?![\t\n])[{ACTING}]")


def visible(text: str) -> str:
    r"""`text` on one line, with ``\u001b`` for such a character; within JSON it stays JSON."""
    return _acting.sub(_spelt, text)


def visible_lines(text: str) -> str:
    """The same for a text of several lines: its line feeds and tabs stay."""
    return _acting_in_lines.sub(_spelt, text)


def _spelt(found: re.Match[str]) -> str:
    return _SHORT.get(found[0], f"\\u{ord(found[0]):04x}")
