"""Secrets kept out of log lines and tracebacks (R19).

The configuration keeps its secrets to itself, and nothing of ours writes them; this is for what a
library, or a bug, says of them.
"""

import json
from collections.abc import Mapping
from types import NoneType
from typing import Any

__all__ = ["HIDDEN", "SECRETS", "Secrets"]

HIDDEN = "(hidden)"

_SHORTEST_SECRET = 6
"""Characters; what is shorter is found in many an innocent word."""


class Secrets:
    """Texts that are never written, however they got into what is written (R19)."""

    def __init__(self) -> None:
        self._spellings: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self._spellings)

    def add(self, secret: str) -> None:
        """Hide `secret` from now on, also as it looks in an exception's message."""
        if len(secret) < _SHORTEST_SECRET:
            return
        quoted = {
            json.dumps(secret)[1:-1],
            repr(secret)[1:-1],
            repr(secret.encode("utf-8", "backslashreplace"))[2:-1],
        }
        again = {repr(each)[1:-1] for each in quoted}  # an exception in an exception
        spelt = {*self._spellings, secret, *quoted, *again}
        self._spellings = tuple(sorted(spelt, key=len, reverse=True))

    def hide(self, text: str) -> str:
        """`text` without any of them."""
        for spelling in self._spellings:
            if spelling in text:
                text = text.replace(spelling, HIDDEN)
        return text

    def hide_in(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """`fields` without any of them; a value that has one inside becomes text."""
        return {key: self._without(value) for key, value in fields.items()}

    def _without(self, value: Any) -> Any:
        if isinstance(value, (bool, int, float, NoneType)):
            return value
        text = str(value)
        hidden = self.hide(text)
        return value if hidden == text else hidden


SECRETS = Secrets()
"""Those of this process."""
