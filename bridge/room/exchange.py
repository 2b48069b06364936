"""A room's command on its way: sent, called back, or answered."""

from collections.abc import Callable
from functools import partial

import outcome
import trio

from ..hmp.client import ServerLink
from ..hmp.errors import LinkDown
from ..hmp.link import Passage
from ..hmp.queue import Request
from .facts.answer import Answer, NotSent, answer_of
from .facts.state import Step
from .rules.plan import PRIORITY

__all__ = ["Answered", "Exchange"]

Answered = Callable[[Step, Answer, Passage], None]
"""Hears what came of a step, and when it passed through the link."""


class Exchange:
    """At most one step at a time, over `link`; `answered` hears of each, sent or not."""

    def __init__(self, link: ServerLink, answered: Answered) -> None:
        self._link = link
        self._answered = answered
        self._step: Step | None = None
        self._request: Request | None = None
        self._over = trio.Event()

    def send(self, step: Step) -> None:
        """Have HMP asked; the answer may come before this returns."""
        self._step, self._request, self._over = step, None, trio.Event()
        passage = Passage()
        settled = partial(self._settled, step, passage)
        try:
            self._request = self._link.submit(step.command, PRIORITY[step.kind], passage, settled)
        except LinkDown as down:
            settled(outcome.Error(down))

    def call_back(self) -> None:
        """Have the step not sent, where its command still waits in the link's queue."""
        step, request = self._step, self._request
        if step is not None and request is not None and request.withdraw():
            self._end(step, NotSent(), request.passage)

    async def over(self) -> None:
        """Wait until nothing is on its way, for a command's time limit at the most."""
        if self._step is not None:
            await self._over.wait()

    def _settled(self, step: Step, passage: Passage, result: outcome.Outcome[object]) -> None:
        self._end(step, answer_of(result), passage)

    def _end(self, step: Step, answer: Answer, passage: Passage) -> None:
        self._step = None
        self._over.set()
        self._answered(step, answer, passage)
