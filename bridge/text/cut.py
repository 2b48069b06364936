"""A text cut to a length, between what a reader sees as characters. Pure."""

import unicodedata

__all__ = ["cut"]


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
    """The characters before and after position `at` are seen as one."""
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
