"""A request as it came."""

from collections.abc import Callable
from dataclasses import dataclass

from ..inputs import InputKey
from ..mqtt.message import Message

__all__ = ["Arrival"]


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message with a request, and what the dispatcher knows of it.

    `waited` is how many seconds it may have waited at the broker for the bridge to come back (R16),
    `input_key` what a redelivery is recognised by, `accepted` acknowledges it (R27).
    """

    message: Message
    waited: float
    input_key: InputKey | None
    accepted: Callable[[], None]
