"""Deliveries: what a room is given to carry out or to answer, each with what brought it."""

from dataclasses import dataclass
from typing import Protocol

from ..journal.inputs import InputKey
from .facts.values import Request, Result

__all__ = ["Bearer", "Delivery", "Refusal"]


class Bearer(Protocol):
    """Whatever brought a request and must know when that cannot be lost any more (R27).

    For everything that comes by MQTT it is a `Place` of ``mqtt/acknowledgements``.
    """

    def accept(self) -> None:
        """The request is written down, or refused and need not be kept."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A request and the message that brought it.

    `input_key` is what a redelivery is recognised by; `bearer` is told once the request is
    journalled (R27).
    """

    request: Request
    input_key: InputKey | None = None
    bearer: Bearer | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """A result that needed no decision of the room's, kept and given like all its others.

    So a redelivery is recognised, and what was refused once is never carried out later (R16, R27).
    """

    result: Result
    input_key: InputKey | None = None
    bearer: Bearer | None = None
