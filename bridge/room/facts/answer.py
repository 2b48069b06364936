"""The outcomes of a command, as values for the room model."""

from dataclasses import dataclass

from ...hmp.errors import OutcomeUnknown, Refused, explain
from .values import Problem

__all__ = ["Answer", "Done", "NotSent", "problem_of"]


@dataclass(frozen=True, slots=True)
class Done:
    """HMP answered ``OK``; `value` is the command's typed result."""

    value: object = None


@dataclass(frozen=True, slots=True)
class NotSent:
    """Nothing reached HMP: the link was down, or the step was withdrawn from the queue."""


Answer = Done | Refused | OutcomeUnknown | NotSent


def problem_of(refused: Refused) -> Problem:
    """HMP's own code and message, kept beside our explanation."""
    return Problem(refused.code, refused.message, explain(refused))
