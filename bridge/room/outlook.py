"""A room's outlook: what time brings about, what is called for, and until when that holds."""

from .facts.state import Change, RoomState, Step
from .facts.values import Now
from .rules.guarded import Fault, due_in, followed, planned
from .rules.model import tick
from .rules.plan import Watched

__all__ = ["Outlook"]


class Outlook:
    """The last look at a room; `fault` hears of rules that fail.

    Time alone changes nothing before a moment that the rules name (`plan.wake_in`), so that a room
    which is as it was is not looked at again until then. When the clock begins to be believed,
    everything is.
    """

    def __init__(self, fault: Fault) -> None:
        self._fault = fault
        self._seen: tuple[RoomState | None, bool] = (None, False)
        self._until = 0.0
        #: The step that the room calls for, in flight or not.
        self.wanted: Step | None = None

    def look(self, room: RoomState, now: Now) -> Change:
        """Let time pass, as `model.tick`, and see what is `wanted` then."""
        if self._is_seen(room, now) and not now.has_come(self._until):
            return Change(room, ())
        watched = Watched(*now)
        change = followed(room, tick, watched, self._fault)
        self.wanted = planned(change.state, watched, self._fault)
        self._seen, self._until = (room, now.synchronised), watched.earliest
        return change

    def goes_on(self, before: RoomState, room: RoomState) -> None:
        """The room is as it was `before`, but for a step that is under way from now on.

        That puts off what is looked at, and brings nothing about that would be looked at earlier.
        """
        if self._seen[0] is before:
            self._seen = room, self._seen[1]

    def due_at(self, room: RoomState, now: Now) -> float:
        """Monotonic time at which to look again; `room` is as `look` left it, but for its step."""
        if not self._is_seen(room, now):
            self._seen = room, now.synchronised
            self._until = now.monotonic + due_in(room, now, self._fault)
        return self._until

    def _is_seen(self, room: RoomState, now: Now) -> bool:
        seen, believed = self._seen
        return room is seen and now.synchronised is believed
