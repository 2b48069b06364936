"""The requests to one server that must survive a kill: a document of the journal (R6, R27).

Only commands whose repeat is not harmless are written down (`Command.repeat`). Such a request is
journalled, with what its redelivery is recognised by, before it is acknowledged and before it is
sent; that it is about to be sent, when it had to wait; and HMP's answer before anybody gets it. So
a kill at any moment leaves one of these behind:

- nothing: it was not acknowledged either; the broker brings it again, and it is carried out once;
- waiting: the next process answers `expired`, for nothing was sent;
- sent: the next process answers `unknown`, and never sends it again;
- answered: the next process gives the answer that HMP gave.

In the last three a redelivery is acknowledged without effect. Everything else is acknowledged as
soon as it has been validated: a kill after that loses it without an answer, and its sender, hearing
nothing, can send it again without harm.
"""

import math
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace

import structlog
import trio
from pydantic import TypeAdapter, ValidationError

from ..journal.inputs import InputKey
from ..mqtt.api_topics import Answer, Caller
from ..process.progress import Progress

__all__ = ["Entry", "Ledger", "Save", "ledger_name"]

log = structlog.get_logger("bridge")

_TIDY_AFTER = 1.0
"""Seconds after which the arrival of answers is written too, should nothing else be written."""

_MOST_ANSWERED = 100
"""Answers that are kept for a broker that is away."""

Save = Callable[[str, str, Sequence[InputKey]], Awaitable[None]]
"""Writes down a document under a name, with the inputs that are taken in by it."""


def ledger_name(server: str) -> str:
    """The name of a server's ledger in the journal; no room's name has a slash."""
    return f"server/{server}"


@dataclass(frozen=True, slots=True)
class Entry:
    """One request: whose, for which command, whether it may have been sent, and its answer."""

    caller: Caller
    command: str
    sent: bool = False
    answer: Answer | None = None
    key: str = field(default_factory=lambda: secrets.token_hex(8))


_DOCUMENTS = TypeAdapter(list[Entry])


class Ledger:
    """The journalled requests of one server; `left` are those of the process before."""

    def __init__(self, name: str, save: Save, document: str | None) -> None:
        self.left = _read(name, document)
        self.name = name
        self._save = save
        self._entries = {entry.key: entry for entry in self.left}
        self._inputs: list[InputKey] = []
        self._taken: list[Callable[[], None]] = []
        self.progress = Progress()
        self._tidy_at = math.inf

    async def run(self) -> None:
        """Write down what has been taken, for ever."""
        while True:
            while self._taken or self._tidy_due:
                self.progress.waits()  # for the journal
                await self._write()
            await self.progress.rest(self._tidy_at)

    def take(self, entry: Entry, input_key: InputKey | None, taken: Callable[[], None]) -> None:
        """Have a request written down; `taken` is called once it is."""
        self._entries[entry.key] = entry
        self._inputs += [] if input_key is None else [input_key]
        self._taken.append(taken)
        self.progress.wanted()

    async def sending(self, entry: Entry) -> None:
        """Return once it is written down that this request may have been sent."""
        if not self._entries[entry.key].sent:
            self._entries[entry.key] = replace(entry, sent=True)
            await self._write()

    def unsent(self, entry: Entry) -> None:
        """It was not sent after all."""
        self._entries[entry.key] = replace(entry, sent=False)

    async def answered(self, entry: Entry, answer: Answer) -> None:
        """Return once the answer of this request is written down."""
        self._entries[entry.key] = replace(entry, sent=True, answer=answer)
        answered = [key for key, each in self._entries.items() if each.answer is not None]
        for key in answered[:-_MOST_ANSWERED]:
            del self._entries[key]
        await self._write()

    def arrived(self, entry: Entry) -> None:
        """The broker has the answer: nothing of this request needs to be known any more."""
        if self._entries.pop(entry.key, None) is not None and self._tidy_at == math.inf:
            self._tidy_at = trio.current_time() + _TIDY_AFTER
            self.progress.wanted()

    async def tidy(self) -> None:
        """Return once the arrival of every answer so far is written down."""
        if self._tidy_at < math.inf:
            await self._write()

    @property
    def _tidy_due(self) -> bool:
        return self._tidy_at <= trio.current_time()

    async def _write(self) -> None:
        inputs, self._inputs = self._inputs, []
        taken, self._taken = self._taken, []
        self._tidy_at = math.inf
        document = _DOCUMENTS.dump_json(list(self._entries.values())).decode()
        with trio.CancelScope(shield=True):
            await self._save(self.name, document, inputs)
        for each in taken:
            each()


def _read(name: str, document: str | None) -> tuple[Entry, ...]:
    if document is None:
        return ()
    try:
        return tuple(_DOCUMENTS.validate_json(document))
    except ValidationError as error:
        log.error(  # noqa: TRY400 - the document says more than the parser's stack
            "a journal entry is unreadable; requests that were under way get no answer",
            entry=name,
            error=str(error),
            document=document,
        )
        return ()
