"""A room at an HMP: the room model, a server link and a simulated HMP on one virtual clock.

The link is taken apart into what can happen to a command: it is *written*, HMP *executes* it, the
*reply* arrives. Between any two of these the connection may be lost. Nothing happens but by a call.
"""

import random
from typing import Any

from hypothesis import HealthCheck, Phase, settings

from bridge.hmp.commands import RecordingId
from bridge.hmp.errors import NotUnderstood, OutcomeUnknown, Refused
from bridge.hmp.syntax import ErrorLine, decode_response, encode_command
from bridge.room.facts.answer import Answer, Done, NotSent
from bridge.room.facts.meeting import is_meeting
from bridge.room.facts.policy import Policy
from bridge.room.facts.state import Change, Step
from bridge.room.facts.vocabulary import Action, Alarm, Outcome, StepKind
from bridge.room.rules.answers import apply
from bridge.room.rules.model import link_changed
from bridge.room.rules.plan import wake_in
from bridge.simulator import web_pages
from bridge.simulator.execution import execute
from bridge.simulator.faults import Fault
from bridge.simulator.objects import Recording
from bridge.simulator.world import World
from bridge.simulator.worldfile import load_world

from .driven import SESSION, WALL, DrivenRoom

__all__ = ["MOST_AT_ONCE", "Site", "courses"]

MOST_AT_ONCE = 12
"""Commands that one room may send at one instant without anybody asking anything in between."""

_PROBE_EVERY = 3.0


def courses(number: int) -> settings:
    """For a state machine: look at so many courses of 25 events."""
    return settings(
        max_examples=number,
        stateful_step_count=25,
        phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
        report_multiple_bugs=False,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )


class Site(DrivenRoom):
    """A driven room whose commands reach a world."""

    def __init__(self, policy: Policy, knobs: dict[str, object]) -> None:
        self.world: World = load_world(None, now=lambda: WALL + self.clock, ids=random.Random(1))
        for name, value in knobs.items():
            self.world.knobs = self.world.knobs.with_value(name, value)
        #: The answer to the written step, once HMP has executed it.
        self.reply: Answer | None = None
        #: When HMP executes a start whose connection is gone already.
        self.late: list[tuple[float, Step]] = []
        self.connected = True
        self._probe_at: float | None = None
        self._lost_at = 0.0
        #: Recordings of starts that HMP carried out after the time in which it may (R7b).
        self.hidden: set[str] = set()
        #: Recordings whose id reached the room, and those started for it whose id was lost.
        self.told: set[str] = set()
        self.orphans: set[str] = set()
        #: Lost ones that the room has warned of before it started another.
        self.reported: set[str] = set()
        self.lost_starts = 0
        #: Of these, before the last meeting began: its own start is none that is repeated.
        self.lost_before = 0
        #: What was asked, by request id.
        self.actions: dict[str | int, Action] = {}
        #: Starts since the last press that asks for one, which no press waits for.
        self.unasked_starts = 0
        #: What came of every start that was written.
        self.starts_answered: list[Answer] = []
        super().__init__(policy)
        self.queueing = True

    # -- what happens to a command ---------------------------------------------------------------

    @property
    def waits(self) -> bool:
        """Whether a step can be written now."""
        ready = self.room.link_ready and self.room.busy is not None
        return ready and not self.written and self.due <= self.clock

    def write(self) -> None:
        """The step that waits leaves the box."""
        assert self.waits
        self._write()
        if self.step is StepKind.START:
            self._check_start()
        elif self.step is StepKind.STOP:
            self._check_stop()

    def execute(self) -> None:
        """HMP carries the written step out; the reply is on its way."""
        assert self.written
        assert self.room.busy is not None
        self.reply = self._carry_out(self.room.busy)

    def deliver(self) -> None:
        """The reply arrives."""
        answer, self.reply = self.reply, None
        assert answer is not None
        if self.step is StepKind.START:
            self.starts_answered.append(answer)
        if self.step in (StepKind.START, StepKind.ADOPT) and isinstance(answer, Done):
            new = answer.value if self.step is StepKind.START else self.room.adopting
            self.told.add(str(new))
            self.orphans.discard(str(new))
        self._finish(answer)
        if isinstance(answer, Refused) and answer.backend_down:
            self._probe_at = self.clock + _PROBE_EVERY
            self.link(ready=False)

    def flow(self) -> None:
        """Commands go out and are answered, without time passing, until none is due."""
        for _ in range(MOST_AT_ONCE):
            if not self._step_once():
                return
        raise AssertionError("the room asks HMP without end")

    def lose_connection(self, *, answer_first: bool, late: float | None = None) -> None:
        """The connection breaks, whatever is under way; word of it comes in either order.

        With `late`, a start that HMP has read is executed that many seconds later all the same.
        """
        self.connected = False
        self._probe_at = None
        step, written, executed = self.room.busy, self.written, self.reply is not None
        self.reply = None
        if step is not None and written and step.kind is StepKind.START:
            self.lose_start()
            self._lost_at = self.clock
            if late is not None and not executed:
                self.late.append((self.clock + late, step))
        answer: Answer = OutcomeUnknown("any", "the connection was lost") if written else NotSent()
        if step is not None and answer_first:
            # Still ready, so the room wants its next step at once; the link has nothing to send.
            self._become(apply(self.room, step, answer, self.now))
        self._become(link_changed(self.room, False, self.now))
        if step is not None and not answer_first:
            self._become(apply(self.room, step, answer, self.now))
        self.written = False
        self._go_on()

    def lose_start(self) -> None:
        """No reply will come to the start that was written."""
        self.lost_starts += 1
        self.starts_answered.append(OutcomeUnknown("startRecording", "no reply"))

    def connect(self) -> None:
        """The connection is back, and HMP has answered a probe if it can."""
        self.connected = True
        self._probe()

    # -- time ------------------------------------------------------------------------------------

    def live(self, seconds: float, *, answering: bool = True) -> None:
        """Time passes; with `answering`, HMP does what it is told meanwhile."""
        end = self.clock + seconds
        for _ in range(100 + int(20 * seconds)):
            if answering:
                self.flow()
            until = min([*self._moments(), end])
            self.check_that_nothing_passes_unseen()
            self.clock = until
            for at, step in [each for each in self.late if each[0] <= until]:
                self.late.remove((at, step))
                before = set(self.orphans)
                self._carry_out(step)
                if at > self._lost_at + self.room.policy.start_timeout:
                    self.hidden |= self.orphans - before
            if self._probe_at is not None and self._probe_at <= until:
                self._probe()
            self._go_on()
            if until >= end:
                if answering:
                    self.flow()
                return
        raise AssertionError("the room wakes without end")

    def calm(self, seconds: float) -> set[str | int]:
        """Everything works for so long; the requests that have no result all the same."""
        self.world.faults.clear()
        self.speak("guide")
        if not self.connected:
            self.connect()
        self.live(seconds)
        return set(self.asked) - set(self.results)

    def _moments(self) -> list[float]:
        moments = [self.clock + wake_in(self.room, self.now)]
        if self.due > self.clock and self.room.busy is not None:
            moments.append(self.due)
        moments += [at for at, _ in self.late]
        if self._probe_at is not None:
            moments.append(self._probe_at)
        return moments

    # -- HMP -------------------------------------------------------------------------------------

    def active(self) -> list[Recording]:
        """What HMP is recording in the room's session."""
        return self.world.active_recordings(self.world.sessions[SESSION])

    def known(self) -> Recording | None:
        """HMP's side of the recording that the room holds by its id."""
        recording = self.room.recording
        if recording is None or recording.id is None:
            return None
        found = self.world.recordings.get(recording.id)
        if found is not None:
            found.settle(self.world.now())
        return found

    def fault(self, text: str) -> None:
        """Something goes wrong in HMP from now on."""
        self.world.faults.add(Fault.from_text(text))

    def speak(self, word: str) -> None:
        """What HMP calls a status from now on."""
        self.world.knobs = self.world.knobs.with_value("status_word", word)

    def in_web_pages(self, what: str, recording: RecordingId) -> None:
        """Somebody does something in HMP's web pages."""
        getattr(web_pages, f"{what}_recording")(self.world, recording)

    # -- what must be true of a command ----------------------------------------------------------

    def press(self, action: Action | str, **details: Any) -> int:
        """Ask something of the room, as `DrivenRoom.press`; the request's id."""
        self.actions[len(self.asked) + 1] = Action(action)
        if action in (Action.RECORD, Action.TOGGLE, Action.MEETING_START):
            self.unasked_starts = 0
        if action is Action.MEETING_START:
            self.lost_before = self.lost_starts
        return super().press(action, **details)

    def _waiting(self, *actions: Action) -> bool:
        return any(self.actions[each] in actions for each in self.asked if each not in self.results)

    def _check_start(self) -> None:
        lost = {each.id for each in self.active()} & self.orphans
        doubtful = Alarm.OUTCOME_UNKNOWN in self.room.alarms
        if not lost <= self.reported:
            assert doubtful, "a second start without a word"
        self.reported |= lost
        if self._waiting(Action.RECORD, Action.TOGGLE):
            if doubtful and self.world.knobs.active_check == "before":
                assert not lost, "a second start without asking an HMP that would have told"
        elif is_meeting(self.room.next_owner) and (
            not (lost or self.lost_starts > self.lost_before)
            or isinstance(self.starts_answered[-1], Refused)
        ):
            pass  # a start that HMP refused is tried again while its meeting runs
        elif Alarm.RECORDING_ERROR not in self.room.alarms:
            self.unasked_starts += 1
            assert self.unasked_starts <= 1, "a lost start was repeated more than once"

    def _check_stop(self) -> None:
        kept = any(
            self.actions[each] in (Action.STOP, Action.TOGGLE) and result.outcome is Outcome.UNKNOWN
            for each, result in self.results.items()
        )
        assert (
            kept
            or self._waiting(Action.STOP, Action.TOGGLE, Action.RECORD)
            or self._waiting(Action.MEETING_START, Action.MEETING_END)
            or Alarm.RECORDING_ERROR in self.room.alarms
        ), "a stop that nobody asked for"

    # -- inside ----------------------------------------------------------------------------------

    def _become(self, change: Change) -> None:
        super()._become(change)
        held = self.room.recording
        for each in self.active():
            mine = held is not None and held.id == each.id
            arriving = isinstance(self.reply, Done) and self.reply.value == each.id
            assert mine or arriving or each.id not in self.told, "it let go of a running recording"

    def _step_once(self) -> bool:
        if self.waits:
            self.write()
        elif self.written and self.reply is None:
            self.execute()
        elif self.reply is not None:
            self.deliver()
            return True
        else:
            return False
        return self._step_once()

    def _finish(self, answer: Answer) -> None:
        step = self.room.busy
        assert step is not None
        self.written = False
        self._become(apply(self.room, step, answer, self.now))
        self._go_on()

    def _carry_out(self, step: Step) -> Answer:
        command = step.command
        line = encode_command([command.name, *command.arguments()]).rstrip(b"\n")
        answer = decode_response(execute(self.world, line).encode())
        if isinstance(answer, ErrorLine):
            return Refused(answer.code, answer.message, answer.raw_code, command.name)
        try:
            value = command.result(answer.value)
        except NotUnderstood as unclear:
            return unclear
        if step.kind is StepKind.START:
            self.orphans.add(str(value))  # until the room is told
        return Done(value)

    def _probe(self) -> None:
        self._probe_at = None
        if not self.connected:
            return
        answer = execute(self.world, "getRecordingStatus 00000000-0000-4000-8000-000000000000")
        if answer.startswith(("ERROR|04", "ERROR|070003")):
            self.link(ready=True)
        else:
            self._probe_at = self.clock + _PROBE_EVERY
