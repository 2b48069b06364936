"""A room with a booking system: meetings by their clock time, and what of them HMP has recorded."""

from dataclasses import replace

from bridge.room.facts.meeting import Meeting, owner_in_words
from bridge.room.facts.policy import Policy
from bridge.room.facts.vocabulary import Action
from bridge.simulator.objects import Recording

from .driven import POLICY, WALL
from .site import Site

__all__ = ["BOOKED", "BookedRoom"]

BOOKED = replace(POLICY, poll_interval=20.0)
"""Hours pass here: HMP is asked less often."""


class BookedRoom(Site):
    """A room at a simulated HMP. Times are seconds of the driven clock, at which the site began."""

    def __init__(self, policy: Policy = BOOKED, knobs: dict[str, object] | None = None) -> None:
        super().__init__(policy, {} if knobs is None else knobs)
        self.connect()

    def meeting(
        self,
        name: str = "",
        start: float | None = None,
        end: float | None = None,
        *,
        title: str | None = None,
    ) -> int:
        """`meeting_start`, and what the room does about it at once; the request's id."""
        return self._say(Action.MEETING_START, name, start, end, title)

    def meeting_with(
        self, name: str, *, title: str, organizer: str, fields: tuple[tuple[str, str], ...] = ()
    ) -> int:
        """`meeting_start` of a booking system that tells more."""
        meeting = Meeting(name, title=title, organizer=organizer, fields=fields)
        request = self.press(Action.MEETING_START, meeting=meeting)
        self._flow_if_connected()
        return request

    def meeting_for(self, seconds: float, name: str = "a") -> int:
        """`meeting_start` with a duration alone."""
        request = self.press(Action.MEETING_START, meeting=Meeting(name, length=seconds))
        self._flow_if_connected()
        return request

    def meeting_end(self, name: str = "", start: float | None = None) -> int:
        """`meeting_end`."""
        return self._say(Action.MEETING_END, name, start)

    def meeting_extend(
        self, name: str = "", end: float | None = None, *, seconds: float | None = None
    ) -> int:
        """`meeting_extend`."""
        return self._say(Action.MEETING_EXTEND, name, None, end, seconds=seconds)

    def ask(self, action: Action | str, *, seconds: float | None = None) -> int:
        """A press, and what the room does about it at once."""
        request = self.press(action, seconds=seconds)
        self._flow_if_connected()
        return request

    @property
    def word(self) -> str:
        """The published state, as a panel compares it."""
        return str(self.state)

    @property
    def unfinished(self) -> int:
        """How many recordings before this one are still to be given something."""
        return len(self.room.unfinished)

    @property
    def newest(self) -> Recording:
        """HMP's newest recording."""
        return list(self.world.recordings.values())[-1]

    @property
    def owner(self) -> str | None:
        """Whom the recording belongs to."""
        held = self.room.recording
        return None if held is None else owner_in_words(held.owner)

    @property
    def ends_at(self) -> float | None:
        """When it is to end by itself."""
        ends_at = self.room.ends_at
        return None if ends_at is None else round(ends_at - WALL, 1)

    @property
    def recorded(self) -> list[tuple[float, float | None]]:
        """From when to when HMP has recorded, in the order of the starts."""
        recordings = sorted(self.world.recordings.values(), key=lambda each: each.started_at)
        return [(round(each.started_at - WALL, 1), _stopped(each)) for each in recordings]

    def _say(
        self,
        action: Action,
        name: str,
        start: float | None = None,
        end: float | None = None,
        title: str | None = None,
        *,
        seconds: float | None = None,
    ) -> int:
        meeting = Meeting(
            name,
            None if start is None else WALL + start,
            None if end is None else WALL + end,
            title,
        )
        request = self.press(action, meeting=meeting, seconds=seconds)
        self._flow_if_connected()
        return request

    def _flow_if_connected(self) -> None:
        if self.connected:
            self.flow()

    # What starts and stops here is not a person's word alone; the tests look at what came of it.

    def _check_start(self) -> None:
        pass

    def _check_stop(self) -> None:
        pass


def _stopped(recording: Recording) -> float | None:
    return None if recording.stopped_at is None else round(recording.stopped_at - WALL, 1)
