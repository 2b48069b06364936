"""The outcomes of a command, as values for the room model."""

from dataclasses import dataclass

import outcome

from ...hmp.errors import LinkDown, OutcomeUnknown, Refused, explain
from .values import Problem

__all__ = ["Answer", "Done", "NotSent", "answer_of", "problem_of"]


@dataclass(frozen=True, slots=True)
class Done:
    """HMP answered ``OK``; `value` is the command's typed result."""

    value: object = None


@dataclass(frozen=True, slots=True)
class NotSent:
    """Nothing reached HMP: the link was down, or the step was withdrawn from the queue."""


Answer = Done | Refused | OutcomeUnknown | NotSent


def answer_of(result: outcome.Outcome[object]) -> Answer:
    """The answer that a link settles a command with; what is none of its errors is raised."""
    try:
        return Done(result.unwrap())
    except (Refused, OutcomeUnknown) as answer:
        return answer
    except LinkDown:
        return NotSent()


def problem_of(refused: Refused) -> Problem:
    """HMP's own code and message, kept beside our explanation."""
    return Problem(refused.code, refused.message, explain(refused))
