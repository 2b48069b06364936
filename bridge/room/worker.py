"""One room's loop: requests in, commands out, state and results out.

The middle of the way of a press. Everything that is decided is decided in pure functions; this loop
gives them the time and carries what they say:

    request ──▶ decide ─┐               ┌─▶ send the step planned ──▶ server link ──▶ answer
    answer  ──▶ apply  ─┼─▶ RoomState ──┼─▶ publish the state
    link    ──▶ link_changed            └─▶ journal ──▶ give results, acknowledge
    time    ──▶ tick  ──┘

What would be lost or doubled by a kill is journalled before anything else: the intent of a command
that creates something, an id that HMP has just given (R6), and a toggle, which the broker would
deliver again (R27). All else is sent, and published, and an answer to it taken in, while it is
being written, for HMP would say the same again.

A room has one step under way at most. Requests are decided meanwhile: HMP holds up no press. A step
that is wanted no more is withdrawn, unless it is on its way; its answer is always taken in (R6).
"""

from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from math import inf
from typing import Protocol

import trio

from ..hmp.client import ServerLink
from ..hmp.commands import Command, RecordingId
from ..hmp.link import Passage
from ..process.progress import Progress, Unserved
from .arrivals import Answered, Told, Waiting
from .delivery import Delivery, Refusal
from .exchange import Exchange
from .facts.answer import Answer
from .facts.changed import changed
from .facts.policy import Policy
from .facts.state import Change, RoomState, Step
from .facts.values import Now, Result
from .facts.vocabulary import Alarm, StepKind
from .memory.memory import Memory
from .outlook import Outlook
from .rules.foreign_commands import carried_out, is_about, perhaps_carried_out
from .rules.guarded import applied, decided, followed
from .rules.model import ACTS_ONCE, alarm_changed, link_changed
from .rules.plan import ROUTINE
from .rules.reconfigure import in_use, reconfigured, removed
from .stages import StageNotes, Stages
from .writings import Writings

__all__ = ["Audience", "Room", "ServerFacts"]

_FAREWELL = 10.0
"""Seconds that a room may take to write down and say what came last."""

_UNSAID = 0.03
"""Seconds within which HMP may answer before it is said that it has been asked (R1)."""


@dataclass(slots=True)
class ServerFacts:
    """All that the rooms of one server have learnt about it."""

    #: It has answered 060003 to the question after a lost start, so that not doing so tells (R7b).
    proves: bool = False


class Audience(Protocol):
    """Whoever hears what a room says: the `Outlet` of ``daemon/outlet``. Nothing here may wait."""

    def at_once(self) -> AbstractContextManager[None]:
        """What is heard and acknowledged within leaves together by its end, where it can."""

    def state(self, room: "Room") -> None:
        """The room's state is another one."""

    def result(self, room: "Room", result: Result, stages: Stages) -> None:
        """A request has its result; `Room.arrived` is to be called once the broker has that.

        It comes after the state that it speaks of, and after the journal has it (R1, R6).
        """

    def fault(self, room: "Room", error: Exception, about: str) -> None:
        """A rule raised `error`, over what came by a topic or for a command; it is a bug (R27)."""


class Room:
    """A room and its recorder; `audience` hears its state and its results."""

    def __init__(
        self,
        name: str,
        state: RoomState,
        link: ServerLink,
        *,
        memory: Memory,
        facts: ServerFacts,
        audience: Audience,
        clock: Callable[[], Now],
    ) -> None:
        self.name = name
        self.state = state
        self._link = link
        self._memory = memory
        self._facts = facts
        self._audience = audience
        self._fault = partial(audience.fault, self)
        self._clock = clock
        self._now = clock()  # at which everything was last looked at
        self._inbox: deque[Delivery | Refusal | Answered | Told] = deque()
        self._wake = trio.Event()
        self._nap = trio.CancelScope()
        self.progress = Progress()
        self._unheard_of = Unserved()
        self._exchange = Exchange(link, self._hear)
        self._writings = Writings(memory, partial(audience.result, self), audience.at_once)
        #: A result was given, or somebody told something, so that the state must be said.
        self._speaks = False
        self._outlook = Outlook(self._fault)
        self._planned: Step | None = None
        #: Something was taken in that would do the opposite if it came again (R27).
        self._acts_once = False
        self._published: RoomState | None = None
        #: Until then an ``-ing`` state may pass unsaid (R1).
        self._unsaid_until = inf
        #: Taken out of the configuration: when its run ends, nothing of it goes on elsewhere.
        self.retired = False
        self._poll_at: float | None = None
        self._stages = StageNotes()
        self._become(Change(state, memory.results))

    def submit(self, delivery: Delivery | Refusal) -> None:
        """Ask something of the room; the result is given when it is due."""
        self._put(delivery)

    def link_changed(self, *, ready: bool) -> None:
        """Tell the room whether its server link is usable."""
        self._put(Told(lambda room, now: link_changed(room, ready, now)))

    def alarm_changed(self, alarm: Alarm, *, raised: bool) -> None:
        """Tell the room of something that it cannot see by itself."""
        self._put(Told(lambda room, now: alarm_changed(room, alarm, raised, now)))

    def commanded(self, command: Command[object], *, done: bool) -> None:
        """HMP was given `command` by name, and has carried it out, or perhaps (R1)."""
        follow = carried_out if done else perhaps_carried_out
        self._put(Told(lambda room, now: follow(room, command, now)))

    def reconfigure(self, policy: Policy) -> None:
        """Have the room go by other settings, and publish anew."""
        self._put(Told(lambda room, now: reconfigured(room, policy, now)))

    @property
    def in_use(self) -> str:
        """The reason why the room cannot be removed without a trace; empty where it can."""
        if not self.known:
            return "waits for the broker to say what it was doing"
        if any(isinstance(each, Delivery) for each in self._inbox):
            return "was asked for something just now"
        return in_use(self.state)

    @property
    def unanswered(self) -> int:
        """Requests to decide and results that the broker lacks; not what waits for HMP."""
        return len(self._inbox) + self._writings.due + self._memory.unconfirmed

    def concerned(self, command: Command[object]) -> bool:
        """True where `command` changes the recording that this room holds."""
        return is_about(self.state, command)

    @property
    def server(self) -> str:
        """The name of the server that records this room."""
        return self._link.settings.name

    @property
    def known(self) -> bool:
        """True once the room remembers anything by itself, or has been told."""
        return self._memory.known

    def adopt(self, retained_status: bytes) -> trio.Event:
        """Hold what the room's retained topics say against what it knows, and take it over (R9).

        Set once it has.
        """
        # That it knows nothing is noted by its first turn, before it is told (`Memory.keep`).
        begins, waiting = not self.known and self._published is None, Waiting()
        take_over = self._memory.told(retained_status)
        if begins or take_over(self.state, self._clock()).state is not self.state:
            self._put(Told(take_over, waiting))
        else:
            waiting.accept()
        return waiting.accepted

    def holds(self, recording_id: RecordingId) -> bool:
        """True where the recording with this id is this room's."""
        return recording_id in (self.state.held_id, self.state.adopting)

    @property
    def due_at(self) -> float:
        """By when each loop of the room goes on by itself (`Progress`)."""
        return min(self.progress.due_at, self._unheard_of.seen(self._writings.unserved))

    async def run(self) -> None:
        """Serve the room until cancelled; a command in flight is waited for then, not cut off."""
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._writings.run)
                try:
                    while True:
                        with trio.CancelScope() as self._nap:
                            while True:  # the nap ends by the clock; what is written is shielded
                                await self._turn()
                finally:
                    self._writings.close()
        finally:
            self.progress.waits()
            with trio.CancelScope(shield=True):  # for the command's time limit at most
                self._exchange.call_back()
                await self._exchange.over()
            with trio.move_on_after(_FAREWELL, shield=True):
                self._take_in()
                if self.retired:
                    self._become(removed(self.state, self._now))
                self._speaks = True
                await self._writings.see_through(self._writings.hand_over(self.state), self._say)

    async def _turn(self) -> None:
        """Look at everything once, and wait until there is a reason to do so again."""
        self._link.look()  # of many rooms that have a turn at once, none keeps HMP waiting
        self._take_in()
        self._plan()
        first = self._acts_once or self._memory.comes_first(self.state)
        self._acts_once = False
        if not first:
            self._act()
        writing = self._writings.hand_over(self.state, first=first)
        if first:
            await self._writings.see_through(writing, self._act)
        elif writing is not None:
            self._writings.leave(writing)
        if trio.current_time() >= self._writings.due_at:
            self._writings.hasten()
        self._nap.deadline = self.progress.within(self._idle_for())
        await self._wake.wait()

    def arrived(self, result: Result) -> None:
        """The broker has a result that the audience was given."""
        self._memory.arrived(result)

    async def tidy(self) -> None:
        """Write down, after `run`, which results the broker has taken at last."""
        await self._memory.tidy(self.state)

    def _put(self, item: Delivery | Refusal | Answered | Told) -> None:
        self._inbox.append(item)
        self._wake.set()
        self.progress.wanted()

    def _idle_for(self) -> float:
        # A poll whose moment has come while another step is under way goes after that one.
        poll_at = inf if self._poll_at is None or self.state.busy is not None else self._poll_at
        # From the instant of the last look: what fell due while the disk was at work is due now.
        due_at = self._outlook.due_at(self.state, self._now)
        look_at = min(poll_at, self._unsaid_until, self._writings.due_at)
        look_in = look_at - trio.current_time()
        return max(0.0, min(due_at - self._clock().monotonic, self._memory.tidy_in(), look_in))

    def _take_in(self) -> None:
        """Decide everything that has come, and let time pass."""
        self._wake = trio.Event()
        now = self._now = self._clock()
        while self._inbox:
            match self._inbox.popleft():
                case Delivery(request, input_key, bearer):
                    self._become(decided(self.state, request, now, self._fault))
                    self._writings.take(input_key, bearer)
                    self._acts_once |= request.action in ACTS_ONCE
                case Refusal(result, input_key, bearer):
                    self._become(Change(self.state, (result,)))
                    self._writings.take(input_key, bearer)
                case Answered(step, answer, passage):
                    shift = now.monotonic - trio.current_time()
                    self._stages.note(passage, routine=step.kind in ROUTINE, shift=shift)
                    known = changed(self.state, {"server_proves": self._facts.proves})
                    self._become(applied(known, step, answer, now, self._fault))
                    self._facts.proves = self.state.server_proves
                case Told(rule, bearer):
                    self._become(followed(self.state, rule, now, self._fault))
                    self._writings.take(None, bearer)
                    self._speaks |= bearer is not None
        self._become(self._outlook.look(self.state, now))

    def _become(self, change: Change) -> None:
        self.state = change.state
        for result in change.results:
            self._writings.add(result, self._stages.of(result, self._now))
            self._speaks = True

    def _plan(self) -> None:
        """Choose what to send now, or call back what waits and is wanted no more (R10)."""
        step = self._when_due(self._outlook.wanted)
        if self.state.busy is None:
            before, self.state = self.state, changed(self.state, {"busy": step})
            self._outlook.goes_on(before, self.state)
            self._planned = step
        elif self.state.busy != step:
            self._exchange.call_back()

    def _when_due(self, step: Step | None) -> Step | None:
        """A poll waits for the server's next free moment (R3); everything else goes at once."""
        if step is None:
            self._poll_at = None  # nothing is polled any more: a moment that passes wakes nobody
        if step is None or step.kind not in ROUTINE or step == self.state.busy:
            return step
        if self._poll_at is None:
            delay = self._link.polls.delay(soon=step.kind is StepKind.VERIFY)
            self._poll_at = trio.current_time() + delay
        if trio.current_time() < self._poll_at:
            return None
        self._poll_at = None
        return step

    def _act(self) -> None:
        """Send what is planned, and say how things stand."""
        if self._planned is not None:
            self._exchange.send(self._planned)
            self._planned = None
        self._link.look()
        self._say()

    def _say(self) -> None:
        """Say how things stand; an ``-ing`` state that nobody has heard of may pass first (R1)."""
        before, speaks = self._published, self._speaks
        self._speaks = False
        is_said = before is None or before.state is self.state.state
        if self.state.may_pass and not is_said and not speaks:
            self._unsaid_until = min(self._unsaid_until, trio.current_time() + _UNSAID)
            if trio.current_time() < self._unsaid_until:
                return
        self._unsaid_until = inf
        if self.state is not before:
            with self._audience.at_once():
                self._audience.state(self)
            self._published = self.state

    def _hear(self, step: Step, answer: Answer, passage: Passage) -> None:
        self._put(Answered(step, answer, passage))
