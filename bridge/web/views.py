"""Views of rooms as whoever looks gets them: a room's `status`, and what a page needs besides."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from ..room.facts.vocabulary import Action
from ..room.rules.possible import BUTTONS
from .access import Role

__all__ = ["Standing", "view"]


@dataclass(frozen=True, slots=True)
class Standing:
    """A room as it stands: the members of its `status`, and the actions that would do something.

    `stale_since` is when its HMP was lost; None while it is there, and where it never was.
    """

    status: Mapping[str, object]
    name: str
    possible: Collection[Action]
    broker: bool
    stale_since: str | None


def view(standing: Standing, role: Role) -> dict[str, object]:
    """The room for somebody of this role, to whom nothing is possible who may only look."""
    may = standing.possible if role is Role.OPERATE else ()
    return {
        **standing.status,
        "name": standing.name,
        "actions": {str(action): action in may for action in BUTTONS},
        "stale_since": standing.stale_since,
        "bridge": {"broker": standing.broker},
        "role": str(role),
    }
