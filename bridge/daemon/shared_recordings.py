"""One recording that two rooms hold: copied journals and topics can bring that about (R5)."""

from collections import Counter

from ..room.facts.vocabulary import Alarm
from ..room.worker import Room

__all__ = ["SharedRecordings"]


class SharedRecordings:
    """Who holds which recording; rooms that hold one with another are told, and told when not."""

    def __init__(self) -> None:
        #: Server and id of the recording that each room holds.
        self._held: dict[Room, tuple[str, str]] = {}
        self._sharing: set[Room] = set()

    def note(self, room: Room) -> None:
        """Look at what the room holds, whenever its state has changed."""
        recording = room.state.recording
        held = None if recording is None or recording.id is None else recording.id.lower()
        self._hold(room, None if held is None or room.retired else (room.server, held))

    def forget(self, room: Room) -> None:
        """The room has said its last word."""
        self._hold(room, None)

    def _hold(self, room: Room, held: tuple[str, str] | None) -> None:
        before = self._held.pop(room, None)
        if held is not None:
            self._held[room] = held
        if held == before:
            return
        times = Counter(self._held.values())
        sharing = {each for each, recording in self._held.items() if times[recording] > 1}
        changed, self._sharing = sharing ^ self._sharing, sharing
        for each in changed:
            each.alarm_changed(Alarm.SHARED_RECORDING, raised=each in sharing)
