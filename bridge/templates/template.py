"""Text with values in it: Jinja2, in a sandbox that neither leaks, nor hangs, nor grows.

What a template may contain is listed in `syntax`, `filters` and `operations`; whatever is not
listed there is refused when the template is made, so a configuration that loads has no surprise but
in its values.
"""

import unicodedata
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # Jinja2 is imported with the first template, for most commands need none
    from .sandbox import Compiled

__all__ = ["Template", "TemplateError", "cut"]


class TemplateError(ValueError):
    """A template that cannot be compiled or rendered; the message says what and in which line."""


class Template:
    """A template, compiled. Two of the same source are equal.

    Values are plain data: text, numbers, truth values, None, lists, mappings, times and dates, and
    dataclasses of these. A mapping's items are reached as ``json.subject`` or ``json["subject"]``.
    """

    __slots__ = ("_compiled", "source")

    def __init__(self, source: str) -> None:
        """Compile `source`; raises `TemplateError` (syntax, forbidden constructs, length)."""
        from .sandbox import compile_template

        self.source = source
        self._compiled: Compiled = compile_template(source)

    @property
    def names(self) -> frozenset[str]:
        """The names that it takes its values from."""
        return self._compiled.names

    def render(self, values: Mapping[str, object]) -> str:
        """The text; names, items and attributes that are not there are empty, as is None.

        Truth values are written ``true`` and ``false``, times as RFC 3339, lists and mappings as
        JSON. Raises `TemplateError`, whatever goes wrong.
        """
        return self._compiled.render(values)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Template) and other.source == self.source

    def __hash__(self) -> int:
        return hash(self.source)

    def __repr__(self) -> str:
        return f"Template({self.source!r})"


def cut(text: str, limit: int) -> str:
    """`text` with at most `limit` characters, ending in "…" where something was cut off.

    Never cut within what a reader sees as one character: base and combining marks, emoji sequences
    with joiners, skin tones and variation selectors, flags, Hangul syllables (UAX 29).
    """
    if len(text) <= limit:
        return text
    if limit < 1:
        return ""
    end = limit - 1
    while end > 0 and _joined(text, end):
        end -= 1
    return text[:end].rstrip() + "…"


_JOINER = "\u200d"


def _joined(text: str, at: int) -> bool:
    """Whether the characters before and after position `at` are seen as one."""
    before, after = text[at - 1], text[at]
    if before == _JOINER or (before, after) == ("\r", "\n"):
        return True
    if after == _JOINER or unicodedata.category(after)[0] == "M" or _modifies(after):
        return True
    if unicodedata.combining(before) == 9:  # a virama: the consonant that follows is its other half
        return unicodedata.category(after)[0] == "L"
    if "\u1100" <= before <= "\u11ff" or "\uac00" <= before <= "\ud7a3":
        return "\u1160" <= after <= "\u11ff" or (
            "\u1100" <= before <= "\u115f" and "\u1100" <= after <= "\u115f"
        )
    if _is_flag_letter(before) and _is_flag_letter(after):
        start = at
        while start > 0 and _is_flag_letter(text[start - 1]):
            start -= 1
        return (at - start) % 2 == 1
    return False


def _modifies(character: str) -> bool:
    """Skin tones, and the tags in flags of regions."""
    return "\U0001f3fb" <= character <= "\U0001f3ff" or "\U000e0020" <= character <= "\U000e007f"


def _is_flag_letter(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"
