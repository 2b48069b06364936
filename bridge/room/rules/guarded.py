"""The rules, guarded: where one has forgotten something, its message ends and no process does.

A rule is pure, so that a state which it failed to change is what it was before. One that fails
whenever time passes leaves the room to its requests, to HMP's answers, and to its other rules.
"""

from collections.abc import Callable

from ...hmp.errors import OutcomeUnknown
from ..facts.answer import Answer
from ..facts.problems import INTERNAL_ERROR
from ..facts.state import Change, RoomState, Step
from ..facts.values import Now, Request
from ..facts.vocabulary import Outcome
from . import answers, model, plan
from .turn import Turn

__all__ = ["Fault", "Rule", "applied", "decided", "due_in", "followed", "planned"]

Rule = Callable[[RoomState, Now], Change]

Fault = Callable[[Exception, str], None]
"""Whoever is told what a rule raised, and over what: a topic, the name of a command, or neither."""

_LOOK_AGAIN = 1.0
"""Seconds until a room is looked at again of which nobody can say when that is due."""


def decided(room: RoomState, request: Request, now: Now, fault: Fault) -> Change:
    """The change that a request makes; it has failed where its rule has (R27)."""
    try:
        return model.decide(room, request, now)
    except Exception as error:  # noqa: BLE001 - whatever a rule has forgotten
        fault(error, request.origin)
        turn = Turn(room, now)
        turn.answer(request, Outcome.FAILED, INTERNAL_ERROR)
        return turn.as_it_is()


def applied(room: RoomState, step: Step, answer: Answer, now: Now, fault: Fault) -> Change:
    """The change that HMP's answer makes; where its rule fails it counts as lost (R27).

    Raises what the rule for a lost answer raises: the next process knows what was under way (R7).
    """
    try:
        return answers.apply(room, step, answer, now)
    except Exception as error:  # noqa: BLE001
        name = step.command.name
        fault(error, name)
        return answers.apply(room, step, OutcomeUnknown(name, "its answer was not read"), now)


def followed(room: RoomState, rule: Rule, now: Now, fault: Fault) -> Change:
    """The change that `rule` makes of the room; none where it fails."""
    try:
        return rule(room, now)
    except Exception as error:  # noqa: BLE001
        fault(error, "")
        now.has_come(now.monotonic + _LOOK_AGAIN)  # whoever watches the clock comes again then
        return Change(room, ())


def planned(room: RoomState, now: Now, fault: Fault) -> Step | None:
    """The command to be sent now, as `plan.next_step`; none where a rule fails."""
    try:
        return plan.next_step(room, now)
    except Exception as error:  # noqa: BLE001
        fault(error, "")
        now.has_come(now.monotonic + _LOOK_AGAIN)
        return None


def due_in(room: RoomState, now: Now, fault: Fault) -> float:
    """Seconds until time alone may change the room, as `plan.wake_in`."""
    try:
        return plan.wake_in(room, now)
    except Exception as error:  # noqa: BLE001
        fault(error, "")
        return _LOOK_AGAIN
