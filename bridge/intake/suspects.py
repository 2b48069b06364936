"""Messages in whose handling two processes in a row have ended: the next does not handle them.

Whatever kills the process while it handles a message keeps the broker from hearing that it was
handled, so that the message comes again, to the next process, for ever. What comes again is rare:
it is named in the journal before it is handled, one at a time, so that it is told from those beside
it. One process that ended over it may have been killed by chance, by a power cut that came twice:
only what two in a row have named is not handled any more. Nothing is known of the process to which
it came first, for a press that comes once is not to cost a flush of its own.
"""

import json
import time
from collections.abc import Awaitable, Callable

from ..journal.inputs import key_of
from ..mqtt.message import Message
from ..text.json_text import NotJson, read_value

__all__ = ["HANDLING", "SET_ASIDE", "Suspects"]

HANDLING = "handling"
"""The journal's note of the message that came again and is being handled."""

SET_ASIDE = "set_aside"
"""The journal's ledger of the messages that were acknowledged without being handled."""

_MOST_SET_ASIDE = 100

_MOST_ENDED = 2
"""Processes in a row that may end over a message."""


class Suspects:
    """The message that was being handled when the process before ended, and the one that is now.

    `handling` and `set_aside` are the journal's notes of before this start, `save` writes one.
    """

    def __init__(
        self, handling: str, set_aside: str, save: Callable[[str, str], Awaitable[None]]
    ) -> None:
        self._of_before, self._times = _named(handling)
        self._written = handling
        self._set_aside = _entries(set_aside)
        self._save = save

    async def is_safe(self, message: Message) -> bool:
        """True if a message that comes again is to be handled; written down before it is said."""
        name = _name(message)
        times = self._times if name == self._of_before else 0
        if times < _MOST_ENDED:
            self._written = f"{name} {times + 1}"
            await self._save(HANDLING, self._written)
            return True
        entry = {"topic": message.origin, "bytes": len(message.payload), "at": int(time.time())}
        self._set_aside = [*self._set_aside, entry][-_MOST_SET_ASIDE:]
        await self._save(SET_ASIDE, json.dumps(self._set_aside, ensure_ascii=False))
        return False

    async def clear(self) -> None:
        """Nothing that came again is being handled any more."""
        self._of_before = ""
        if self._written:
            self._written = ""
            await self._save(HANDLING, "")


def _name(message: Message) -> str:
    mid = 0 if message.receipt is None else message.receipt.mid
    return f"{mid} {key_of(mid, message.topic, message.payload).digest.hex()}"


def _named(document: str) -> tuple[str, int]:
    """The message that a note names, and how many processes in a row have named it."""
    name, _, times = document.rpartition(" ")
    return name, int(times) if times in map(str, range(_MOST_ENDED + 1)) else 0


def _entries(document: str) -> list[object]:
    try:
        kept = read_value(document) if document else []
    except NotJson:
        return []
    return kept if isinstance(kept, list) else []
