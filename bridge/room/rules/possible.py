"""The actions that would do something in a room as it is: for buttons, which are off otherwise."""

from ..facts.state import RoomState
from ..facts.values import Now, Request
from ..facts.vocabulary import Action, Outcome
from .guarded import Fault, decided

__all__ = ["BUTTONS", "possible"]

BUTTONS = (
    Action.RECORD,
    Action.PAUSE,
    Action.RESUME,
    Action.STOP,
    Action.TOGGLE,
    Action.TOGGLE_PAUSE,
    Action.MARK,
    Action.EXTEND,
)
"""The actions that need to be told nothing besides."""


def possible(room: RoomState, now: Now, fault: Fault) -> frozenset[Action]:
    """Those of `BUTTONS` that the room would carry out, or take to carry out with HMP.

    One that would be refused, or ignored because it is so already, is none. That HMP may say no, or
    be out of reach for too long, is not foreseen.
    """
    return frozenset(action for action in BUTTONS if _would_act(room, action, now, fault))


def _would_act(room: RoomState, action: Action, now: Now, fault: Fault) -> bool:
    request = Request(action, "", action, "", now.monotonic)
    # Not by its id, which others may have as well: a result at once comes with this very change.
    before = decided(room, request, now, fault)
    return all(result.outcome is Outcome.OK for result in before.results if result.id == request.id)
