"""Requests to the bridge itself: ``hmp/bridge/request/<verb>``.

All of them can be repeated without harm, so each is acknowledged as soon as it is understood.
"""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import trio

from ..logs.levels import LEVELS, Level, level_of, part_of
from ..logs.levels import Part as LogPart
from ..logs.log import set_level
from ..mqtt.acknowledgements import Part
from ..mqtt.api_topics import Answer, Asked, Caller
from ..process.progress import Progress
from ..room.facts.values import Problem
from ..room.facts.vocabulary import Outcome
from ..text.nearest import nearest
from .answers import failed
from .checks import Rejected, malformed
from .health import Figures, Health
from .replies import Replies

__all__ = [
    "BridgeRequests",
    "HandOver",
    "Reload",
    "ReloadReport",
    "Verb",
    "check_verb",
    "verb_called",
]

_MOST_AT_ONCE = 16
"""Requests that may be under way at once."""


class Verb(StrEnum):
    """The requests that the bridge itself takes."""

    INFO = "info"
    HEALTH = "health"
    RELOAD = "reload"
    ANNOUNCE = "announce"
    LOG_LEVEL = "log_level"
    YIELD = "yield"


@dataclass(frozen=True, slots=True)
class ReloadReport:
    """The result of reading the configuration again.

    With `errors` nothing was changed. `value` says what was, and what takes effect only at the next
    start, as JSON.
    """

    errors: tuple[str, ...] = ()
    value: Mapping[str, object] = field(default_factory=dict)


#: Reads the configuration again; told whether a room that records may be removed.
Reload = Callable[[bool], Awaitable[ReloadReport]]

#: Begins to leave to another box; the boxes that are ready, and nothing is begun if none is (R37).
HandOver = Callable[[], Sequence[str]]


class BridgeRequests:
    """Carries out verbs. `info` gives the retained object, `announce` publishes all topics again.

    `announce` returns how many topics it published, and None when the broker was lost meanwhile.
    """

    def __init__(
        self,
        replies: Replies,
        health: Health,
        *,
        info: Callable[[], str],
        announce: Callable[[], Awaitable[int | None]],
        reload: Reload | None,
        hand_over: HandOver | None = None,
    ) -> None:
        self._replies = replies
        self._health = health
        self._info = info
        self._announce = announce
        self._reload = reload
        self._hand_over = hand_over
        self._waiting: list[tuple[Verb, Caller, Asked]] = []
        self._under_way = 0
        self.progress = Progress()
        self._announcing = trio.Lock()
        self._measured: trio.Event | None = None
        self._figures: Figures = {}

    def take(self, caller: Caller, verb: Verb, asked: Asked, part: Part) -> None:
        """Have a verb carried out. Raises `Rejected` for its parameters."""
        check_verb(verb, asked)
        if self._under_way >= _MOST_AT_ONCE:
            raise Rejected(
                Problem(
                    "too_many_requests",
                    "Too many requests to the bridge are under way",
                    "Nothing was done. Wait for answers before sending more.",
                )
            )
        if verb is Verb.YIELD and part.message.duplicate:
            # Who left over it may have had no PUBACK out, and the lease would go to and fro.
            part.place.accept()
            self._replies.give(caller, _HAD_BEFORE)
            return
        if verb is Verb.LOG_LEVEL:  # at once, so that the last one counts
            answer = _change_level(asked)
            part.place.accept()
            self._replies.give(caller, answer)
            return
        self._under_way += 1
        self._waiting.append((verb, caller, asked))
        self.progress.wanted()
        part.place.accept()

    async def run(self) -> None:
        """Carry out until cancelled."""
        try:
            async with trio.open_nursery() as nursery:
                while True:
                    if not self._waiting:
                        await self.progress.rest()
                    waiting, self._waiting = self._waiting, []
                    for verb, caller, asked in waiting:
                        nursery.start_soon(self._carry_out, nursery, verb, caller, asked)
        finally:
            self.progress.waits()
            for _, caller, _ in self._waiting:
                self._replies.give(caller, _STOPPED)

    async def _carry_out(
        self, nursery: trio.Nursery, verb: Verb, caller: Caller, asked: Asked
    ) -> None:
        answer = _STOPPED
        began = trio.current_time()
        try:
            answer = await self._answer(nursery, verb, asked)
        finally:
            self._under_way -= 1
            took = trio.current_time() - began
            self._replies.give(caller, answer, milliseconds=took * 1000)

    async def _answer(self, nursery: trio.Nursery, verb: Verb, asked: Asked) -> Answer:
        match verb:
            case Verb.HEALTH:
                return Answer(Outcome.OK, value=await self._measure(nursery))
            case Verb.ANNOUNCE:
                async with self._announcing:
                    count = await self._announce()
                if count is None:
                    return failed("broker_lost", "The broker was lost meanwhile", _ANNOUNCED_THEN)
                return Answer(Outcome.OK, value={"topics": count})
            case Verb.RELOAD:
                if self._reload is None:
                    return _NOT_AVAILABLE
                return _reloaded(await self._reload(asked.force))
            case Verb.YIELD:
                return self._yield()
            case _:
                return Answer(Outcome.OK, value=json.loads(self._info()))

    def _yield(self) -> Answer:
        """The answer leaves before this box does."""
        if self._hand_over is None:
            return _NOBODY_ELSE
        ready = self._hand_over()
        return Answer(Outcome.OK, value={"to": list(ready)}) if ready else _NONE_READY

    async def _measure(self, nursery: trio.Nursery) -> Figures:
        """Measure; who asks while that is being done gets the same figures."""
        if self._measured is not None:
            await self._measured.wait()
            return self._figures
        self._measured = trio.Event()
        try:
            self._figures = await self._health.measure(nursery)
        finally:
            self._measured.set()
            self._measured = None
        return self._figures


_NOT_AVAILABLE = failed(
    "not_available",
    "This bridge cannot read its configuration again while it runs",
    "Restart it: systemctl restart hmp-bridge. Recordings go on meanwhile.",
)
_NOBODY_ELSE = failed(
    "not_available",
    "This bridge has no second box",
    "Nothing was done. Two boxes share a journal: bridge.journal.",
)
_NONE_READY = failed(
    "no_box_ready",
    "No other box is ready to take over",
    "Nothing was done. Start one, and look at what it says on bridge/standby/<box>: standby, with "
    "the store reachable.",
)
_HAD_BEFORE = failed(
    "had_before",
    "A box has had this request before, and was gone before the broker knew",
    "Nothing was done. Look which box leads, on bridge/standby/<box>, and ask again if need be.",
)
_STOPPED = Answer(
    Outcome.EXPIRED,
    problem=Problem(
        "stopping", "The bridge was stopped meanwhile", "Send it again once it is online."
    ),
)
_ANNOUNCED_THEN = "Nothing needs to be done: every topic is published when it is back."

_TAKES = {Verb.LOG_LEVEL: ("level", "part")}


def verb_called(name: str) -> Verb:
    """The verb of this name. Raises `Rejected` with the nearest one that there is."""
    try:
        return Verb(name)
    except ValueError:
        near = nearest(name, list(Verb))
        hint = f"; did you mean {near}?" if near else ""
        raise Rejected(
            Problem(
                "unknown_verb",
                f"{name!r} is nothing that the bridge can be asked{hint}",
                f"Nothing was done. It can be asked: {', '.join(Verb)}.",
            )
        ) from None


def check_verb(verb: Verb, asked: Asked) -> None:
    """Raise `Rejected` for parameters that the verb does not take."""
    takes = _TAKES.get(verb, ())
    strange = [name for name in asked.parameters if name not in takes]
    if strange:
        words = f"takes {', '.join(takes)}" if takes else "takes no parameters"
        reason = f"{strange[0]!r} does not belong here: {verb} {words}"
        raise Rejected(malformed(reason, "Send it without that."))
    if verb is Verb.LOG_LEVEL:
        _level_in(asked)


def _level_in(asked: Asked) -> tuple[Level, LogPart | None]:
    """The level that is asked for, and the part of the log that it is for."""
    given = asked.parameters if isinstance(asked.parameters, dict) else {}
    level, part = given.get("level"), given.get("part")
    if level not in LEVELS:
        shown = "is missing" if level is None else f"{level!r} is no level"
        what = f'Send one of {", ".join(LEVELS)}, as text or as {{"level": "debug"}}.'
        raise Rejected(malformed(f"level: {shown}", what))
    if part is not None and not isinstance(part, str):
        raise Rejected(malformed(f"part: {part!r} is no text", "Send the name of a part."))
    try:
        return level_of(str(level)), None if part is None else part_of(part)
    except ValueError as error:
        raise Rejected(malformed(f"part: {error}", "Send one of those, or none for all.")) from None


def _change_level(asked: Asked) -> Answer:
    level, part = _level_in(asked)
    set_level(level, part)
    return Answer(Outcome.OK, value={"level": level, "part": part})


def _reloaded(report: ReloadReport) -> Answer:
    if report.errors:
        return failed(
            "refused",
            "; ".join(report.errors),
            "Nothing was changed: the bridge goes on with what it had. Correct these and reload.",
        )
    return Answer(Outcome.OK, value=dict(report.value))
