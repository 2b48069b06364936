"""What has just become of a room, told by its states before and after."""

from collections.abc import Iterator
from dataclasses import dataclass

from .state import RoomState
from .vocabulary import Alarm, Happening

__all__ = ["Seen"]


@dataclass(frozen=True, slots=True)
class Seen:
    """As much of a room's state as tells what happens to it."""

    recording: bool
    paused: bool
    alarms: frozenset[Alarm]

    @classmethod
    def of(cls, state: RoomState) -> "Seen":
        """That of a state; all of it is HMP's word, never a request (R1)."""
        return cls(state.active, state.paused, state.alarms)

    def until(self, after: "Seen") -> Iterator[Happening]:
        """What has happened from here to `after`, in this order."""
        if after.recording and not self.recording:
            yield Happening.RECORDING_STARTED
        if after.paused and not self.paused:
            yield Happening.RECORDING_PAUSED
        if self.paused and not after.paused and after.recording:
            yield Happening.RECORDING_RESUMED
        if self.recording and not after.recording:
            yield Happening.RECORDING_STOPPED
        if after.alarms - self.alarms:
            yield Happening.ALARM_RAISED
