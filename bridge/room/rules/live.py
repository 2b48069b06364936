"""Showing the room's session among the live ones, or not (Multi-site Live)."""

from ...hmp.commands import SetLiveSession
from ...hmp.errors import Refused
from ..facts import problems
from ..facts.answer import Answer, Done, problem_of
from ..facts.state import RoomState, Step
from ..facts.values import Request
from ..facts.vocabulary import Action, Goal, Outcome, StepKind
from . import details
from .turn import Turn

__all__ = ["answered", "pressed", "settle", "step"]


def pressed(turn: Turn, request: Request) -> None:
    """`live_on` and `live_off`; the last one wins (R10)."""
    if turn.room.session is None:
        turn.answer(request, Outcome.FAILED, problems.NO_SESSION)
        return
    turn.resolve({Goal.LIVE}, Outcome.IGNORED)
    details.drop_live(turn, turn.room.session)
    turn.update(live=request.action is Action.LIVE_ON)
    turn.wait_for(request, Goal.LIVE, turn.room.policy.action_ttl)


def step(room: RoomState) -> Step | None:
    """The step that is to be sent while somebody waits for it."""
    if room.live is None or room.session is None:
        return None
    return Step(StepKind.LIVE, SetLiveSession(room.session, room.live))


def settle(turn: Turn) -> None:
    """It expired, or the session is gone: nothing is wanted any more."""
    room = turn.room
    if room.live is None or room.sending(StepKind.LIVE):
        return
    if room.session is None:
        turn.resolve({Goal.LIVE}, Outcome.FAILED, problems.NO_SESSION)
    if not turn.room.awaits(Goal.LIVE):
        turn.update(live=None)


def answered(turn: Turn, sent: Step, answer: Answer) -> None:
    """The answer to setLiveSession; a lost one is sent again."""
    if sent != step(turn.room):
        return  # another one is wanted by now
    if isinstance(answer, Done):
        turn.update(live=None)
        turn.resolve({Goal.LIVE}, Outcome.OK)
    elif isinstance(answer, Refused):
        turn.update(live=None, problem=problem_of(answer))
        turn.resolve({Goal.LIVE}, Outcome.FAILED, problem_of(answer))
