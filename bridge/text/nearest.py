"""Which name somebody meant who mistyped it. Pure."""

import difflib
from collections.abc import Iterable
from functools import lru_cache

__all__ = ["did_you_mean", "folded", "nearest"]

_LONGEST = 80
"""Characters of a word that may be a mistyped name; to compare longer ones takes long."""

_TELLING = 5
"""Letters after which the beginning of a name tells which one is meant."""


def folded(name: str) -> str:
    """The name without what people write now so, now so: capitals, hyphens and underscores."""
    return name.replace("_", "").replace("-", "").casefold()


def nearest(word: str, names: Iterable[str]) -> str | None:
    """The one of `names` that was meant; None where none is near."""
    return _nearest(word, tuple(names)) if len(word) <= _LONGEST else None


@lru_cache(maxsize=256)  # somebody may send the same mistake without end
def _nearest(word: str, names: tuple[str, ...]) -> str | None:
    written = folded(word)
    known = {folded(name): name for name in names}
    for key, name in known.items():
        if len(written) > _TELLING and key.startswith(written):  # as the guide has shareRecording
            return name
    found = difflib.get_close_matches(written, known, n=1)
    return known[found[0]] if found else None


def did_you_mean(word: str, names: Iterable[str], otherwise: str) -> str:
    """The question which of `names` was meant; `otherwise` where none is near."""
    near = nearest(word, names)
    return f"did you mean {near}?" if near else otherwise
