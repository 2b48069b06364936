"""True and false in the words of devices. Pure."""

import re

from .patterns import either_case

__all__ = ["TRUTH_PATTERN", "read_truth"]

_TRUE = frozenset({"true", "1", "on", "press", "pressed", "yes"})
_FALSE = frozenset({"false", "0", "off", "release", "released", "no"})

TRUTH_PATTERN = rf"({either_case('|'.join(sorted(_TRUE | _FALSE)))}|[01]\.0+)"
"""The texts that `read_truth` takes, without space around it, for JSON Schema."""

_DECIMALS = re.compile(r"(?<=\d)\.0+$", re.ASCII)
"""The decimals of a gateway that writes every value as such a number: ``1.000``."""


def read_truth(value: object) -> bool | None:
    """The truth that a word, a number or a truth value tells; None where it tells none."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | float):
        return bool(value) if value in (0, 1) else None
    if not isinstance(value, str):
        return None
    word = _DECIMALS.sub("", value.strip().casefold())
    if word in _TRUE:
        return True
    return False if word in _FALSE else None
